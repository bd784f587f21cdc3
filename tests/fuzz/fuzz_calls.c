/*
 * fuzz_calls: whole calls against the objects.
 *
 * The input is a program: each step picks a session and a call (program.h), or lets time pass, ends
 * a session, cancels a call, sends raw bytes, or reads some of the answers. It also chooses calls
 * that are run without memory: one of their allocations fails; and such as are run as those of
 * large messages are, by jobs, in the memory in which they came.
 *
 * If the last byte is odd, whatever can be done in steps is, and gives way at each; the program
 * then says how many of them come before the next message, and sessions end while others go on.
 *
 * The invariants are the service's own assertions, the sanitizers, that every answer is well-formed
 * and every request is answered once or waits, that no session has more events than it may, and
 * that nothing is charged and no descriptor open at the end.
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/call/dispatch.h"
#include "daemon/call/ending.h"
#include "daemon/call/unsent.h"
#include "daemon/call/watching.h"
#include "tests/fuzz/program.h"
#include "tests/support/scarce.h"

enum { SESSIONS = 4, LEAVING_MOST = 8, STEPS_MAX = 400, NS_PER_MS = 1000000 };

struct actor {
    struct session session;
    bool asked[STEPS_MAX + 1]; /* by msgid: a request that has not been answered */
    unsigned unanswered;
    struct buffer received; /* the begin of a message, the rest of which has not been read */
};

struct world {
    struct service service;
    struct actor *actors[SESSIONS];
    struct actor
        *leaving[LEAVING_MOST]; /* they end when their calls are done; the first `nleaving` */
    unsigned nleaving;
    uint64_t now;
    uint32_t msgid; /* the last one */
    uint64_t looks; /* at the clock, in nanoseconds */
    bool large;     /* the next call is run as one of a large message */
    bool scarce;    /* the next call is run without memory */
    uint8_t enough; /* allocations before the one that fails */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A new one takes the place. */
static void begin_session(struct world *world, struct actor **place)
{
    uid_t uid = place == &world->actors[0] ? 0 : 1000;
    struct credentials credentials = {.uid = uid, .gid = uid, .pid = 1};
    struct actor *actor = calloc(1, sizeof(*actor));
    assert(actor != NULL);
    int status = session_init(&actor->session, &world->service, &credentials);
    assert(status == 0);
    (void)status;
    *place = actor;
}

/* One message that the session was sent: whole and of a known form, and asked for. */
static void check_message(struct actor *actor, const struct message *message)
{
    assert(message->type != MESSAGE_REQUEST);
    if (message->type == MESSAGE_RESPONSE && message->msgid <= STEPS_MAX) {
        assert(actor->asked[message->msgid]);
        actor->asked[message->msgid] = false;
        actor->unanswered--;
    }
}

/* What the session is sent, as one run of bytes. */
static void flatten(const struct output *output, struct buffer *flat)
{
    size_t at = 0;
    for (size_t i = 0; i < output->nsplices; i++) {
        const struct splice *splice = &output->splices[i];
        (void)buffer_append(flat, output->bytes.data + at, splice->at - at);
        (void)buffer_append(flat, splice->blob->data, splice->blob->len);
        at = splice->at;
    }
    if (output->bytes.len > at) {
        (void)buffer_append(flat, output->bytes.data + at, output->bytes.len - at);
    }
}

/* The answers and events that have come whole. */
static void check_received(struct actor *actor)
{
    struct slice rest = buffer_slice(&actor->received);
    struct message message;
    int status = 0;
    while (rest.len > 0 && status == 0) {
        status = message_decode(rest.data, rest.len, SCAN_DEPTH_MAX, SIZE_MAX / 4, &message);
        assert(status == 0 || status == MESSAGE_MORE);
        if (status == 0) {
            check_message(actor, &message);
            rest = slice_from(rest, message.size);
        }
    }
    buffer_consume(&actor->received, actor->received.len - rest.len);
}

/* Reads so many bytes of one of the outputs, or all of it; true if there is another one. */
static bool read_output(struct actor *actor, struct output *output, uint64_t most)
{
    struct buffer flat = {0};
    uint64_t pending = output_pending(output);
    uint64_t len = pending < most ? pending : most;
    flatten(output, &flat);
    assert(!flat.failed && flat.len == output->sent + pending);
    if (len > 0) {
        (void)buffer_append(&actor->received, flat.data + output->sent, len);
    }
    assert(!actor->received.failed);
    buffer_deinit(&flat);
    check_received(actor);
    output_sent(output, len);
    bool more = session_sent(&actor->session, len);
    assert(session_unsent(&actor->session) > 0 || actor->received.len == 0);
    return more;
}

/* Reads so many bytes of what is sent, or all of it. */
static void read_some(struct actor *actor, uint64_t most)
{
    bool more = true;
    while (more) {
        uint64_t unsent = session_unsent(&actor->session);
        more = read_output(actor, session_next_output(&actor->session), most);
        most -= unsent - session_unsent(&actor->session);
    }
}

/* Reads all there is; then every request must have been answered, or wait. */
static void read_all(struct actor *actor)
{
    do {
        read_some(actor, UINT64_MAX);
    } while (session_give_events(&actor->session));
    for (uint32_t msgid = 0; msgid <= STEPS_MAX && actor->unanswered > 0; msgid++) {
        assert(!actor->asked[msgid] || session_parked(&actor->session, msgid) != NULL);
    }
}

static void ended(struct session *session)
{
    struct actor *actor = (struct actor *)session; /* its first member */
    buffer_deinit(&actor->received);
    free(actor);
}

/* Ends those that leave and whose calls are done. */
static void end_sessions(struct world *world)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < world->nleaving; i++) {
        struct actor *actor = world->leaving[i];
        if (actor->session.unfinished > 0) {
            world->leaving[kept++] = actor;
        } else {
            session_end(&actor->session, ended);
            service_drain(&world->service);
        }
    }
    world->nleaving = kept;
}

