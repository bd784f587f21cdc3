/* Fault: a getter that is killed while it waits takes the next item with it. */
#include "daemon/objects/queue.h"
#include "daemon/call/ending.h"

void __real_call_cancel(struct call *call, int error, const char *text);
void __wrap_call_cancel(struct call *call, int error, const char *text);
int __real_queue_put(struct queue *queue, struct incoming value, const struct put_options *options,
                     uint64_t now);
int __wrap_queue_put(struct queue *queue, struct incoming value, const struct put_options *options,
                     uint64_t now);

/* A queue whose getter was cancelled, to be compared only. */
static const struct object *robbed;

void __wrap_call_cancel(struct call *call, int error, const char *text)
{
    if (call->object->type->kind == OBJECT_QUEUE && call->wish.channel == QUEUE_GETTERS) {
        robbed = call->object;
    }
    __real_call_cancel(call, error, text);
}

int __wrap_queue_put(struct queue *queue, struct incoming value, const struct put_options *options,
                     uint64_t now)
{
    if (&queue->object == robbed) {
        robbed = NULL;
        return 0;
    }
    return __real_queue_put(queue, value, options, now);
}
