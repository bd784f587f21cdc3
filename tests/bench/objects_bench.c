/*
 * objects_bench: what an operation on a dict and a list costs in time, and an entry in memory,
 * without a daemon around it: a million keys of 11 bytes with bins of 64 bytes, in a random order.
 *
 * Memory is the process's anonymous pages, read before and after; what is charged stands beside it.
 * Run it alone on the machine, pinned to a core (taskset -c 1 objects_bench).
 */
#include "daemon/objects/dict.h"
#include "daemon/objects/list.h"
#include "tests/support/random_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ENTRIES = 1000000, KEY_LEN = 12, VALUE_LEN = 66 };

struct bench {
    struct accounts accounts;
    struct user *user;
    uint32_t *order; /* the numbers from 0 to ENTRIES - 1, mixed */
};

static double now(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

/* Bytes of anonymous memory, from /proc/self/status. */
static double memory(void)
{
    char line[256];
    long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "RssAnon: %ld", &kilobytes) == 1) {
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (double)kilobytes * 1024;
}

static void check(int status)
{
    if (status != 0) {
        (void)fprintf(stderr, "objects_bench: an operation failed with %d\n", status);
        exit(EXIT_FAILURE);
    }
}

static void show(const char *what, double nanoseconds)
{
    printf("  %-34s %6.0f ns\n", what, nanoseconds / ENTRIES);
}

static void show_memory(const char *what, double bytes, uint64_t charged)
{
    printf("  %-34s %6.1f bytes (charged: %.1f)\n", what, bytes / ENTRIES,
           (double)charged / ENTRIES);
}

static struct object_options options_of(const struct bench *bench)
{
    return (struct object_options){.name = slice_of_string("bench"), .user = bench->user};
}

/* The key of a number: "key00000042" with its header. */
static struct slice key_of(uint32_t number, uint8_t *bytes)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "key%08" PRIu32, number);
    bytes[0] = 0xab;
    memcpy(bytes + 1, text, KEY_LEN - 1);
    return (struct slice){bytes, KEY_LEN};
}

static struct slice value_of(uint32_t number, uint8_t *bytes)
{
    memset(bytes, 'v', VALUE_LEN);
    bytes[0] = 0xc4;
    bytes[1] = VALUE_LEN - 2;
    memcpy(bytes + 2, &number, sizeof(number));
    return (struct slice){bytes, VALUE_LEN};
}

/* Runs `act` with a key ENTRIES times, made as a handler makes it; `keys` different ones. */
static double each_key(const struct bench *bench, struct dict *dict, uint32_t keys,
                       void (*act)(struct dict *dict, const struct dict_key *key, uint32_t number))
{
    uint8_t bytes[KEY_LEN];
    double start = now();
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct dict_key key;
        struct key_fault fault;
        uint32_t number = bench->order[i] % keys;
        check(dict_key_init(&key, dict, key_of(number, bytes), &fault, NULL));
        act(dict, &key, number);
        dict_key_deinit(&key);
    }
    return now() - start;
}

static void do_nothing(struct dict *dict, const struct dict_key *key, uint32_t number)
{
    (void)dict, (void)key, (void)number;
}

static void do_set(struct dict *dict, const struct dict_key *key, uint32_t number)
{
    uint8_t bytes[VALUE_LEN];
    check(dict_set(dict, key, dict_find(dict, key), incoming_plain(value_of(number, bytes)), NULL));
}

static void do_get(struct dict *dict, const struct dict_key *key, uint32_t number)
{
    uint32_t position = dict_find(dict, key);
    check(position == ORDERED_NONE ||
          dict_at(dict, position).value.bytes.data[2] != (uint8_t)number);
}

static void do_remove(struct dict *dict, const struct dict_key *key, uint32_t number)
{
    uint32_t position = dict_find(dict, key);
    if (position != ORDERED_NONE) {
        dict_remove(dict, position, NULL);
    }
}

