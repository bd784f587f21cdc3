/* writer: see writer.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/store/failure.h"

static const uint64_t second_ns = UINT64_C(1000000000);

/* The log is copied to its place when it has so many pages, or a quarter of the reserve. The pages
 * that are written again and again are copied once; and the copy takes a few milliseconds, for
 * which the next commit waits. */
enum { LOG_PAGES = 1000, LOG_PAGE = 4096 + 24 };

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

/* The sentence is the writer's now. `failed`: nothing is written any more. */
static void tell_error(struct writer *writer, int failed, char *error)
{
    (void)pthread_mutex_lock(&writer->mutex);
    char *old = writer->state.error;
    writer->state.error = error;
    writer->state.failed = failed;
    (void)pthread_mutex_unlock(&writer->mutex);
    free(old);
    if (failed != 0) {
        call(writer);
    }
}

static void look(const struct writer *writer, struct space_view *out)
{
    space_look(&writer->space, (uint64_t)writer->database.log_pages * LOG_PAGE, out);
    if (writer->space.is_short) {
        out->inside = database_unused(&writer->database);
    }
}

static void tell_view(struct writer *writer)
{
    struct space_view view;
    look(writer, &view);
    (void)pthread_mutex_lock(&writer->mutex);
    writer->state.view = view;
    (void)pthread_mutex_unlock(&writer->mutex);
}

/* ---- commits: 0, or the errno value after which nothing is written any more -------------------
 */

static int sync_now(struct writer *writer, uint64_t *took)
{
    char *error = NULL;
    uint64_t begin = now();
    int code = database_sync(&writer->database, &error);
    *took = now() - begin;
    if (code != 0) {
        tell_error(writer, code, error);
    }
    return code;
}

/* There is no space: waits for a second. False: the store is being closed. */
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

static int apply(struct writer *writer)
{
    for (;;) {
        char *error = NULL;
        int code = database_apply(&writer->database, &writer->handed, &error);
        if (code == 0) {
            return 0;
        }
        if (code == ENOSPC && space_release(&writer->space)) {
            free(error);
            continue;
        }
        tell_view(writer);
        tell_error(writer, code == ENOSPC ? 0 : code, error);
        if (code != ENOSPC || !wait_for_space(writer)) {
            return code;
        }
    }
}

static int check_files(struct writer *writer)
{
    if (directory_is_whole(&writer->directory)) {
        return 0;
    }
    char *error = NULL;
    int code =
        failure(&error, ENOENT,
                "%s or its log has been removed or replaced: what is written now would not be "
                "found again",
                writer->database.path);
    tell_error(writer, code, error);
    return code;
}

static int write_and_sync(struct writer *writer, uint64_t *sync_ns)
{
    int code = apply(writer);
    if (code == 0 && writer->sync_each) {
        code = sync_now(writer, sync_ns);
    }
    return code == 0 ? check_files(writer) : code;
}

