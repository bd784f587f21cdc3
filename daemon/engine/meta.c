/* meta: see meta.h. Tests: tests/unit/engine/test_encode.c. */
#include "daemon/engine/meta.h"

#include <stdlib.h>

#include "daemon/objects/object.h"
#include "daemon/objects/registry.h"
#include "proto/message.h"

/* A name and what is remembered under it. */
struct known {
    struct ordered_entry entry;
    struct meta meta;
    uint32_t hash;
    uint8_t name_len;
    uint8_t name[];
};

/* Reading. */

struct reader {
    struct slice rest;
    uint32_t left; /* elements */
    bool failed;
};

static struct param next_of(struct reader *reader)
{
    if (reader->left == 0 || scan_length(reader->rest.data, reader->rest.len) == 0) {
        reader->failed = true;
        return (struct param){0};
    }
    reader->left--;
    return value_next(&reader->rest);
}

static uint32_t next_number(struct reader *reader, uint64_t most)
{
    struct param param = next_of(reader);
    reader->failed |=
        param.header.kind != KIND_INT || param.header.i < 0 || (uint64_t)param.header.i > most;
    return reader->failed ? 0 : (uint32_t)param.header.i;
}

static struct slice next_bytes(struct reader *reader, size_t most)
{
    struct param param = next_of(reader);
    reader->failed |= param.header.kind != KIND_STR || param.header.length > most;
    return reader->failed ? (struct slice){(const uint8_t *)"", 0}
                          : slice_from(param.raw, param.header.size);
}

static uint8_t lifetime_named(struct reader *reader, struct slice name)
{
    for (unsigned i = LIFETIME_DAEMON; i <= LIFETIME_DURABLE; i++) {
        if (slice_equal(name, slice_of_string(lifetime_name((enum lifetime)i)))) {
            return (uint8_t)i;
        }
    }
    reader->failed = true;
    return LIFETIME_DAEMON;
}

static const char *type_named(struct reader *reader, struct slice name)
{
    enum object_kind kind = object_kind_of(name);
    reader->failed |= kind == OBJECT_KINDS;
    return kind == OBJECT_KINDS ? "" : object_kind_name(kind);
}

static void read_other(struct reader *reader, struct meta *out)
{
    struct slice name = next_bytes(reader, META_NAME_MAX - 1);
    out->has_other = true;
    memcpy(out->other, name.data, name.len);
    out->other[name.len] = '\0';
    out->other_uid = next_number(reader, UINT32_MAX);
    out->other_gid = next_number(reader, UINT32_MAX);
    out->other_mode = (uint16_t)next_number(reader, UINT16_MAX);
}

int meta_read(struct slice *rest, struct meta *out)
{
    struct header header;
    if (scan_length(rest->data, rest->len) == 0 ||
        header_read(rest->data, rest->len, &header) != 0 || header.kind != KIND_ARRAY) {
        return ERR_VALUE;
    }
    struct param whole = value_next(rest);
    struct reader reader = {slice_from(whole.raw, header.size), header.count, false};
    *out = (struct meta){.type = type_named(&reader, next_bytes(&reader, UINT8_MAX))};
    out->uid = next_number(&reader, UINT32_MAX);
    out->gid = next_number(&reader, UINT32_MAX);
    out->mode = (uint16_t)next_number(&reader, UINT16_MAX);
    struct slice version = next_bytes(&reader, META_VERSION_MAX);
    memcpy(out->version, version.data, version.len);
    out->version_len = (uint8_t)version.len;
    out->lifetime = lifetime_named(&reader, next_bytes(&reader, UINT8_MAX));
    if (reader.left > 0) {
        read_other(&reader, out);
    }
    return reader.failed ? ERR_VALUE : 0;
}

/* Remembering. */

void metas_init(struct metas *metas, uint64_t seed)
{
    ordered_init(&metas->names);
    metas->seed = seed;
}

void metas_clear(struct metas *metas)
{
    uint32_t position = 0;
    while ((position = ordered_next(&metas->names, position)) != ORDERED_NONE) {
        free(metas->names.entries[position]);
        position++;
    }
    ordered_deinit(&metas->names, NULL);
    ordered_init(&metas->names);
}

void metas_deinit(struct metas *metas)
{
    metas_clear(metas);
    ordered_deinit(&metas->names, NULL);
}

static bool is_named(const struct ordered_entry *entry, const void *key)
{
    const struct known *known = (const struct known *)entry;
    return slice_equal((struct slice){known->name, known->name_len}, *(const struct slice *)key);
}

static uint32_t find(const struct metas *metas, struct slice name)
{
    return ordered_find(&metas->names, hash_bytes(name, metas->seed), is_named, &name);
}

static void take_out(struct metas *metas, uint32_t position)
{
    struct known *known = (struct known *)metas->names.entries[position];
    (void)ordered_remove(&metas->names, position, known->hash, NULL);
    free(known);
}

const struct meta *metas_find(const struct metas *metas, struct slice name)
{
    uint32_t position = find(metas, name);
    return position == ORDERED_NONE ? NULL
                                    : &((struct known *)metas->names.entries[position])->meta;
}

void metas_forget(struct metas *metas, struct slice name)
{
    uint32_t position = find(metas, name);
    if (position != ORDERED_NONE) {
        take_out(metas, position);
    }
}

void metas_remember(struct metas *metas, struct slice name, const struct meta *meta)
{
    uint32_t position = find(metas, name);
    if (position != ORDERED_NONE) {
        ((struct known *)metas->names.entries[position])->meta = *meta;
        return;
    }
    if (name.len > UINT8_MAX) {
        return;
    }
    if (metas->names.live >= METAS_MOST) {
        take_out(metas, ordered_next(&metas->names, 0));
    }
    struct known *known = malloc(sizeof(*known) + name.len);
    if (known == NULL) {
        return;
    }
    *known = (struct known){
        .meta = *meta, .hash = hash_bytes(name, metas->seed), .name_len = (uint8_t)name.len};
    memcpy(known->name, name.data, name.len);
    if (ordered_append(&metas->names, known->hash, &known->entry) < 0) {
        free(known);
    }
}
