/* stage: see stage.h. */
#include "tests/support/stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/call/handover.h"
#include "daemon/call/takeover.h"
#include "tests/support/localize.h"
#include "tests/support/stage_engine.h"

enum { NS_PER_MS = 1000000 };

/* What the wall clock shows when the other one begins. */
#define WALL_US (UINT64_C(1750000000) * 1000000)

static uint64_t stage_clock(void *data)
{
    struct stage *stage = data;
    return stage->now;
}

/* What the engine has under way is done. */
static void settle(struct stage *stage)
{
    if (stage->engine != NULL) {
        stage_engine_settle(stage->engine);
    }
}

struct stage *stage_new(void)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    stage->now = 1000 * (uint64_t)NS_PER_MS;
    const struct clock clock = {.now = stage_clock, .data = stage};
    assert_int_equal(service_init(&stage->service, clock), 0);
    stage->service.accounts.self = 0;
    if (getenv("IPCD_TEST_STEPS") != NULL) {
        stage_in_steps(stage);
    }
    stage->takes_over = getenv("IPCD_TEST_TAKEOVER") != NULL;
    stage->engine = stage_engine_new(stage);
    return stage;
}

void stage_in_steps(struct stage *stage)
{
    stage->service.jobs.most_at_once = 0;
    stage->service.jobs.stretch = 0;
}

bool stage_step(struct stage *stage)
{
    struct service *service = &stage->service;
    if (!jobs_pending(&service->jobs)) {
        return false;
    }
    jobs_step(&service->jobs, stage->now + JOBS_SLICE_NS);
    service_drain(service);
    return true;
}

void stage_finish(struct stage *stage)
{
    while (stage_step(stage)) {
    }
}

void stage_free(struct stage *stage)
{
    service_clear(&stage->service);
    stage_engine_free(stage->engine);
    service_deinit(&stage->service);
    assert_int_equal(stage->service.accounts.descriptors, 0);
    free(stage);
}

/* Time goes on to the next thing that is due, here or there, or to `until`. */
static void advance_to_next(struct stage *stage, uint64_t until)
{
    uint64_t here = service_due(&stage->service);
    uint64_t there = stage_engine_due(stage->engine);
    uint64_t next = here < there ? here : there;
    stage->now = next > stage->now && next < until ? next : until;
    service_tick(&stage->service, stage->now);
    stage_engine_tick(stage->engine);
}

void stage_advance(struct stage *stage, uint64_t ms)
{
    uint64_t until = stage->now + ms * NS_PER_MS;
    while (stage->engine != NULL && stage->now < until) {
        advance_to_next(stage, until);
    }
    stage->now = until;
    service_tick(&stage->service, stage->now);
    if (!stage->by_hand) {
        stage_finish(stage);
    }
}

struct actor *actor_new(struct stage *stage, uid_t uid)
{
    struct actor *actor = calloc(1, sizeof(*actor));
    assert_non_null(actor);
    struct credentials credentials = {.uid = uid, .gid = uid, .pid = 1};
    actor->stage = stage;
    assert_int_equal(session_init(&actor->session, &stage->service, &credentials), 0);
    return actor;
}

static void take_answers(struct actor *actor, struct slice rest)
{
    while (rest.len > 0) {
        size_t len = scan_length(rest.data, rest.len);
        assert_true(len > 0 && actor->nanswers < STAGE_ANSWERS_MAX);
        uint8_t *bytes = malloc(len);
        assert_non_null(bytes);
        memcpy(bytes, rest.data, len);
        actor->bytes[actor->nanswers] = bytes;
        msgpack_unpacked *answer = &actor->answers[actor->nanswers++];
        msgpack_unpacked_init(answer);
        assert_int_equal(msgpack_unpack_next(answer, (const char *)bytes, len, NULL),
                         MSGPACK_UNPACK_SUCCESS);
        if (actor->stage->engine != NULL) {
            localize_sessions(&answer->data);
        }
        rest = slice_from(rest, len);
    }
}

void actor_forget(struct actor *actor)
{
    while (actor->nanswers > 0) {
        actor->nanswers--;
        msgpack_unpacked_destroy(&actor->answers[actor->nanswers]);
        free(actor->bytes[actor->nanswers]);
    }
}

