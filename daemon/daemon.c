/*
 * daemon: see daemon.h.
 *
 * Tests: tests/system/test_startup.c.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/machine.h"
#include "daemon/supervisor.h"

/* What the process needs besides connections and what objects hold: standard error, the event
 * loop's, the sockets and the lock, one connection that is refused, what came with a message, what
 * waits to be closed. */
enum { DAEMON_DESCRIPTORS = 64 + CLOSING_FREE };

static const uint64_t ADDRESS_LOOK_NS = 1000000000;

static const int SIGNALS[DAEMON_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

void daemon_status(const struct daemon *daemon, char text[DAEMON_STATUS])
{
    const struct accounts *accounts = &daemon->service.accounts;
    (void)snprintf(text, DAEMON_STATUS,
                   "Serving %" PRIu64 " sessions, %" PRIu64 " objects, %" PRIu64 " bytes.",
                   accounts->sessions, accounts->objects, accounts->bytes);
}

/* As many descriptors as the process may have: each connection is one. */
static uint64_t raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return UINT64_MAX;
    }
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? before : limit.rlim_cur;
}

void daemon_fit_limits(const struct log *log, struct config *config)
{
    struct limits *limits = &config->limits;
    uint64_t descriptors = raise_descriptor_limit();
    struct machine_memory memory = machine_memory("");
    uint64_t own = descriptors < 2 * DAEMON_DESCRIPTORS ? descriptors / 2 : DAEMON_DESCRIPTORS;
    if (memory.bytes != UINT64_MAX) {
        limits_fit_memory(limits, config->given, memory.bytes);
        config->lowered |= limits_complete(limits, config->given);
    }
    for (int i = 0; i < LIMIT_COUNT; i++) {
        if ((config->lowered >> i & 1U) != 0) {
            const struct limit_row *row = &limit_rows[i];
            log_line(log, LOG_LEVEL_NOTICE, "%s is more than %s, and is %" PRIu64 " therefore",
                     row->name, limit_rows[row->whole].name, *limit_value(limits, row));
        }
    }
    if (!limits_fit(limits, descriptors - own)) {
        log_line(log, LOG_LEVEL_NOTICE,
                 "the process may have %" PRIu64 " descriptors (RLIMIT_NOFILE), fewer than its "
                 "own and max_sessions and max_descriptors together: these are lowered to %" PRIu64
                 " and %" PRIu64,
                 descriptors, limits->max_sessions, limits->max_descriptors);
    }
}

void daemon_set_spin(struct daemon *daemon)
{
    uint64_t length = daemon->options->embedded ? SPIN_NS : daemon->config.spin_us * 1000;
    spin_init(&daemon->net.spin, length, spin_processors);
}

static void stop(struct daemon *daemon, const char *why)
{
    const struct timeval limit = {.tv_sec = DAEMON_STOP_SECONDS};
    if (daemon->net.stopping) {
        (void)event_base_loopbreak(daemon->base);
        return;
    }
    log_line(&daemon->log, LOG_LEVEL_INFO, "stopping %s with %" PRIu64 " sessions", why,
             daemon->service.accounts.sessions);
    supervisor_stopping();
    alarm_deinit(&daemon->address_alarm);
    listener_deinit(&daemon->listener);
    (void)event_add(&daemon->stop_timer, &limit);
    net_stop(&daemon->net);
}

static void signal_came(evutil_socket_t number, short what, void *data)
{
    struct daemon *daemon = data;
    (void)what;
    switch (number) {
    case SIGHUP:
        daemon_reload(daemon);
        break;
    case SIGUSR1:
        if (daemon->engine != NULL) { /* what sessions hold there cannot be left to another one */
            stop(daemon, "on signal USR1");
        } else {
            upgrade_by_manager(daemon);
        }
        break;
    case SIGUSR2:
        upgrade_in_place(daemon);
        break;
    default:
        stop(daemon, number == SIGTERM ? "on signal TERM" : "on signal INT");
    }
}

static void nobody_left(void *data)
{
    stop(data, "as nobody is left who uses it,");
}

static void stop_time_over(evutil_socket_t fd, short what, void *data)
{
    struct daemon *daemon = data;
    (void)fd;
    (void)what;
    log_line(&daemon->log, LOG_LEVEL_NOTICE,
             "%" PRIu64 " sessions have not read their answers in %d seconds and are cut off",
             daemon->service.accounts.sessions, (int)DAEMON_STOP_SECONDS);
    (void)event_base_loopbreak(daemon->base);
}

