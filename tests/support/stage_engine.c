/* stage_engine: see stage_engine.h. */
#include "tests/support/stage_engine.h"

#include <stdlib.h>

#ifdef HAVE_ENGINE

#include <unistd.h>

#include "daemon/engine/engine.h"

extern const struct engine_functions functions_at_one_place;

/* A lease that no test outlives: what its end does is tested elsewhere. */
#define LEASE_MS UINT64_C(1000000000000)

enum { NS_PER_MS = 1000000 };

struct stage_engine {
    struct stage *stage;
    struct event_base *base;
    struct engine *engine;
    uint64_t ahead_ms;
};

static uint64_t now_ms(void *data)
{
    const struct stage_engine *engine = data;
    return engine->stage->now / NS_PER_MS + engine->ahead_ms;
}

static bool has_name(void *data, const char *name)
{
    return true;
}

static void say(void *data, const char *text)
{
    fail_msg("%s", text);
}

static unsigned next_realm(void)
{
    static unsigned last;
    return ++last;
}

/* The URL of the Redis in the environment, or false. */
static bool find_url(char url[256])
{
    const char *path = getenv("IPCD_TEST_ENGINE");
    const char *whole = getenv("IPCD_ENGINE");
    if (path != NULL) {
        (void)snprintf(url, 256, "redis+unix://%s", path);
    } else if (whole != NULL) {
        (void)snprintf(url, 256, "%s", whole);
    }
    return path != NULL || whole != NULL;
}

struct stage_engine *stage_engine_join(struct stage *stage, const struct stage_host *host)
{
    char url[256];
    char *error;
    if (!find_url(url)) {
        return NULL;
    }
    struct stage_engine *engine = calloc(1, sizeof(*engine));
    assert_non_null(engine);
    engine->stage = stage;
    engine->base = event_base_new();
    const struct engine_options options = {.url = url,
                                           .realm = host->realm,
                                           .host = host->name,
                                           .has_name = has_name,
                                           .lease_ms = host->lease_ms,
                                           .timeout_ms = 10000,
                                           .say = say,
                                           .now_ms = now_ms,
                                           .tag = "t",
                                           .functions = &functions_at_one_place,
                                           .data = engine};
    int status = engine_open(engine->base, &stage->service, &options, &engine->engine, &error);
    if (status < 0) {
        fail_msg("%s", error == NULL ? error_name(status) : error);
    }
    stage_engine_settle(engine);
    return engine;
}

struct stage_engine *stage_engine_new(struct stage *stage)
{
    char realm[64];
    (void)snprintf(realm, sizeof(realm), "t%d-%u", (int)getpid(), next_realm());
    return stage_engine_join(stage, &(struct stage_host){realm, "h", LEASE_MS});
}

static void run_until_quiet(struct stage_engine *engine)
{
    while (engine_is_busy(engine->engine)) {
        (void)event_base_loop(engine->base, EVLOOP_ONCE);
    }
}

void stage_engine_settle(struct stage_engine *engine)
{
    uint64_t ops;
    do {
        run_until_quiet(engine);
        ops = engine_ops(engine->engine);
        engine_catch_up(engine->engine);
        run_until_quiet(engine);
    } while (ops != engine_ops(engine->engine));
}

void stage_engine_free(struct stage_engine *engine)
{
    if (engine != NULL) {
        engine_close(engine->engine);
        event_base_free(engine->base);
        free(engine);
    }
}

uint64_t stage_engine_due(const struct stage_engine *engine)
{
    return engine_due(engine->engine);
}

void stage_engine_tick(struct stage_engine *engine)
{
    engine_tick(engine->engine, engine->stage->now);
    stage_engine_settle(engine);
}

void stage_engine_set_ahead(struct stage_engine *engine, uint64_t ms)
{
    engine->ahead_ms = ms;
}

#else

struct stage_engine *stage_engine_join(struct stage *stage, const struct stage_host *host)
{
    return NULL;
}

struct stage_engine *stage_engine_new(struct stage *stage)
{
    return NULL;
}

void stage_engine_free(struct stage_engine *engine)
{
}

void stage_engine_settle(struct stage_engine *engine)
{
}

uint64_t stage_engine_due(const struct stage_engine *engine)
{
    return TIME_NEVER;
}

void stage_engine_tick(struct stage_engine *engine)
{
}

void stage_engine_set_ahead(struct stage_engine *engine, uint64_t ms)
{
}

#endif