/* A session is going to end, with answers that it has not read. */
static void leave(struct world *world, struct actor *actor)
{
    if (world->nleaving == LEAVING_MOST) {
        service_finish(&world->service);
        end_sessions(world);
    }
    actor->session.closing = true;
    session_cancel_all(&actor->session, ERR_CANCELLED, "it ends");
    service_drain(&world->service);
    world->leaving[world->nleaving++] = actor;
    end_sessions(world);
    if (world->service.jobs.stretch > 0) {
        service_finish(&world->service);
        end_sessions(world);
    }
}

/* A session ends, and another one takes its place. */
static void replace_session(struct world *world, struct actor **place)
{
    leave(world, *place);
    begin_session(world, place);
}

/* What net does after a step: the sessions that have broken a rule, or whose answers are not whole,
 * end. */
static void settle(struct world *world)
{
    const struct limits *limits = &world->service.accounts.limits;
    for (size_t i = 0; i < SESSIONS; i++) {
        struct session *session = &world->actors[i]->session;
        const struct watcher *watcher = session->watcher;
        assert(watcher == NULL || watcher->events.len <= limits->max_events);
        if (session->killed || session->output.bytes.failed ||
            session_unsent(session) > limits->max_output) {
            replace_session(world, &world->actors[i]);
        }
    }
    end_sessions(world);
    struct session *session;
    TAILQ_FOREACH (session, &world->service.dirty, dirty) {
        assert(!session->gone); /* net would look at a connection that has ended */
    }
}

/* Runs what has been decoded of the bytes. The service may take their memory, if the call is one of
 * a large message. */
