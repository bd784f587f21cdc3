/* stall_steps: what the rows have in common; see stall.h. */
#include "tools/ipcbench/stall.h"
#include "tools/ipcbench/fail.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PIECE = 1000000,        /* nils in one message */
    SESSION_WAITERS = 8000, /* calls that wait, of one session: less than max_waiting */
};

void stall_request(struct stall *stall, const char *method, size_t params)
{
    stall->responses++;
    message_request(&stall->requests, ++stall->msgid, slice_of_string(method), params);
}

void stall_request_on(struct stall *stall, const char *method, size_t params)
{
    stall_request(stall, method, params);
    pack_string(&stall->requests, STALL_OBJECT);
}

int stall_flush(struct stall *stall, struct caller *caller, const char *error)
{
    int status = stall->requests.failed ? fail("out of memory") : 0;
    if (status == 0) {
        status = caller_exchange(caller, buffer_slice(&stall->requests), stall->responses, error);
    }
    buffer_deinit(&stall->requests);
    stall->responses = 0;
    return status;
}

int stall_park(struct stall *stall, struct caller *caller, uint64_t answered)
{
    stall_request(stall, "server.ping", 0); /* the calls start in their order */
    stall->responses = answered + 1;
    return stall_flush(stall, caller, NULL);
}

void stall_ask(struct stall *stall)
{
    for (uint64_t i = 0; i < stall->times; i++) {
        stall_request_on(stall, stall->row->method, 1);
    }
}

int stall_send(struct stall *stall)
{
    return stall_flush(stall, &stall->client, stall->row->error);
}

void stall_open(struct stall *stall, const char *type, const char *name, size_t pairs)
{
    char method[32];
    (void)snprintf(method, sizeof(method), "%s.open", type);
    stall_request(stall, method, 2);
    pack_string(&stall->requests, name);
    pack_map(&stall->requests, 2 + pairs);
    pack_key_string(&stall->requests, "lifetime", "scoped");
    pack_key_bool(&stall->requests, "exclusive", true);
}

int stall_put_nils(struct stall *stall, uint64_t count)
{
    int status = 0;
    while (status == 0 && count > 0) {
        uint64_t piece = count < PIECE ? count : PIECE;
        stall_request_on(stall, "queue.put_many", 2);
        pack_array(&stall->requests, piece);
        for (uint64_t i = 0; i < piece; i++) {
            pack_nil(&stall->requests);
        }
        status = stall_flush(stall, &stall->owner, NULL);
        count -= piece;
    }
    return status;
}

int stall_open_others(struct stall *stall, size_t count)
{
    int status = 0;
    stall->others = calloc(count, sizeof(stall->others[0]));
    if (stall->others == NULL) {
        return fail("out of memory");
    }
    while (status == 0 && stall->other_count < count) {
        struct caller *other = &stall->others[stall->other_count++];
        status = caller_open(other, stall->target, stall->owner.deadline);
    }
    return status;
}

int stall_open_waiters(struct stall *stall)
{
    return stall_open_others(stall, (stall->size + SESSION_WAITERS - 1) / SESSION_WAITERS);
}

uint64_t stall_waiters(const struct stall *stall, size_t index)
{
    uint64_t left = stall->size - index * SESSION_WAITERS;
    return left < SESSION_WAITERS ? left : SESSION_WAITERS;
}

int stall_collect(struct stall *stall, const char *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < stall->other_count; i++) {
        struct caller *other = &stall->others[i];
        status = caller_exchange(other, (struct slice){0}, stall_waiters(stall, i), error);
    }
    return status;
}

uint32_t stall_random(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}