static void watchdog_came(evutil_socket_t number, short what, void *data)
{
    struct daemon *daemon = data;
    char status[DAEMON_STATUS];
    (void)number;
    (void)what;
    alarm_rung(&daemon->watchdog);
    alarm_set(&daemon->watchdog, net_clock() + supervisor_interval() * 1000);
    daemon_status(daemon, status);
    supervisor_alive(status);
}

static void look_at_address(evutil_socket_t number, short what, void *data)
{
    struct daemon *daemon = data;
    (void)number;
    (void)what;
    alarm_rung(&daemon->address_alarm);
    alarm_set(&daemon->address_alarm, net_clock() + ADDRESS_LOOK_NS);
    int fd = address_check(&daemon->address, &daemon->log);
    if (fd >= 0 && listener_replace(&daemon->listener, fd) < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "out of memory for a listening socket");
    }
}

static int init_base(struct daemon *daemon)
{
    struct event_config *config = event_config_new();
    if (config != NULL) {
        (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        (void)event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
        daemon->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    return daemon->base == NULL ? ERR_INTERNAL : 0;
}

static void fill_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    for (int i = 0; i < DAEMON_SIGNALS; i++) {
        (void)sigaddset(signals, SIGNALS[i]);
    }
}

void daemon_block_signals(sigset_t *before)
{
    sigset_t signals;
    fill_signals(&signals);
    (void)sigprocmask(SIG_BLOCK, &signals, before);
}

static int init_signals(struct daemon *daemon)
{
    sigset_t signals;
    (void)signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < DAEMON_SIGNALS; i++) {
        if (event_assign(&daemon->signals[i], daemon->base, SIGNALS[i], EV_SIGNAL | EV_PERSIST,
                         signal_came, daemon) < 0 ||
            event_add(&daemon->signals[i], NULL) < 0) {
            return ERR_INTERNAL;
        }
    }
    fill_signals(&signals); /* if another daemon has executed this one, they wait */
    (void)sigprocmask(SIG_UNBLOCK, &signals, NULL);
    return 0;
}

/* What always runs are alarms, as the loop would set a timeout at each sleep for timers of its own.
 */
static int init_timers(struct daemon *daemon)
{
    uint64_t interval = supervisor_interval();
    if (event_assign(&daemon->stop_timer, daemon->base, -1, 0, stop_time_over, daemon) < 0 ||
        alarm_init(&daemon->watchdog, daemon->base, watchdog_came, daemon) < 0 ||
        alarm_init(&daemon->address_alarm, daemon->base, look_at_address, daemon) < 0) {
        return ERR_INTERNAL;
    }
    if (interval > 0) {
        alarm_set(&daemon->watchdog, net_clock() + interval * 1000);
    }
    return 0;
}

static int init_processes(struct daemon *daemon)
{
    if (!daemon->options->embedded) {
        return 0;
    }
    daemon->net.processes = &daemon->processes;
    return processes_init(
        &daemon->processes, daemon->base,
        &(struct processes_options){.lifeline = daemon->embedded.lifeline,
                                    .grace_ms = PROCESSES_GRACE_MS,
                                    .sessions = &daemon->service.accounts.sessions,
                                    .none_left = nobody_left,
                                    .data = daemon});
}

#ifdef CONTAIN_FAULTS
static void tell_fault(void *data, const struct object *object, const char *what)
{
    const struct daemon *daemon = data;
    log_line(&daemon->log, LOG_LEVEL_ERROR,
             "%s \"%s\" of user %u is sealed: %s. This is a fault of the daemon; please report it",
             object_type_name(object), object->name, (unsigned)object->uid, what);
}
#endif

/* Where an object is found broken it is sealed, and all others go on; a build for tests aborts. */
static void contain_faults(struct daemon *daemon)
{
#ifdef CONTAIN_FAULTS
    daemon->service.registry.listener = (struct fault_listener){tell_fault, daemon};
#endif
}

/* The store of durable objects, if there is to be one. */
static int open_store(struct daemon *daemon)
{
    const char *directory = durable_directory(daemon->options->state, &daemon->config);
    return directory == NULL || daemon->options->embedded
               ? 0
               : durable_open(&daemon->durable, directory, &daemon->config, &daemon->net);
}

