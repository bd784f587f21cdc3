/*
 * The queue against a plain model: an array of items that is searched from the start each time.
 *
 * Random operations on both; after each one the counts and what a peek shows must agree, and at
 * the end nothing may be charged. Now and then the queue is saved, and made of its rows again, as a
 * restart does: nothing else may show than that the sessions are gone. IPCD_TEST_SEED repeats a
 * run.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/objects/queue.h"
#include "daemon/objects/waits.h"
#include "proto/header.h"
#include "tests/unit/objects/row_map.h"

enum { ITEMS_MAX = 4096, STEPS = 2500, NS_PER_MS = 1000000 };

enum model_state { GONE, READY, WAITING, TAKEN };

struct model_item {
    enum model_state state;
    uint32_t value;
    int priority;
    long place;     /* order among the ready ones: smaller is nearer to the head */
    uint64_t ready; /* waiting: when it becomes ready */
    uint64_t expires;
    uint64_t lease;
    uint64_t ticket;
    unsigned deliveries;
    bool to_head;
};

struct model {
    struct accounts accounts;
    struct registry registry;
    struct row_map rows;
    uint64_t wall_us;
    struct queue *queue;
    struct tie tie;
    struct model_item items[ITEMS_MAX];
    size_t count;
    long next_place;
    long head_place;
    uint64_t next_ticket;
    uint64_t now;
    bool paused;
    uint64_t resume;          /* when that is over */
    struct model_item *shown; /* the last one that a peek has shown */
    uint64_t count_shown;
};

/* Gives way whenever it can, and looks at the object then, which must be sound in memory. */
struct prying {
    struct pace pace;
    struct queue *queue;
};

static void pry(struct pace *pace)
{
    struct prying *prying = (struct prying *)pace;
    struct buffer description = {0};
    (void)prying->queue->object.type->describe(&prying->queue->object, &description, 0);
    assert_false(description.failed);
    buffer_deinit(&description);
    pace->left = random() % 3;
}

static struct prying prying(const struct model *model)
{
    return (struct prying){{.pause = pry}, model->queue};
}

static uint32_t pick(uint32_t below)
{
    return (uint32_t)random() % below;
}

/* Values differ in size, so that some are blobs: [number, padding]. */
static struct slice make_value(struct buffer *out, uint32_t number)
{
    out->len = 0;
    pack_array(out, 2);
    pack_uint(out, number);
    static const uint8_t padding[6000];
    pack_bin(out, (struct slice){padding, number % 13 == 0 ? 5000 : number % 40});
    return buffer_slice(out);
}

static uint32_t read_value(struct slice value)
{
    struct header header;
    assert_int_equal(header_read(value.data + 1, value.len - 1, &header), 0);
    return (uint32_t)header.i;
}

/* True if a comes out of the queue before b. */
static bool comes_before(const struct model *model, const struct model_item *a,
                         const struct model_item *b)
{
    if (model->queue->options.order == QUEUE_PRIORITY && a->priority != b->priority) {
        return a->priority < b->priority;
    }
    return a->place < b->place;
}

/* The ready item that comes next after another (NULL: the first of all), or NULL. */
static struct model_item *ready_after(struct model *model, const struct model_item *last)
{
    struct model_item *best = NULL;
    for (size_t i = 0; i < model->count; i++) {
        struct model_item *item = &model->items[i];
        if (item->state == READY && (last == NULL || comes_before(model, last, item)) &&
            (best == NULL || comes_before(model, item, best))) {
            best = item;
        }
    }
    return best;
}

static size_t count_state(const struct model *model, enum model_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < model->count; i++) {
        count += model->items[i].state == state;
    }
    return count;
}

/* In a priority queue an item keeps the place of its arrival; else it goes to an end. */
static void make_ready(struct model *model, struct model_item *item, bool to_head)
{
    item->state = READY;
    if (model->queue->options.order == QUEUE_PRIORITY) {
        return;
    }
    bool at_front = to_head || model->queue->options.order == QUEUE_LIFO;
    item->place = at_front ? --model->head_place : ++model->next_place;
}

static void give_back(struct model *model, struct model_item *item, uint64_t delay)
{
    int64_t most = model->queue->options.max_deliveries;
    if (item->expires <= model->now || (most > 0 && item->deliveries >= (uint64_t)most)) {
        item->state = GONE;
    } else if (delay > 0) {
        item->state = WAITING;
        item->to_head = true;
        item->ready = model->now + delay * NS_PER_MS;
    } else {
        make_ready(model, item, true);
    }
}

static uint64_t due_of(const struct model_item *item)
{
    switch (item->state) {
    case READY:
        return item->expires;
    case WAITING:
        return item->ready < item->expires ? item->ready : item->expires;
    case TAKEN:
        return item->lease;
    case GONE:
        break;
    }
    return UINT64_MAX;
}

