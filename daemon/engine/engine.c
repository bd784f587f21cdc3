/*
 * engine: see engine.h. It is put together here, from its parts (state.h).
 *
 * Tests: tests/unit/engine/test_hosts.c; tests/unit/methods/, the suite "engine".
 */
#include "daemon/engine/engine.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/call/drain.h"
#include "daemon/engine/answer.h"
#include "daemon/engine/away.h"
#include "daemon/engine/guest.h"
#include "daemon/engine/hosts.h"
#include "daemon/engine/lease.h"
#include "daemon/engine/library.h"
#include "daemon/engine/reap.h"
#include "daemon/engine/mailbox.h"
#include "daemon/engine/waits.h"
#include "daemon/engine/watched.h"

enum { NS_PER_MS = 1000000, HOST_NAME_MOST = 65 };

/* Time. */

/* One that is set already rings first: then it is looked at anew. */
static void arm(struct engine *engine)
{
    uint64_t due = engine_due(engine);
    if (due >= engine->rings) {
        return;
    }
    engine->rings = due;
    uint64_t now = engine_now(engine);
    uint64_t us = due > now ? (due - now + 999) / 1000 : 0;
    const struct timeval after = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
    (void)event_add(&engine->timer, &after);
}

/* Calls may have been ended: what follows from that is done, and told. */
static void settle(void *data)
{
    struct engine *engine = data;
    service_drain(engine->service);
    if (engine->has_unwatched) {
        watched_sweep(engine);
    }
    if (engine->options.answered != NULL) {
        engine->options.answered(engine->options.data);
    }
    if (!engine->closing) {
        arm(engine);
    }
}

uint64_t engine_due(const struct engine *engine)
{
    uint64_t lease = lease_due(engine);
    uint64_t lanes = lanes_due(&engine->lanes);
    uint64_t hosts = hosts_due(engine);
    uint64_t due = lease < lanes ? lease : lanes;
    return hosts < due ? hosts : due;
}

void engine_tick(struct engine *engine, uint64_t now)
{
    engine->service->now = now;
    lease_tick(engine, now);
    lanes_tick(&engine->lanes, now);
    hosts_tick(engine, now);
}

static void timer_rings(evutil_socket_t fd, short what, void *data)
{
    struct engine *engine = data;
    engine->rings = TIME_NEVER;
    engine_tick(engine, engine_now(engine));
}

bool engine_is_busy(const struct engine *engine)
{
    return lease_is_busy(engine) || lanes_are_busy(&engine->lanes) || reap_is_busy(engine) ||
           engine->confirming > 0 || engine->catching_up > 0 || engine->has_unwatched ||
           engine->listings > 0;
}

void engine_catch_up(struct engine *engine)
{
    waits_catch_up(engine);
}

uint64_t engine_ops(const struct engine *engine)
{
    return engine->lanes.figures.ops;
}

/* struct engine_api. */

