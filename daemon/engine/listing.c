/*
 * listing: see listing.h.
 *
 * Tests: tests/unit/engine/test_hosts.c.
 */
#include "daemon/engine/listing.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/answer.h"
#include "daemon/engine/tag.h"
#include "daemon/methods/object.h"

enum {
    PRIMARY_BITS = 10,
    SKIP_BITS = 10,
    PLACE_BITS = 62 - PRIMARY_BITS - SKIP_BITS,
    SCANS_MOST = 200, /* batches in one answer */
    BATCH = 500,      /* names, roughly */
};

struct listing {
    struct request scan;
    struct call *call; /* NULL: stopped */
    void (*done)(void *data, int status);
    void *data;
    struct engine *engine;
    struct object_query query;
    size_t primary;
    uint64_t place; /* of the batch in hand; Redis' cursor */
    uint64_t next;  /* of the one behind it */
    uint64_t skip;  /* names of the batch that have been used */
    uint64_t room;  /* for so many descriptions more */
    unsigned scans;
    unsigned pending; /* descriptions on their way */
    bool scanning;
    struct buffer found;   /* descriptions, packed */
    struct buffer extents; /* struct extent: where each of them is */
    uint64_t count;
};

struct extent {
    const uint8_t *base; /* set when they are all there */
    size_t at;
    size_t len;
};

static void listing_free(struct listing *listing)
{
    listing->engine->listings--;
    buffer_deinit(&listing->found);
    buffer_deinit(&listing->extents);
    free(listing->query.glob);
    free(listing);
}

static uint64_t cursor_of(const struct listing *listing)
{
    size_t primaries = cluster_primaries(listing->engine->cluster);
    if (listing->primary >= primaries || listing->place >> PLACE_BITS != 0) {
        return 0;
    }
    return OBJECT_CURSOR_AWAY | (uint64_t)listing->primary << (SKIP_BITS + PLACE_BITS) |
           listing->skip << PLACE_BITS | listing->place;
}

static void read_cursor(struct listing *listing)
{
    uint64_t cursor = listing->query.cursor;
    if ((cursor & OBJECT_CURSOR_AWAY) != 0) {
        listing->primary = (cursor & (OBJECT_CURSOR_AWAY - 1)) >> (SKIP_BITS + PLACE_BITS);
        listing->skip = cursor >> PLACE_BITS & ((1U << SKIP_BITS) - 1);
        listing->place = cursor & ((UINT64_C(1) << PLACE_BITS) - 1);
    }
}

/* The end. */

static void end(struct listing *listing, int status)
{
    void (*done)(void *data, int status) = listing->done;
    void *data = listing->data;
    listing_free(listing);
    done(data, status);
}

/* They begin with the name, in which order people look for them, the shorter ones first. */
static int by_beginning(const void *a, const void *b)
{
    const struct extent *x = a;
    const struct extent *y = b;
    return memcmp(x->base + x->at, y->base + y->at, x->len < y->len ? x->len : y->len);
}

static void pack_found(struct listing *listing, struct buffer *out)
{
    struct extent *extents = (struct extent *)(void *)listing->extents.data;
    size_t count = listing->extents.len / sizeof(*extents);
    for (size_t i = 0; i < count; i++) {
        extents[i].base = listing->found.data;
    }
    if (count > 1) {
        qsort(extents, count, sizeof(*extents), by_beginning);
    }
    for (size_t i = 0; i < count; i++) {
        pack_raw(out, (struct slice){extents[i].base + extents[i].at, extents[i].len});
    }
    out->failed |= listing->found.failed || listing->extents.failed;
}

static void finish(struct listing *listing)
{
    struct call *call = listing->call;
    call_take_up(call);
    struct buffer *out = call_result(call);
    pack_map(out, 2);
    pack_string(out, "objects");
    size_t at = pack_array_begin(out);
    pack_found(listing, out);
    pack_array_end(out, at, listing->count);
    pack_key_uint(out, "cursor", cursor_of(listing));
    end(listing, 0);
}

static void fail(struct listing *listing, const char *why)
{
    call_take_up(listing->call);
    end(listing, answer_failure(listing->call, false, "object.list: %s", why));
}

static void go_on(struct listing *listing);

/* Descriptions. */

struct description {
    struct op op;
    struct listing *listing;
    struct lane *lane; /* used */
};

