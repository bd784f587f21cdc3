/*
 * reload: the configuration file is read again; see daemon.h.
 *
 * Tests: tests/system/test_startup.c, tests/system/test_limits.c.
 */
#include <inttypes.h>

#include "daemon/daemon.h"
#include "daemon/supervisor.h"

/* Logs each limit that is another one now; how many there are. */
static int log_limits(const struct log *log, struct limits *before, struct limits *after)
{
    int changes = 0;
    for (int i = 0; i < LIMIT_COUNT; i++) {
        uint64_t old = *limit_value(before, &limit_rows[i]);
        uint64_t new = *limit_value(after, &limit_rows[i]);
        if (old != new) {
            log_line(log, LOG_LEVEL_NOTICE, "%s: %" PRIu64 " -> %" PRIu64, limit_rows[i].name, old,
                     new);
            changes++;
        }
    }
    return changes;
}

static int log_text(const struct log *log, const char *name, const char *before, const char *after)
{
    before = before != NULL ? before : "the default";
    after = after != NULL ? after : "the default";
    if (strcmp(before, after) == 0) {
        return 0;
    }
    log_line(log, LOG_LEVEL_NOTICE, "socket %s: %s -> %s, from the next start on", name, before,
             after);
    return 1;
}

/* Logs whether section [store] is another one now. */
static bool log_store(const struct log *log, const struct config *before,
                      const struct config *after)
{
    const char *was = before->state != NULL ? before->state : "";
    const char *is = after->state != NULL ? after->state : "";
    bool differs = strcmp(was, is) != 0 || before->sync != after->sync ||
                   before->interval_ms != after->interval_ms || before->reserve != after->reserve;
    if (differs) {
        log_line(log, LOG_LEVEL_NOTICE, "section [store] has changed: from the next start on");
    }
    return differs;
}

static int log_changes(const struct log *log, struct config *before, struct config *after)
{
    int changes = log_limits(log, &before->limits, &after->limits);
    changes += log_text(log, "path", before->path, after->path);
    changes += log_text(log, "group", before->group, after->group);
    if (before->mode != after->mode) {
        log_line(log, LOG_LEVEL_NOTICE, "socket mode: 0%o -> 0%o, from the next start on",
                 (unsigned)before->mode, (unsigned)after->mode);
        changes++;
    }
    if (before->spin_us != after->spin_us) {
        log_line(log, LOG_LEVEL_NOTICE, "spin: %" PRIu64 " -> %" PRIu64, before->spin_us,
                 after->spin_us);
        changes++;
    }
    if (log_store(log, before, after)) {
        changes++;
    }
    if (!engine_config_equal(&before->engine, &after->engine)) {
        log_line(log, LOG_LEVEL_NOTICE, "section [engine] has changed: from the next start on");
        changes++;
    }
    return changes;
}

static void reload_file(struct daemon *daemon, const char *file)
{
    const struct log *log = &daemon->log;
    struct config config;
    struct fault fault;
    if (config_read(file, &config, &fault) < 0) {
        log_line(log, LOG_LEVEL_ERROR, "%s; the configuration stays as it was", fault.text);
        return;
    }
    daemon_fit_limits(log, &config);
    if (log_changes(log, &daemon->config, &config) == 0) {
        log_line(log, LOG_LEVEL_NOTICE, "%s was read again; nothing has changed", file);
    }
    daemon->service.accounts.limits = config.limits;
    config_deinit(&daemon->config);
    daemon->config = config;
    daemon_set_spin(daemon);
}

void daemon_reload(struct daemon *daemon)
{
    char status[DAEMON_STATUS];
    supervisor_reloading();
    if (daemon->options->config == NULL) {
        log_line(&daemon->log, LOG_LEVEL_NOTICE,
                 "there is no configuration to read again: ipcd was started without --config");
    } else {
        reload_file(daemon, daemon->options->config);
    }
    daemon_status(daemon, status);
    supervisor_ready(status);
}