static struct dict *make_dict(const struct bench *bench)
{
    const struct dict_options options = {.seed = 4711};
    struct object_options common = options_of(bench);
    struct dict *dict;
    check(dict_new(&common, &options, &dict));
    return dict;
}

static void bench_dict(const struct bench *bench)
{
    struct dict *dict = make_dict(bench);
    double before = memory();
    printf("dict, %d keys, without the time to make a key:\n", ENTRIES);
    double key = each_key(bench, dict, ENTRIES, do_nothing);
    show("set a new key", each_key(bench, dict, ENTRIES, do_set) - key);
    show_memory("memory of a pair", memory() - before, dict->object.bytes);
    show("set it again", each_key(bench, dict, ENTRIES, do_set) - key);
    show("get", each_key(bench, dict, ENTRIES, do_get) - key);
    double start = now();
    uint32_t seen = 0;
    for (uint32_t i = dict_next(dict, 0); i != ORDERED_NONE; i = dict_next(dict, i + 1)) {
        seen += dict_at(dict, i).key.len == KEY_LEN;
    }
    check(seen != ENTRIES);
    show("go through", now() - start);
    show("remove", each_key(bench, dict, ENTRIES, do_remove) - key);
    show_memory("memory kept", memory() - before, dict->object.bytes);
    object_unref(&dict->object);
}

/* What the caches hold: the instructions alone. */
static void bench_small_dict(const struct bench *bench)
{
    enum { KEYS = 1000 };
    struct dict *dict = make_dict(bench);
    printf("dict, %d keys:\n", KEYS);
    double key = each_key(bench, dict, KEYS, do_nothing);
    (void)each_key(bench, dict, KEYS, do_set);
    show("set", each_key(bench, dict, KEYS, do_set) - key);
    show("get", each_key(bench, dict, KEYS, do_get) - key);
    double start = now();
    uint8_t bytes[KEY_LEN];
    struct slice raw = key_of(0, bytes);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct dict_key made;
        struct key_fault fault;
        check(dict_key_init(&made, dict, raw, &fault, NULL));
        dict_key_deinit(&made);
    }
    show("make a key", now() - start);
    object_unref(&dict->object);
}

static void bench_list(const struct bench *bench, uint32_t value_len, const char *title)
{
    struct object_options common = options_of(bench);
    uint8_t bytes[VALUE_LEN];
    struct list *list;
    check(list_new(&common, &list));
    double before = memory();
    double start = now();
    printf("list, %d %s:\n", ENTRIES, title);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct slice value = value_of(i, bytes);
        value.len = value_len;
        bytes[1] = (uint8_t)(value_len - 2);
        check(list_insert(list, list_len(list), incoming_plain(value), NULL));
    }
    show("append", now() - start);
    show_memory("memory of a value", memory() - before, list->object.bytes);
    start = now();
    for (uint32_t i = 0; i < ENTRIES; i++) {
        check(list_at(list, bench->order[i]).bytes.data[0] != 0xc4);
    }
    show("get", now() - start);
    start = now();
    check(list_sort(list, false, NULL));
    show("sort", now() - start);
    start = now();
    while (list_len(list) > 0) {
        list_delete(list, 0, NULL);
    }
    show("pop(0)", now() - start);
    object_unref(&list->object);
}

int main(void)
{
    struct bench bench = {.order = malloc(ENTRIES * sizeof(uint32_t))};
    struct random random = random_from_seed(1);
    accounts_init(&bench.accounts, 0);
    bench.user = accounts_user(&bench.accounts, 0);
    check(bench.order == NULL || bench.user == NULL);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint32_t other = random_below(&random, i + 1);
        bench.order[i] = bench.order[other];
        bench.order[other] = i;
    }
    bench_dict(&bench);
    bench_small_dict(&bench);
    bench_list(&bench, VALUE_LEN, "bins of 64 bytes");
    bench_list(&bench, 7, "bins of 5 bytes");
    user_unref(bench.user);
    accounts_deinit(&bench.accounts);
    free(bench.order);
    return 0;
}
