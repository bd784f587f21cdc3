/*
 * dead_letter: items that have been delivered max_deliveries times go to the dead letter queue.
 *
 * The queue with the items and the one that receives them are two objects, so this is done when the
 * first one is otherwise at rest (object_type.pass_on). The receiving queue must be there, be a
 * queue that is not shut down, and be writable for the owner of the first one; otherwise the item
 * is dropped and counted, as it is without a dead letter queue. It may go over the receiving
 * queue's maxsize, as every item that comes back. From a durable queue items go to a durable one
 * only, and into a durable one only what may stand there. If a job works on the receiving queue
 * just now, it is tried again a moment later.
 *
 * Tests: tests/unit/methods/test_queue.c.
 */
#include "daemon/objects/queue_private.h"
#include "daemon/objects/registry.h"

enum {
    RETRY_NS = 1000000,
    AT_ONCE = 1024, /* so many are passed on before others have their turn */
};

static struct queue *receiver_of(const struct queue *queue)
{
    struct slice name = queue->options.dead_letter;
    struct registry *registry = queue->object.registry;
    struct object *object = name.len > 0 ? registry_find(registry, name) : NULL;
    if (object == NULL || object->kind != OBJECT_QUEUE || object == &queue->object) {
        return NULL;
    }
    if (object_is_durable(&queue->object) && !object_is_durable(object)) {
        return NULL; /* what is there is not to be lost there */
    }
    struct credentials owner = {.uid = queue->object.uid, .gid = queue->object.gid};
    if (!access_granted(&owner, object->user->accounts->self, object->uid, object->gid,
                        object->mode, ACCESS_WRITE)) {
        return NULL;
    }
    return queue_of(object);
}

enum dead_letter_fault dead_letter_check(const struct registry *registry, struct slice name,
                                         struct slice dead_letter)
{
    for (int i = 0; dead_letter.len > 0; i++) {
        if (i == DEAD_LETTER_CHAIN_MAX) {
            return DEAD_LETTER_LONG;
        }
        if (slice_equal(dead_letter, name)) {
            return i == 0 ? DEAD_LETTER_ITSELF : DEAD_LETTER_CIRCLE;
        }
        const struct object *object = registry_find(registry, dead_letter);
        bool is_queue = object != NULL && object->kind == OBJECT_QUEUE;
        dead_letter =
            is_queue ? ((const struct queue *)object)->options.dead_letter : (struct slice){0};
    }
    return DEAD_LETTER_FINE;
}

const char *queue_refuse_name(const struct object *object, struct slice name)
{
    static const char *const sentences[] = {
        [DEAD_LETTER_FINE] = NULL,
        [DEAD_LETTER_ITSELF] = "it would be its own dead letter queue",
        [DEAD_LETTER_CIRCLE] = "its dead items would come back to it by way of other queues",
        [DEAD_LETTER_LONG] = "its dead items could be passed on more than 64 times",
    };
    const struct queue *queue = (const struct queue *)object;
    return sentences[dead_letter_check(object->registry, name, queue->options.dead_letter)];
}

void queue_pass_on_dead(struct object *object, uint64_t now)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    for (int i = 0; !TAILQ_EMPTY(&queue->dead) && queue->pass_on_at <= now; i++) {
        struct queue *receiver = receiver_of(queue);
        if (receiver != NULL && receiver->object.hold != NULL) {
            queue->pass_on_at = now + RETRY_NS;
            break;
        }
        if (i == AT_ONCE) {
            queue->pass_on_at = now + 1; /* the rest in the next turn */
            break;
        }
        item = queue_next_dead(queue);
        bool dropped = receiver == NULL || queue_receive_dead(receiver, item) < 0;
        queue_free_dead(queue, item, dropped);
    }
    if (TAILQ_EMPTY(&queue->dead)) {
        queue->pass_on_at = 0;
    }
}

struct item *queue_next_dead(struct queue *queue)
{
    struct item *item = TAILQ_FIRST(&queue->dead);
    if (item != NULL) {
        TAILQ_REMOVE(&queue->dead, item, link);
    }
    return item;
}

int queue_receive_dead(struct queue *queue, const struct item *dead)
{
    if (queue->shut_down) {
        return ERR_SHUT_DOWN;
    }
    if (object_is_durable(&queue->object) && !blob_is_lasting(dead->value)) {
        return ERR_TYPE;
    }
    struct item_meta meta = {
        .rank = dead->meta.rank, .seq = queue->next_seq, .expires = TIME_NEVER};
    struct item *item;
    bool first = queue->ready + queue->delayed == 0;
    int status = item_new(queue, blob_ref(dead->value), &meta, false, &item);
    if (status == 0) {
        if (first) {
            queue->rank_kind = meta.rank.kind;
        }
        queue->next_seq++;
        item_enter(queue, item, false);
        queue_tell_size(queue, EVENT_put);
        queue_changed(queue);
    }
    return status;
}

void queue_free_dead(struct queue *queue, struct item *item, bool dropped)
{
    queue->dropped += dropped;
    item_free(queue, item);
    if (object_is_watched(&queue->object, EVENT_dead)) {
        const union detail detail = {.is = dropped};
        object_tell(&queue->object, EVENT_dead, &detail);
    }
    queue_changed(queue);
}