/* At the same time: first what goes to the tail, in order of arrival; then what goes to the head,
 * the last taken first. */
static bool due_before(const struct model_item *a, const struct model_item *b)
{
    if (due_of(a) != due_of(b)) {
        return due_of(a) < due_of(b);
    }
    bool a_to_head = a->state == TAKEN || (a->state == WAITING && a->to_head);
    bool b_to_head = b->state == TAKEN || (b->state == WAITING && b->to_head);
    if (a_to_head != b_to_head) {
        return b_to_head;
    }
    return a_to_head ? a->ticket > b->ticket : a->value < b->value;
}

/* What is due happens, the earliest first. */
static void tick(struct model *model)
{
    model->paused = model->paused && model->resume > model->now;
    for (;;) {
        struct model_item *first = NULL;
        for (size_t i = 0; i < model->count; i++) {
            struct model_item *item = &model->items[i];
            if (due_of(item) <= model->now && (first == NULL || due_before(item, first))) {
                first = item;
            }
        }
        if (first == NULL) {
            return;
        }
        if (first->state == TAKEN) {
            give_back(model, first, 0);
        } else if (first->expires <= model->now) {
            first->state = GONE;
        } else {
            make_ready(model, first, first->to_head);
        }
    }
}

static void do_put(struct model *model)
{
    struct buffer bytes = {0};
    struct model_item item = {.value = (uint32_t)model->count, .expires = UINT64_MAX};
    struct put_options options = {0};
    item.priority = (int)pick(4) - 2;
    options.rank.number = item.priority;
    options.delay_ms = pick(4) == 0 ? 1 + pick(20) : 0;
    options.ttl_ms = pick(4) == 0 ? 1 + pick(30) : 0;
    if (options.ttl_ms > 0) {
        item.expires = model->now + (uint64_t)options.ttl_ms * NS_PER_MS;
    }
    int status = queue_put(model->queue, incoming_plain(make_value(&bytes, item.value)), &options,
                           model->now);
    int64_t maxsize = model->queue->options.maxsize;
    size_t held = count_state(model, READY) + count_state(model, WAITING);
    assert_int_equal(status, maxsize > 0 && held >= (size_t)maxsize ? ERR_FULL : 0);
    buffer_deinit(&bytes);
    if (status < 0) {
        return;
    }
    struct model_item *kept = &model->items[model->count++];
    *kept = item;
    kept->place = ++model->next_place;
    if (options.delay_ms > 0) {
        kept->state = WAITING;
        kept->ready = model->now + (uint64_t)options.delay_ms * NS_PER_MS;
    } else {
        make_ready(model, kept, false);
    }
}

static void do_get(struct model *model)
{
    struct delivery head;
    struct model_item *expected = model->paused ? NULL : ready_after(model, NULL);
    int status = queue_head(model->queue, &head);
    assert_int_equal(status, expected == NULL ? ERR_EMPTY : 0);
    if (status < 0) {
        return;
    }
    assert_int_equal(read_value(head.value.bytes), expected->value);
    expected->deliveries++;
    assert_int_equal(head.meta.deliveries, expected->deliveries);
    if (!model->queue->options.joinable) {
        queue_drop_head(model->queue);
        expected->state = GONE;
        return;
    }
    assert_int_equal(queue_take_head(model->queue, &model->tie, model->now, &head, NULL), 0);
    assert_int_equal(head.ticket, ++model->next_ticket);
    assert_int_equal(read_value(head.value.bytes), expected->value);
    int64_t lease = model->queue->options.lease_ms;
    expected->state = TAKEN;
    expected->ticket = head.ticket;
    expected->lease = lease > 0 ? model->now + (uint64_t)lease * NS_PER_MS : UINT64_MAX;
}

/* A taken item of the model, or NULL. */
static struct model_item *any_taken(struct model *model)
{
    size_t taken = count_state(model, TAKEN);
    if (taken == 0) {
        return NULL;
    }
    size_t skip = pick((uint32_t)taken);
    for (size_t i = 0; i < model->count; i++) {
        if (model->items[i].state == TAKEN && skip-- == 0) {
            return &model->items[i];
        }
    }
    return NULL;
}

static void do_finish(struct model *model)
{
    struct model_item *item = any_taken(model);
    if (item == NULL) {
        return;
    }
    struct item *real = queue_ticket(model->queue, item->ticket);
    assert_non_null(real);
    if (pick(2) == 0) {
        item->state = GONE;
        (void)queue_done(model->queue, real, NULL);
        return;
    }
    if (pick(4) == 0) {
        queue_uncount(model->queue, real);
        item->deliveries--;
    }
    uint64_t delay = pick(2) == 0 ? 0 : 1 + pick(20);
    queue_give_back(model->queue, real, (int64_t)delay, model->now, NULL);
    give_back(model, item, delay);
}

