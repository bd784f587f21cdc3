/* heap: what comes out is the least, also when elements change or leave from the middle. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "daemon/objects/heap.h"

enum { COUNT = 300 };

struct element {
    int key;
    uint32_t position;
};

static bool before(const void *a, const void *b)
{
    return ((const struct element *)a)->key < ((const struct element *)b)->key;
}

static uint32_t *position(void *element)
{
    return &((struct element *)element)->position;
}

static struct heap empty_heap(void)
{
    return (struct heap){.before = before, .position = position};
}

static void fill(struct heap *heap, struct element *elements)
{
    srandom(1);
    for (int i = 0; i < COUNT; i++) {
        elements[i] = (struct element){.key = (int)(random() % 100), .position = HEAP_NONE};
        assert_int_equal(heap_push(heap, &elements[i]), 0);
    }
}

/* Takes everything out and checks that it comes in order. */
static int drain(struct heap *heap)
{
    int taken = 0;
    int last = INT32_MIN;
    struct element *top;
    while ((top = heap_top(heap)) != NULL) {
        assert_true(top->key >= last);
        last = top->key;
        heap_remove(heap, top);
        assert_int_equal(top->position, HEAP_NONE);
        taken++;
    }
    heap_deinit(heap);
    return taken;
}

static void heap_returns_the_least_first(void **state)
{
    struct heap heap = empty_heap();
    struct element elements[COUNT];
    assert_null(heap_top(&heap));
    fill(&heap, elements);
    assert_int_equal(drain(&heap), COUNT);
}

static void heap_update_moves_an_element_both_ways(void **state)
{
    struct heap heap = empty_heap();
    struct element elements[COUNT];
    fill(&heap, elements);
    for (int i = 0; i < COUNT; i += 2) {
        elements[i].key += i % 4 == 0 ? 1000 : -1000;
        heap_update(&heap, &elements[i]);
    }
    assert_int_equal(drain(&heap), COUNT);
}

static void heap_remove_takes_out_of_the_middle_once(void **state)
{
    struct heap heap = empty_heap();
    struct element elements[COUNT];
    fill(&heap, elements);
    for (int i = 0; i < COUNT; i += 3) {
        heap_remove(&heap, &elements[i]);
        heap_remove(&heap, &elements[i]);
    }
    assert_int_equal(drain(&heap), COUNT - COUNT / 3);
}

static bool is_odd(void *data, void *element)
{
    ++*(int *)data;
    return ((struct element *)element)->key % 2 != 0;
}

static void heap_filter_keeps_what_it_is_told_to(void **state)
{
    struct heap heap = empty_heap();
    struct element elements[COUNT];
    fill(&heap, elements);
    int odd = 0;
    int asked = 0;
    for (int i = 0; i < COUNT; i++) {
        odd += elements[i].key % 2;
    }
    heap_filter(&heap, is_odd, &asked, NULL);
    assert_int_equal(asked, COUNT);
    assert_int_equal(drain(&heap), odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_returns_the_least_first),
        cmocka_unit_test(heap_update_moves_an_element_both_ways),
        cmocka_unit_test(heap_remove_takes_out_of_the_middle_once),
        cmocka_unit_test(heap_filter_keeps_what_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
