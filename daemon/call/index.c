/*
 * index: see index.h.
 *
 * Tests: tests/unit/methods/, whole calls.
 */
#include "daemon/call/index.h"

#include <assert.h>

_Static_assert(METHOD_COUNT < 255 && METHOD_COUNT < METHOD_SLOTS / 2, "the slots are too few");

/* Eight bytes at a time; the names are ours, so nobody can choose colliding ones. */
static uint32_t hash_name(struct slice name)
{
    uint64_t hash = name.len;
    size_t i = 0;
    for (; i + 8 <= name.len; i += 8) {
        uint64_t word;
        memcpy(&word, name.data + i, sizeof(word));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    }
    uint64_t word = 0;
    memcpy(&word, name.data + i, name.len - i);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(hash >> 40);
}

void method_index_init(struct method_index *index)
{
    *index = (struct method_index){0};
    for (size_t id = 0; id < METHOD_COUNT; id++) {
        const struct method *method = &methods[id];
        method_signature(method, &index->signatures[id]);
        index->lens[id] = (uint8_t)strlen(method->name);
        index->kinds[id] = (uint8_t)object_kind_of(slice_of_string(method->type));
        uint32_t slot = hash_name(slice_of_string(method->name)) % METHOD_SLOTS;
        while (index->slots[slot] != 0) {
            slot = (slot + 1) % METHOD_SLOTS;
        }
        index->slots[slot] = (uint8_t)(id + 1);
    }
}

const struct method *method_index_find(const struct method_index *index, struct slice name)
{
    uint32_t slot = hash_name(name) % METHOD_SLOTS;
    while (index->slots[slot] != 0) {
        size_t id = index->slots[slot] - 1U;
        if (index->lens[id] == name.len && memcmp(methods[id].name, name.data, name.len) == 0) {
            return &methods[id];
        }
        slot = (slot + 1) % METHOD_SLOTS;
    }
    return NULL;
}