/* Pauses the queue, for a time or not, or resumes it. */
static void do_pause(struct model *model)
{
    int64_t ms = pick(2) == 0 ? -1 : (int64_t)pick(30);
    model->paused = !model->paused || pick(3) == 0;
    model->resume = ms < 0 ? UINT64_MAX : model->now + (uint64_t)ms * NS_PER_MS;
    if (model->paused) {
        queue_pause(model->queue, ms, model->now);
    } else {
        queue_resume(model->queue);
    }
    assert_int_equal(model->queue->paused, model->paused);
}

static void do_clear(struct model *model)
{
    size_t held = count_state(model, READY) + count_state(model, WAITING);
    struct prying way = prying(model);
    assert_int_equal(queue_clear(model->queue, &way.pace), held);
    for (size_t i = 0; i < model->count; i++) {
        if (model->items[i].state != TAKEN) {
            model->items[i].state = GONE;
        }
    }
}

static void pass_time(struct model *model)
{
    model->now += pick(4) * (NS_PER_MS / 2) + (uint64_t)pick(3) * NS_PER_MS;
    struct prying way = prying(model);
    object_tick(&model->queue->object, model->now, &way.pace);
    tick(model);
}

static bool check_shown(void *data, struct stored value)
{
    struct model *model = data;
    model->shown = ready_after(model, model->shown);
    assert_non_null(model->shown);
    assert_int_equal(read_value(value.bytes), model->shown->value);
    model->count_shown++;
    return true;
}

static void compare(struct model *model)
{
    struct queue *queue = model->queue;
    struct item *dead;
    while ((dead = queue_next_dead(queue)) != NULL) {
        queue_free_dead(queue, dead, true);
    }
    assert_int_equal(queue->ready, count_state(model, READY));
    assert_int_equal(queue_size(queue), model->paused ? 0 : count_state(model, READY));
    assert_int_equal(queue->delayed, count_state(model, WAITING));
    assert_int_equal(queue->tickets.live, count_state(model, TAKEN));
    assert_int_equal(model->tie.holding, count_state(model, TAKEN));
    unsigned start = pick(pick(16) == 0 ? (uint32_t)queue->ready + 2 : 3);
    uint64_t count = pick(50) == 0 ? UINT64_MAX : 1 + pick(5);
    struct prying way = prying(model);
    model->count_shown = 0;
    model->shown = NULL;
    for (unsigned i = 0; i < start && i < queue->ready; i++) {
        model->shown = ready_after(model, model->shown);
    }
    assert_int_equal(queue_peek(queue, start, count, check_shown, model, &way.pace), 0);
    uint64_t most = start > queue->ready ? 0 : queue->ready - start;
    assert_int_equal(model->count_shown, most < count ? most : count);
    if (queue->ready + queue->delayed + queue->tickets.live == 0) {
        assert_true(queue->object.bytes < 70000);
    }
}

/* Rows. */

static struct moment moment(const struct model *model)
{
    return (struct moment){model->now, model->wall_us + model->now / 1000};
}

/* The monotonic clock begins anew. */
static void begin_clock(struct model *model)
{
    uint64_t now = 1 + (5000 + pick(100000)) * (uint64_t)NS_PER_MS;
    uint64_t later = now - model->now;
    for (size_t i = 0; i < model->count; i++) {
        struct model_item *item = &model->items[i];
        item->ready += later;
        item->lease += item->lease == UINT64_MAX ? 0 : later;
        item->expires += item->expires == UINT64_MAX ? 0 : later;
    }
    model->resume += model->resume == UINT64_MAX ? 0 : later;
    model->wall_us = moment(model).wall_us - now / 1000;
    model->now = now;
}

/* The taken item with the highest ticket below one, or the lowest above it. */
static struct model_item *taken_beside(struct model *model, uint64_t ticket, bool above)
{
    struct model_item *best = NULL;
    for (size_t i = 0; i < model->count; i++) {
        struct model_item *item = &model->items[i];
        bool is = item->state == TAKEN && (above ? item->ticket > ticket : item->ticket < ticket);
        bool nearer = best == NULL || (item->ticket < best->ticket) == above;
        best = is && nearer ? item : best;
    }
    return best;
}

/* The sessions are as they were: each has what it had. */
static void tie_again(struct model *model)
{
    struct model_item *item = taken_beside(model, 0, true);
    for (; item != NULL; item = taken_beside(model, item->ticket, true)) {
        assert_true(queue_tie(model->queue, item->ticket, &model->tie));
        assert_false(queue_tie(model->queue, item->ticket, &model->tie));
    }
}

