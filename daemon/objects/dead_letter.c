/*
 * dead_letter: items that have been delivered max_deliveries times go to the dead letter queue.
 *
 * The queue with the items and the one that receives them are two objects, so this is done when the
 * first one is otherwise at rest (object_type.pass_on). The receiving queue must be there, be a
 * queue that is not shut down, and be writable for the owner of the first one; otherwise the item
 * is dropped and counted, as it is without a dead letter queue. It may go over the receiving
 * queue's maxsize, as every item that comes back. If a job works on the receiving queue just now,
 * it is tried again a moment later.
 */
#include "daemon/objects/queue_private.h"
#include "daemon/objects/registry.h"

enum { RETRY_NS = 1000000 };

static struct queue *receiver_of(const struct queue *queue)
{
    struct slice name = queue->options.dead_letter;
    struct registry *registry = queue->object.registry;
    struct object *object = name.len > 0 ? registry_find(registry, name) : NULL;
    if (object == NULL || object->kind != OBJECT_QUEUE || object == &queue->object) {
        return NULL;
    }
    struct credentials owner = {.uid = queue->object.uid, .gid = queue->object.gid};
    if (!access_granted(&owner, object->user->accounts->self, object->uid, object->gid,
                        object->mode, ACCESS_WRITE)) {
        return NULL;
    }
    return queue_of(object);
}

void queue_pass_on_dead(struct object *object, uint64_t now)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    while (!TAILQ_EMPTY(&queue->dead)) {
        struct queue *receiver = receiver_of(queue);
        if (receiver != NULL && receiver->object.hold != NULL) {
            queue->pass_on_at = now + RETRY_NS;
            return;
        }
        item = queue_next_dead(queue);
        bool dropped = receiver == NULL || queue_receive_dead(receiver, item) < 0;
        queue_free_dead(queue, item, dropped);
    }
    queue->pass_on_at = 0;
}
