/* Fault: now and then an item that was delivered stays in its queue. */
#include "daemon/objects/queue.h"

void __real_queue_drop_head(struct queue *queue);
void __wrap_queue_drop_head(struct queue *queue);

void __wrap_queue_drop_head(struct queue *queue)
{
    static unsigned count;
    if (++count % 16 != 0) {
        __real_queue_drop_head(queue);
    }
}
