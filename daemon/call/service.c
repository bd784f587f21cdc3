/*
 * service: built up and torn down; see service.h.
 *
 * Tests: tests/unit/call/test_drain.c, tests/unit/call/test_deleting.c.
 */
#include "daemon/call/service.h"

#include <assert.h>
#include <sys/random.h>
#include <unistd.h>

static bool earlier(const void *a, const void *b)
{
    return ((const struct deadline *)a)->at < ((const struct deadline *)b)->at;
}

static uint32_t *position_of(void *deadline)
{
    return &((struct deadline *)deadline)->position;
}

int service_init(struct service *service, struct clock clock)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        return ERR_INTERNAL;
    }
    uint64_t now = clock.now(clock.data);
    *service = (struct service){
        .deadlines = {.before = earlier, .position = position_of}, .now = now, .started = now};
    accounts_init(&service->accounts, geteuid());
    registry_init(&service->registry, seed);
    jobs_init(&service->jobs, clock);
    TAILQ_INIT(&service->sessions);
    TAILQ_INIT(&service->dirty);
    TAILQ_INIT(&service->commits.held);
    TAILQ_INIT(&service->pending);
    method_index_init(&service->index);
    (void)clock_gettime(CLOCK_REALTIME, &service->since);
    return 0;
}

void service_deinit(struct service *service)
{
    assert(TAILQ_EMPTY(&service->sessions) && TAILQ_EMPTY(&service->registry.leaving));
    assert(service->jobs.count == 0 && service->waiting == 0);
    registry_deinit(&service->registry);
    heap_deinit(&service->deadlines);
    accounts_deinit(&service->accounts);
}
