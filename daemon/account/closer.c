/* closer: see closer.h. */
#include "daemon/account/closer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "proto/error.h"

enum { NOBODY = -1, FIRST_CAPACITY = 4096, STACK_SIZE = 128 * 1024 };

/* What waits of one uid. A lane that is empty may become another uid's. */
struct lane {
    STAILQ_ENTRY(lane) link;  /* of all */
    STAILQ_ENTRY(lane) ready; /* of those with something to close that no thread has in hand */
    uid_t uid;
    int first; /* the descriptor that is next; NOBODY: none */
    int last;
    uint64_t waiting; /* those in the list, and the one in hand */
};

STAILQ_HEAD(lane_list, lane);

struct closer {
    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t work;
    struct lane_list lanes;
    struct lane_list ready;
    struct lane common; /* for any uid, if there is no memory for another lane */
    int *next;          /* owned; for each descriptor that waits, the one behind it in its lane */
    size_t capacity;
    unsigned
        active; /* lanes with something in them; never more than threads, if there may be more */
    unsigned threads;
    unsigned idle; /* threads; one at most */
    bool ending;
    _Atomic uint64_t waiting;
};

int closer_new(struct closer **out)
{
    struct closer *closer = calloc(1, sizeof(*closer));
    if (closer == NULL) {
        return ERR_MEMORY;
    }
    (void)pthread_mutex_init(&closer->mutex, NULL);
    (void)pthread_cond_init(&closer->work, NULL);
    STAILQ_INIT(&closer->lanes);
    STAILQ_INIT(&closer->ready);
    closer->common.first = NOBODY;
    STAILQ_INSERT_TAIL(&closer->lanes, &closer->common, link);
    *out = closer;
    return 0;
}

static void destroy(struct closer *closer)
{
    struct lane *lane;
    while ((lane = STAILQ_FIRST(&closer->lanes)) != NULL) {
        STAILQ_REMOVE_HEAD(&closer->lanes, link);
        if (lane != &closer->common) {
            free(lane);
        }
    }
    (void)pthread_mutex_destroy(&closer->mutex);
    (void)pthread_cond_destroy(&closer->work);
    free(closer->next);
    free(closer);
}

void closer_free(struct closer *closer)
{
    if (closer == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&closer->mutex);
    closer->ending = true;
    bool last = closer->threads == 0;
    (void)pthread_cond_broadcast(&closer->work);
    (void)pthread_mutex_unlock(&closer->mutex);
    if (last) {
        destroy(closer);
    }
}

/* Takes the next descriptor of a lane that is ready, which is in hand then. */
static int take(struct closer *closer, struct lane **out)
{
    struct lane *lane = STAILQ_FIRST(&closer->ready);
    STAILQ_REMOVE_HEAD(&closer->ready, ready);
    int fd = lane->first;
    lane->first = fd == lane->last ? NOBODY : closer->next[fd];
    *out = lane;
    return fd;
}

/* One is closed: the lane goes behind the others that are ready. */
static void put_back(struct closer *closer, struct lane *lane)
{
    lane->waiting--;
    closer->waiting--;
    if (lane->first != NOBODY) {
        STAILQ_INSERT_TAIL(&closer->ready, lane, ready);
    } else {
        closer->active--;
    }
}

static void *run(void *data)
{
    struct closer *closer = data;
    (void)pthread_mutex_lock(&closer->mutex);
    while (!closer->ending) {
        if (!STAILQ_EMPTY(&closer->ready)) {
            struct lane *lane;
            int fd = take(closer, &lane);
            (void)pthread_mutex_unlock(&closer->mutex);
            (void)close(fd);
            (void)pthread_mutex_lock(&closer->mutex);
            put_back(closer, lane);
        } else if (closer->idle > 0) {
            break;
        } else {
            closer->idle++;
            (void)pthread_cond_wait(&closer->work, &closer->mutex);
            closer->idle--;
        }
    }
    bool last = --closer->threads == 0 && closer->ending;
    (void)pthread_mutex_unlock(&closer->mutex);
    if (last) {
        destroy(closer);
    }
    return NULL;
}