/* The value of a key of a packed map. */
static bool find_value(struct slice map, const char *key, struct param *out)
{
    struct header header;
    if (header_read(map.data, map.len, &header) != 0 || header.kind != KIND_MAP) {
        return false;
    }
    struct slice rest = slice_from(map, header.size);
    for (uint32_t i = 0; i < header.count; i++) {
        struct param name = value_next(&rest);
        *out = value_next(&rest);
        if (slice_equal(slice_from(name.raw, name.header.size), slice_of_string(key))) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct object_query *query, struct slice description)
{
    struct param type;
    struct param waiting;
    return find_value(description, "type", &type) && find_value(description, "waiting", &waiting) &&
           (query->kind == OBJECT_KINDS ||
            object_kind_of(slice_from(type.raw, type.header.size)) == query->kind) &&
           (!query->waiting || (waiting.header.kind == KIND_INT && waiting.header.i > 0));
}

static void take_description(struct listing *listing, struct lane *lane, struct slice result)
{
    struct buffer *out = &listing->found;
    struct buffer host = {0};
    struct meta meta;
    size_t before = out->len;
    cluster_describe(listing->engine->cluster, buffer_slice(&lane->prefix), &host);
    if (answer_pack_description(out, result, buffer_slice(&host), &meta) == 0) {
        struct slice packed = {out->data + before, out->len - before};
        if (is_wanted(&listing->query, packed)) {
            const struct extent extent = {.at = before, .len = packed.len};
            (void)buffer_append(&listing->extents, &extent, sizeof(extent));
            listing->count++;
            listing->room--;
        } else {
            out->len = before;
        }
    }
    buffer_deinit(&host);
}

static void described(struct op *op, const struct outcome *outcome)
{
    struct description *description = (struct description *)op;
    struct listing *listing = description->listing;
    listing->pending--;
    if (listing->call != NULL && outcome->fate == OP_DONE && outcome->replies[0].len > 0 &&
        outcome->replies[0].data[0] == '=') {
        take_description(listing, description->lane, slice_from(outcome->replies[0], 1));
    }
    lane_unuse(description->lane);
    op_deinit(op);
    free(description);
    go_on(listing);
}

static void describe(struct listing *listing, struct slice name, struct slice prefix)
{
    struct engine *engine = listing->engine;
    struct lane *lane = lanes_of_prefix(&engine->lanes, prefix);
    struct description *description = lane == NULL ? NULL : malloc(sizeof(*description));
    if (description == NULL) {
        return; /* it is not listed: there is no memory even for a few bytes */
    }
    op_init(&description->op, "object.describe", name);
    argument_text(&description->op.first.arguments, "");
    description->op.deadline = time_after(engine_now(engine), (int64_t)engine->options.timeout_ms);
    description->op.done = described;
    description->listing = listing;
    description->lane = lane;
    listing->pending++;
    lane_use(lane);
    lane_submit(lane, &description->op);
}

/* Names. */

/* A key "ipcd:REALM:{TAG}:m:NAME". */
static void take_key(struct listing *listing, struct slice key)
{
    char text[OBJECT_NAME_MAX + 1];
    struct slice prefix;
    struct slice name;
    if (!tag_take_apart(key, 'm', &prefix, &name) || name.len > OBJECT_NAME_MAX) {
        return;
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    if (listing->query.glob == NULL || fnmatch(listing->query.glob, text, 0) == 0) {
        describe(listing, name, prefix);
    }
}

static bool take_batch(struct listing *listing, const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY) {
        return false;
    }
    const struct redisReply *keys = reply->element[1];
    uint64_t at = listing->skip;
    listing->next = strtoull(reply->element[0]->str, NULL, 10);
    for (; at < keys->elements && listing->pending < listing->room; at++) {
        const struct redisReply *key = keys->element[at];
        if (key->type == REDIS_REPLY_STRING) {
            take_key(listing, (struct slice){(const uint8_t *)key->str, (size_t)key->len});
        }
    }
    if (at < keys->elements && at >> SKIP_BITS == 0) {
        listing->skip = at; /* the rest of the batch is for the next answer */
        return true;
    }
    listing->skip = 0;
    listing->place = listing->next;
    listing->primary += listing->next == 0;
    return true;
}

static void scanned(struct request *request, const struct redisReply *reply, enum request_fate fate,
                    const char *why)
{
    struct listing *listing = (struct listing *)request;
    struct engine *engine = listing->engine;
    listing->scanning = false;
    listing->scans++;
    if (fate != REQUEST_DONE) {
        fail(listing, why);
    } else if (!take_batch(listing, reply)) {
        fail(listing, "the engine does not let its keys be listed");
    } else {
        go_on(listing);
    }
    engine->lanes.listener.settle(engine);
}

static void scan(struct listing *listing)
{
    const struct engine_options *options = &listing->engine->options;
    char pattern[160];
    char place[24];
    char batch[24];
    uint64_t most = listing->room < BATCH ? listing->room : BATCH;
    (void)snprintf(pattern, sizeof(pattern), "ipcd:%s:{*}:m:*", options->realm);
    (void)snprintf(place, sizeof(place), "%llu", (unsigned long long)listing->place);
    (void)snprintf(batch, sizeof(batch), "%llu", (unsigned long long)(most < 16 ? 16 : most));
    const struct slice argv[] = {
        slice_of_string("SCAN"),  slice_of_string(place),   slice_of_string("MATCH"),
        slice_of_string(pattern), slice_of_string("COUNT"), slice_of_string(batch),
    };
    listing->scanning = true;
    listing->scan = (struct request){.done = scanned};
    cluster_send_to(listing->engine->cluster, listing->primary, &listing->scan,
                    sizeof(argv) / sizeof(argv[0]), argv, options->timeout_ms);
}

static void go_on(struct listing *listing)
{
    if (listing->scanning || listing->pending > 0) {
        return;
    }
    if (listing->call == NULL) {
        listing_free(listing);
    } else if (listing->room == 0 || listing->scans >= SCANS_MOST ||
               listing->primary >= cluster_primaries(listing->engine->cluster)) {
        finish(listing);
    } else {
        scan(listing);
    }
}

int listing_begin(struct engine *engine, struct call *call, void (*done)(void *data, int status),
                  void *data, struct listing **out)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    if (listing == NULL) {
        return ERR_MEMORY;
    }
    listing->engine = engine;
    listing->engine->listings++;
    int status = object_read_query(call, &listing->query);
    if (status == 0 && cluster_primaries(engine->cluster) == 0) {
        status = answer_failure(call, false, "object.list: the engine cannot be reached: %s",
                                cluster_why(engine->cluster));
    }
    if (status < 0) {
        listing_free(listing);
        return status;
    }
    listing->room = listing->query.limit;
    read_cursor(listing);
    listing->call = call;
    listing->done = done;
    listing->data = data;
    *out = listing;
    scan(listing);
    return 0;
}

void listing_stop(struct listing *listing)
{
    listing->call = NULL;
    if (listing->scanning) {
        cluster_forget(listing->engine->cluster, &listing->scan);
        listing->scanning = false;
    }
    if (listing->pending == 0) {
        listing_free(listing);
    }
}