/* The event loop and what runs in it. */
static int init_core(struct daemon *daemon)
{
    int status = init_base(daemon);
    status = status < 0 ? status : memory_init(&daemon->memory, daemon->base);
    status = status < 0 ? status : closer_new(&daemon->closer);
    if (status == 0) {
        status = service_init(&daemon->service, net_service_clock);
        daemon->has_service = status == 0;
    }
    if (status == 0) {
        daemon->service.accounts.limits = daemon->config.limits;
        contain_faults(daemon);
        daemon->service.accounts.closer = daemon->closer;
        status = net_init(&daemon->net, daemon->base, &daemon->service, &daemon->log);
        daemon->has_net = status == 0;
        daemon->net.memory = &daemon->memory;
        daemon_set_spin(daemon);
    }
    status = status < 0 ? status : init_signals(daemon);
    status = status < 0 ? status : init_timers(daemon);
    status = status < 0 ? status : init_processes(daemon);
    status = status < 0 ? status : upgrade_init(daemon);
    status = status < 0 ? status : listener_init(&daemon->listener, &daemon->net);
    if (status < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "cannot set up the event loop: %s",
                 strerror(errno));
    }
    return status;
}

/* What init_core has made, and the sockets. */
static void deinit_core(struct daemon *daemon)
{
    listener_deinit(&daemon->listener);
    if (daemon->has_net) {
        for (int i = 0; i < DAEMON_SIGNALS; i++) {
            if (event_initialized(&daemon->signals[i]) != 0) {
                (void)event_del(&daemon->signals[i]);
            }
        }
        if (event_initialized(&daemon->stop_timer) != 0) {
            (void)event_del(&daemon->stop_timer);
        }
        alarm_deinit(&daemon->watchdog);
        alarm_deinit(&daemon->address_alarm);
        upgrade_deinit(daemon);
        daemon->net.processes = NULL;
        processes_deinit(&daemon->processes);
        net_deinit(&daemon->net);
    }
    sharing_close(daemon);
    durable_deinit(&daemon->durable);
    if (daemon->has_service) {
        service_clear(&daemon->service);
        service_deinit(&daemon->service);
    }
    closer_free(daemon->closer);
    if (daemon->base != NULL) {
        memory_deinit(&daemon->memory);
        event_base_free(daemon->base);
        daemon->base = NULL;
    }
    daemon->closer = NULL;
    daemon->has_net = false;
    daemon->has_service = false;
}

/* Listens on a socket of its own. */
static int listen_at_endpoint(struct daemon *daemon)
{
    struct endpoint endpoint;
    struct fault fault;
    int status = daemon->options->embedded
                     ? embedded_endpoint(&daemon->embedded, &endpoint, &fault)
                     : endpoint_find(&daemon->config, daemon->options, &endpoint, &fault);
    if (status < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "%s", fault.text);
        return status;
    }
    const struct address_options options = {.path = endpoint.path,
                                            .mode = endpoint.mode,
                                            .group = endpoint.group,
                                            .parent = endpoint.parent};
    int fd = address_listen(&daemon->address, &options, &daemon->log);
    status = fd < 0 ? fd : listener_add(&daemon->listener, fd);
    if (status == 0) {
        alarm_set(&daemon->address_alarm, net_clock() + ADDRESS_LOOK_NS);
        log_line(&daemon->log, LOG_LEVEL_INFO, "ipcd " IPCD_VERSION " listens on %s, mode 0%o",
                 endpoint.path, (unsigned)endpoint.mode);
    }
    endpoint_deinit(&endpoint);
    return status;
}

/* Listens on the sockets that were passed, if there are any, else on its own. */
static int start_listening(struct daemon *daemon)
{
    int fds[LISTENER_SOCKETS];
    int count =
        daemon->options->embedded ? 0 : supervisor_sockets(fds, LISTENER_SOCKETS, &daemon->log);
    if (count <= 0) {
        return count < 0 ? count : listen_at_endpoint(daemon);
    }
    for (int i = 0; i < count; i++) {
        int status = listener_add(&daemon->listener, fds[i]);
        if (status < 0) {
            log_line(&daemon->log, LOG_LEVEL_ERROR, "cannot listen on a socket that was passed");
            return status;
        }
    }
    log_line(&daemon->log, LOG_LEVEL_INFO,
             "ipcd " IPCD_VERSION " listens on %d socket%s passed by the service manager", count,
             count == 1 ? "" : "s");
    return 0;
}