/* Signals are the main thread's. */
static void start_thread(struct closer *closer)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run, closer) == 0) {
        closer->threads++;
    }
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool make_room(struct closer *closer, int fd)
{
    size_t capacity = closer->capacity > 0 ? closer->capacity : FIRST_CAPACITY;
    while (capacity <= (size_t)fd) {
        capacity *= 2;
    }
    if (capacity > closer->capacity) {
        int *next = realloc(closer->next, capacity * sizeof(int));
        if (next == NULL) {
            return false;
        }
        closer->next = next;
        closer->capacity = capacity;
    }
    return true;
}

/* The uid's lane, or NULL. */
static struct lane *find_lane(struct closer *closer, uid_t uid)
{
    struct lane *lane;
    STAILQ_FOREACH (lane, &closer->lanes, link) {
        if (lane->waiting > 0 && lane->uid == uid && lane != &closer->common) {
            return lane;
        }
    }
    return NULL;
}

static struct lane *make_lane(struct closer *closer, uid_t uid)
{
    struct lane *lane;
    STAILQ_FOREACH (lane, &closer->lanes, link) {
        if (lane->waiting == 0 && lane != &closer->common) {
            lane->uid = uid;
            return lane;
        }
    }
    lane = malloc(sizeof(*lane));
    if (lane == NULL) {
        return &closer->common;
    }
    *lane = (struct lane){.uid = uid, .first = NOBODY};
    STAILQ_INSERT_TAIL(&closer->lanes, lane, link);
    return lane;
}

static void append(struct closer *closer, struct lane *lane, int fd)
{
    if (lane->first != NOBODY) {
        closer->next[lane->last] = fd;
    } else {
        lane->first = fd;
    }
    lane->last = fd;
    if (lane->waiting == 0) {
        STAILQ_INSERT_TAIL(&closer->ready, lane, ready);
        closer->active++;
    }
    lane->waiting++;
    closer->waiting++;
}

/* Puts it into its lane and sees to it that a thread comes for it; false: there can be none. */
static bool hand_over(struct closer *closer, uid_t uid, int fd)
{
    if (!make_room(closer, fd)) {
        return false;
    }
    struct lane *lane = find_lane(closer, uid);
    unsigned needed = closer->active + (lane == NULL ? 1 : 0);
    if (closer->threads < needed && closer->threads < CLOSER_THREADS) {
        start_thread(closer);
    }
    if (closer->threads == 0) {
        return false;
    }
    append(closer, lane != NULL ? lane : make_lane(closer, uid), fd);
    (void)pthread_cond_signal(&closer->work);
    return true;
}

void closer_close(struct closer *closer, uid_t uid, int fd)
{
    bool handed = false;
    if (closer != NULL) {
        (void)pthread_mutex_lock(&closer->mutex);
        handed = hand_over(closer, uid, fd);
        (void)pthread_mutex_unlock(&closer->mutex);
    }
    if (!handed) {
        (void)close(fd);
    }
}

void closer_each(struct closer *closer, void (*each)(void *data, uid_t uid, int fd), void *data)
{
    const struct lane *lane;
    (void)pthread_mutex_lock(&closer->mutex);
    STAILQ_FOREACH (lane, &closer->lanes, link) {
        for (int fd = lane->first; fd != NOBODY;) {
            each(data, lane->uid, fd);
            fd = fd == lane->last ? NOBODY : closer->next[fd];
        }
    }
    (void)pthread_mutex_unlock(&closer->mutex);
}

uint64_t closer_waiting(const struct closer *closer)
{
    return closer == NULL ? 0 : closer->waiting;
}

uint64_t closer_waiting_of(struct closer *closer, uid_t uid)
{
    if (closer == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&closer->mutex);
    const struct lane *lane = find_lane(closer, uid);
    uint64_t waiting = lane == NULL ? 0 : lane->waiting;
    (void)pthread_mutex_unlock(&closer->mutex);
    return waiting;
}