static bool has(void *data, struct slice name)
{
    const struct engine_options *options = &((const struct engine *)data)->options;
    char text[OBJECT_NAME_MAX + 1];
    if (name.len == 0 || name.len > OBJECT_NAME_MAX || name.data[0] == '#') {
        return false;
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return options->has_name(options->data, text);
}

static int begin(void *data, struct call *call)
{
    const struct engine *engine = data;
    if (engine->closing) { /* what has been begun is ended; of it may come what waited behind it */
        return answer_failure(call, false, "%s: nothing was done: the daemon ends",
                              call->method->name);
    }
    return hosts_are_asked(call->method) ? hosts_begin(data, call) : away_begin(data, call);
}

static void cancel(void *data, struct call *call, int why)
{
    if (hosts_are_asked(call->method)) {
        hosts_cancel(data, call, why);
    } else {
        away_cancel(call, why);
    }
}

static void forget(void *data, struct call *call)
{
    if (hosts_are_asked(call->method)) {
        hosts_forget(data, call);
    } else {
        away_forget(call);
    }
}

static void session_ends(void *data, struct session *session)
{
    struct engine *engine = data;
    guest_leaves(engine, session->id);
    if (session->watcher != NULL && engine->watched.live > 0) {
        engine->has_unwatched = true;
        event_active(&engine->timer, EV_TIMEOUT, 0); /* when its watches have ended */
    }
}

static size_t session_tags(void *data, const struct session *session)
{
    return guest_lanes(data, session->id);
}

static size_t describe(void *data, struct buffer *out)
{
    const struct engine *engine = data;
    struct cluster_figures figures;
    cluster_figures(engine->cluster, &figures);
    pack_key_string(out, "kind", "redis");
    pack_key_string(out, "realm", engine->options.realm);
    pack_key_string(out, "host", engine->options.host);
    pack_key_uint(out, "epoch", engine->lanes.tenure.epoch);
    pack_key_bool(out, "reachable", figures.reachable);
    pack_key_bool(out, "leased", lanes_may_send(&engine->lanes));
    pack_key_bool(out, "cluster", figures.is_cluster);
    pack_key_uint(out, "primaries", figures.nodes);
    pack_key_uint(out, "requests", figures.requests);
    pack_key_uint(out, "unknown", figures.unknown);
    pack_key_uint(out, "redirects", figures.redirects);
    pack_key_uint(out, "reconnects", figures.reconnects);
    pack_key_uint(out, "channels", figures.channels);
    pack_key_uint(out, "lanes", engine->lanes.tags.live);
    pack_key_uint(out, "batches", engine->lanes.figures.batches);
    pack_key_uint(out, "ops", engine->lanes.figures.ops);
    pack_key_uint(out, "again", engine->lanes.figures.again);
    pack_key_uint(out, "failed", engine->lanes.figures.failed);
    pack_key_uint(out, "waits", engine->waits.live);
    pack_key_uint(out, "ending", engine->ending);
    return 20;
}

/* Made and ended. */

/* The name of the machine, with what is no part of a host's name here written as "-". */
static char *machine_name(void)
{
    char name[HOST_NAME_MOST] = "";
    (void)gethostname(name, sizeof(name) - 1);
    for (char *at = name; *at != '\0'; at++) {
        bool fits = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                    (*at >= '0' && *at <= '9') || strchr("._-", *at) != NULL;
        *at = fits ? *at : '-';
    }
    return strdup(name[0] == '\0' ? "localhost" : name);
}

static int copy_options(struct engine *engine, const struct engine_options *options)
{
    engine->options = *options;
    engine->options.realm = strdup(options->realm);
    engine->options.host = options->host == NULL ? machine_name() : strdup(options->host);
    engine->options.tag = options->tag == NULL ? NULL : strdup(options->tag);
    return engine->options.realm == NULL || engine->options.host == NULL ? ERR_MEMORY : 0;
}

static const struct engine_functions *functions_of(const struct engine_options *options)
{
    return options->functions == NULL ? &engine_functions : options->functions;
}

/* Of the URL, with another user's name if the options have one. */
static int connect_to(struct engine *engine, const struct engine_options *options, char **error)
{
    struct cluster_options cluster = {.password_file = options->password_file,
                                      .ca_file = options->ca_file,
                                      .certificate_file = options->certificate_file,
                                      .key_file = options->key_file,
                                      .client_name = "ipcd",
                                      .library = functions_of(options)->source};
    const struct cluster_listener listener = {
        .message = waits_message, .subscribed = waits_subscribed, .data = engine};
    int status = url_parse(options->url, &cluster.url, error);
    if (status == 0 && options->user != NULL) {
        free(cluster.url.user);
        cluster.url.user = strdup(options->user);
        status = cluster.url.user == NULL ? ERR_MEMORY : 0;
    }
    if (status == 0) {
        status = cluster_open(engine->base, &cluster, &listener, &engine->cluster, error);
    }
    url_deinit(&cluster.url);
    return status;
}

static int begin_lanes(struct engine *engine)
{
    const struct lanes_options lanes = {
        .realm = engine->options.realm,
        .host = engine->options.host,
        .function = functions_of(&engine->options)->name,
        .freeing = functions_of(&engine->options)->freeing,
        .tag = engine->options.tag,
        .clock = engine->service->jobs.clock,
        .timeout_ms = engine->options.timeout_ms,
        .wait_replicas = engine->options.wait_replicas,
        .replicas_ms = engine->options.timeout_ms,
        .now_ms = engine->options.now_ms,
        .now_data = engine->options.data,
    };
    const struct lanes_listener listener = {
        .fenced = lease_fenced, .settle = settle, .leaves = mailbox_close, .data = engine};
    return lanes_init(&engine->lanes, engine->base, engine->cluster, &lanes, &listener);
}

int engine_open(struct event_base *base, struct service *service,
                const struct engine_options *options, struct engine **out, char **error)
{
    *error = NULL;
    struct engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL) {
        return ERR_MEMORY;
    }
    engine->base = base;
    engine->service = service;
    engine->rings = TIME_NEVER;
    engine->residence = (struct residence){has, engine};
    engine->api = (struct engine_api){.has = has,
                                      .begin = begin,
                                      .cancel = cancel,
                                      .forget = forget,
                                      .session_ends = session_ends,
                                      .session_tags = session_tags,
                                      .describe = describe,
                                      .data = engine};
    SLIST_INIT(&engine->spares);
    LIST_INIT(&engine->inquiries);
    LIST_INIT(&engine->asked);
    ordered_init(&engine->waits);
    ordered_init(&engine->guests);
    ordered_init(&engine->stays);
    ordered_init(&engine->watched);
    metas_init(&engine->metas, service->registry.seed);
    int status = evtimer_assign(&engine->timer, base, timer_rings, engine) < 0
                     ? ERR_MEMORY
                     : copy_options(engine, options);
    engine->api.host = engine->options.host;
    status = status < 0 ? status : connect_to(engine, options, error);
    status = status < 0 ? status : begin_lanes(engine);
    status = status < 0 ? status : lease_begin(engine);
    if (status < 0) {
        engine_close(engine);
        return status;
    }
    service->engine = &engine->api;
    *out = engine;
    return 0;
}