/* The sockets have been taken over; those that the service manager has passed again are the same.
 */
static int go_on_listening(struct daemon *daemon)
{
    int fds[LISTENER_SOCKETS];
    int count = supervisor_sockets(fds, LISTENER_SOCKETS, &daemon->log);
    for (int i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
    if (daemon->address.options.path != NULL) {
        alarm_set(&daemon->address_alarm, net_clock() + ADDRESS_LOOK_NS);
    }
    return 0;
}

/* From here on it can be told where the daemon listens. */
static void tell_socket(struct daemon *daemon)
{
    daemon->socket = address_text(daemon->listener.fds[0]);
    daemon->service.socket = daemon->socket;
}

static void log_limits(const struct daemon *daemon)
{
    char text[512] = "";
    size_t len = 0;
    struct limits limits = daemon->config.limits;
    for (int i = 0; i < LIMIT_COUNT && len < sizeof(text); i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, " %s=%" PRIu64, limit_rows[i].name,
                                *limit_value(&limits, &limit_rows[i]));
    }
    struct machine_memory memory = machine_memory("");
    log_line(&daemon->log, LOG_LEVEL_INFO, "limits:%s", text);
    log_line(&daemon->log, LOG_LEVEL_INFO, "memory: %" PRIu64 " bytes, %s", memory.bytes,
             memory.what);
}

static int read_config(struct daemon *daemon)
{
    struct fault fault;
    config_init(&daemon->config);
    int status = daemon->options->config == NULL
                     ? 0
                     : config_read(daemon->options->config, &daemon->config, &fault);
    if (status < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "%s", fault.text);
        return status;
    }
    daemon_fit_limits(&daemon->log, &daemon->config);
    return 0;
}

/* The core, with all that the daemon before this one had, if it has left anything. */
static int init_with_what_is_left(struct daemon *daemon)
{
    struct takeover takeover;
    takeover_find(&takeover, &daemon->log);
    int status = init_core(daemon);
    status = status < 0 ? status : open_store(daemon);
    bool has_taken_over = status == 0 && takeover.is_there;
    if (has_taken_over && daemon_take_over(daemon, &takeover) < 0) {
        has_taken_over = false;
        deinit_core(daemon);
        address_release(&daemon->address);
        takeover_drop(&takeover, NULL);
        status = init_core(daemon);
        status = status < 0 ? status : open_store(daemon);
    }
    if (status == 0 && !has_taken_over && daemon->durable.store != NULL) {
        status = durable_read(&daemon->durable);
    }
    return status;
}

int daemon_init(struct daemon *daemon, const struct options *options)
{
    *daemon = (struct daemon){.options = options,
                              .watchdog = {.fd = -1},
                              .address_alarm = {.fd = -1},
                              .address = {.lock_fd = -1}};
    log_init(&daemon->log, STDERR_FILENO);
    int status = options->embedded ? embedded_begin(&daemon->embedded, &daemon->log) : 0;
    status = status < 0 ? status : read_config(daemon);
    status = status < 0 ? status : init_with_what_is_left(daemon);
    status = status < 0 ? status : sharing_open(daemon);
    if (status == 0) {
        status = daemon->listener.count > 0 ? go_on_listening(daemon) : start_listening(daemon);
    }
    if (status == 0) {
        tell_socket(daemon);
        log_limits(daemon);
    }
    if (status == 0 && options->embedded) {
        embedded_ready(&daemon->embedded, daemon->address.options.path, &daemon->log);
    }
    return status;
}

int daemon_run(struct daemon *daemon)
{
    char status[DAEMON_STATUS];
    daemon_status(daemon, status);
    supervisor_ready(status);
    if (net_run(&daemon->net) < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "the event loop has failed: %s", strerror(errno));
        return ERR_INTERNAL;
    }
    if (daemon->durable.failed) {
        return ERR_STORAGE;
    }
    log_line(&daemon->log, LOG_LEVEL_INFO, "stopped after %" PRIu64 " sessions",
             daemon->net.accepted);
    return 0;
}

void daemon_deinit(struct daemon *daemon)
{
    deinit_core(daemon);
    address_release(&daemon->address);
    free(daemon->socket);
    embedded_end(&daemon->embedded);
    config_deinit(&daemon->config);
}
