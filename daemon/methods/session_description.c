/* methods/session_description: see session_description.h. Tests: tests/unit/methods/test_session.c,
 * test_sessions_away.c. */
#include "daemon/methods/session_description.h"

#include <stdio.h>

#include "daemon/call/lookup.h"
#include "daemon/methods/claims.h"
#include "daemon/methods/options.h"
#include "daemon/methods/sessions.h"
#include "proto/value.h"

enum {
    PAGE_STANDARD = 1000, /* entries of each list in a description */
    PAGE_MOST = 10000,
};

/* Where a page of a description begins: the calls (their sequence numbers, and the number among
 * those on which one waits) and the ties (the numbers of their objects). As a cursor, an array of
 * three. */
struct page {
    uint64_t call;
    uint64_t wait;
    uint64_t tie;
    uint64_t limit; /* entries of each list */
    bool more;      /* one of them has more */
};

/* False: that is none. */
static bool read_page(const struct session_page *from, struct page *page)
{
    uint64_t *const parts[] = {&page->call, &page->wait, &page->tie};
    *page = (struct page){.limit = from->limit < PAGE_MOST ? from->limit : PAGE_MOST};
    if (from->limit == 0 || from->cursor.len == 0) {
        return from->limit > 0;
    }
    struct slice rest = from->cursor;
    struct param cursor = value_next(&rest);
    if (cursor.header.kind != KIND_ARRAY || cursor.header.count != 3) {
        return false;
    }
    rest = slice_from(from->cursor, cursor.header.size);
    bool fits = true;
    for (int i = 0; i < 3; i++) {
        struct param part = value_next(&rest);
        fits = fits && param_fits(&part.header, PARAM_UINT);
        *parts[i] = fits ? (uint64_t)part.header.i : 0;
    }
    return fits;
}

static int refuse_page(char text[CALL_TEXT_MAX])
{
    (void)snprintf(text, CALL_TEXT_MAX,
                   "session.describe: option cursor must be one that an answer gave, and limit 1 "
                   "or more");
    return ERR_BAD_REQUEST;
}

int session_page_read(struct call *call, struct session_page *page)
{
    struct param given[OPTIONS_session_describe];
    struct page found;
    int status = options_read(call, 1, given);
    if (status < 0) {
        return status;
    }
    page->cursor = given[OPTION_session_describe_cursor].raw;
    page->limit = (uint64_t)option_int(&given[OPTION_session_describe_limit], PAGE_STANDARD);
    if (!read_page(page, &found)) {
        char text[CALL_TEXT_MAX];
        return call_fail(call, refuse_page(text), "%s", text);
    }
    return 0;
}

static void pack_wait_on(struct buffer *out, struct slice object, const struct parked *parked,
                         uint64_t now)
{
    size_t pairs = pack_map_begin(out);
    pack_key_str(out, "object", object);
    pack_map_end(out, pairs, 1 + pack_wait(out, parked, now));
}

/* The objects on which a call waits, from number `*i` on, as far as `*room` entries go. True: that
 * was the last one. */
static bool pack_places(struct buffer *out, struct parked *parked, uint64_t now, uint64_t *i,
                        uint64_t *room)
{
    unsigned count;
    const struct wait *waits = parked_waits(parked, &count);
    for (; *i<count && * room> 0; (*i)++) {
        if (waits[*i].object != NULL) {
            pack_wait_on(out, object_name(waits[*i].object), parked, now);
            (*room)--;
        }
    }
    return *i >= count;
}

/* The same of a call that waits in the engine: what its first param names. */
static bool pack_places_away(struct buffer *out, const struct parked *parked, uint64_t now,
                             uint64_t *i, uint64_t *room)
{
    const struct param *names = &parked->call.params[0];
    bool several = names->header.kind == KIND_ARRAY;
    uint64_t count = several ? names->header.count : 1;
    struct slice rest = several ? slice_from(names->raw, names->header.size) : names->raw;
    for (uint64_t at = 0; at<count && * room> 0; at++) {
        struct param name = value_next(&rest);
        if (at == *i) {
            pack_wait_on(out, param_bytes(&name), parked, now);
            (*room)--;
            (*i)++;
        }
    }
    return *i >= count;
}

