/* swarm: see swarm.h. */
#include "tools/ipcbench/swarm.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, WAIT_MILLISECONDS = 200, WAITS_MAX = 50 }; /* ten seconds */

/* A request that has been sent. */
struct pending {
    unsigned slot; /* which of the rounds that are under way */
    unsigned step;
    uint64_t since;
};

struct swarm_client {
    struct stream stream;
    struct pending *pending; /* a ring of plan->depth */
    unsigned first;
    unsigned count;
};

/* The requests that are the same each time, encoded once: what is measured is the server. */
static int prepare(struct swarm *swarm)
{
    const struct swarm_plan *plan = swarm->plan;
    swarm->places = calloc((size_t)plan->steps * plan->depth, sizeof(swarm->places[0]));
    if (swarm->places == NULL) {
        return fail("out of memory");
    }
    for (unsigned i = 0; i < plan->steps * plan->depth; i++) {
        struct request request = {plan->operations[i / plan->depth], i, plan->payload, 0, NULL};
        swarm->places[i][0] = swarm->prepared.len;
        swarm->target->protocol->encode(&swarm->prepared, &request);
        swarm->places[i][1] = swarm->prepared.len - swarm->places[i][0];
    }
    return swarm->prepared.failed ? fail("out of memory") : 0;
}

static int open_client(struct swarm *swarm, struct swarm_client *client)
{
    if (stream_open(&client->stream, swarm->target) < 0) {
        return -1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->pending = calloc(swarm->plan->depth, sizeof(client->pending[0]));
    if (client->pending == NULL) {
        return fail("out of memory");
    }
    return epoll_ctl(swarm->poll, EPOLL_CTL_ADD, client->stream.fd, &event) < 0
               ? fail("epoll: %s", strerror(errno))
               : 0;
}

int swarm_open(struct swarm *swarm, const struct target *target, const struct swarm_plan *plan)
{
    *swarm = (struct swarm){.target = target, .plan = plan, .poll = epoll_create1(EPOLL_CLOEXEC)};
    swarm->clients = calloc(plan->clients, sizeof(swarm->clients[0]));
    if (swarm->poll < 0 || swarm->clients == NULL) {
        return fail("no clients can be made: %s", strerror(errno));
    }
    for (unsigned i = 0; i < plan->clients; i++) {
        swarm->clients[i].stream.fd = -1;
    }
    int status = prepare(swarm);
    for (unsigned i = 0; status == 0 && i < plan->clients; i++) {
        status = open_client(swarm, &swarm->clients[i]);
    }
    return status;
}

void swarm_close(struct swarm *swarm)
{
    for (unsigned i = 0; swarm->clients != NULL && i < swarm->plan->clients; i++) {
        stream_deinit(&swarm->clients[i].stream);
        free(swarm->clients[i].pending);
    }
    if (swarm->poll >= 0) {
        (void)close(swarm->poll);
    }
    free(swarm->clients);
    free(swarm->places);
    buffer_deinit(&swarm->prepared);
    buffer_deinit(&swarm->requests);
}

/* Adds a request to those that go out next. */
static void ask(struct swarm *swarm, struct swarm_client *client, struct pending next, uint64_t job)
{
    const struct swarm_plan *plan = swarm->plan;
    unsigned number = next.step * plan->depth + next.slot;
    if (plan->operations[next.step] == OPERATION_FINISH_JOB) {
        struct request request = {OPERATION_FINISH_JOB, number, plan->payload, job, NULL};
        swarm->target->protocol->encode(&swarm->requests, &request);
    } else {
        const size_t *place = swarm->places[number];
        (void)buffer_append(&swarm->requests, swarm->prepared.data + place[0], place[1]);
    }
    client->pending[(client->first + client->count++) % plan->depth] = next;
}

static void begin_round(struct swarm *swarm, struct swarm_client *client, unsigned slot,
                        uint64_t now)
{
    if (swarm->to_begin > 0 && now < swarm->end) {
        swarm->to_begin--;
        swarm->under_way++;
        ask(swarm, client, (struct pending){slot, 0, now}, 0);
    }
}

/* An answer has come: the next step of its round, or the next round. */
static void go_on(struct swarm *swarm, struct swarm_client *client, uint64_t job, uint64_t now)
{
    struct pending done = client->pending[client->first];
    client->first = (client->first + 1) % swarm->plan->depth;
    client->count--;
    uint64_t waited = now - done.since;
    swarm->result.longest = waited > swarm->result.longest ? waited : swarm->result.longest;
    if (done.step + 1 < swarm->plan->steps) {
        ask(swarm, client, (struct pending){done.slot, done.step + 1, now}, job);
        return;
    }
    swarm->under_way--;
    swarm->result.rounds++;
    if (swarm->plan->pause > 0) {
        clock_sleep(swarm->plan->pause);
        now = clock_now();
    }
    begin_round(swarm, client, done.slot, now);
}

static int send_requests(struct swarm *swarm, struct swarm_client *client)
{
    int status = swarm->requests.failed
                     ? fail("out of memory")
                     : stream_send(&client->stream, buffer_slice(&swarm->requests));
    swarm->requests.len = 0;
    return status;
}

/* One read of a client, and what follows from it. */
static int serve(struct swarm *swarm, struct swarm_client *client)
{
    if (stream_read(&client->stream) < 0) {
        return -1;
    }
    uint64_t now = clock_now();
    while (client->count > 0) {
        unsigned step = client->pending[client->first].step;
        struct tally tally = {.most = 1};
        if (stream_count(&client->stream, swarm->plan->operations[step], &tally) < 0) {
            return -1;
        }
        if (tally.count == 0) {
            break;
        }
        go_on(swarm, client, tally.job, now);
    }
    stream_forget(&client->stream);
    return send_requests(swarm, client);
}

static int serve_some(struct swarm *swarm, unsigned *waits)
{
    struct epoll_event events[EVENTS_MAX];
    int ready = epoll_wait(swarm->poll, events, EVENTS_MAX, WAIT_MILLISECONDS);
    int status = 0;
    *waits = ready > 0 ? 0 : *waits + 1;
    if (interrupted()) {
        return fail("interrupted");
    }
    if (ready < 0 && errno != EINTR) {
        return fail("epoll: %s", strerror(errno));
    }
    if (*waits > WAITS_MAX) {
        return fail("%s has not answered for ten seconds", swarm->target->plan.name);
    }
    for (int i = 0; status == 0 && i < ready; i++) {
        status = serve(swarm, events[i].data.ptr);
    }
    return status;
}

int swarm_run(struct swarm *swarm, uint64_t nanoseconds, uint64_t rounds, struct swarm_result *out)
{
    uint64_t began = clock_now();
    unsigned waits = 0;
    int status = 0;
    swarm->result = (struct swarm_result){0};
    swarm->end = began + nanoseconds;
    swarm->to_begin = rounds;
    for (unsigned i = 0; status == 0 && i < swarm->plan->clients; i++) {
        for (unsigned slot = 0; slot < swarm->plan->depth; slot++) {
            begin_round(swarm, &swarm->clients[i], slot, began);
        }
        status = send_requests(swarm, &swarm->clients[i]);
    }
    while (status == 0 && swarm->under_way > 0) {
        /* With one client its own reading waits, which costs a system call less. */
        status = swarm->plan->clients == 1 ? serve(swarm, &swarm->clients[0])
                                           : serve_some(swarm, &waits);
    }
    *out = swarm->result;
    out->nanoseconds = clock_now() - began;
    return status;
}
