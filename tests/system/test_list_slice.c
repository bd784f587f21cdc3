/*
 * list.slice, list.set_slice and list.delete_slice against Python's rules, exhaustively: lists of 0
 * to 5 values, start, stop and step from -7 to 7 or nil. The model walks the list as Python's
 * reference manual describes slices, one index after the other, and shares nothing with the daemon.
 */
#include "tests/support/daemon.h"

#include <stdlib.h>

enum { FROM = -7, TO = 7, NONE = TO + 1, LENGTHS = 6, SELECTED_MAX = 16 };

/* The indices that a slice selects, in its order. */
struct selection {
    int count;
    int at[SELECTED_MAX];
    int first; /* where a slice of step 1 begins, also if it is empty */
};

static int clamp(int index, int length, int low, int high)
{
    if (index < 0) {
        index += length;
    }
    return index < low ? low : index > high ? high : index;
}

static struct selection select_indices(int length, int start, int stop, int step)
{
    struct selection selection = {0};
    step = step == NONE ? 1 : step;
    int low = step > 0 ? 0 : -1;
    int high = step > 0 ? length : length - 1;
    int from = start == NONE ? (step > 0 ? low : high) : clamp(start, length, low, high);
    int until = stop == NONE ? (step > 0 ? high : low) : clamp(stop, length, low, high);
    selection.first = from;
    for (int i = from; step > 0 ? i < until : i > until; i += step) {
        selection.at[selection.count++] = i;
    }
    return selection;
}

/* A growing array in notation. */
struct text {
    char bytes[256];
    size_t len;
};

static void text_add(struct text *text, const char *prefix, int value)
{
    text->len += (size_t)snprintf(text->bytes + text->len, sizeof(text->bytes) - text->len,
                                  "%s%s%d", text->len == 1 ? "" : ", ", prefix, value);
}

static void text_open(struct text *text)
{
    text->bytes[0] = '[';
    text->bytes[1] = '\0';
    text->len = 1;
}

static const char *text_close(struct text *text)
{
    (void)snprintf(text->bytes + text->len, sizeof(text->bytes) - text->len, "]");
    return text->bytes;
}

static const char *param(struct rpc *c, int value)
{
    return value == NONE ? "nil" : rpc_text(c, "%d", value);
}

static const char *slice_params(struct rpc *c, const char *list, int start, int stop, int step)
{
    return rpc_text(c, "['%s', %s, %s, %s]", list, param(c, start), param(c, stop), param(c, step));
}

static void open_lists(struct rpc *c)
{
    for (int length = 0; length < LENGTHS; length++) {
        struct text values;
        text_open(&values);
        for (int i = 0; i < length; i++) {
            text_add(&values, "", i);
        }
        expect(c, "list.open", rpc_text(c, "['l%d', {initial: %s}]", length, text_close(&values)),
               "_map");
    }
    expect(c, "list.open", "['work']", "_map");
}

static void slices_of_one_list(struct rpc *c, int length, int step)
{
    const char *name = rpc_text(c, "l%d", length);
    char list[8];
    (void)snprintf(list, sizeof(list), "%s", name);
    for (int start = FROM; start <= NONE; start++) {
        for (int stop = FROM; stop <= NONE; stop++) {
            struct selection selection = select_indices(length, start, stop, step);
            struct text values;
            text_open(&values);
            for (int i = 0; i < selection.count; i++) {
                text_add(&values, "", selection.at[i]);
            }
            expect(c, "list.slice", slice_params(c, list, start, stop, step), text_close(&values));
        }
    }
}

static void slice_selects_what_python_selects(void **state)
{
    struct rpc *c = daemon_client(*state);
    open_lists(c);
    for (int length = 0; length < LENGTHS; length++) {
        for (int step = FROM; step <= NONE; step++) {
            if (step != 0) {
                slices_of_one_list(c, length, step);
            }
        }
    }
}

static void slice_params_may_be_left_out(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l', {initial: [0, 1, 2, 3]}]", "_map");
    expect(c, "list.slice", "['l']", "[0, 1, 2, 3]");
    expect(c, "list.slice", "['l', 1]", "[1, 2, 3]");
    expect(c, "list.slice", "['l', 1, 3]", "[1, 2]");
    expect(c, "list.slice", "['l', nil, nil, -1]", "[3, 2, 1, 0]");
    expect(c, "list.slice", "['l', -9223372036854775808, 9223372036854775807, 9223372036854775807]",
           "[0]");
    expect(c, "list.slice",
           "['l', 9223372036854775807, -9223372036854775808, -9223372036854775808]", "[3]");
    expect(c, "list.delete_slice", "['l', 2]", "nil");
    expect(c, "list.slice", "['l']", "[0, 1]");
    expect(c, "list.delete_slice", "['l']", "nil");
    expect(c, "list.slice", "['l']", "[]");
}

static void step_zero_is_value(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l', {initial: [0, 1]}]", "_map");
    expect_error(c, "list.slice", "['l', 0, 2, 0]", "VALUE");
    expect_error(c, "list.delete_slice", "['l', 0, 2, 0]", "VALUE");
    expect_error(c, "list.set_slice", "['l', 0, 2, 0, [1]]", "VALUE");
    expect_error(c, "list.set_slice", "['l', nil, nil, 0, []]", "VALUE");
    expect(c, "list.slice", "['l']", "[0, 1]");
}

