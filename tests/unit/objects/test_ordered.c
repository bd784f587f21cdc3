/* The compact hash by itself: order, numbers, positions, memory; and against a plain array. */
#include "daemon/objects/ordered.h"
#include "proto/error.h"
#include "tests/support/random_value.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/world.h"

#include <stdlib.h>

struct thing {
    struct ordered_entry entry;
    uint32_t key;
};

/* Few hashes, so that entries collide and stand behind each other in the index. */
static uint32_t hash_of(uint32_t key)
{
    return key * 2654435769U >> 28 << 27 | (key & 3);
}

static bool has_key(const struct ordered_entry *entry, const void *key)
{
    return ((const struct thing *)entry)->key == *(const uint32_t *)key;
}

static struct thing *find(const struct ordered *ordered, uint32_t key)
{
    uint32_t position = ordered_find(ordered, hash_of(key), has_key, &key);
    return position == ORDERED_NONE ? NULL : (struct thing *)ordered->entries[position];
}

static struct thing *add(struct ordered *ordered, uint32_t key)
{
    struct thing *thing = malloc(sizeof(*thing));
    assert_non_null(thing);
    thing->key = key;
    assert_int_equal(ordered_append(ordered, hash_of(key), &thing->entry), 0);
    return thing;
}

static void take_out(struct ordered *ordered, uint32_t position)
{
    struct thing *thing = (struct thing *)ordered->entries[position];
    assert_ptr_equal(ordered_remove(ordered, position, hash_of(thing->key), NULL), &thing->entry);
    free(thing);
}

static void take_key(struct ordered *ordered, uint32_t key)
{
    take_out(ordered, ordered_find(ordered, hash_of(key), has_key, &key));
}

static void end(struct ordered *ordered)
{
    for (uint32_t i = ordered_next(ordered, 0); i != ORDERED_NONE;
         i = ordered_next(ordered, i + 1)) {
        free(ordered->entries[i]);
    }
    ordered_deinit(ordered, NULL);
}

static void entries_keep_the_order_of_insertion(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 1000; key++) {
        assert_int_equal(add(&ordered, key)->entry.seq, key + 1);
    }
    for (uint32_t key = 0; key < 1000; key += 3) {
        take_key(&ordered, key);
    }
    uint32_t position = ordered_next(&ordered, 0);
    for (uint32_t key = 0; key < 1000; key++) {
        if (key % 3 != 0) {
            assert_int_equal(((struct thing *)ordered.entries[position])->key, key);
            position = ordered_next(&ordered, position + 1);
        }
    }
    assert_int_equal(position, ORDERED_NONE);
    end(&ordered);
}

static void entries_that_collide_are_found_after_others_are_removed(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 64; key++) {
        (void)add(&ordered, key);
    }
    for (uint32_t gone = 0; gone < 64; gone++) {
        uint32_t key = gone * 37 % 64;
        assert_non_null(find(&ordered, key));
        take_key(&ordered, key);
        assert_null(find(&ordered, key));
        for (uint32_t later = gone + 1; later < 64; later++) {
            assert_non_null(find(&ordered, later * 37 % 64));
        }
    }
    end(&ordered);
}

static void entries_are_found_by_another_hash_in_their_old_place(void **state)
{
    enum { COUNT = 64 };
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < COUNT; key++) {
        (void)add(&ordered, key);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t key = i * 37 % COUNT;
        struct thing *thing = find(&ordered, key);
        uint64_t seq = thing->entry.seq;
        uint32_t position = ordered_from_seq(&ordered, seq);
        thing->key = key + COUNT;
        ordered_rehash(&ordered, position, hash_of(key), hash_of(key + COUNT));
        assert_null(find(&ordered, key));
        assert_ptr_equal(find(&ordered, key + COUNT), thing);
        assert_int_equal(thing->entry.seq, seq);
        for (uint32_t later = i + 1; later < COUNT; later++) {
            assert_non_null(find(&ordered, later * 37 % COUNT));
        }
    }
    assert_int_equal(ordered.live, COUNT);
    for (uint32_t key = COUNT; key < 2 * COUNT; key++) {
        take_key(&ordered, key);
    }
    assert_int_equal(ordered.live, 0);
    end(&ordered);
}

