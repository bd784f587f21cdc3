/* row_form: see row_form.h. Tests: tests/unit/objects/test_rows.c, tests/fuzz/fuzz_rows.c. */
#include "daemon/objects/row_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/objects/deadline.h"
#include "daemon/objects/registry.h"
#include "proto/scan.h"

enum { NS_PER_US = 1000, NUMBER_SIZE = 8 };

struct slice row_key(struct row_key *key, uint8_t what, uint64_t number)
{
    key->bytes[0] = what;
    for (unsigned i = 0; i < NUMBER_SIZE; i++) {
        key->bytes[1 + i] = (uint8_t)(number >> (8 * (NUMBER_SIZE - 1 - i)));
    }
    return (struct slice){key->bytes, sizeof(key->bytes)};
}

bool row_key_number(struct slice key, uint64_t *number)
{
    if (key.len != ROW_KEY_SIZE) {
        return false;
    }
    *number = 0;
    for (unsigned i = 0; i < NUMBER_SIZE; i++) {
        *number = *number << 8 | key.data[1 + i];
    }
    return true;
}

/* Packing. */

void row_begin(struct buffer *out)
{
    out->len = 0;
    pack_uint(out, ROW_VERSION);
}

void row_pack_time(struct buffer *out, uint64_t time, const struct moment *now)
{
    if (time == TIME_NEVER) {
        pack_nil(out);
    } else if (time >= now->monotonic_ns) {
        uint64_t later = (time - now->monotonic_ns) / NS_PER_US;
        bool latest = time == TIME_LATEST || later > UINT64_MAX - now->wall_us;
        pack_uint(out, latest ? UINT64_MAX : now->wall_us + later);
    } else {
        uint64_t ago = (now->monotonic_ns - time + NS_PER_US - 1) / NS_PER_US;
        pack_uint(out, ago > now->wall_us ? 0 : now->wall_us - ago);
    }
}

void row_pack_date(struct buffer *out, struct timespec date)
{
    pack_int(out, date.tv_sec);
    pack_int(out, date.tv_nsec);
}

/* The numbers of what a value carries. */
static void pack_attachments(struct buffer *out, const struct attachments *attachments,
                             const struct row_writer *writer)
{
    pack_array(out, (size_t)attachments->ndescriptors * 2);
    for (uint32_t i = 0; i < attachments->ndescriptors; i++) {
        const struct attached_descriptor *attached = &attachments->descriptors[i];
        pack_uint(out, attached->at);
        pack_uint(out, writer->descriptor == NULL
                           ? 0
                           : writer->descriptor(writer->data, attached->descriptor));
    }
    pack_array(out, attachments->nobjects);
    for (uint32_t i = 0; i < attachments->nobjects; i++) {
        pack_uint(out, attachments->objects[i]->entry.seq);
    }
}

void row_pack_value(struct buffer *out, struct stored value, const struct row_writer *writer)
{
    const struct attachments *attachments = value.blob == NULL ? NULL : value.blob->attachments;
    pack_bool(out, attachments != NULL);
    pack_raw(out, value.bytes);
    if (attachments != NULL) {
        pack_attachments(out, attachments, writer);
    }
}

size_t row_value_count(struct stored value)
{
    return value.blob != NULL && value.blob->attachments != NULL ? 4 : 2;
}

int row_put(const struct row_writer *writer, struct slice key, const struct buffer *value)
{
    return value->failed ? ERR_MEMORY : writer->put(writer->data, key, buffer_slice(value));
}

/* Reading. */

static struct header next_header(struct row *row)
{
    struct header header = {.kind = KIND_NIL};
    if (!row->bad && header_read(row->rest.data, row->rest.len, &header) == 0 &&
        header.length <= row->rest.len - header.size) {
        row->rest = slice_from(row->rest, header.size);
        return header;
    }
    row->bad = true;
    return (struct header){.kind = KIND_NIL};
}

uint64_t row_uint(struct row *row)
{
    struct header header = next_header(row);
    if (header.kind == KIND_UINT) {
        return header.u;
    }
    row->bad = row->bad || header.kind != KIND_INT || header.i < 0;
    return row->bad ? 0 : (uint64_t)header.i;
}

uint64_t row_below(struct row *row, uint64_t end)
{
    uint64_t number = row_uint(row);
    row->bad = row->bad || number >= end;
    return row->bad ? 0 : number;
}

int64_t row_int(struct row *row)
{
    struct header header = next_header(row);
    row->bad = row->bad || header.kind != KIND_INT;
    return row->bad ? 0 : header.i;
}

bool row_bool(struct row *row)
{
    struct header header = next_header(row);
    row->bad = row->bad || header.kind != KIND_BOOL;
    return row->bad ? false : header.b;
}

uint64_t row_time(struct row *row)
{
    if (!row->bad && row->rest.len > 0 && row->rest.data[0] == 0xc0) {
        row->rest = slice_from(row->rest, 1);
        return TIME_NEVER;
    }
    const struct moment *now = &row->reader->now;
    uint64_t wall = row_uint(row);
    if (row->bad) {
        return TIME_NEVER;
    }
    if (wall < now->wall_us) {
        uint64_t ago = now->wall_us - wall;
        return ago > now->monotonic_ns / NS_PER_US ? 0 : now->monotonic_ns - ago * NS_PER_US;
    }
    uint64_t later = wall - now->wall_us;
    uint64_t most = (TIME_LATEST - now->monotonic_ns) / NS_PER_US;
    return later > most ? TIME_LATEST : now->monotonic_ns + later * NS_PER_US;
}

