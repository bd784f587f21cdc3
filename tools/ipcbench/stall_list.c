/* stall_list: works on lists; see stall.h. */
#include "tools/ipcbench/stall.h"
#include "tools/ipcbench/fail.h"

#include <stdio.h>

enum { SESSIONS = 79, ABSENT = -1, STR_SIZE = 25, PIECE = 100000 };

/* The owner extends the list by so many values, which are packed one after the other, in messages
 * of a size that the daemon takes. The state is what `pack` knows of the value before; 0 first. */
static int extend(struct stall *stall, void (*pack)(struct buffer *out, uint64_t *state))
{
    int status = 0;
    uint64_t state = 0;
    stall_open(stall, "list", STALL_OBJECT, 0);
    for (uint64_t left = stall->size; status == 0 && left > 0;) {
        uint64_t piece = left < PIECE ? left : PIECE;
        stall_request_on(stall, "list.extend", 2);
        pack_array(&stall->requests, piece);
        for (uint64_t i = 0; i < piece; i++) {
            pack(&stall->requests, &state);
        }
        status = stall_flush(stall, &stall->owner, NULL);
        left -= piece;
    }
    return status;
}

static void pack_next(struct buffer *out, uint64_t *state)
{
    pack_uint(out, (*state)++);
}

static void pack_shuffled(struct buffer *out, uint64_t *state)
{
    pack_uint(out, stall_random(state));
}

static void pack_text(struct buffer *out, uint64_t *state)
{
    char text[STR_SIZE + 1];
    (void)snprintf(text, sizeof(text), "name of number %010u", (unsigned)stall_random(state));
    pack_string(out, text);
}

static int fill_numbers(struct stall *stall)
{
    return extend(stall, pack_next);
}

static int fill_shuffled(struct stall *stall)
{
    return extend(stall, pack_shuffled);
}

static int fill_strs(struct stall *stall)
{
    return extend(stall, pack_text);
}

/* In an order that is not that in which they came, and lie in memory. */
static int fill_sorted_strs(struct stall *stall)
{
    int status = fill_strs(stall);
    stall_request_on(stall, "list.sort", 1);
    return status == 0 ? stall_flush(stall, &stall->owner, NULL) : status;
}

static int fill_one(struct stall *stall)
{
    stall_open(stall, "list", STALL_OBJECT, 0);
    stall_request_on(stall, "list.append", 2);
    pack_int(&stall->requests, 0);
    return stall_flush(stall, &stall->owner, NULL);
}

static void ask_repeat(struct stall *stall)
{
    stall_request_on(stall, "list.repeat", 2);
    pack_uint(&stall->requests, stall->size);
}

static int fill_equal(struct stall *stall)
{
    int status = fill_one(stall);
    ask_repeat(stall);
    return status == 0 ? stall_flush(stall, &stall->owner, NULL) : status;
}

static void ask_absent(struct stall *stall)
{
    for (uint64_t i = 0; i < stall->times; i++) {
        stall_request_on(stall, stall->row->method, 2);
        pack_int(&stall->requests, ABSENT);
    }
}

/* Notifications: nobody waits for a response. */
static void ask_notified(struct stall *stall)
{
    for (uint64_t i = 0; i < stall->times; i++) {
        message_notification(&stall->requests, stall->row->method, 2);
        pack_string(&stall->requests, STALL_OBJECT);
        pack_int(&stall->requests, ABSENT);
    }
}

static void ask_insert(struct stall *stall)
{
    for (uint64_t i = 0; i < stall->times; i++) {
        stall_request_on(stall, "list.insert", 3);
        pack_uint(&stall->requests, stall->size / 2);
        pack_nil(&stall->requests);
    }
}

static int send_and_leave(struct stall *stall)
{
    uint64_t session = stall->client.session;
    int status = stall_send(stall);
    caller_close(&stall->client);
    return status == 0 ? caller_wait_gone(&stall->owner, session) : status;
}

static int fill_for_others(struct stall *stall)
{
    int status = fill_numbers(stall);
    return status == 0 ? stall_open_others(stall, SESSIONS) : status;
}

/* Each sends what the client would send, and only then are the responses read. */
static int send_by_others(struct stall *stall)
{
    int status = stall->requests.failed ? fail("out of memory") : 0;
    struct slice bytes = buffer_slice(&stall->requests);
    for (size_t i = 0; status == 0 && i < stall->other_count; i++) {
        status = caller_exchange(&stall->others[i], bytes, 0, NULL);
    }
    for (size_t i = 0; status == 0 && i < stall->other_count; i++) {
        status = caller_exchange(&stall->others[i], (struct slice){0}, stall->responses, NULL);
    }
    return status;
}

const struct stall_row stall_rows_list[] = {
    {"list/notifications", "count of 1 M x 3,855 in one write, sender gone", fill_numbers,
     ask_notified, send_and_leave, "list.count", NULL, 1000000, 3855},
    {"list/remove-absent", "remove of an absent value, 1 M, x 500", fill_numbers, ask_absent, NULL,
     "list.remove", "VALUE", 1000000, 500},
    {"list/contains-absent", "contains of an absent value, 1 M, x 500", fill_numbers, ask_absent,
     NULL, "list.contains", NULL, 1000000, 500},
    {"list/contains-79", "contains in 50 k x 500, from 79 sessions at once", fill_for_others,
     ask_absent, send_by_others, "list.contains", NULL, 50000, 500},
    {"list/sort-equal", "sort of 50 M equal values", fill_equal, stall_ask, NULL, "list.sort", NULL,
     50000000, 1},
    {"list/sort-strs", "sort of 900 k strs", fill_strs, stall_ask, NULL, "list.sort", NULL, 900000,
     1},
    {"list/sort-numbers", "sort of 1 M integers", fill_shuffled, stall_ask, NULL, "list.sort", NULL,
     1000000, 1},
    {"list/repeat", "repeat to 50 M", fill_one, ask_repeat, NULL, NULL, NULL, 50000000, 1},
    {"list/slice", "slice of 50 M", fill_equal, stall_ask, NULL, "list.slice", NULL, 50000000, 1},
    {"list/count", "count of 50 M", fill_equal, ask_absent, NULL, "list.count", NULL, 50000000, 1},
    {"list/insert", "insert in the middle of 1 M, x 2,000", fill_numbers, ask_insert, NULL, NULL,
     NULL, 1000000, 2000},
    {"list/delete", "object.delete of 900 k strs", fill_sorted_strs, stall_ask, NULL,
     "object.delete", NULL, 900000, 1},
    {0},
};
