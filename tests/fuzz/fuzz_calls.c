/*
 * fuzz_calls: whole calls against the objects.
 *
 * The input is a program: each step picks a session, a method and params that mostly fit the
 * method's signature, or lets time pass, ends a session, cancels a call, or sends raw bytes. Names
 * are few, so that calls meet. The invariants are the service's own assertions, the sanitizers,
 * that every answer is well-formed, and that nothing stays charged at the end.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/call/service.h"

enum { SESSIONS = 3, STEPS_MAX = 400, NS_PER_MS = 1000000 };

struct program {
    const uint8_t *data;
    size_t len;
};

struct world {
    struct service service;
    struct session sessions[SESSIONS];
    uint64_t now;
    uint32_t msgid;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next(struct program *program)
{
    if (program->len == 0) {
        return 0;
    }
    program->len--;
    return *program->data++;
}

static void begin_session(struct world *world, struct session *session, uid_t uid)
{
    struct credentials credentials = {.uid = uid, .gid = uid, .pid = 1};
    int status = session_init(session, &world->service, &credentials);
    assert(status == 0);
    (void)status;
}

/* Every answer must be one whole message of a known form; then it is read. */
static void read_answers(struct session *session)
{
    struct output *output = &session->output;
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
    assert(flat.failed || flat.len == output_pending(output));
    struct slice rest = buffer_slice(&flat);
    while (rest.len > 0 && !flat.failed) {
        struct message message;
        int status = message_decode(rest.data, rest.len, SCAN_DEPTH_MAX, SIZE_MAX / 4, &message);
        assert(status == 0 && message.type != MESSAGE_REQUEST);
        rest = slice_from(rest, message.size);
    }
    buffer_deinit(&flat);
    output_sent(output, output_pending(output));
    output_reset(output);
}

/* Objects are mostly called as their types, so that calls meet. */
static void pack_name(struct buffer *out, struct program *program)
{
    static const char *const names[] = {"queue",     "dict",  "list",      "namespace", "lock",
                                        "semaphore", "event", "condition", "barrier",   "pipe",
                                        "q",         "l",     "#1",        "#2",        "value",
                                        "array"};
    pack_string(out, names[next(program) % 16]);
}

/* A descriptor, a reference, or anything. */
static void pack_some_ext(struct buffer *out, uint8_t choice)
{
    static const char *const names[] = {"queue", "list", "dict", "lock", "#1", "#2", "none", "q"};
    uint8_t index = choice / 3 % 4;
    if (choice % 3 == 0) {
        pack_ext(out, EXT_DESCRIPTOR, (struct slice){&index, 1});
    } else if (choice % 3 == 1) {
        pack_ext(out, EXT_REFERENCE, slice_of_string(names[choice / 3 % 8]));
    } else {
        pack_ext(out, (int8_t)choice, (struct slice){&index, 1});
    }
}

static void pack_any(struct buffer *out, struct program *program, unsigned depth)
{
    uint8_t choice = next(program) % 16;
    static const uint8_t zeros[5000];
    switch (choice) {
    case 0:
        pack_nil(out);
        break;
    case 1:
        pack_bool(out, next(program) & 1);
        break;
    case 2:
        pack_double(out, (double)next(program) / 4);
        break;
    case 3:
        pack_bin(out, (struct slice){zeros, (size_t)next(program) * 20 % sizeof(zeros)});
        break;
    case 4:
        pack_int(out, INT64_MAX - next(program));
        break;
    case 5:
        pack_uint(out, UINT64_MAX - next(program));
        break;
    case 6:
        pack_some_ext(out, next(program));
        break;
    case 7:
    case 8:
        if (depth > 0) {
            uint8_t count = next(program) % 6;
            pack_array(out, count);
            for (uint8_t i = 0; i < count; i++) {
                pack_any(out, program, depth - 1);
            }
            break;
        }
        pack_nil(out);
        break;
    case 9:
        if (depth > 0) {
            uint8_t count = next(program) % 4;
            pack_map(out, count);
            for (uint8_t i = 0; i < 2 * count; i++) {
                pack_any(out, program, depth - 1);
            }
            break;
        }
        pack_nil(out);
        break;
    case 10:
    case 11:
        pack_name(out, program);
        break;
    default:
        pack_int(out, (int8_t)next(program));
        break;
    }
}

static void pack_array_of(struct buffer *out, struct program *program)
{
    uint8_t count = next(program) % 8;
    pack_array(out, count);
    for (uint8_t i = 0; i < count; i++) {
        pack_any(out, program, 2);
    }
}

static void pack_call(struct buffer *out, struct program *program, unsigned depth);