/* Runs the loop until it is so, or the loop is told to end. */
static void run_until(struct engine *engine, bool (*is_over)(const struct engine *engine))
{
    while (!is_over(engine) && event_base_got_exit(engine->base) == 0 &&
           event_base_loop(engine->base, EVLOOP_ONCE) == 0) {
    }
}

static bool is_quiet(const struct engine *engine)
{
    return !engine_is_busy(engine) || !lanes_may_send(&engine->lanes);
}

void engine_leave(struct engine *engine, unsigned ms)
{
    const struct timeval most = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    engine->closing = true;
    if (event_base_loopexit(engine->base, &most) == 0) {
        run_until(engine, is_quiet);
        lease_leave(engine);
        run_until(engine, lease_is_given_up);
    }
}

void engine_close(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    engine->closing = true;
    hosts_end(engine);
    if (engine->lanes.cluster != NULL) {
        lanes_fail(&engine->lanes, "the daemon ends");
    }
    lease_end(engine);
    guests_deinit(engine);
    watched_lose(engine);
    ordered_deinit(&engine->watched, NULL);
    if (engine->lanes.cluster != NULL) {
        lanes_deinit(&engine->lanes);
    }
    cluster_close(engine->cluster);
    if (engine->service->engine == &engine->api) {
        engine->service->engine = NULL;
    }
    ordered_deinit(&engine->waits, NULL);
    away_free_spares(engine);
    metas_deinit(&engine->metas);
    free((char *)(uintptr_t)engine->options.realm);
    free((char *)(uintptr_t)engine->options.host);
    free((char *)(uintptr_t)engine->options.tag);
    (void)event_del(&engine->timer);
    free(engine);
}