static int commit(struct writer *writer)
{
    uint64_t begin = now();
    uint64_t sync_ns = 0;
    uint64_t rows = writer->handed.count;
    int code = rows > 0 ? write_and_sync(writer, &sync_ns) : 0;
    if (code != 0) {
        return code;
    }
    uint64_t took = now() - begin;
    struct space_view view;
    look(writer, &view);
    gathered_clear(&writer->handed);
    (void)pthread_mutex_lock(&writer->mutex);
    writer->state.ended = writer->number;
    writer->state.rows += rows;
    writer->state.commit_ns = took;
    writer->state.view = view;
    if (writer->sync_each && rows > 0) {
        writer->state.sync_ns = sync_ns;
        writer->state.syncs++;
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    call(writer);
    return 0;
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

/* ---- what is done between commits: 0, or the same ----------------------------------------------
 */

/* What is in the log stays there if there is no space for it at its place. */
static int settle(struct writer *writer, int code, char *error)
{
    if (code == 0 || code == EBUSY) {
        free(error);
        return 0;
    }
    code = code == ENOSPC ? 0 : code;
    tell_error(writer, code, error);
    return code;
}

static bool log_is_long(const struct writer *writer)
{
    uint64_t pages = writer->database.log_pages;
    /* Somebody reads what it had before, a backup, say: it is not tried again with each commit. */
    pages = pages >= writer->tried ? pages - writer->tried : pages;
    return pages >= LOG_PAGES || pages * LOG_PAGE >= writer->space.half / 2;
}

static int copy_log(struct writer *writer)
{
    char *error = NULL;
    int code = database_checkpoint(&writer->database, &error);
    if (code == ENOSPC && space_release(&writer->space)) {
        free(error);
        error = NULL;
        code = database_checkpoint(&writer->database, &error);
    }
    code = settle(writer, code, error);
    writer->tried = writer->database.log_pages;
    if (code == 0) {
        tell_view(writer);
    }
    return code;
}

static int shrink(struct writer *writer, bool *more)
{
    char *error = NULL;
    int code = database_shrink(&writer->database, more, &error);
    code = settle(writer, code, error);
    /* The file is cut when its log is copied. */
    return code == 0 && !*more && writer->database.log_pages > 0 ? copy_log(writer) : code;
}

/* What the thread has to do, but for commits. */
struct plan {
    uint64_t done;      /* the last commit that it has seen */
    uint64_t sync_due;  /* when the log is to be synced; 0: it need not be */
    uint64_t space_due; /* when it is to be seen whether there is space again; 0: there is */
    bool shrinks;       /* there may be space to give back */
};

/* Waits until there is something to do. The mutex is held. */
static void wait_for_work(struct writer *writer, const struct plan *plan)
{
    uint64_t due = plan->sync_due;
    if (due == 0 || (plan->space_due != 0 && plan->space_due < due)) {
        due = plan->space_due;
    }
    while (writer->number == plan->done && !writer->ending && !plan->shrinks) {
        if (due == 0) {
            (void)pthread_cond_wait(&writer->work, &writer->mutex);
        } else if (now() < due) {
            wait_until(writer, due);
        } else {
            return;
        }
    }
}

/* What no commit waits for. */
static int do_rest(struct writer *writer, struct plan *plan, bool idle)
{
    int code = 0;
    if (log_is_long(writer)) {
        code = copy_log(writer);
        plan->shrinks = true;
    } else if (idle && plan->shrinks) {
        code = shrink(writer, &plan->shrinks);
    }
    if (plan->space_due != 0 && now() >= plan->space_due) {
        plan->space_due = 0;
        if (space_restore(&writer->space)) {
            tell_view(writer);
        }
    }
    if (writer->space.is_short && plan->space_due == 0) {
        plan->space_due = now() + second_ns;
    }
    return code;
}

static int work(struct writer *writer, struct plan *plan, bool has_commit, bool ends)
{
    int code = 0;
    if (has_commit) {
        plan->done = writer->number;
        code = commit(writer);
        plan->shrinks |= writer->space.is_short;
        if (code == 0 && writer->interval_ns > 0 && plan->sync_due == 0) {
            plan->sync_due = now() + writer->interval_ns;
        }
    }
    if (code == 0 && plan->sync_due != 0 && (ends || now() >= plan->sync_due)) {
        plan->sync_due = 0;
        code = sync_late(writer);
    }
    return code == 0 && !ends ? do_rest(writer, plan, !has_commit) : code;
}

static void *run(void *data)
{
    struct writer *writer = data;
    struct plan plan = {0};
    bool ends = false;
    int code = 0;
    while (code == 0 && !ends) {
        (void)pthread_mutex_lock(&writer->mutex);
        wait_for_work(writer, &plan);
        bool has_commit = writer->number != plan.done;
        ends = writer->ending && !has_commit;
        (void)pthread_mutex_unlock(&writer->mutex);
        code = work(writer, &plan, has_commit, ends);
    }
    return NULL;
}

static void destroy(struct writer *writer)
{
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    (void)close(writer->event);
    gathered_deinit(&writer->handed);
    free(writer->state.error);
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
    if (code == 0) {
        writer->started = true;
    } else {
        destroy(writer);
    }
    return code;
}

void writer_stop(struct writer *writer)
{
    if (!writer->started) {
        return;
    }
    (void)pthread_mutex_lock(&writer->mutex);
    writer->ending = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);
    destroy(writer);
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

struct space_view writer_view(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    struct space_view view = writer->state.view;
    (void)pthread_mutex_unlock(&writer->mutex);
    return view;
}