/* Calls for atomic: mostly well-formed. */
static void pack_calls(struct buffer *out, struct program *program, unsigned depth)
{
    uint8_t count = next(program) % 6;
    pack_array(out, count);
    for (uint8_t i = 0; i < count; i++) {
        if (depth == 0 || next(program) % 32 == 31) {
            pack_any(out, program, 2);
        } else {
            pack_array(out, 2);
            pack_call(out, program, depth - 1);
        }
    }
}

/* The options that there are: of a type's methods, or (NULL) of every open. The kind says what is
 * sent: a word, a boolean, a number, a name, anything. */
static const struct known_option {
    const char *type;
    char kind;
    const char *name;
} known_options[] = {
    {NULL, 'b', "create"},
    {NULL, 'b', "exclusive"},
    {NULL, 'w', "lifetime"},
    {NULL, 'i', "mode"},
    {"queue", 'w', "order"},
    {"queue", 'w', "on_disconnect"},
    {"queue", 'i', "maxsize"},
    {"queue", 'i', "lease_ms"},
    {"queue", 'i', "max_deliveries"},
    {"queue", 'i', "priority"},
    {"queue", 'i', "delay_ms"},
    {"queue", 'i', "ttl_ms"},
    {"queue", 'b', "joinable"},
    {"queue", 'n', "dead_letter"},
    {"dict", 'v', "initial"},
    {"list", 'v', "initial"},
    {"namespace", 'v', "initial"},
    {"object", 'i', "limit"},
    {"object", 'i', "cursor"},
    {"lock", 'b', "recursive"},
    {"lock", 'w', "on_disconnect"},
    {"lock", 'w', "release_by"},
    {"semaphore", 'i', "value"},
    {"semaphore", 'b', "bounded"},
    {"semaphore", 'w', "on_disconnect"},
    {"condition", 'n', "lock"},
    {"barrier", 'i', "parties"},
    {"barrier", 'i', "timeout"},
    {"pipe", 'b', "duplex"},
    {"value", 't', "typecode"},
    {"value", 'v', "initial"},
    {"array", 't', "typecode"},
    {"array", 'i', "size"},
    {"array", 'v', "initial"},
};

static void pack_option(struct buffer *out, struct program *program, char kind)
{
    static const char *const words[] = {"fifo",    "lifo",   "priority", "requeue",
                                        "discard", "daemon", "scoped",   "durable",
                                        "release", "keep",   "owner",    "anyone"};
    static const char *const typecodes[] = {"b", "B", "h", "H", "i", "I", "l",
                                            "L", "q", "Q", "f", "d", "?", "ii"};
    switch (kind) {
    case 'w':
        pack_string(out, words[next(program) % 12]);
        break;
    case 'b':
        pack_bool(out, next(program) & 1);
        break;
    case 'i':
        pack_int(out, (int8_t)next(program) / 8);
        break;
    case 'n':
        pack_name(out, program);
        break;
    case 't':
        pack_string(out, typecodes[next(program) % 14]);
        break;
    default:
        pack_any(out, program, 2);
    }
}

/* Mostly options that the method knows. */
static void pack_options(struct buffer *out, struct program *program, const char *type)
{
    enum { KNOWN = sizeof(known_options) / sizeof(known_options[0]) };
    uint8_t count = next(program) % 4;
    pack_map(out, count);
    for (uint8_t i = 0; i < count; i++) {
        const struct known_option *option = &known_options[next(program) % KNOWN];
        for (int tries = 0;
             tries < KNOWN && option->type != NULL && strcmp(option->type, type) != 0; tries++) {
            option = &known_options[(size_t)(option - known_options + 1) % KNOWN];
        }
        pack_string(out, option->name);
        pack_option(out, program, option->kind);
    }
}

static void pack_param(struct buffer *out, struct program *program, const struct method *method,
                       enum param_type type, unsigned depth)
{
    uint8_t choice = next(program);
    if (choice % 16 == 15) {
        pack_any(out, program, 3);
        return;
    }
    switch (type) {
    case PARAM_OBJECT:
    case PARAM_NAME:
        if (choice % 4 != 0) {
            pack_string(out, method->type);
            break;
        }
        pack_name(out, program);
        break;
    case PARAM_OBJECTS: {
        uint8_t count = choice % 8;
        pack_array(out, count);
        for (uint8_t i = 0; i < count; i++) {
            pack_param(out, program, method, PARAM_OBJECT, depth);
        }
        break;
    }
    case PARAM_STR:
        pack_name(out, program);
        break;
    case PARAM_VALUE:
        pack_any(out, program, 3);
        break;
    case PARAM_BOOL:
        pack_bool(out, next(program) & 1);
        break;
    case PARAM_INT:
    case PARAM_OPTINT:
    case PARAM_NUMBER:
        pack_int(out, (int8_t)next(program) / 8);
        break;
    case PARAM_UINT:
    case PARAM_COUNT:
    case PARAM_MS:
    case PARAM_TIMEOUT:
        pack_int(out, next(program) % 32);
        break;
    case PARAM_ARRAY:
        if (method->id == METHOD__atomic) {
            pack_calls(out, program, depth);
        } else {
            pack_array_of(out, program);
        }
        break;
    case PARAM_MAP:
        pack_options(out, program, method->type);
        break;
    case PARAM_OWNER:
        pack_int(out, next(program) % 2);
        break;
    }
}