static void refill(struct rpc *c, int length)
{
    expect(c, "list.clear", "['work']", "nil");
    struct text values;
    text_open(&values);
    for (int i = 0; i < length; i++) {
        text_add(&values, "", i);
    }
    expect(c, "list.extend", rpc_text(c, "['work', %s]", text_close(&values)),
           rpc_text(c, "%d", length));
}

static bool selects(const struct selection *selection, int index)
{
    for (int i = 0; i < selection->count; i++) {
        if (selection->at[i] == index) {
            return true;
        }
    }
    return false;
}

static void check_delete(struct rpc *c, int length, int start, int stop, int step)
{
    struct selection selection = select_indices(length, start, stop, step);
    struct text values;
    refill(c, length);
    expect(c, "list.delete_slice", slice_params(c, "work", start, stop, step), "nil");
    text_open(&values);
    for (int i = 0; i < length; i++) {
        if (!selects(&selection, i)) {
            text_add(&values, "", i);
        }
    }
    expect(c, "list.slice", "['work']", text_close(&values));
}

/* Every second start and stop: the selection is checked exhaustively above. */
static void delete_slice_removes_what_slice_selects(void **state)
{
    struct rpc *c = daemon_client(*state);
    open_lists(c);
    for (int length = 0; length < LENGTHS; length++) {
        for (int step = -3; step <= 3; step++) {
            for (int start = FROM; step != 0 && start <= NONE; start += 2) {
                for (int stop = FROM + 1; stop <= NONE; stop += 2) {
                    check_delete(c, length, start, stop, step);
                }
                check_delete(c, length, start, NONE, step);
                check_delete(c, length, NONE, start, step);
            }
        }
    }
}

/* What the work list holds after `count` values n0, n1... went into the selection. */
static const char *expected_after_set(struct text *values, const struct selection *selection,
                                      int length, int step, int count)
{
    text_open(values);
    if (step != 1 && step != NONE) {
        for (int i = 0; i < length; i++) {
            int replaced = -1;
            for (int j = 0; j < selection->count; j++) {
                replaced = selection->at[j] == i ? j : replaced;
            }
            text_add(values, "", replaced < 0 ? i : 100 + replaced);
        }
        return text_close(values);
    }
    for (int i = 0; i < selection->first; i++) {
        text_add(values, "", i);
    }
    for (int i = 0; i < count; i++) {
        text_add(values, "", 100 + i);
    }
    for (int i = selection->first + selection->count; i < length; i++) {
        text_add(values, "", i);
    }
    return text_close(values);
}

static void check_set(struct rpc *c, int length, const int slice[3], int count)
{
    struct selection selection = select_indices(length, slice[0], slice[1], slice[2]);
    struct text news;
    struct text values;
    text_open(&news);
    for (int i = 0; i < count; i++) {
        text_add(&news, "", 100 + i);
    }
    refill(c, length);
    const char *params = rpc_text(c, "['work', %s, %s, %s, %s]", param(c, slice[0]),
                                  param(c, slice[1]), param(c, slice[2]), text_close(&news));
    bool extended = slice[2] != 1 && slice[2] != NONE;
    if (extended && count != selection.count) {
        expect_error(c, "list.set_slice", params, "VALUE");
        selection.count = 0;
    } else {
        expect(c, "list.set_slice", params, "nil");
    }
    expect(c, "list.slice", "['work']",
           expected_after_set(&values, &selection, length, slice[2], count));
}

static void set_slice_replaces_what_slice_selects(void **state)
{
    static const int steps[] = {1, NONE, 2, 3, -1, -2};
    struct rpc *c = daemon_client(*state);
    open_lists(c);
    for (int length = 0; length < LENGTHS; length += 1 + (length > 0)) {
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            for (int start = FROM; start <= NONE; start += 3) {
                for (int stop = FROM; stop <= NONE; stop += 3) {
                    const int slice[] = {start, stop, steps[i]};
                    struct selection selection = select_indices(length, start, stop, steps[i]);
                    check_set(c, length, slice, 0);
                    check_set(c, length, slice, 2);
                    check_set(c, length, slice, selection.count);
                }
            }
        }
    }
}

static void set_slice_needs_all_its_params(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l', {initial: [0, 1]}]", "_map");
    expect_error_word(c, "list.set_slice", "['l', 0, 1, nil]", "BAD_REQUEST", "values");
    expect_error_word(c, "list.set_slice", "['l', 0, 1, nil, 5]", "BAD_REQUEST", "values");
    expect(c, "list.set_slice", "['l', nil, nil, nil, ['x']]", "nil");
    expect(c, "list.slice", "['l']", "['x']");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(slice_selects_what_python_selects),
        daemon_test(slice_params_may_be_left_out),
        daemon_test(step_zero_is_value),
        daemon_test(delete_slice_removes_what_slice_selects),
        daemon_test(set_slice_replaces_what_slice_selects),
        daemon_test(set_slice_needs_all_its_params),
    };
    return cmocka_run_group_tests_name("list slice", tests, NULL, NULL);
}