/* Reads one output to its end; returns how many bytes that was. */
static uint64_t read_output(struct actor *actor, struct output *output)
{
    struct buffer flat = {0};
    size_t at = 0;
    for (size_t i = 0; i < output->nsplices; i++) {
        const struct splice *splice = &output->splices[i];
        (void)buffer_append(&flat, output->bytes.data + at, splice->at - at);
        (void)buffer_append(&flat, splice->blob->data, splice->blob->len);
        at = splice->at;
    }
    if (output->bytes.len > at) {
        (void)buffer_append(&flat, output->bytes.data + at, output->bytes.len - at);
    }
    assert_false(flat.failed);
    take_answers(actor, buffer_slice(&flat));
    buffer_deinit(&flat);
    uint64_t pending = output_pending(output);
    output_sent(output, pending);
    return pending;
}

void actor_read(struct actor *actor)
{
    uint64_t read;
    do {
        read = read_output(actor, session_next_output(&actor->session));
    } while (session_sent(&actor->session, read));
}

static void free_actor(struct session *session)
{
    free(session); /* the first member of its actor */
}

void actor_vanish(struct actor *actor)
{
    struct stage *stage = actor->stage;
    struct service *service = &stage->service;
    while (actor->session.unfinished > 0) {
        assert_true(stage_step(stage));
    }
    actor_forget(actor);
    session_end(&actor->session, free_actor);
    service_drain(service);
    stage_finish(stage);
    settle(stage);
}

void actor_leave(struct actor *actor)
{
    actor_read(actor);
    actor_vanish(actor);
}

/* ---- taking over ----------------------------------------------------------------------------- */

enum { KEPT_MAX = 1100, TAKEOVERS_FIRST = 100, TAKEOVERS_EVERY = 37 };

/* What is kept beside the state: a daemon has it from the socket and its configuration. */
struct kept {
    struct limits limits;
    struct jobs jobs;
    struct fault_listener listener;
    uid_t self;
    struct session *sessions[KEPT_MAX];
    struct credentials credentials[KEPT_MAX];
    size_t count;
};

static void save_no_socket(void *data, const struct session *session, struct saver *saver,
                           struct buffer *out)
{
    (void)data;
    (void)session;
    (void)saver;
    (void)out;
}

static void keep_session(struct kept *kept, struct session *session)
{
    assert_true(kept->count < KEPT_MAX);
    struct credentials *credentials = &kept->credentials[kept->count];
    kept->sessions[kept->count++] = session;
    *credentials = session->credentials; /* whose groups are not freed with the session then */
    session->credentials.groups = NULL;
    session->credentials.ngroups = 0;
}

static void leave_memory(struct session *session)
{
    (void)session;
}

/* Ends all; what the sessions have not read is nobody's any more. */
static void take_down(struct stage *stage, struct kept *kept)
{
    struct service *service = &stage->service;
    struct session *session;
    kept->limits = service->accounts.limits;
    kept->jobs = service->jobs;
    kept->listener = service->registry.listener;
    kept->self = service->accounts.self;
    while ((session = TAILQ_FIRST(&service->sessions)) != NULL) {
        keep_session(kept, session);
        session_end(session, leave_memory);
        service_drain(service);
        service_finish(service);
    }
    service_clear(service);
    service_deinit(service);
}

static struct moment moment_of(const struct stage *stage)
{
    return (struct moment){.monotonic_ns = stage->now, .wall_us = stage->now / 1000 + WALL_US};
}

static void write_down(struct stage *stage, struct state_writer *writer)
{
    const struct session_saver above = {.save = save_no_socket};
    const struct moment moment = moment_of(stage);
    service_come_to_rest(&stage->service);
    assert_int_equal(state_writer_init(writer), 0);
    service_hand_over(&stage->service, writer, &above, &moment);
    assert_int_equal(state_finish(writer), 0);
    for (uint32_t i = 0; i < writer->nfds; i++) {
        writer->fds[i] = fcntl(writer->fds[i], F_DUPFD_CLOEXEC, 0);
        assert_true(writer->fds[i] >= 0);
    }
}