static void numbers_are_never_used_again(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    (void)add(&ordered, 1);
    take_key(&ordered, 1);
    assert_int_equal(add(&ordered, 1)->entry.seq, 2);
    free(ordered.entries[0]);
    struct ordered gone;
    ordered_take(&ordered, &gone);
    ordered_deinit(&gone, NULL);
    assert_int_equal(ordered_cost(&ordered), 0);
    assert_int_equal(add(&ordered, 1)->entry.seq, 3);
    end(&ordered);
}

static void replace_keeps_place_and_number(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    struct thing *first = add(&ordered, 1);
    (void)add(&ordered, 2);
    struct thing *other = malloc(sizeof(*other));
    assert_non_null(other);
    other->key = 1;
    ordered_replace(&ordered, 0, &other->entry);
    free(first);
    assert_ptr_equal(find(&ordered, 1), other);
    assert_int_equal(other->entry.seq, 1);
    assert_int_equal(ordered_next(&ordered, 0), 0);
    end(&ordered);
}

static void first_and_last_are_known_when_both_ends_go(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    assert_int_equal(ordered_last(&ordered), ORDERED_NONE);
    assert_int_equal(ordered_next(&ordered, 0), ORDERED_NONE);
    for (uint32_t key = 0; key < 10; key++) {
        (void)add(&ordered, key);
    }
    take_key(&ordered, 8);
    take_key(&ordered, 9);
    take_key(&ordered, 0);
    assert_int_equal(((struct thing *)ordered.entries[ordered_last(&ordered)])->key, 7);
    assert_int_equal(((struct thing *)ordered.entries[ordered_next(&ordered, 0)])->key, 1);
    end(&ordered);
}

static void from_seq_skips_what_is_gone(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 1; key <= 100; key++) {
        (void)add(&ordered, key);
    }
    for (uint32_t key = 20; key < 40; key++) {
        take_key(&ordered, key);
    }
    for (uint64_t seq = 0; seq <= 101; seq++) {
        uint64_t expected = seq < 20 ? seq : seq < 40 ? 40 : seq;
        uint32_t position = ordered_from_seq(&ordered, seq);
        if (expected > 100) {
            assert_int_equal(position, ORDERED_NONE);
        } else {
            assert_int_equal(ordered.entries[position]->seq, expected == 0 ? 1 : expected);
        }
    }
    end(&ordered);
}

static void a_queue_of_constant_length_takes_constant_memory(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 100000; key++) {
        (void)add(&ordered, key);
        if (key >= 100) {
            take_out(&ordered, ordered_next(&ordered, 0));
        }
        assert_true(ordered.used <= 200);
        assert_true(ordered_cost(&ordered) <= 8192);
    }
    assert_int_equal(ordered.live, 100);
    end(&ordered);
}

static void a_stack_leaves_no_holes(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 10000; key++) {
        (void)add(&ordered, key);
        (void)add(&ordered, key + 10000);
        take_out(&ordered, ordered_last(&ordered));
        assert_int_equal(ordered.used, ordered.live);
    }
    while (ordered.live > 0) {
        take_out(&ordered, ordered_last(&ordered));
    }
    assert_true(ordered_cost(&ordered) <= 256);
    end(&ordered);
}

static void memory_follows_the_entries_down(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 10000; key++) {
        (void)add(&ordered, key);
    }
    for (uint32_t key = 0; key < 10000; key++) {
        if (key % 1000 != 7) {
            take_key(&ordered, key);
        }
        size_t live = ordered.live;
        assert_true(ordered_cost(&ordered) <= live * 100 + 512);
        assert_true(ordered.used <= live + live / 2 + 8);
    }
    assert_int_equal(ordered.live, 10);
    end(&ordered);
}

static void the_cost_after_an_append_is_known_before(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 5000; key++) {
        size_t expected = ordered_cost_after(&ordered, 1);
        (void)add(&ordered, key);
        assert_int_equal(ordered_cost(&ordered), expected);
    }
    size_t expected = ordered_cost_after(&ordered, 5000);
    assert_int_equal(ordered_reserve(&ordered, 5000, NULL), 0);
    assert_int_equal(ordered_cost(&ordered), expected);
    assert_int_equal(ordered_cost_after(&ordered, 5000), expected);
    end(&ordered);
}