struct timespec row_date(struct row *row)
{
    struct timespec date;
    date.tv_sec = (time_t)row_int(row);
    date.tv_nsec = (long)row_below(row, 1000000000);
    return date;
}

struct slice row_bytes(struct row *row)
{
    struct header header = next_header(row);
    row->bad =
        row->bad || (header.kind != KIND_STR && header.kind != KIND_BIN && header.kind != KIND_NIL);
    struct slice bytes = {row->rest.data, row->bad ? 0 : header.length};
    row->rest = slice_from(row->rest, bytes.len);
    return bytes;
}

struct slice row_raw(struct row *row)
{
    size_t len = row->bad ? 0 : scan_length(row->rest.data, row->rest.len);
    struct slice bytes = {row->rest.data, len};
    row->bad = row->bad || len == 0;
    row->rest = slice_from(row->rest, len);
    return bytes;
}

uint32_t row_array(struct row *row)
{
    struct header header = next_header(row);
    /* Each element is a byte at least: no count is believed beyond that. */
    row->bad = row->bad || header.kind != KIND_ARRAY || header.count > row->rest.len;
    return row->bad ? 0 : header.count;
}

bool row_open(struct row *row, struct slice value, struct row_reader *reader, const char *what)
{
    *row = (struct row){.rest = value, .reader = reader};
    uint64_t version = row_uint(row);
    if (!row->bad && version > ROW_VERSION) {
        (void)snprintf(reader->why, sizeof(reader->why),
                       "%s has a row of version %" PRIu64
                       ", and this program knows versions up to %d: a newer one has written it",
                       what, version, ROW_VERSION);
        return false;
    }
    row->bad = row->bad || version == 0;
    return row->bad ? row_close(row, what) == 0 : true;
}

int row_close(struct row *row, const char *what)
{
    if (row->no_memory) {
        return ERR_MEMORY;
    }
    if (!row->bad && row->rest.len == 0) {
        return 0;
    }
    (void)snprintf(row->reader->why, sizeof(row->reader->why),
                   "%s has a row that is damaged: its bytes are not what was written", what);
    return ERR_VALUE;
}

/* Values. */

struct descriptor *row_descriptor(struct row *row)
{
    uint64_t number = row_uint(row);
    struct descriptor *descriptor = NULL;
    if (!row->bad && row->reader->descriptor != NULL) {
        descriptor = row->reader->descriptor(row->reader->data, number);
    }
    row->bad = row->bad || descriptor == NULL;
    return descriptor;
}

/* True if an ext of that type has its data there. */
static bool is_descriptor_at(struct slice bytes, uint64_t at)
{
    return at >= 2 && at < bytes.len && bytes.data[at - 1] == EXT_DESCRIPTOR;
}

static void read_descriptors(struct row *row, struct slice bytes, struct attachments *attachments,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count / 2 && !row->bad; i++) {
        uint64_t at = row_uint(row);
        struct descriptor *descriptor = row_descriptor(row);
        bool follows = i == 0 || at > attachments->descriptors[i - 1].at;
        row->bad = row->bad || !follows || !is_descriptor_at(bytes, at);
        if (row->bad) {
            descriptor_unref(descriptor);
        } else {
            attachments->descriptors[attachments->ndescriptors++] =
                (struct attached_descriptor){(uint32_t)at, descriptor};
        }
    }
}

/* An object that is not there any more was deleted meanwhile: then the value is just bytes. */
static void read_references(struct row *row, struct attachments *attachments, uint32_t count)
{
    for (uint32_t i = 0; i < count && !row->bad; i++) {
        uint64_t number = row_uint(row);
        struct object *object = row->bad ? NULL : registry_from(row->reader->registry, number);
        if (object != NULL && object->entry.seq == number) {
            object->contained++;
            attachments->objects[attachments->nobjects++] = object_ref(object);
        }
    }
}

static struct attachments *read_attachments(struct row *row, struct slice bytes)
{
    struct attachments *attachments = calloc(1, sizeof(*attachments));
    uint32_t descriptors = row_array(row);
    row->bad = row->bad || descriptors % 2 != 0;
    if (attachments != NULL) {
        attachments->descriptors =
            calloc(descriptors / 2 + (size_t)1, sizeof(*attachments->descriptors));
    }
    if (attachments == NULL || attachments->descriptors == NULL) {
        row->no_memory = true;
        attachments_free(attachments);
        return NULL;
    }
    read_descriptors(row, bytes, attachments, descriptors);
    uint32_t references = row_array(row);
    attachments->objects = calloc(references + (size_t)1, sizeof(struct object *));
    if (attachments->objects == NULL) {
        row->no_memory = true;
        attachments_free(attachments);
        return NULL;
    }
    read_references(row, attachments, references);
    if (attachments->ndescriptors + attachments->nobjects == 0) {
        attachments_free(attachments);
        return NULL;
    }
    return attachments;
}

struct incoming row_value(struct row *row, struct origin *origin)
{
    bool carries = row_bool(row);
    struct incoming value = {.bytes = row_raw(row)};
    *origin = (struct origin){0};
    if (carries && !row->bad) {
        origin->ready = read_attachments(row, value.bytes);
        value.origin = origin->ready == NULL ? NULL : origin;
    }
    return value;
}

void row_value_done(struct origin *origin)
{
    attachments_free(origin->ready);
    origin->ready = NULL;
}
