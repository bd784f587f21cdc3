/* writer: see writer.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const uint64_t second_ns = UINT64_C(1000000000);

/* The log is copied to its place when it has so many pages. The pages that are written again and
 * again are copied once; and the copy takes a few milliseconds, for which the next commit waits. */
enum { LOG_PAGES = 1000 };

static uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * second_ns + (uint64_t)time.tv_nsec;
}

/* The mutex is held. False when the time has come, or somebody has called. */
static void wait_until(struct writer *writer, uint64_t deadline)
{
    struct timespec time = {(time_t)(deadline / second_ns), (long)(deadline % second_ns)};
    (void)pthread_cond_timedwait(&writer->work, &writer->mutex, &time);
}

/* Tells the caller that there is news. */
static void call(const struct writer *writer)
{
    uint64_t one = 1;
    /* It can fail only if the counter is full: it is readable then. */
    if (write(writer->event, &one, sizeof(one)) < 0) {
        return;
    }
}

static void tell_error(struct writer *writer, int failed, bool waits, char *error)
{
    (void)pthread_mutex_lock(&writer->mutex);
    char *old = writer->state.error;
    writer->state.error = error;
    writer->state.failed = failed;
    writer->state.waits = waits;
    (void)pthread_mutex_unlock(&writer->mutex);
    free(old);
    if (failed != 0) {
        call(writer);
    }
}

/* 0, or the errno value after which nothing is written any more. */
static int sync_now(struct writer *writer, uint64_t *took)
{
    char *error = NULL;
    uint64_t begin = now();
    int code = database_sync(&writer->database, &error);
    *took = now() - begin;
    if (code != 0) {
        tell_error(writer, code, false, error);
    }
    return code;
}

/* There is no space: waits for a second. False: it is not worth waiting for. */
static bool wait_for_space(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    uint64_t deadline = now() + second_ns;
    while (!writer->ending && now() < deadline) {
        wait_until(writer, deadline);
    }
    bool ending = writer->ending;
    (void)pthread_mutex_unlock(&writer->mutex);
    return !ending;
}

/* 0, or the errno value after which nothing is written any more. */
static int apply(struct writer *writer)
{
    for (;;) {
        char *error = NULL;
        int code = database_apply(&writer->database, &writer->handed, &error);
        if (code == 0) {
            return 0;
        }
        tell_error(writer, code == ENOSPC ? 0 : code, code == ENOSPC, error);
        if (code != ENOSPC) {
            return code;
        }
        if (!wait_for_space(writer)) {
            return code;
        }
    }
}

/* Writes what has been handed over. 0, or an errno value if it has not been written, and nothing
 * will be. */
static int commit(struct writer *writer)
{
    uint64_t begin = now();
    uint64_t sync_ns = 0;
    int code = writer->handed.count > 0 ? apply(writer) : 0;
    if (code == 0 && writer->sync_each && writer->handed.count > 0) {
        code = sync_now(writer, &sync_ns);
    }
    if (code != 0) {
        return code;
    }
    uint64_t took = now() - begin;
    uint64_t rows = writer->handed.count;
    gathered_clear(&writer->handed);
    (void)pthread_mutex_lock(&writer->mutex);
    writer->state.ended = writer->number;
    writer->state.waits = false;
    writer->state.rows += rows;
    writer->state.commit_ns = took;
    if (writer->sync_each) {
        writer->state.sync_ns = sync_ns;
        writer->state.syncs += rows > 0;
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    call(writer);
    return 0;
}

/* 0, or the errno value after which nothing is written any more. */
static int checkpoint(struct writer *writer)
{
    char *error = NULL;
    int code = database_checkpoint(&writer->database, &error);
    if (code == 0 || code == EBUSY) {
        free(error);
        return 0;
    }
    /* What is in the log stays there, and is copied when there is space. */
    tell_error(writer, code == ENOSPC ? 0 : code, false, error);
    return code == ENOSPC ? 0 : code;
}

/* Syncs what was not synced with its commit. */
static int sync_late(struct writer *writer)
{
    uint64_t took;
    int code = sync_now(writer, &took);
    if (code == 0) {
        (void)pthread_mutex_lock(&writer->mutex);
        writer->state.syncs++;
        writer->state.sync_ns = took;
        (void)pthread_mutex_unlock(&writer->mutex);
    }
    return code;
}

static void *run(void *data)
{
    struct writer *writer = data;
    uint64_t due = 0; /* when the log is to be synced; 0: it need not be */
    uint64_t done = 0;
    int code = 0;
    (void)pthread_mutex_lock(&writer->mutex);
    while (code == 0) {
        bool has_work = writer->number != done;
        if (!has_work && !writer->ending && (due == 0 || now() < due)) {
            if (due == 0) {
                (void)pthread_cond_wait(&writer->work, &writer->mutex);
            } else {
                wait_until(writer, due);
            }
            continue;
        }
        bool ends = !has_work && writer->ending;
        (void)pthread_mutex_unlock(&writer->mutex);
        if (has_work) {
            done = writer->number;
            code = commit(writer);
            if (code == 0 && !writer->sync_each && writer->interval_ns > 0 && due == 0) {
                due = now() + writer->interval_ns;
            }
        }
        if (code == 0 && due != 0 && (ends || now() >= due)) {
            due = 0;
            code = sync_late(writer);
        }
        if (code == 0 && !ends && writer->database.log_pages >= LOG_PAGES) {
            code = checkpoint(writer);
        }
        (void)pthread_mutex_lock(&writer->mutex);
        if (ends) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

int writer_start(struct writer *writer)
{
    pthread_condattr_t attributes;
    sigset_t all;
    sigset_t before;
    writer->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (writer->event < 0) {
        return errno;
    }
    (void)pthread_mutex_init(&writer->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&writer->work, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    /* Signals are for the caller's thread. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, run, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    writer->started = code == 0;
    if (code != 0) {
        writer_stop(writer);
    }
    return code;
}

void writer_stop(struct writer *writer)
{
    if (writer->started) {
        (void)pthread_mutex_lock(&writer->mutex);
        writer->ending = true;
        (void)pthread_cond_signal(&writer->work);
        (void)pthread_mutex_unlock(&writer->mutex);
        (void)pthread_join(writer->thread, NULL);
    }
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    (void)close(writer->event);
    gathered_deinit(&writer->handed);
    free(writer->state.error);
}

void writer_hand_over(struct writer *writer, struct gathered *changes, uint64_t number)
{
    (void)pthread_mutex_lock(&writer->mutex);
    struct gathered empty = writer->handed;
    writer->handed = *changes;
    *changes = empty;
    writer->number = number;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->mutex);
}