static void want_of_memory_refuses_an_append_and_nothing_else(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    unsigned refused = 0;
    for (uint32_t key = 0; key < 200; key++) {
        for (unsigned n = 0;; n++) {
            struct thing *thing = malloc(sizeof(*thing));
            assert_non_null(thing);
            thing->key = key;
            scarce_begin(n);
            int status = ordered_append(&ordered, hash_of(key), &thing->entry);
            if (!scarce_end()) {
                assert_int_equal(status, 0);
                break;
            }
            assert_int_equal(status, ERR_MEMORY);
            assert_int_equal(ordered.live, key);
            assert_null(find(&ordered, key));
            free(thing);
            refused++;
        }
    }
    assert_true(refused > 10);
    end(&ordered);
}

static void want_of_memory_does_not_keep_entries_from_going(void **state)
{
    struct ordered ordered;
    ordered_init(&ordered);
    for (uint32_t key = 0; key < 2000; key++) {
        (void)add(&ordered, key);
    }
    for (uint32_t key = 0; key < 2000; key++) {
        scarce_begin(key % 3);
        take_key(&ordered, key * 7 % 2000);
        (void)scarce_end();
    }
    assert_int_equal(ordered.live, 0);
    end(&ordered);
}

/* The model: the live keys in order, in a plain array. */
struct model {
    uint32_t keys[512];
    uint32_t len;
};

static uint32_t model_find(const struct model *model, uint32_t key)
{
    uint32_t i = 0;
    while (i < model->len && model->keys[i] != key) {
        i++;
    }
    return i;
}

static void model_compare(const struct model *model, const struct ordered *ordered)
{
    uint32_t position = ordered_next(ordered, 0);
    for (uint32_t i = 0; i < model->len; i++) {
        assert_int_equal(((struct thing *)ordered->entries[position])->key, model->keys[i]);
        assert_int_equal(ordered_from_seq(ordered, ordered->entries[position]->seq), position);
        assert_non_null(find(ordered, model->keys[i]));
        position = ordered_next(ordered, position + 1);
    }
    assert_int_equal(position, ORDERED_NONE);
    assert_int_equal(ordered->live, model->len);
}

static void random_changes_agree_with_a_plain_array(void **state)
{
    struct random random = random_from_seed(world_seed());
    struct ordered ordered;
    struct model model = {.len = 0};
    uint32_t target = 0;
    ordered_init(&ordered);
    for (unsigned step = 0; step < 30000; step++) {
        if (step % 1000 == 0) {
            target = random_below(&random, 400);
        }
        uint32_t key = random_below(&random, 500);
        uint32_t at = model_find(&model, key);
        if (at < model.len && random_below(&random, model.len + 1) >= target) {
            take_key(&ordered, key);
            model.len--;
            memmove(&model.keys[at], &model.keys[at + 1], (model.len - at) * sizeof(key));
        } else if (at == model.len && random_below(&random, target + 1) >= model.len / 2) {
            (void)add(&ordered, key);
            model.keys[model.len++] = key;
        }
        if (step % 50 == 0) {
            model_compare(&model, &ordered);
        }
    }
    end(&ordered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_keep_the_order_of_insertion),
        cmocka_unit_test(entries_that_collide_are_found_after_others_are_removed),
        cmocka_unit_test(entries_are_found_by_another_hash_in_their_old_place),
        cmocka_unit_test(numbers_are_never_used_again),
        cmocka_unit_test(replace_keeps_place_and_number),
        cmocka_unit_test(first_and_last_are_known_when_both_ends_go),
        cmocka_unit_test(from_seq_skips_what_is_gone),
        cmocka_unit_test(a_queue_of_constant_length_takes_constant_memory),
        cmocka_unit_test(a_stack_leaves_no_holes),
        cmocka_unit_test(memory_follows_the_entries_down),
        cmocka_unit_test(the_cost_after_an_append_is_known_before),
        cmocka_unit_test(want_of_memory_refuses_an_append_and_nothing_else),
        cmocka_unit_test(want_of_memory_does_not_keep_entries_from_going),
        cmocka_unit_test(random_changes_agree_with_a_plain_array),
    };
    return cmocka_run_group_tests_name("ordered", tests, NULL, NULL);
}
