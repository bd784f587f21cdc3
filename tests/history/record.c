/* record: see record.h. */
#include "tests/history/record.h"

#include <sys/mman.h>
#include <time.h>

int64_t record_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct record *record_new(void)
{
    void *memory = mmap(NULL, sizeof(struct record), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void record_free(struct record *record)
{
    (void)munmap(record, sizeof(*record));
}

struct operation *record_begin(struct log *log, const struct operation *operation)
{
    struct operation *place = &log->operations[log->count];
    *place = *operation;
    place->end = 0;
    place->begin = record_now();
    __atomic_store_n(&log->count, log->count + 1, __ATOMIC_RELEASE);
    return place;
}

void record_end(struct operation *operation)
{
    __atomic_store_n(&operation->end, record_now(), __ATOMIC_RELEASE);
}

void record_closing(struct log *log)
{
    __atomic_store_n(&log->closing, record_now(), __ATOMIC_RELEASE);
}

void record_collect(const struct log *log, struct history *history)
{
    uint32_t count = __atomic_load_n(&log->count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count && history->count < HISTORY_MAX; i++) {
        struct operation operation = log->operations[i];
        if (operation.end == 0) {
            operation.end = UNANSWERED;
        }
        history->operations[history->count++] = operation;
    }
}