/* A call that waits on several objects comes once for each. */
static void pack_waits(struct buffer *out, const struct session *session, uint64_t now,
                       struct page *page)
{
    size_t at = pack_array_begin(out);
    uint64_t room = page->limit;
    struct parked *parked;
    while (room > 0 && (parked = session_parked_from(session, page->call)) != NULL) {
        uint64_t i = parked->of_session.seq == page->call ? page->wait : 0;
        bool passed = parked->state == PARKED_WAITS_AWAY
                          ? pack_places_away(out, parked, now, &i, &room)
                          : pack_places(out, parked, now, &i, &room); /* a cursor may be anything */
        page->call = parked->of_session.seq + passed;
        page->wait = passed ? 0 : i;
    }
    page->more |= session_parked_from(session, page->call) != NULL;
    pack_array_end(out, at, page->limit - room);
}

/* The names of what it has open, of the ties of the page. */
static void pack_open(struct buffer *out, const struct session *session, const struct page *page,
                      const struct session_more *more)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct tie *tie = session_tie_from(session, page->tie);
    for (uint64_t i = 0; tie != NULL && i < page->limit; i++) {
        if (tie->open) {
            pack_str(out, object_name(tie->object));
            count++;
        }
        tie = session_tie_from(session, tie->object->entry.seq + 1);
    }
    (void)buffer_append(out, more->open.data, more->open.len);
    pack_array_end(out, at, count + more->open_count);
}

static void pack_holds(struct buffer *out, const struct session *session, struct page *page,
                       const struct session_more *more)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct tie *tie = session_tie_from(session, page->tie);
    for (uint64_t i = 0; tie != NULL && i < page->limit; i++) {
        if (tie->holding > 0) {
            size_t pairs = pack_map_begin(out);
            pack_key_str(out, "object", object_name(tie->object));
            pack_key_string(out, "type", object_type_name(tie->object));
            pack_map_end(out, pairs, 2 + pack_hold(out, tie));
            count++;
        }
        page->tie = tie->object->entry.seq + 1;
        tie = session_tie_from(session, page->tie);
    }
    page->more |= tie != NULL;
    (void)buffer_append(out, more->holds.data, more->holds.len);
    pack_array_end(out, at, count + more->holds_count);
}

/* Where what follows begins; nil: nothing does. */
static void pack_cursor(struct buffer *out, const struct page *page)
{
    if (!page->more) {
        pack_nil(out);
        return;
    }
    pack_array(out, 3);
    pack_uint(out, page->call);
    pack_uint(out, page->wait);
    pack_uint(out, page->tie);
}

int session_describe(const struct service *service, uint64_t number,
                     const struct session_page *from, const struct session_more *more,
                     struct buffer *out, char text[CALL_TEXT_MAX])
{
    static const struct session_more nothing = {0};
    struct page page;
    struct session *session = sessions_find(service, number, text);
    if (session == NULL) {
        return ERR_NOT_FOUND;
    }
    if (!read_page(from, &page)) {
        return refuse_page(text);
    }
    size_t at = pack_map_begin(out);
    size_t pairs = sessions_pack_summary(out, session, more == NULL ? 0 : more->holding);
    if (more == NULL || from->cursor.len > 0) {
        more = &nothing;
    }
    pack_string(out, "open");
    pack_open(out, session, &page, more);
    pack_string(out, "holds");
    pack_holds(out, session, &page, more);
    pack_string(out, "waits");
    pack_waits(out, session, service->now, &page);
    pack_string(out, "cursor");
    pack_cursor(out, &page);
    pack_map_end(out, at, pairs + 4);
    return 0;
}
