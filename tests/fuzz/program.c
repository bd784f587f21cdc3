/* program: see program.h. */
#include "tests/fuzz/program.h"

#include "daemon/call/index.h"
#include "proto/events.h"

uint8_t program_next(struct program *program)
{
    if (program->len == 0) {
        return 0;
    }
    program->len--;
    return *program->data++;
}

/* Objects are mostly called as their types, so that calls meet. */
static void pack_name(struct buffer *out, struct program *program)
{
    static const char *const names[] = {
        "queue",   "dict", "list", "namespace", "lock", "semaphore", "event", "condition",
        "barrier", "pipe", "q",    "l",         "#1",   "#2",        "value", "array"};
    pack_string(out, names[program_next(program) % 16]);
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
    uint8_t choice = program_next(program) % 16;
    static const uint8_t zeros[20000];
    switch (choice) {
    case 0:
        pack_nil(out);
        break;
    case 1:
        pack_bool(out, program_next(program) & 1);
        break;
    case 2:
        pack_double(out, (double)program_next(program) / 4);
        break;
    case 3:
        pack_bin(out, (struct slice){zeros, (size_t)program_next(program) * 78});
        break;
    case 4:
        pack_int(out, INT64_MAX - program_next(program));
        break;
    case 5:
        pack_uint(out, UINT64_MAX - program_next(program));
        break;
    case 6:
        pack_some_ext(out, program_next(program));
        break;
    case 7:
    case 8:
        if (depth > 0) {
            uint8_t count = program_next(program) % 6;
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
            uint8_t count = program_next(program) % 4;
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
        pack_int(out, (int8_t)program_next(program));
        break;
    }
}

static void pack_array_of(struct buffer *out, struct program *program)
{
    uint8_t count = program_next(program) % 8;
    pack_array(out, count);
    for (uint8_t i = 0; i < count; i++) {
        pack_any(out, program, 2);
    }
}

/* Calls for atomic: mostly well-formed. */
static void pack_calls(struct buffer *out, struct program *program, unsigned depth)
{
    uint8_t count = program_next(program) % 6;
    pack_array(out, count);
    for (uint8_t i = 0; i < count; i++) {
        if (depth == 0 || program_next(program) % 32 == 31) {
            pack_any(out, program, 2);
        } else {
            pack_array(out, 2);
            program_call(out, program, depth - 1);
        }
    }
}

static void pack_events(struct buffer *out, struct program *program)
{
    uint8_t count = program_next(program) % 4;
    pack_array(out, count);
    for (uint8_t i = 0; i < count; i++) {
        pack_string(out, event_name(program_next(program) % EVENT_NAMES));
    }
}

/* Mostly small; sometimes at an end of what there is. */
static void pack_number(struct buffer *out, struct program *program)
{
    static const uint64_t ends[] = {
        0, INT64_MAX, UINT64_MAX, (uint64_t)INT64_MAX + 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
        9, 1};
    uint8_t choice = program_next(program);
    if (choice >= 0xf8) {
        pack_uint(out, ends[choice & 7]);
    } else if (choice == 0xf7) {
        pack_int(out, INT64_MIN);
    } else {
        pack_int(out, choice % 32);
    }
}

/* One of the words of a choice, which have spaces between them. */
static void pack_word(struct buffer *out, struct program *program, const char *words)
{
    for (uint8_t skipped = program_next(program) % 4; skipped > 0; skipped--) {
        const char *end = strchr(words, ' ');
        words = end == NULL ? words : end + 1;
    }
    pack_str(out, (struct slice){(const uint8_t *)words, strcspn(words, " ")});
}

static void pack_option(struct buffer *out, struct program *program,
                        const struct method_option *option)
{
    switch (option->type) {
    case PARAM_STR:
        if (option->words[0] != '\0') {
            pack_word(out, program, option->words);
        } else {
            pack_name(out, program);
        }
        break;
    case PARAM_BOOL:
        pack_bool(out, program_next(program) & 1);
        break;
    case PARAM_INT:
    case PARAM_UINT:
    case PARAM_COUNT:
    case PARAM_MS:
    case PARAM_TIMEOUT:
    case PARAM_GROUP:
    case PARAM_SESSION:
        pack_number(out, program);
        break;
    default:
        pack_any(out, program, 2);
    }
}

/* Mostly options that the method knows. */
static void pack_options(struct buffer *out, struct program *program,
                         const struct method_signature *signature)
{
    uint8_t count = program_next(program) % 4;
    pack_map(out, count);
    for (uint8_t i = 0; i < count; i++) {
        uint8_t choice = program_next(program);
        if (signature->option_count == 0 || choice == 255) {
            pack_name(out, program);
            pack_any(out, program, 2);
        } else {
            const struct method_option *option =
                signature->options[choice % signature->option_count];
            pack_string(out, option->name);
            pack_option(out, program, option);
        }
    }
}

/* The array that the method takes. */
static void pack_elements(struct buffer *out, struct program *program, const struct method *method,
                          unsigned depth)
{
    if (method->id == METHOD__atomic) {
        pack_calls(out, program, depth);
    } else if (method->id == METHOD_object_watch) {
        pack_events(out, program);
    } else {
        pack_array_of(out, program);
    }
}

static void pack_session(struct buffer *out, struct program *program, uint8_t choice)
{
    if (choice % 4 == 0) {
        pack_string(out, "host:1");
    } else {
        pack_int(out, program_next(program) % 4);
    }
}

static void pack_param(struct buffer *out, struct program *program, const struct method *method,
                       enum param_type type, unsigned depth)
{
    struct method_signature signature;
    uint8_t choice = program_next(program);
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
    case PARAM_OBJECTS:
        pack_array(out, choice % 8);
        for (uint8_t i = 0; i < choice % 8; i++) {
            pack_param(out, program, method, PARAM_OBJECT, depth);
        }
        break;
    case PARAM_STR:
        pack_name(out, program);
        break;
    case PARAM_VALUE:
        pack_any(out, program, 3);
        break;
    case PARAM_BOOL:
        pack_bool(out, program_next(program) & 1);
        break;
    case PARAM_INT:
    case PARAM_OPTINT:
    case PARAM_NUMBER:
        pack_int(out, (int8_t)program_next(program) / 8);
        break;
    case PARAM_UINT:
    case PARAM_COUNT:
    case PARAM_MS:
    case PARAM_TIMEOUT:
        pack_number(out, program);
        break;
    case PARAM_ARRAY:
        pack_elements(out, program, method, depth);
        break;
    case PARAM_MAP:
        method_signature(method, &signature);
        pack_options(out, program, &signature);
        break;
    case PARAM_SESSION:
        pack_session(out, program, choice);
        break;
    case PARAM_OWNER:
    case PARAM_GROUP:
        pack_int(out, program_next(program) % 2);
        break;
    }
}

/* A method and an array of params. */
void program_call(struct buffer *out, struct program *program, unsigned depth)
{
    const struct method *method = &methods[program_next(program) % METHOD_COUNT];
    struct method_signature signature;
    method_signature(method, &signature);
    uint8_t fewer = program_next(program);
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
