/*
 * scan_bench: what it costs to find the end of a message, by three ways over the same bytes:
 *
 *   template  msgpack-c's unpack_template.h with callbacks that do nothing but note ext types
 *   scan      scan_run: the same answer, and the size limit and the depth kept as the protocol says
 *   decode    message_decode: scan's answer and, for each param, its header and bytes
 *
 * It decided that ipcd has a scanner of its own. Each row is the median of several rounds with a
 * fixed number of messages, in CPU time. Run it pinned to a core: taskset -c 1 scan_bench.
 */
#include "proto/message.h"
#include "tests/support/random_value.h"

#include <msgpack/unpack.h>
#include <msgpack/unpack_define.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The template's hooks. An object of the tree is a single byte that nobody reads. */
typedef struct {
    unsigned exts;
} template_user;

#define msgpack_unpack_struct(name) struct template##name
#define msgpack_unpack_func(ret, name) static inline ret template##name
#define msgpack_unpack_callback(name) template_callback##name
#define msgpack_unpack_object char
#define msgpack_unpack_user template_user

#define NUMBER_CALLBACK(name, type)                                                                \
    static inline int template_callback##name(template_user *user, type value, char *object)       \
    {                                                                                              \
        (void)user, (void)value, *object = 0;                                                      \
        return 0;                                                                                  \
    }
NUMBER_CALLBACK(_uint8, uint8_t)
NUMBER_CALLBACK(_uint16, uint16_t)
NUMBER_CALLBACK(_uint32, uint32_t)
NUMBER_CALLBACK(_uint64, uint64_t)
NUMBER_CALLBACK(_int8, int8_t)
NUMBER_CALLBACK(_int16, int16_t)
NUMBER_CALLBACK(_int32, int32_t)
NUMBER_CALLBACK(_int64, int64_t)
NUMBER_CALLBACK(_float, float)
NUMBER_CALLBACK(_double, double)
NUMBER_CALLBACK(_array, unsigned)
NUMBER_CALLBACK(_map, unsigned)
#undef NUMBER_CALLBACK

static inline char template_callback_root(template_user *user)
{
    (void)user;
    return 0;
}

static inline int template_callback_nil(template_user *user, char *object)
{
    (void)user, *object = 0;
    return 0;
}

static inline int template_callback_true(template_user *user, char *object)
{
    (void)user, *object = 0;
    return 0;
}

static inline int template_callback_false(template_user *user, char *object)
{
    (void)user, *object = 0;
    return 0;
}

static inline int template_callback_array_item(template_user *user, char *array, char item)
{
    (void)user, (void)array, (void)item;
    return 0;
}

static inline int template_callback_map_item(template_user *user, char *map, char key, char value)
{
    (void)user, (void)map, (void)key, (void)value;
    return 0;
}

static inline int template_callback_str(template_user *user, const char *base, const char *run,
                                        unsigned len, char *object)
{
    (void)user, (void)base, (void)run, (void)len, *object = 0;
    return 0;
}

static inline int template_callback_bin(template_user *user, const char *base, const char *run,
                                        unsigned len, char *object)
{
    return template_callback_str(user, base, run, len, object);
}

static inline int template_callback_ext(template_user *user, const char *base, const char *run,
                                        unsigned len, char *object)
{
    (void)base, (void)len, *object = 0;
    user->exts |= *run == EXT_REFERENCE ? SCAN_REFERENCE : 0U;
    user->exts |= *run == EXT_DESCRIPTOR ? SCAN_DESCRIPTOR : 0U;
    return 0;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <msgpack/unpack_template.h>
#pragma GCC diagnostic pop

/* A way to find the end of the message at `data`: its size, or 0. */
typedef size_t (*way)(const uint8_t *data, size_t len);

static size_t by_template(const uint8_t *data, size_t len)
{
    struct template_context context;
    size_t at = 0;
    context.user.exts = 0;
    template_init(&context);
    int status = template_execute(&context, (const char *)data, len, &at);
    return status > 0 ? at + context.user.exts * 0 : 0;
}

static size_t by_scan(const uint8_t *data, size_t len)
{
    struct scan scan;
    scan_init(&scan, MESSAGE_DEPTH, MESSAGE_SIZE);
    return scan_run(&scan, data, len) == 0 ? scan.at : 0;
}

static size_t by_decode(const uint8_t *data, size_t len)
{
    struct message message;
    return message_decode(data, len, MESSAGE_DEPTH, MESSAGE_SIZE, &message) == 0 ? message.size : 0;
}

/* A load: messages one behind the other, and how often to go through them. */
struct load {
    const char *name;
    unsigned messages;
    unsigned passes;
    void (*make)(struct buffer *out, unsigned number);
};

static void start(struct buffer *out, unsigned number, const char *method, size_t nparams)
{
    message_request(out, number, slice_of_string(method), nparams);
}

static void pack_zeros(struct buffer *out, size_t len)
{
    static const uint8_t zeros[1024];
    pack_bin(out, (struct slice){zeros, len});
}

static void make_put(struct buffer *out, unsigned number)
{
    start(out, number, "queue.put", 2);
    pack_string(out, "q");
    pack_zeros(out, 64);
}

static void make_get(struct buffer *out, unsigned number)
{
    start(out, number, "queue.get", 2);
    pack_string(out, "q");
    pack_int(out, 0);
}

static void make_set(struct buffer *out, unsigned number)
{
    char key[16];
    (void)snprintf(key, sizeof(key), "key:%07u", number % 10000000);
    start(out, number, "dict.set", 3);
    pack_string(out, "d");
    pack_string(out, key);
    pack_zeros(out, 64);
}

static void make_map(struct buffer *out, unsigned number)
{
    start(out, number, "dict.update", 2);
    pack_string(out, "d");
    pack_map(out, 100);
    for (unsigned i = 0; i < 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "field%02u", i);
        pack_string(out, key);
        pack_uint(out, i % 3 == 0 ? i : i * 1000);
    }
}

