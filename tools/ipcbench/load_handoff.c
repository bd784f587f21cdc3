/*
 * load_handoff: items from one producer to one consumer, each a thread with a connection of its
 * own, through the queue: as fast as it goes, and paced.
 *
 * As fast as it goes: the time runs from before the first put is sent until the last item has
 * been received. Paced: an item each millisecond, the consumer blocked in its get; the time of an
 * item runs from just before its put is sent until it has been received.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/load.h"
#include "tools/ipcbench/window.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { PACE_NANOSECONDS = 1000000 };

/* One side: what it sends, over which connection, and how far it got. */
struct side {
    struct batch batch;
    struct window window;
    uint64_t items;
    uint64_t *received; /* paced: when each item came */
    int status;
};

static int side_init(struct side *side, const struct trial *trial, enum operation operation)
{
    *side = (struct side){.window.stream.fd = -1, .items = trial->count};
    struct request model = {.operation = operation, .payload = trial->load->payload};
    int status = batch_init(&side->batch, trial->target->protocol, &model, trial->load->depth);
    return status < 0 ? status : window_init(&side->window, trial->target, &side->batch);
}

static void side_deinit(struct side *side)
{
    window_deinit(&side->window);
    batch_deinit(&side->batch);
}

static void *consume(void *argument)
{
    struct side *side = argument;
    side->status = window_run(&side->window, side->items, NULL);
    return NULL;
}

static void *consume_and_note(void *argument)
{
    struct side *side = argument;
    side->status = 0;
    for (uint64_t i = 0; side->status == 0 && i < side->items; i++) {
        side->status = window_run(&side->window, 1, NULL);
        side->received[i] = clock_now();
    }
    return NULL;
}

/* The producer's part of load_paced, in the calling thread. */
static int produce_paced(struct side *side, uint64_t *sent)
{
    struct timespec next;
    int status = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    for (uint64_t i = 0; status == 0 && i < side->items; i++) {
        next.tv_nsec += PACE_NANOSECONDS;
        if (next.tv_nsec >= 1000000000) {
            next.tv_nsec -= 1000000000;
            next.tv_sec++;
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        sent[i] = clock_now();
        status = window_run(&side->window, 1, NULL);
    }
    return status;
}

static int produce(struct side *side, uint64_t *sent)
{
    return sent != NULL ? produce_paced(side, sent) : window_run(&side->window, side->items, NULL);
}

/* Runs both sides and measures; `sent` not NULL: paced. */
static int measure(struct trial *trial, struct side *producer, struct side *consumer,
                   uint64_t *sent)
{
    struct meter meter;
    pthread_t thread;
    if (pthread_create(&thread, NULL, sent != NULL ? consume_and_note : consume, consumer) != 0) {
        return fail("the consumer's thread cannot be started");
    }
    meter_start(&meter, trial->target->server.pid);
    producer->status = produce(producer, sent);
    if (producer->status < 0) {
        /* The consumer would wait for what will never come. */
        (void)shutdown(consumer->window.stream.fd, SHUT_RDWR);
    }
    (void)pthread_join(thread, NULL);
    if (producer->status < 0 || consumer->status < 0) {
        return -1;
    }
    meter_stop(&meter, trial->count, &trial->result);
    return 0;
}

static int run(struct trial *trial, uint64_t *sent, uint64_t *received)
{
    struct side producer = {.window.stream.fd = -1};
    struct side consumer = {.window.stream.fd = -1};
    bool many = trial->load->operation == OPERATION_GET_MANY;
    int status = target_clear(trial->target);
    if (status == 0) {
        status = side_init(&producer, trial, many ? OPERATION_PUT_MANY : OPERATION_PUT);
    }
    if (status == 0) {
        status = side_init(&consumer, trial, trial->load->operation);
        consumer.received = received;
    }
    if (status == 0) {
        status = measure(trial, &producer, &consumer, sent);
    }
    side_deinit(&producer);
    side_deinit(&consumer);
    return status;
}

int load_handoff(struct trial *trial)
{
    trial->count = (trial->count + REQUEST_MANY - 1) / REQUEST_MANY * REQUEST_MANY;
    return run(trial, NULL, NULL);
}

int load_paced(struct trial *trial)
{
    uint64_t *sent = calloc(trial->count, sizeof(sent[0]));
    uint64_t *received = calloc(trial->count, sizeof(received[0]));
    int status = sent != NULL && received != NULL ? 0 : fail("out of memory");
    if (status == 0) {
        status = run(trial, sent, received);
    }
    if (status == 0) {
        for (uint64_t i = 0; i < trial->count; i++) {
            received[i] -= sent[i];
        }
        measurement_set_latency(&trial->result, received, trial->count);
        trial->result.figures[FIGURE_RATE] = NAN; /* it is the pace */
    }
    free(sent);
    free(received);
    return status;
}
