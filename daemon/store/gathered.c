/* gathered: see gathered.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/gathered.h"

#include <string.h>

/* What precedes the bytes of each. */
struct header {
    uint64_t object;
    uint32_t key;
    uint32_t value;
    uint32_t kind;
};

/* SQLite's own limit is 10^9 for a whole row. */
enum { ROW_MOST = 900 * 1000 * 1000, KEPT_CAPACITY = 1024 * 1024 };

void gathered_add(struct gathered *changes, const struct change *change)
{
    if (change->key.len > ROW_MOST || change->value.len > ROW_MOST - change->key.len) {
        changes->failed = true;
        return;
    }
    struct header header = {change->object, (uint32_t)change->key.len, (uint32_t)change->value.len,
                            change->kind};
    struct buffer *bytes = &changes->bytes;
    if (buffer_reserve(bytes, sizeof(header) + change->key.len + change->value.len) < 0) {
        changes->failed = true;
        return;
    }
    (void)buffer_append(bytes, &header, sizeof(header));
    (void)buffer_append(bytes, change->key.data, change->key.len);
    (void)buffer_append(bytes, change->value.data, change->value.len);
    changes->count++;
}

bool gathered_next(const struct gathered *changes, size_t *at, struct change *out)
{
    const struct buffer *bytes = &changes->bytes;
    struct header header;
    if (*at >= bytes->len) {
        return false;
    }
    const uint8_t *next = bytes->data + *at;
    memcpy(&header, next, sizeof(header));
    next += sizeof(header);
    *out = (struct change){(enum change_kind)header.kind,
                           header.object,
                           {next, header.key},
                           {next + header.key, header.value}};
    *at += sizeof(header) + header.key + header.value;
    return true;
}

void gathered_clear(struct gathered *changes)
{
    if (changes->bytes.cap > KEPT_CAPACITY) {
        gathered_deinit(changes);
        return;
    }
    changes->bytes.len = 0;
    changes->count = 0;
}

void gathered_deinit(struct gathered *changes)
{
    buffer_deinit(&changes->bytes);
    *changes = (struct gathered){0};
}