static void not_taken(void *data, int fd)
{
    (void)data;
    fail_msg("descriptor %d was handed over and not taken", fd);
}

static int take_record(struct stage *stage, struct service_loader *loader, struct kept *kept,
                       enum state_kind kind, struct slice record)
{
    if (kind != STATE_CONNECTION) {
        return service_take_over(loader, kind, record);
    }
    struct row row = service_loader_row(loader, record);
    uint32_t number = loader->nsessions;
    struct session *session = kept->sessions[number];
    assert_int_equal(session_init(session, &stage->service, &kept->credentials[number]), 0);
    return session_take_over(loader, session, &row);
}

static void make_again(struct stage *stage, struct state_reader *reader, struct kept *kept)
{
    struct service *service = &stage->service;
    struct service_loader loader;
    enum state_kind kind;
    struct slice record;
    const struct clock clock = {.now = stage_clock, .data = stage};
    const struct moment moment = moment_of(stage);
    assert_int_equal(service_init(service, clock), 0);
    service->accounts.self = kept->self;
    service->accounts.limits = kept->limits;
    service->jobs.most_at_once = kept->jobs.most_at_once;
    service->jobs.stretch = kept->jobs.stretch;
    service->registry.listener = kept->listener;
    int status =
        service_loader_init(&loader, service, reader, &(struct stored_rows){.load = NULL}, &moment);
    while (status == 0 && state_next(reader, &kind, &record)) {
        status = take_record(stage, &loader, kept, kind, record);
    }
    if (status != 0) {
        fail_msg("%s", status == ERR_VALUE ? loader.rows.why : error_name(status));
    }
    service_taken_over(&loader);
    service_loader_deinit(&loader);
    service_drain(service);
}

void stage_take_over(struct stage *stage)
{
    struct kept kept = {.count = 0};
    struct state_writer writer;
    struct state_reader reader;
    char why[STATE_WHY_MAX];
    write_down(stage, &writer);
    take_down(stage, &kept);
    assert_int_equal(state_open(&reader, writer.fd, why), 0);
    state_give(&reader, writer.fds, writer.nfds);
    writer.fds = NULL;
    make_again(stage, &reader, &kept);
    state_reader_deinit(&reader, not_taken, NULL);
    state_writer_deinit(&writer);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void run(struct actor *actor, const struct buffer *request)
{
    struct stage *stage = actor->stage;
    struct message message;
    int status = message_decode(request->data, request->len, MESSAGE_DEPTH, MESSAGE_SIZE, &message);
    assert_int_equal(status, 0);
    unsigned requests = stage->requests++;
    bool is_due =
        stage->takes_over && (requests < TAKEOVERS_FIRST || requests % TAKEOVERS_EVERY == 0);
    if (is_due && stage->service.jobs.count == 0 && !stage->by_hand &&
        TAILQ_EMPTY(&stage->service.registry.ready)) {
        stage_take_over(stage);
    }
    service_run(&stage->service, &actor->session, &message, NULL, stage->now);
    if (!stage->by_hand) {
        stage_finish(stage);
    }
    settle(stage);
    /* Nothing that a call changed is left over. */
    assert_true(TAILQ_EMPTY(&stage->service.registry.ready));
}

static void pack_params(struct buffer *request, const char *params)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    const char *rest = notation_pack(params, &packed);
    if (rest != NULL) {
        fail_msg("the notation is wrong at: %s", rest);
    }
    pack_raw(request, (struct slice){(const uint8_t *)packed.data, packed.size});
    msgpack_sbuffer_destroy(&packed);
}

uint32_t actor_send(struct actor *actor, const char *method, const char *params)
{
    struct buffer request = {0};
    uint32_t msgid = ++actor->last_msgid;
    pack_array(&request, 4);
    pack_int(&request, MESSAGE_REQUEST);
    pack_uint(&request, msgid);
    pack_string(&request, method);
    pack_params(&request, params);
    run(actor, &request);
    buffer_deinit(&request);
    return msgid;
}

void actor_pack(struct buffer *out, const char *method, const char *params)
{
    *out = (struct buffer){0};
    pack_array(out, 4);
    pack_int(out, MESSAGE_REQUEST);
    pack_int(out, 0);
    pack_string(out, method);
    pack_params(out, params);
}

