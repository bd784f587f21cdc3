/* Fault: the item that came last is delivered first. */
#include "daemon/objects/queue.h"

int __real_queue_new(const struct object_options *common, const struct queue_options *options,
                     struct queue **out);
int __wrap_queue_new(const struct object_options *common, const struct queue_options *options,
                     struct queue **out);

int __wrap_queue_new(const struct object_options *common, const struct queue_options *options,
                     struct queue **out)
{
    struct queue_options wrong = *options;
    wrong.order = QUEUE_LIFO;
    return __real_queue_new(common, &wrong, out);
}
