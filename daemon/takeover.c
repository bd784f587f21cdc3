/*
 * takeover: what the daemon before this one has left is found and taken over; see takeover.h.
 *
 * Tests: tests/system/test_takeover.c, tests/system/test_systemd.c.
 */
#include "daemon/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/supervisor.h"

static const char VARIABLE[] = "IPCD_TAKEOVER";

/* ---- finding --------------------------------------------------------------------------------- */

/* The descriptors of the variable: of the state, or -1, and the carriers. */
static int read_variable(const char *text, struct carriers *carriers)
{
    int state = -1;
    while (*text != '\0' && carriers->count < CARRIERS_MAX) {
        char *end;
        errno = 0;
        long fd = strtol(text, &end, 10);
        if (end == text || errno != 0 || fd <= STDERR_FILENO || fd > INT32_MAX ||
            fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
            break;
        }
        if (state < 0) {
            state = (int)fd;
        } else {
            carriers->fds[carriers->count++] = (int)fd;
        }
        text = *end == ',' ? end + 1 : end;
    }
    return state;
}

/* Where it was left: the descriptor of the state, or -1. */
static int find_state(struct carriers *carriers)
{
    const char *variable = getenv(VARIABLE);
    if (variable != NULL) {
        int state = read_variable(variable, carriers);
        (void)unsetenv(VARIABLE);
        return state;
    }
    return supervisor_left(carriers->fds, CARRIERS_MAX, &carriers->count);
}

static void close_by(void *data, int fd)
{
    closer_close(data, (uid_t)-1, fd);
}

void takeover_drop(struct takeover *takeover, struct closer *closer)
{
    state_reader_deinit(&takeover->state, close_by, closer);
    takeover->is_there = false;
}

static void refuse(struct takeover *takeover, const struct log *log, const char *why)
{
    log_line(log, LOG_LEVEL_ERROR,
             "what the daemon before this one has left cannot be taken over: %s; this one starts "
             "anew",
             why);
    takeover_drop(takeover, NULL);
}

void takeover_find(struct takeover *takeover, const struct log *log)
{
    struct carriers carriers = {.count = 0};
    char why[STATE_WHY_MAX];
    *takeover = (struct takeover){.is_there = false};
    int fd = find_state(&carriers);
    if (fd < 0) {
        carriers_close(&carriers);
        return;
    }
    int status = state_open(&takeover->state, fd, why);
    (void)close(fd);
    if (status < 0) {
        carriers_close(&carriers);
        refuse(takeover, log, why);
        return;
    }
    int *fds;
    uint32_t nfds;
    status = carriers_empty(&carriers, &fds, &nfds);
    state_give(&takeover->state, fds, nfds);
    takeover->is_there = status == 0;
    if (status < 0) {
        refuse(takeover, log, "its descriptors are too many for this process (RLIMIT_NOFILE)");
    }
}

const char *store_directory(const struct daemon *daemon)
{
    return daemon->durable.store == NULL ? "" : daemon->durable.directory;
}

/* ---- taking over ----------------------------------------------------------------------------- */

static int take_sockets(struct daemon *daemon, struct state_reader *state, struct row *row)
{
    uint32_t count = row_array(row);
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        int fd = state_take(state, row_uint(row));
        status = fd < 0 ? ERR_VALUE : listener_add(&daemon->listener, fd);
    }
    return status;
}

/* What was being closed is closed here. */
static int take_closing(struct daemon *daemon, struct state_reader *state, struct row *row)
{
    uint32_t count = row_array(row);
    for (uint32_t i = 0; i < count && !row->bad; i++) {
        uid_t uid = (uid_t)row_uint(row);
        int fd = state_take(state, row_uint(row));
        row->bad = row->bad || fd < 0;
        if (fd >= 0) {
            closer_close(daemon->closer, uid, fd);
        }
    }
    return row->bad ? ERR_VALUE : 0;
}

/* The address, the sockets, and what else the daemon itself has. */
static int take_own(struct daemon *daemon, struct state_reader *state, char why[STATE_WHY_MAX])
{
    struct row_reader reader = {.registry = &daemon->service.registry};
    enum state_kind kind;
    struct slice record;
    if (!state_next(state, &kind, &record) || kind != STATE_DAEMON) {
        return ERR_VALUE;
    }
    struct row row = {.rest = record, .reader = &reader};
    daemon->net.accepted = row_uint(&row);
    struct slice directory = row_bytes(&row);
    if (!slice_equal(directory, slice_of_string(store_directory(daemon)))) {
        (void)snprintf(why, STATE_WHY_MAX, "its durable objects are in \"%.*s\", and not in \"%s\"",
                       (int)directory.len, (const char *)directory.data, store_directory(daemon));
        return ERR_VALUE;
    }
    int status = address_take_over(&daemon->address, state, &row);
    status = status < 0 ? status : take_sockets(daemon, state, &row);
    status = status < 0 ? status : take_closing(daemon, state, &row);
    status = status < 0 ? status : row_close(&row, "the daemon");
    state_rewind(state);
    return status;
}

int daemon_take_over(struct daemon *daemon, struct takeover *takeover)
{
    char why[STATE_WHY_MAX] = "the record of the daemon itself is not what it should be";
    struct stored_rows stored = {.load = NULL};
    uint64_t begun = net_clock();
    if (daemon->durable.store != NULL) {
        stored = (struct stored_rows){durable_load_rows, &daemon->durable};
    }
    int status = take_own(daemon, &takeover->state, why);
    status = status < 0 ? status : net_take_over(&daemon->net, &takeover->state, &stored, why);
    if (status < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR,
                 "what the daemon before this one has left cannot be taken over: %s; this one "
                 "starts anew",
                 why);
        return status;
    }
    takeover_drop(takeover, daemon->closer);
    if (daemon->durable.store != NULL && durable_go_on(&daemon->durable) < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "out of memory for the durable store");
        return ERR_MEMORY;
    }
    /* From here on requests are run, and answers sent. */
    daemon->net.now = net_clock();
    daemon->service.now = daemon->net.now;
    service_upgraded(&daemon->service);
    log_line(&daemon->log, LOG_LEVEL_NOTICE,
             "ipcd " IPCD_VERSION " has taken over %" PRIu64 " sessions, %" PRIu64
             " objects and %" PRIu64 " waiting calls in %" PRIu64 " ms",
             daemon->service.accounts.sessions, daemon->service.accounts.objects,
             daemon->service.waiting, (daemon->net.now - begun) / 1000000);
    net_settle(&daemon->net);
    return 0;
}

int takeover_check(const struct options *options)
{
    struct log log;
    struct config config;
    struct fault fault;
    log_init(&log, STDERR_FILENO);
    char *end;
    long version = strtol(options->check_takeover, &end, 10);
    if (*end != '\0' || version < STATE_OLDEST || version > STATE_VERSION) {
        (void)fprintf(stderr,
                      "ipcd " IPCD_VERSION " takes over states of version %d to %d, not %s\n",
                      STATE_OLDEST, STATE_VERSION, options->check_takeover);
        return EXIT_FAILURE;
    }
    if (options->config != NULL && config_read(options->config, &config, &fault) < 0) {
        (void)fprintf(stderr, "%s\n", fault.text);
        return EXIT_FAILURE;
    }
    if (options->config != NULL) {
        config_deinit(&config);
    }
    return puts("ipcd " IPCD_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
}
