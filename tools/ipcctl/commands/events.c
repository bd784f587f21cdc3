/*
 * events: see events.h.
 *
 * It waits for the daemon and for SIGINT and SIGTERM at once, in a loop of its own over the
 * non-blocking core, so that a signal ends it in good order with all that came printed.
 */
#include "tools/ipcctl/commands/events.h"
#include "proto/events.h"
#include "tools/ipcctl/clock.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/json/moment.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/text.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct follower {
    struct context *context;
    int64_t left;     /* events to print; INT64_MAX: no limit */
    size_t objects;   /* that are still watched */
    bool denied;      /* the right to read one has been taken */
    int64_t deadline; /* clock_ms; INT64_MAX: none */
    int signals;      /* a signalfd */
};

static struct moment now(void)
{
    enum { NS_PER_MS = 1000000 };
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (struct moment){time.tv_sec, (uint32_t)(time.tv_nsec / NS_PER_MS * NS_PER_MS)};
}

static void print_line(struct context *context, const struct ipcc_watch_event *event)
{
    struct buffer line = {0};
    struct buffer detail = {0};
    char time[MOMENT_TEXT] = "";
    (void)moment_print(now(), time);
    text_put(&line, time);
    text_put(&line, " ");
    text_name(&line, slice_of_string(event->object));
    text_put(&line, " ");
    text_plain(&line, slice_of_string(event->event));
    value_encode(event->detail, &detail);
    text_put(&line, " ");
    json_write(buffer_slice(&detail), &line);
    text_put(&line, "\n");
    line.failed |= detail.failed;
    buffer_deinit(&detail);
    output_buffer(context, &line);
}

static void print_record(struct context *context, const struct ipcc_watch_event *event)
{
    struct buffer record = {0};
    struct moment moment = now();
    pack_map(&record, 4);
    pack_string(&record, "time");
    pack_timestamp(&record, moment.seconds, moment.nanoseconds);
    pack_key_string(&record, "object", event->object);
    pack_key_string(&record, "event", event->event);
    pack_string(&record, "detail");
    value_encode(event->detail, &record);
    output_record(context, &record);
}

static void happened(struct ipcc *conn, const struct ipcc_watch_event *event, void *data)
{
    struct follower *follower = data;
    enum event_name name = event_named(slice_of_string(event->event));
    if (follower->left == 0) {
        return;
    }
    if (follower->context->options[OPTION_JSON].is) {
        print_record(follower->context, event);
    } else {
        print_line(follower->context, event);
    }
    follower->left -= follower->left != INT64_MAX;
    follower->denied |= name == EVENT_denied;
    follower->objects -= name == EVENT_deleted || name == EVENT_denied;
}

/* Appends the words of "put,get" to an array. */
static void pack_events(const char *list, struct buffer *out)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (; *list != '\0'; count++) {
        size_t len = strcspn(list, ",");
        pack_str(out, (struct slice){(const uint8_t *)list, len});
        list += len + (list[len] == ',');
    }
    pack_array_end(out, at, count);
}

static bool is_pattern(const char *word)
{
    return strpbrk(word, "*?[") != NULL;
}

static enum status watch_object(struct follower *follower, const char *name)
{
    struct context *context = follower->context;
    const struct given *events = &context->options[OPTION_EVENTS];
    struct request request;
    request_init(&request, "object.watch");
    pack_string(request_param(&request), name);
    if (events->is) {
        pack_events(events->text, request_param(&request));
    }
    follower->objects++; /* it may be gone before the answer has come */
    int error = request_try(context, &request, NULL);
    if (error == IPCC_ERR_NOT_FOUND && is_pattern(name)) {
        return report(context, STATUS_NOT_FOUND, "%s; patterns are for queues, with --glob",
                      call_message(context, error));
    }
    return error < 0 ? report_call(context, error) : STATUS_OK;
}

/* An object that is named twice is watched once. */
static bool is_named_before(const struct context *context, size_t word)
{
    for (size_t i = 0; i < word; i++) {
        if (strcmp(context->words[i], context->words[word]) == 0) {
            return true;
        }
    }
    return false;
}

static enum status watch_objects(struct follower *follower)
{
    struct context *context = follower->context;
    int error = request_connect(context);
    error = error < 0 ? error : ipcc_on_watch_event(context->conn, happened, follower);
    enum status status = error < 0 ? report_call(context, error) : STATUS_OK;
    for (size_t i = 0; i < context->count && status == STATUS_OK; i++) {
        if (!is_named_before(context, i)) {
            status = watch_object(follower, context->words[i]);
        }
    }
    return status;
}

/* How long to wait at most, for poll. */
static int patience(const struct follower *follower)
{
    int due = ipcc_next_timeout(follower->context->conn);
    if (follower->deadline == INT64_MAX) {
        return due;
    }
    int64_t left = follower->deadline - clock_ms();
    left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
    return due >= 0 && due < left ? due : (int)left;
}

/* Waits once. 0, 1 if a signal has come, or an IPCC_ERR_ code. */
static int wait_once(struct follower *follower)
{
    struct ipcc *conn = follower->context->conn;
    struct pollfd ready[] = {{.fd = follower->signals, .events = POLLIN},
                             {.fd = ipcc_fd(conn), .events = (short)ipcc_events(conn)}};
    int count = poll(ready, 2, patience(follower));
    if (ready[0].revents != 0 && count > 0) {
        return 1;
    }
    return ipcc_process(conn, count > 0 ? ready[1].revents : 0);
}

/* Whether there is more to come, and if not what that means. */
static bool is_over(const struct follower *follower, enum status *status)
{
    if (follower->left == 0) {
        return true;
    }
    if (follower->objects == 0) {
        *status = follower->denied             ? STATUS_FAILED
                  : follower->left < INT64_MAX ? STATUS_NOT_FOUND
                                               : STATUS_OK;
        return true;
    }
    if (clock_ms() >= follower->deadline) {
        *status = STATUS_TIMEOUT;
        return true;
    }
    return follower->context->write_error != 0;
}

static enum status follow(struct follower *follower)
{
    enum status status = STATUS_OK;
    int outcome = 0;
    status = output_flush(follower->context, status);
    while (status == STATUS_OK && outcome == 0 && !is_over(follower, &status)) {
        outcome = wait_once(follower);
        status = output_flush(follower->context, status);
    }
    if (outcome < 0) {
        status = report_call(follower->context, outcome);
    } else if (status == STATUS_TIMEOUT) {
        status = report(follower->context, status, "the time ran out");
    }
    return output_flush(follower->context, status);
}

/* Adds a signal to the set, unless whoever started this wants it to be ignored. */
static void add_signal(sigset_t *set, int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
        (void)sigaddset(set, number);
    }
}

/* SIGINT and SIGTERM are to be waited for. -1 with errno. */
static int take_signals(struct follower *follower)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    add_signal(&ends, SIGINT);
    add_signal(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    follower->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    return follower->signals < 0 ? -1 : 0;
}

enum status events_run(struct context *context)
{
    const struct given *count = &context->options[OPTION_COUNT];
    int64_t limit = request_patience(context);
    struct follower follower = {
        .context = context,
        .left = count->is ? count->number : INT64_MAX,
        .deadline = limit == IPCC_FOREVER ? INT64_MAX : clock_ms() + limit,
    };
    if (take_signals(&follower) < 0) {
        return report(context, STATUS_FAILED, "cannot wait for signals: %s", strerror(errno));
    }
    enum status status = watch_objects(&follower);
    if (status == STATUS_OK) {
        status = follow(&follower);
    }
    (void)close(follower.signals);
    return status;
}
