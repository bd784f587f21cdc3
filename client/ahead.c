/*
 * ahead: see ipcclient/ahead.h.
 *
 * What the daemon has reserved is an array of items, kept as it came, and a slot of the session's
 * page. The connection's lock guards it; a fork takes that too.
 *
 * Tests: tests/system/test_client_ahead.c.
 */
#include "client/ipcclient/ahead.h"

#include "client/call.h"
#include "client/ipcclient/async.h"
#include "client/reply.h"

#include <stdlib.h>

enum {
    WANTED = 128,  /* items that may be reserved at a time */
    WORTH_IT = 16, /* calls after which it is asked for */
};

struct ipcc_ahead {
    struct ipcc *conn; /* a reference to the struct */
    uint32_t epoch;    /* of the connection that was asked */
    unsigned slot;
    uint32_t generation;
    uint32_t taken;
    struct ipcc_reply items; /* an array */
    struct ipcc_walk walk;   /* where the next one stands */
    bool any;                /* there may be one */
    unsigned calls;          /* up to WORTH_IT */
    struct ipcc_value options[2];
};

int ipcc_ahead_new(struct ipcc *conn, struct ipcc_ahead **ahead)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    struct ipcc_ahead *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for what is reserved of a queue");
    }
    connection_ref(conn);
    made->conn = conn;
    made->options[0] = ipcc_str("ahead");
    made->options[1] = ipcc_int(WANTED);
    *ahead = made;
    return 0;
}

/* There is nothing more to take of what came. */
static void drop(struct ipcc_ahead *ahead)
{
    ipcc_reply_free(&ahead->items);
    ahead->any = false;
}

void ipcc_ahead_free(struct ipcc_ahead *ahead)
{
    if (ahead != NULL) {
        drop(ahead);
        connection_unref(ahead->conn);
        free(ahead);
    }
}

/* Copies the next item, and then takes it. */
static int take(struct ipcc_ahead *ahead, struct ipcc_reply *reply)
{
    struct ipcc *conn = ahead->conn;
    struct ipcc_value item;
    if (conn->link.epoch != ahead->epoch || conn->link.state != LINK_UP ||
        !ipcc_walk_next(&ahead->walk, &item) || item.kind != IPCC_RAW) {
        return IPCC_ERR_EMPTY;
    }
    struct slice raw = {item.as.data, item.length};
    if (reply_set(reply, raw) < 0) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for an item of %zu bytes", raw.len);
    }
    if (!page_take(&conn->page, ahead->slot, ahead->generation, ahead->taken)) {
        ipcc_reply_free(reply);
        return IPCC_ERR_EMPTY;
    }
    ahead->taken++;
    return 0;
}

int ipcc_ahead_take(struct ipcc_ahead *ahead, struct ipcc_reply *reply)
{
    reply_clear(reply);
    int status = connection_enter(ahead->conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&ahead->conn->lock);
    status = ahead->any ? take(ahead, reply) : IPCC_ERR_EMPTY;
    if (status < 0) {
        drop(ahead);
    }
    (void)pthread_mutex_unlock(&ahead->conn->lock);
    return status;
}

/* Asks for a page. Another thread may do so at the same time: then it is refused here (EXISTS), and
 * that thread's is the session's. */
static void ask(struct ipcc *conn, uint32_t epoch)
{
    struct page page = {.asked = true, .epoch = epoch};
    struct ipcc_reply reply;
    struct ipcc_request request = {.method = "session.page"};
    int status = call_run(conn, &request, CALL_NEVER_WAITS, &reply);
    if (status == 0) {
        (void)page_map(&page, &reply);
    }
    ipcc_reply_free(&reply);
    (void)pthread_mutex_lock(&conn->lock);
    if (status != IPCC_ERR_EXISTS && conn->link.epoch == epoch && !page_is_of(&conn->page, epoch)) {
        page_deinit(&conn->page);
        conn->page = page;
        page.memory = NULL;
    }
    (void)pthread_mutex_unlock(&conn->lock);
    page_deinit(&page);
}

/* Sees to it that the session has a page, by a call if need be. False: it has none. */
static bool get_page(struct ipcc *conn)
{
    (void)pthread_mutex_lock(&conn->lock);
    uint32_t epoch = conn->link.epoch;
    bool is_up = conn->link.state == LINK_UP && conn->greeted;
    bool asked = page_is_of(&conn->page, epoch);
    bool there = is_up && asked && conn->page.memory != NULL;
    (void)pthread_mutex_unlock(&conn->lock);
    if (is_up && !asked) {
        ask(conn, epoch);
        return get_page(conn);
    }
    return there;
}

struct ipcc_value ipcc_ahead_options(struct ipcc_ahead *ahead)
{
    if (connection_enter(ahead->conn) < 0) {
        return ipcc_none();
    }
    (void)pthread_mutex_lock(&ahead->conn->lock);
    bool worth_it = ahead->calls == WORTH_IT;
    ahead->calls += !worth_it;
    ahead->epoch = ahead->conn->link.epoch;
    (void)pthread_mutex_unlock(&ahead->conn->lock);
    return worth_it && get_page(ahead->conn) ? ipcc_map(ahead->options, 1) : ipcc_none();
}

/* Reads [slot, generation, items]. False: it is something else. */
static bool read_reserved(struct ipcc_ahead *ahead, const struct ipcc_value *reserved)
{
    struct ipcc_value part;
    uint64_t slot;
    uint64_t generation;
    struct ipcc_walk walk = ipcc_walk_of(reserved);
    if (!ipcc_walk_next(&walk, &part) || ipcc_value_uint(&part, &slot) < 0 ||
        !page_has(&ahead->conn->page, slot) || !ipcc_walk_next(&walk, &part) ||
        ipcc_value_uint(&part, &generation) < 0 || !ipcc_walk_next(&walk, &part) ||
        part.kind != IPCC_RAW) {
        return false;
    }
    ahead->slot = (unsigned)slot;
    ahead->generation = (uint32_t)generation;
    return reply_set(&ahead->items, (struct slice){part.as.data, part.length}) == 0;
}

void ipcc_ahead_keep(struct ipcc_ahead *ahead, const struct ipcc_reply *reply)
{
    struct ipcc *conn = ahead->conn;
    struct ipcc_value reserved = ipcc_none();
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    for (int i = 0; i < 4 && ipcc_walk_next(&walk, &reserved); i++) {
        if (i < 3) {
            reserved = ipcc_none();
        }
    }
    if (reserved.kind != IPCC_RAW || connection_enter(conn) < 0) {
        return;
    }
    (void)pthread_mutex_lock(&conn->lock);
    drop(ahead);
    if (page_is_of(&conn->page, ahead->epoch) && conn->link.epoch == ahead->epoch &&
        read_reserved(ahead, &reserved)) {
        ahead->taken = 0;
        ahead->walk = ipcc_walk_of(&ahead->items.value);
        ahead->any = true;
    }
    (void)pthread_mutex_unlock(&conn->lock);
}
