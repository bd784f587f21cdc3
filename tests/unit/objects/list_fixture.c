/* list_fixture: see list_fixture.h. */
#include "tests/unit/objects/list_fixture.h"

void list_fixture_begin(struct fixture *fixture, struct slice values)
{
    world_init(&fixture->world);
    assert_int_equal(list_new(&fixture->world.options, &fixture->list), 0);
    assert_int_equal(list_extend(fixture->list, incoming_plain(values), NULL), 0);
}

void list_fixture_end(struct fixture *fixture)
{
    object_unref(&fixture->list->object);
    world_deinit(&fixture->world);
}

void must_be(const struct list *list, struct slice values)
{
    struct buffer packed = {0};
    uint64_t bytes = cells_cost(&list->cells);
    pack_array(&packed, list_len(list));
    for (uint32_t i = 0; i < list_len(list); i++) {
        pack_raw(&packed, list_at(list, i).bytes);
        bytes += cell_cost(cells_at(&list->cells, i));
    }
    assert_bytes(buffer_slice(&packed), values);
    assert_int_equal(list->object.bytes, bytes);
    assert_int_equal(list->object.user->bytes, bytes + object_overhead(&list->object));
    buffer_deinit(&packed);
}
