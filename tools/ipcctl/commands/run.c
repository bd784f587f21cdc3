/*
 * run: a command under a lock, or with permits of a semaphore.
 *
 * What is held is the session's, that is ipcctl's, so that the daemon gives it back when ipcctl
 * ends in whatever way (unless the lock is kept, on_disconnect). The command knows nothing of the
 * daemon. If the connection is lost while it runs it goes on, as stopping in the middle is mostly
 * worse; --kill-on-loss has it ended.
 */
#include "proto/value.h"
#include "tools/ipcctl/commands/child.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* What is held while the command runs. */
struct hold {
    const char *name;
    const char *acquire; /* the methods */
    const char *release;
    int64_t permits; /* of a semaphore; 0: it is a lock */
};

static enum status check_usage(struct context *context)
{
    const struct given *given = context->options;
    if (given[OPTION_LOCK].is == given[OPTION_SEMAPHORE].is) {
        return report_usage(context, "give either --lock=LOCK or --semaphore=SEMAPHORE");
    }
    if (given[OPTION_COUNT].is && given[OPTION_LOCK].is) {
        return report_usage(context, "--count is for --semaphore");
    }
    if (given[OPTION_CREATE].is && given[OPTION_SEMAPHORE].is) {
        return report_usage(context, "--create is for --lock; 'ipcctl create semaphore' makes one");
    }
    return STATUS_OK;
}

static struct hold hold_of(const struct context *context)
{
    const struct given *given = context->options;
    if (given[OPTION_LOCK].is) {
        return (struct hold){given[OPTION_LOCK].text, "lock.acquire", "lock.release", 0};
    }
    return (struct hold){given[OPTION_SEMAPHORE].text, "semaphore.acquire", "semaphore.release",
                         given[OPTION_COUNT].is ? given[OPTION_COUNT].number : 1};
}

static int make_lock(struct context *context, const char *name)
{
    struct request request;
    request_init(&request, "lock.open");
    pack_string(request_param(&request), name);
    return request_try(context, &request, NULL);
}

/* Why it is not held, and what to exit with. */
static enum status refuse(struct context *context, const struct hold *hold, int error)
{
    const struct given *given = &context->options[OPTION_CONFLICT_STATUS];
    if (error == IPCC_ERR_TIMEOUT) {
        enum status status = given->is ? (enum status)given->number : STATUS_RUN_TIMEOUT;
        return report(context, status, "\"%s\" was not to be had in time", hold->name);
    }
    if (error == IPCC_ERR_NOT_FOUND && hold->permits == 0) {
        return report(context, STATUS_RUN_FAILED, "%s; --create makes it",
                      call_message(context, error));
    }
    (void)report_call(context, error);
    return STATUS_RUN_FAILED;
}

/* True if it is held now; else *status is what to exit with. */
static bool acquire(struct context *context, const struct hold *hold, enum status *status)
{
    struct request request;
    struct ipcc_reply reply;
    int error = context->options[OPTION_CREATE].is ? make_lock(context, hold->name) : 0;
    if (error < 0) {
        *status = refuse(context, hold, error);
        return false;
    }
    request_init(&request, hold->acquire);
    pack_string(request_param(&request), hold->name);
    request_timeout(&request, request_patience(context));
    if (hold->permits > 0) {
        pack_int(request_param(&request), hold->permits);
    }
    error = request_try(context, &request, &reply);
    if (error < 0) {
        *status = refuse(context, hold, error);
        return false;
    }
    if (field_true(&reply.value, "abandoned")) {
        (void)report(context, STATUS_OK,
                     "\"%s\" was abandoned: its last holder died, or it was taken from it",
                     hold->name);
    }
    ipcc_reply_free(&reply);
    return true;
}

static void give_back(struct context *context, const struct hold *hold)
{
    struct request request;
    request_init(&request, hold->release);
    pack_string(request_param(&request), hold->name);
    if (hold->permits > 0) {
        pack_int(request_param(&request), hold->permits);
    }
    int error = request_try(context, &request, NULL);
    if (error < 0) {
        (void)report(context, STATUS_OK, "\"%s\" was lost while the command ran: %s", hold->name,
                     call_message(context, error));
    }
}

/* Something has come from the daemon. False once the connection is lost, which is told. */
static bool is_connected(struct context *context, const struct hold *hold,
                         const struct child *child, int events)
{
    int error = ipcc_process(context->conn, events);
    if (error == 0) {
        return true;
    }
    bool ends = context->options[OPTION_KILL_ON_LOSS].is;
    (void)report(context, STATUS_OK,
                 "the connection to the daemon is lost, and \"%s\" with it; "
                 "the command %s: %s",
                 hold->name, ends ? "is ended" : "goes on", ipcc_last_message());
    if (ends) {
        (void)kill(child->pid, SIGTERM);
    }
    return false;
}

/* Until the command has ended. True if the connection still stands then. */
static bool attend(struct context *context, const struct hold *hold, struct child *child)
{
    enum { SIGNALS, DAEMON, COUNT };
    bool connected = true;
    for (;;) {
        struct pollfd polled[COUNT] = {
            [SIGNALS] = {.fd = child->signals, .events = POLLIN},
            [DAEMON] = {.fd = -1},
        };
        int patience = -1;
        if (connected) {
            polled[DAEMON].fd = ipcc_fd(context->conn);
            polled[DAEMON].events = (short)ipcc_events(context->conn);
            patience = ipcc_next_timeout(context->conn);
        }
        (void)poll(polled, COUNT, patience);
        if (child_has_ended(child)) {
            return connected;
        }
        if (connected && (polled[DAEMON].revents != 0 || patience >= 0)) {
            connected = is_connected(context, hold, child, polled[DAEMON].revents);
        }
    }
}

/* Others are to see whose lock it is: "ipcctl run backup". */
static void set_client(struct context *context, char *text, size_t size)
{
    const char *slash = strrchr(context->words[0], '/');
    (void)snprintf(text, size, "ipcctl run %s", slash != NULL ? slash + 1 : context->words[0]);
    if (value_is_utf8(slice_of_string(text))) {
        context->client = text;
    }
}

enum status run_run(struct context *context)
{
    struct child child;
    char client[80];
    if (check_usage(context) != STATUS_OK) {
        return STATUS_RUN_FAILED;
    }
    set_client(context, client, sizeof(client));
    struct hold hold = hold_of(context);
    enum status status;
    if (!acquire(context, &hold, &status)) {
        return status;
    }
    if (child_start(&child, context->words) < 0) {
        return report(context, STATUS_RUN_FAILED, "cannot start a process: %s", strerror(errno));
    }
    if (attend(context, &hold, &child)) {
        give_back(context, &hold);
    }
    child_deinit(&child);
    return (enum status)child_exit_status(&child);
}
