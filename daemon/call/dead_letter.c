/*
 * dead_letter: items that have been delivered max_deliveries times go to the dead letter queue.
 *
 * The queue with the items and the one that receives them are two objects, so this is done here,
 * between them: the service looks at a queue's dead items each time it has served the queue. The
 * receiving queue must be there, be a queue that is not shut down, and be writable for the owner of
 * the first one; otherwise the item is dropped and counted, as it is without a dead letter queue.
 * It may go over the receiving queue's maxsize, as every item that comes back.
 */
#include "daemon/call/service.h"

static struct queue *receiver_of(const struct service *service, const struct queue *queue)
{
    struct slice name = queue->options.dead_letter;
    struct object *object = name.len > 0 ? registry_find(&service->registry, name) : NULL;
    if (object == NULL || object->type->kind != OBJECT_QUEUE || object == &queue->object) {
        return NULL;
    }
    struct credentials owner = {.uid = queue->object.uid, .gid = queue->object.gid};
    if (!access_granted(&owner, service->self, object->uid, object->gid, object->mode,
                        ACCESS_WRITE)) {
        return NULL;
    }
    return (struct queue *)object;
}

void dead_letters(struct service *service, struct queue *queue)
{
    struct item *item;
    while ((item = queue_next_dead(queue)) != NULL) {
        struct queue *receiver = receiver_of(service, queue);
        bool dropped = receiver == NULL || queue_receive_dead(receiver, item) < 0;
        if (!dropped) {
            object_ready(service, &receiver->object);
        }
        queue_free_dead(queue, item, dropped);
    }
}
