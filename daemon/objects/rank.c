/*
 * rank: see rank.h.
 *
 * Tests: tests/unit/methods/test_queue.c.
 */
#include "daemon/objects/rank.h"

static int of_bytes(struct slice bytes, enum rank_kind kind, struct rank *out)
{
    *out = (struct rank){.kind = (uint8_t)kind, .bytes = blob_new(incoming_plain(bytes))};
    return out->bytes == NULL ? ERR_MEMORY : 0;
}

int rank_of(struct slice value, struct rank *out)
{
    struct header header;
    int status = header_read(value.data, value.len, &header);
    if (status != 0) {
        return ERR_TYPE;
    }
    struct slice bytes = {value.data + header.size, header.length};
    *out = (struct rank){.kind = RANK_NUMBER};
    switch (header.kind) {
    case KIND_INT:
        out->number = (long double)header.i;
        return 0;
    case KIND_UINT:
        out->number = (long double)header.u;
        return 0;
    case KIND_FLOAT:
        out->number = (long double)header.f;
        return header.f == header.f ? 0 : ERR_TYPE;
    case KIND_STR:
        return of_bytes(bytes, RANK_STR, out);
    case KIND_BIN:
        return of_bytes(bytes, RANK_BIN, out);
    case KIND_NIL:
    case KIND_BOOL:
    case KIND_ARRAY:
    case KIND_MAP:
    case KIND_EXT:
        break;
    }
    return ERR_TYPE;
}

void rank_ref(const struct rank *rank)
{
    if (rank->bytes != NULL) {
        (void)blob_ref(rank->bytes);
    }
}

void rank_unref(struct rank *rank)
{
    blob_unref(rank->bytes);
    rank->bytes = NULL;
}

int rank_compare(const struct rank *a, const struct rank *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->kind == RANK_NUMBER) {
        return a->number < b->number ? -1 : a->number > b->number;
    }
    uint32_t common = a->bytes->len < b->bytes->len ? a->bytes->len : b->bytes->len;
    int order = memcmp(a->bytes->data, b->bytes->data, common);
    if (order != 0) {
        return order;
    }
    return a->bytes->len < b->bytes->len ? -1 : a->bytes->len > b->bytes->len;
}