static void make_ints(struct buffer *out, unsigned number)
{
    start(out, number, "list.extend", 2);
    pack_string(out, "l");
    pack_array(out, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        pack_uint(out, i);
    }
}

static void make_nested(struct buffer *out, unsigned number)
{
    start(out, number, "queue.put", 2);
    pack_string(out, "q");
    for (unsigned i = 0; i < 30; i++) {
        pack_array(out, 1);
    }
    pack_nil(out);
}

static void make_any(struct buffer *out, unsigned number)
{
    static const struct random_shape shape = {
        .max_depth = 4, .max_count = 6, .max_run = 40, .any_form = true};
    struct random random = random_from_seed(number);
    start(out, number, "queue.put", 2);
    pack_string(out, "q");
    random_value(&random, &shape, out);
}

static const struct load loads[] = {
    {"queue.put, 64 B", 1000, 100, make_put},
    {"queue.get", 1000, 100, make_get},
    {"dict.set, 64 B", 1000, 100, make_set},
    {"map of 100 small values", 100, 100, make_map},
    {"array of 1000 integers", 20, 100, make_ints},
    {"30 arrays in each other", 100, 1000, make_nested},
    {"random values", 10000, 10, make_any},
};

enum { ROUNDS = 21 };

static double cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One pass over all messages; how many there were. */
static unsigned pass(way find_end, struct slice bytes)
{
    unsigned messages = 0;
    for (size_t at = 0; at < bytes.len;) {
        size_t size = find_end(bytes.data + at, bytes.len - at);
        if (size == 0) {
            (void)fprintf(stderr, "scan_bench: message %u was refused\n", messages);
            exit(1);
        }
        at += size;
        messages++;
    }
    return messages;
}

/* Nanoseconds per message in one round. */
static double measure(way find_end, const struct load *load, struct slice bytes)
{
    unsigned messages = 0;
    double begin = cpu_ns();
    for (unsigned i = 0; i < load->passes; i++) {
        messages += pass(find_end, bytes);
    }
    return (cpu_ns() - begin) / messages;
}

static double median_of(double rounds[ROUNDS])
{
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
    return rounds[ROUNDS / 2];
}

/* Measures the ways in turn, so that what else the machine does meets them all alike. */
static void run(const struct load *load, struct slice bytes)
{
    static const way ways[] = {by_template, by_scan, by_decode};
    double rounds[3][ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 3; i++) {
            rounds[i][round] = measure(ways[i], load, bytes);
        }
    }
    (void)printf("%-24s %8zu %10.1f %10.1f %10.1f\n", load->name, bytes.len / load->messages,
                 median_of(rounds[0]), median_of(rounds[1]), median_of(rounds[2]));
}

/* Input that must be refused, or waited for; see what the ways say about it. */
struct bad {
    const char *name;
    const char *bytes;
    size_t len;
    unsigned arrays; /* so many arrays of one element stand before the bytes */
};

static const struct bad bads[] = {
    {"the unused byte 0xc1", "\xc1", 1, 0},
    {"32 arrays in each other", "\xc0", 1, 32},
    {"33 arrays in each other", "\xc0", 1, 33},
    {"32 arrays around an empty one", "\x90", 1, 32},
    {"str of 2^32-1 bytes, 3 there",
     "\xdb\xff\xff\xff\xff"
     "abc",
     8, 0},
    {"ext of 2^32-1 bytes, 3 there",
     "\xc9\xff\xff\xff\xff\x05"
     "abc",
     9, 0},
    {"map of 2^32-1 pairs", "\xdf\xff\xff\xff\xff", 5, 0},
};

static const char *answer_of_template(struct slice bytes)
{
    struct template_context context;
    size_t at = 0;
    context.user.exts = 0;
    template_init(&context);
    int status = template_execute(&context, (const char *)bytes.data, bytes.len, &at);
    return status < 0 ? "refused" : status == 0 ? "wait" : "whole";
}

static const char *answer_of_scan(struct slice bytes)
{
    struct scan scan;
    scan_init(&scan, MESSAGE_DEPTH, MESSAGE_SIZE);
    int status = scan_run(&scan, bytes.data, bytes.len);
    return status < 0 ? error_name(status) : status == SCAN_MORE ? "wait" : "whole";
}

static void show_bad(const struct bad *bad)
{
    struct buffer bytes = {0};
    for (unsigned i = 0; i < bad->arrays; i++) {
        pack_array(&bytes, 1);
    }
    pack_raw(&bytes, (struct slice){(const uint8_t *)bad->bytes, bad->len});
    struct slice slice = buffer_slice(&bytes);
    (void)printf("%-34s %10s %12s\n", bad->name, answer_of_template(slice), answer_of_scan(slice));
    buffer_deinit(&bytes);
}

int main(void)
{
    (void)printf("%-24s %8s %10s %10s %10s  ns per message\n", "message", "bytes", "template",
                 "scan", "decode");
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        struct buffer bytes = {0};
        for (unsigned number = 0; number < loads[i].messages; number++) {
            loads[i].make(&bytes, number * 1000);
        }
        run(&loads[i], buffer_slice(&bytes));
        buffer_deinit(&bytes);
    }
    (void)printf("\n%-34s %10s %12s\n", "answer to", "template", "scan");
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        show_bad(&bads[i]);
    }
    return 0;
}