void actor_notify(struct actor *actor, const char *method, const char *params)
{
    struct buffer request = {0};
    pack_array(&request, 3);
    pack_int(&request, MESSAGE_NOTIFICATION);
    pack_string(&request, method);
    pack_params(&request, params);
    run(actor, &request);
    buffer_deinit(&request);
}

/* The answer to a request, [1, msgid, error, result], or NULL. */
static const msgpack_object *answer_to(struct actor *actor, uint32_t msgid)
{
    actor_read(actor);
    for (size_t i = 0; i < actor->nanswers; i++) {
        const msgpack_object *answer = &actor->answers[i].data;
        if (answer->via.array.ptr[0].via.u64 == MESSAGE_RESPONSE &&
            answer->via.array.ptr[1].via.u64 == msgid) {
            return answer->via.array.ptr;
        }
    }
    return NULL;
}

static void match(const char *expected, const msgpack_object *got, const char *file, int line)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    const char *rest = notation_pack(expected, &packed);
    if (rest != NULL) {
        fail_msg("%s:%d: the notation is wrong at: %s", file, line, rest);
    }
    msgpack_unpacked pattern;
    msgpack_unpacked_init(&pattern);
    assert_int_equal(msgpack_unpack_next(&pattern, packed.data, packed.size, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    bool matches = notation_match(&pattern.data, got);
    msgpack_unpacked_destroy(&pattern);
    msgpack_sbuffer_destroy(&packed);
    if (!matches) {
        (void)fprintf(stderr, "%s:%d: expected %s, got ", file, line, expected);
        notation_print(stderr, got);
        (void)fputc('\n', stderr);
        fail();
    }
}

void stage_expect(struct actor *actor, uint32_t msgid, const char *result, const char *file,
                  int line)
{
    const msgpack_object *answer = answer_to(actor, msgid);
    if (answer == NULL) {
        fail_msg("%s:%d: no answer", file, line);
    }
    match("nil", &answer[2], file, line);
    match(result, &answer[3], file, line);
}

void stage_expect_failure(struct actor *actor, uint32_t msgid, const char *error, const char *file,
                          int line)
{
    const msgpack_object *answer = answer_to(actor, msgid);
    if (answer == NULL) {
        fail_msg("%s:%d: no answer", file, line);
    }
    match(error, &answer[2], file, line);
    match("nil", &answer[3], file, line);
}

void stage_expect_error(struct actor *actor, uint32_t msgid, const char *code, const char *file,
                        int line)
{
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "['%s', _str, ...]", code);
    stage_expect_failure(actor, msgid, expected, file, line);
}

void stage_expect_waits(struct actor *actor, uint32_t msgid, const char *file, int line)
{
    if (answer_to(actor, msgid) != NULL) {
        fail_msg("%s:%d: it was answered and should wait", file, line);
    }
}

/* The params of the notifications object.event among the answers, as an array. */
static void pack_events(const struct actor *actor, msgpack_sbuffer *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, msgpack_sbuffer_write);
    size_t count = 0;
    for (size_t i = 0; i < actor->nanswers; i++) {
        count += actor->answers[i].data.via.array.size == 3;
    }
    (void)msgpack_pack_array(&packer, count);
    for (size_t i = 0; i < actor->nanswers; i++) {
        const msgpack_object_array *answer = &actor->answers[i].data.via.array;
        if (answer->size == 3) {
            match("'object.event'", &answer->ptr[1], __FILE__, __LINE__);
            (void)msgpack_pack_object(&packer, answer->ptr[2]);
        }
    }
}

void stage_expect_events(struct actor *actor, const char *events, const char *file, int line)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    actor_read(actor);
    pack_events(actor, &packed);
    msgpack_unpacked got;
    msgpack_unpacked_init(&got);
    assert_int_equal(msgpack_unpack_next(&got, packed.data, packed.size, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    match(events, &got.data, file, line);
    msgpack_unpacked_destroy(&got);
    msgpack_sbuffer_destroy(&packed);
    actor_forget(actor);
}