static void run(struct world *world, struct session *session, const struct buffer *bytes)
{
    struct message message;
    if (bytes->failed ||
        message_decode(bytes->data, bytes->len, MESSAGE_DEPTH, MESSAGE_SIZE, &message) != 0) {
        return;
    }
    int fds[3];
    struct passed passed = {.count = world->msgid % 4, .fds = fds};
    for (unsigned i = 0; i < passed.count; i++) {
        fds[i] = (message.exts & SCAN_DESCRIPTOR) != 0 ? dup(STDERR_FILENO) : -1;
    }
    service_run(&world->service, session, &message, &passed, world->now);
    for (unsigned i = 0; i < passed.count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

/* A method and an array of params. */
static void pack_call(struct buffer *out, struct program *program, unsigned depth)
{
    const struct method *method = &methods[next(program) % METHOD_COUNT];
    struct method_signature signature;
    method_signature(method, &signature);
    uint8_t fewer = next(program);
    unsigned count = signature.count;
    if (count > signature.required && fewer % 4 != 0) {
        count = signature.required + fewer % (count - signature.required + 1);
    }
    pack_string(out, method->name);
    pack_array(out, count);
    for (unsigned i = 0; i < count; i++) {
        pack_param(out, program, method, signature.params[i].type, depth);
    }
}

static void step_call(struct world *world, struct session *session, struct program *program)
{
    struct buffer request = {0};
    pack_array(&request, 4);
    pack_int(&request, MESSAGE_REQUEST);
    pack_uint(&request, ++world->msgid);
    pack_call(&request, program, 2);
    run(world, session, &request);
    buffer_deinit(&request);
}

static void step_raw(struct world *world, struct session *session, struct program *program)
{
    struct buffer bytes = {0};
    size_t len = next(program);
    (void)buffer_append(&bytes, program->data, len < program->len ? len : program->len);
    run(world, session, &bytes);
    program->data += bytes.len;
    program->len -= bytes.len;
    buffer_deinit(&bytes);
}

static void step_cancel(struct world *world, struct session *session, struct program *program)
{
    struct buffer bytes = {0};
    message_notification(&bytes, "cancel", 1);
    pack_uint(&bytes, world->msgid - next(program) % 8);
    run(world, session, &bytes);
    buffer_deinit(&bytes);
}

/* A session ends, with answers that it has not read, and another one takes its place. */
static void step_end(struct world *world, struct session *session)
{
    session_end(session);
    service_drain(&world->service);
    begin_session(world, session, session == &world->sessions[0] ? 0 : 1000);
}

static void step(struct world *world, struct program *program)
{
    uint8_t choice = next(program);
    struct session *session = &world->sessions[choice % SESSIONS];
    if (choice < 8) {
        world->now += (uint64_t)next(program) * (NS_PER_MS / 2);
        service_tick(&world->service, world->now);
    } else if (choice < 12) {
        step_end(world, session);
    } else if (choice < 20) {
        step_cancel(world, session, program);
    } else if (choice < 24) {
        step_raw(world, session, program);
    } else {
        step_call(world, session, program);
    }
    if (choice & 0x80) {
        read_answers(session);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program = {data, size};
    struct world *world = calloc(1, sizeof(*world));
    assert(world != NULL);
    world->now = NS_PER_MS;
    int status = service_init(&world->service, world->now);
    assert(status == 0);
    (void)status;
    world->service.self = 0;
    world->service.accounts.limits.max_user_bytes = 1 << 20;
    world->service.accounts.limits.max_objects = 12;
    world->service.accounts.limits.max_waiting = 20;
    for (size_t i = 0; i < SESSIONS; i++) {
        begin_session(world, &world->sessions[i], i == 0 ? 0 : 1000);
    }
    for (int i = 0; i < STEPS_MAX && program.len > 0; i++) {
        step(world, &program);
    }
    for (size_t i = 0; i < SESSIONS; i++) {
        read_answers(&world->sessions[i]);
        session_end(&world->sessions[i]);
    }
    service_drain(&world->service);
    service_deinit(&world->service);
    assert(world->service.accounts.descriptors == 0);
    free(world);
    return 0;
}