static void run(struct world *world, struct actor *actor, struct buffer *bytes,
                struct message *message)
{
    int fds[3];
    struct passed passed = {.count = world->msgid % 4, .fds = fds};
    for (unsigned i = 0; i < passed.count; i++) {
        fds[i] = (message->exts & SCAN_DESCRIPTOR) != 0 ? dup(STDERR_FILENO) : -1;
    }
    if (world->large) {
        passed.memory = bytes->data;
        passed.size = bytes->len;
    }
    if (world->scarce) {
        scarce_begin(world->enough);
    }
    service_run(&world->service, &actor->session, message, &passed, world->now);
    (void)scarce_end();
    world->scarce = false;
    if (world->large && passed.memory == NULL) {
        *bytes = (struct buffer){0};
    }
    world->large = false;
    for (unsigned i = 0; i < passed.count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

static bool decode(const struct buffer *bytes, struct message *message)
{
    return !bytes->failed &&
           message_decode(bytes->data, bytes->len, MESSAGE_DEPTH, MESSAGE_SIZE, message) == 0;
}

static void step_call(struct world *world, struct actor *actor, struct program *program)
{
    struct buffer request = {0};
    struct message message;
    pack_array(&request, 4);
    pack_int(&request, MESSAGE_REQUEST);
    pack_uint(&request, ++world->msgid);
    program_call(&request, program, 2);
    if (decode(&request, &message)) {
        actor->asked[world->msgid] = true;
        actor->unanswered++;
        run(world, actor, &request, &message);
    }
    buffer_deinit(&request);
}

static void step_notify(struct world *world, struct actor *actor, struct program *program)
{
    struct buffer bytes = {0};
    struct message message;
    pack_array(&bytes, 3);
    pack_int(&bytes, MESSAGE_NOTIFICATION);
    program_call(&bytes, program, 2);
    if (decode(&bytes, &message)) {
        run(world, actor, &bytes, &message);
    }
    buffer_deinit(&bytes);
}

static void step_raw(struct world *world, struct actor *actor, struct program *program)
{
    struct buffer bytes = {0};
    struct message message;
    size_t len = program_next(program);
    len = len < program->len ? len : program->len;
    (void)buffer_append(&bytes, program->data, len);
    if (decode(&bytes, &message)) {
        message.msgid |= UINT32_C(1) << 31; /* its answer is not waited for */
        run(world, actor, &bytes, &message);
    }
    program->data += len;
    program->len -= len;
    buffer_deinit(&bytes);
}

static void step_cancel(struct world *world, struct actor *actor, struct program *program)
{
    struct buffer bytes = {0};
    struct message message;
    message_notification(&bytes, "cancel", 1);
    pack_uint(&bytes, world->msgid - program_next(program) % 8);
    if (decode(&bytes, &message)) {
        run(world, actor, &bytes, &message);
    }
    buffer_deinit(&bytes);
}

static void send(struct world *world, struct actor *actor, struct buffer *request)
{
    struct message message;
    if (decode(request, &message)) {
        run(world, actor, request, &message);
    }
    buffer_deinit(request);
    *request = (struct buffer){0};
}

/* A session gets items ahead: with a page, of a queue that it has open and that has some. */
static void get_ahead(struct world *world, struct actor *actor, const char *queue)
{
    struct buffer request = {0};
    message_notification(&request, "session.page", 0);
    send(world, actor, &request);
    message_notification(&request, "queue.open", 1);
    pack_string(&request, queue);
    send(world, actor, &request);
    message_notification(&request, "queue.put_many", 3);
    pack_string(&request, queue);
    pack_array(&request, 3);
    for (int i = 0; i < 3; i++) {
        pack_int(&request, i);
    }
    pack_int(&request, 0);
    send(world, actor, &request);
    message_request(&request, ++world->msgid, slice_of_string("queue.get"), 3);
    pack_string(&request, queue);
    pack_int(&request, 0);
    pack_map(&request, 1);
    pack_key_uint(&request, "ahead", 100);
    actor->asked[world->msgid] = true;
    actor->unanswered++;
    send(world, actor, &request);
}

/* A client gets items ahead, takes one that is reserved for it, or writes whatever into its page.
 */
static void step_ahead(struct world *world, struct actor *actor, struct program *program)
{
    const struct ahead_page *page = actor->session.page;
    uint8_t choice = program_next(program);
    if (page == NULL || choice < 64) {
        get_ahead(world, actor, choice % 2 == 0 ? "queue" : "q");
        return;
    }
    _Atomic uint64_t *slot = (_Atomic uint64_t *)(void *)page->mapping.memory + choice % 4;
    if (choice < 224) {
        (void)atomic_fetch_add(slot, choice / 4 % 4);
    } else {
        atomic_store(slot, UINT64_MAX >> (program_next(program) % 64));
    }
}

/* So many steps of the jobs. */
static void step_jobs(struct world *world, unsigned count)
{
    for (; count > 0 && jobs_pending(&world->service.jobs); count--) {
        jobs_step(&world->service.jobs, UINT64_MAX);
        service_drain(&world->service);
    }
}

static void step(struct world *world, struct program *program)
{
    uint8_t choice = program_next(program);
    struct actor **place = &world->actors[choice % SESSIONS];
    struct actor *actor = *place;
    if (choice < 8) {
        world->now += (uint64_t)program_next(program) * (NS_PER_MS / 2);
        service_tick(&world->service, world->now);
    } else if (choice < 12) {
        replace_session(world, place);
    } else if (choice < 20) {
        step_cancel(world, actor, program);
    } else if (choice < 24) {
        step_raw(world, actor, program);
    } else if (choice < 26) {
        step_ahead(world, actor, program);
    } else if (choice < 32) {
        step_notify(world, actor, program);
    } else if (choice < 40) {
        read_some(actor, (uint64_t)program_next(program) * 64);
        (void)session_give_events(&actor->session);
    } else if (choice < 44) {
        world->scarce = true;
        world->enough = program_next(program) % 32;
    } else if (choice < 48) {
        world->large = true;
    } else if (choice < 64 && jobs_pending(&world->service.jobs)) {
        step_jobs(world, program_next(program));
    } else {
        step_call(world, actor, program);
    }
    settle(world);
    if (choice & 0x80) {
        read_all(world->actors[choice % SESSIONS]);
    }
}

/* Packs the options with which an object can be made. */
static void pack_options(struct buffer *out, enum object_kind kind, bool joinable)
{
    bool one = joinable || kind == OBJECT_BARRIER || kind == OBJECT_VALUE;
    pack_map(out, kind == OBJECT_ARRAY ? 3 : one ? 2 : 1);
    pack_key_uint(out, "mode", 0666);
    if (joinable) {
        pack_key_bool(out, "joinable", true);
    } else if (kind == OBJECT_BARRIER) {
        pack_key_uint(out, "parties", 2);
    } else if (kind == OBJECT_VALUE || kind == OBJECT_ARRAY) {
        pack_key_string(out, "typecode", "q");
    }
    if (kind == OBJECT_ARRAY) {
        pack_key_uint(out, "size", 4);
    }
}

static void make_object(struct world *world, enum object_kind kind, const char *name, bool joinable)
{
    struct buffer request = {0};
    struct message message;
    char method[32];
    (void)snprintf(method, sizeof(method), "%s.open", object_kind_name(kind));
    message_notification(&request, method, 2);
    pack_string(&request, name);
    pack_options(&request, kind, joinable);
    if (decode(&request, &message)) {
        run(world, world->actors[0], &request, &message);
    }
    buffer_deinit(&request);
}

/* There is an object of each type to begin with, so that most calls find one. */
static void make_objects(struct world *world)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        make_object(world, (enum object_kind)kind, object_kind_name((enum object_kind)kind), false);
    }
    make_object(world, OBJECT_QUEUE, "q", true);
    assert(world->service.accounts.objects == OBJECT_KINDS + 1);
}

