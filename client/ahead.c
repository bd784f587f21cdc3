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
    RESERVED = 4,  /* the element of an answer that says what is */
};

struct ipcc_ahead {
    struct ipcc *conn; /* a reference to the struct */
    uint32_t page;     /* the number of the page on which they are reserved, or would be */
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

/* True if the session has the page of that number, and is there. */
static bool has_page(const struct ipcc *conn, uint32_t number)
{
    return conn->link.state == LINK_UP && page_is_of(&conn->page, conn->link.epoch) &&
           conn->page.memory != NULL && conn->page.number == number;
}

/* Copies the next item, and then takes it. */
static int take(struct ipcc_ahead *ahead, struct ipcc_reply *reply)
{
    struct ipcc *conn = ahead->conn;
    struct ipcc_value item;
    if (!has_page(conn, ahead->page) || !ipcc_walk_next(&ahead->walk, &item) ||
        item.kind != IPCC_RAW) {
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
    if (conn->link.epoch == epoch && (status == 0 || !page_is_of(&conn->page, epoch))) {
        page.number = conn->page.number + 1;
        page_deinit(&conn->page);
        conn->page = page;
        page.memory = NULL;
    }
    (void)pthread_mutex_unlock(&conn->lock);
    page_deinit(&page);
}

/* The number of the session's page, or 0: it has none. Called with the lock held. */
static uint32_t page_number(const struct ipcc *conn)
{
    return has_page(conn, conn->page.number) ? conn->page.number : 0;
}

struct ipcc_value ipcc_ahead_options(struct ipcc_ahead *ahead)
{
    struct ipcc *conn = ahead->conn;
    if (connection_enter(conn) < 0) {
        return ipcc_none();
    }
    (void)pthread_mutex_lock(&conn->lock);
    uint32_t epoch = conn->link.epoch;
    bool wanted = ahead->calls == WORTH_IT && conn->link.state == LINK_UP && conn->greeted;
    ahead->calls += ahead->calls < WORTH_IT;
    if (wanted && !page_is_of(&conn->page, epoch)) {
        (void)pthread_mutex_unlock(&conn->lock);
        ask(conn, epoch);
        (void)pthread_mutex_lock(&conn->lock);
    }
    ahead->page = wanted ? page_number(conn) : 0;
    bool asks = ahead->page > 0;
    (void)pthread_mutex_unlock(&conn->lock);
    return asks ? ipcc_map(ahead->options, 1) : ipcc_none();
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
    struct ipcc_value part;
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    int parts = 0;
    while (parts < RESERVED && ipcc_walk_next(&walk, &part)) {
        parts++;
    }
    if (connection_enter(conn) < 0) {
        return;
    }
    (void)pthread_mutex_lock(&conn->lock);
    bool there = ahead->page > 0 && has_page(conn, ahead->page);
    if (there && parts < RESERVED) {
        conn->page.asked = false; /* another daemon has taken over, which knows nothing of it */
    } else if (there) {
        drop(ahead);
        if (read_reserved(ahead, &part)) {
            ahead->taken = 0;
            ahead->walk = ipcc_walk_of(&ahead->items.value);
            ahead->any = true;
        }
    }
    (void)pthread_mutex_unlock(&conn->lock);
}