/* They are gone. */
static void come_back(struct model *model)
{
    struct model_item *item = taken_beside(model, UINT64_MAX, false);
    for (; item != NULL; item = taken_beside(model, item->ticket, false)) {
        give_back(model, item, 0);
    }
}

/* Goes on with a queue that is made of its rows: all, as one daemon gives them to the next, with
 * the sessions; or those that have been saved again and again. */
static void load(struct model *model, bool all)
{
    struct row_map rows = {0};
    row_map_save(&model->rows, &model->registry, moment(model));
    if (all) {
        row_map_save_all(&rows, &model->registry, moment(model));
    }
    tie_abandon(&model->tie, model->now, NULL);
    object_unready(&model->queue->object);
    registry_deinit(&model->registry);
    assert_int_equal(model->accounts.bytes, 0);
    registry_init(&model->registry, 7);
    begin_clock(model);
    assert_int_equal(row_map_load(all ? &rows : &model->rows, &model->registry, &model->accounts,
                                  moment(model), NULL),
                     0);
    assert_true(TAILQ_EMPTY(&model->registry.changed));
    model->queue = queue_of(registry_find(&model->registry, slice_of_string("q")));
    model->tie.object = &model->queue->object;
    if (all) {
        tie_again(model);
        object_unsaved(&model->queue->object, UNSAVED_ALL); /* it knows nothing of model->rows */
    } else {
        come_back(model);
    }
    queue_give_back_untied(&model->queue->object, model->now);
    row_map_deinit(&rows);
    user_give_back(model->queue->object.user, RESOURCE_OBJECTS, 1);
}

static void save_or_load(struct model *model)
{
    bool is_durable = object_is_durable(&model->queue->object);
    uint32_t choice = pick(100);
    if (choice < 20 && is_durable) {
        row_map_save(&model->rows, &model->registry, moment(model));
    } else if (choice < 24) {
        load(model, !is_durable || choice == 20);
    }
}

static void step(struct model *model)
{
    uint32_t choice = pick(100);
    if (choice < 40) {
        do_put(model);
    } else if (choice < 70) {
        do_get(model);
    } else if (choice < 85) {
        do_finish(model);
    } else if (choice < 86) {
        do_pause(model);
    } else if (choice < 99 || pick(20) > 0) {
        pass_time(model);
    } else {
        do_clear(model);
    }
    compare(model);
}

static void run_model(uint8_t lifetime, const struct queue_options *options)
{
    struct model *model = calloc(1, sizeof(*model));
    assert_non_null(model);
    accounts_init(&model->accounts, 0);
    struct user *user = accounts_user(&model->accounts, 1);
    struct object_options common = {
        .name = slice_of_string("q"), .user = user, .uid = 1, .mode = 0600, .lifetime = lifetime};
    registry_init(&model->registry, 7);
    assert_int_equal(queue_new(&common, options, &model->queue), 0);
    assert_int_equal(registry_add(&model->registry, &model->queue->object), 0);
    object_unref(&model->queue->object);
    TAILQ_INIT(&model->tie.taken);
    model->tie.object = &model->queue->object;
    model->now = 1;
    model->wall_us = UINT64_C(1700000000000000);
    for (int i = 0; i < STEPS && model->count < ITEMS_MAX; i++) {
        step(model);
        save_or_load(model);
    }
    struct prying way = prying(model);
    tie_abandon(&model->tie, model->now, &way.pace);
    assert_int_equal(model->tie.holding, 0);
    object_unready(&model->queue->object);
    registry_deinit(&model->registry);
    row_map_deinit(&model->rows);
    assert_int_equal(user->bytes, 0);
    user_unref(user);
    accounts_deinit(&model->accounts);
    free(model);
}

static void run_orders(const struct queue_options *given)
{
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        struct queue_options options = *given;
        options.order = (enum queue_order)order;
        run_model(LIFETIME_DAEMON, &options);
        run_model(LIFETIME_DURABLE, &options);
    }
}

static void queue_agrees_with_the_model_in_every_order(void **state)
{
    run_orders(&(struct queue_options){0});
    run_orders(&(struct queue_options){.maxsize = 20});
}

static void joinable_queue_agrees_with_the_model_in_every_order(void **state)
{
    run_orders(&(struct queue_options){.joinable = true});
    run_orders(&(struct queue_options){
        .joinable = true, .lease_ms = 15, .max_deliveries = 3, .maxsize = 50});
}

int main(void)
{
    const char *given = getenv("IPCD_TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("IPCD_TEST_SEED=%u\n", seed);
    srandom(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_agrees_with_the_model_in_every_order),
        cmocka_unit_test(joinable_queue_agrees_with_the_model_in_every_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