/* Limits that are soon reached. */
static void set_limits(struct limits *limits)
{
    limits->max_bytes = 1 << 19;
    limits->max_user_bytes = 1 << 18;
    limits->max_objects = 18;
    limits->max_user_objects = 16;
    limits->max_waiting = 20;
    limits->max_message = 1 << 14;
    limits->max_output = 3 << 16; /* some answers are set apart */
    limits->max_events = 2048;
    limits->max_descriptors = 12;
    limits->max_user_descriptors = 10;
}

/* Each look at the clock finds it later, so that every slice of a job is over at its first pause.
 */
static uint64_t now_and_then(void *data)
{
    struct world *world = data;
    world->looks += JOBS_SLICE_NS;
    return world->now + world->looks;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program = {data, size};
    struct world *world = calloc(1, sizeof(*world));
    assert(world != NULL);
    world->now = NS_PER_MS;
    const struct clock clock = {.now = now_and_then, .data = world};
    int status = service_init(&world->service, clock);
    assert(status == 0);
    (void)status;
    world->service.accounts.self = 0;
    set_limits(&world->service.accounts.limits);
    for (size_t i = 0; i < SESSIONS; i++) {
        begin_session(world, &world->actors[i]);
    }
    make_objects(world);
    if (size > 0 && (data[size - 1] & 1) != 0) {
        world->service.jobs.most_at_once = 0;
        world->service.jobs.stretch = 0;
    }
    for (int i = 0; i < STEPS_MAX && program.len > 0; i++) {
        step(world, &program);
    }
    for (size_t i = 0; i < SESSIONS; i++) {
        read_all(world->actors[i]);
        leave(world, world->actors[i]);
    }
    service_finish(&world->service);
    end_sessions(world);
    service_finish(&world->service);
    service_clear(&world->service);
    service_deinit(&world->service);
    assert(world->service.waiting == 0 && world->service.accounts.descriptors == 0);
    free(world);
    return 0;
}
