/*
 * sharing: see sharing.h.
 *
 * Tests: tests/hosts/, tests/system/test_startup.c.
 */
#include "daemon/sharing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"

/* Where the engine is to be; NULL: nowhere. */
static const char *url_of(const struct daemon *daemon)
{
    return daemon->options->engine != NULL ? daemon->options->engine : daemon->config.engine.url;
}

#ifdef HAVE_ENGINE

#include "daemon/engine/engine.h"
#include "daemon/engine/url.h"

enum { CREDENTIAL_PATH = 512, LEAVE_MS = 1000 };

/* A password must not be where others can read it: among the arguments of a process, or in a file
 * that is open to all. */
static int check_password(const struct daemon *daemon, const struct url *url)
{
    const struct options *options = daemon->options;
    struct stat info;
    if (url->password == NULL) {
        return 0;
    }
    if (options->engine != NULL) {
        log_line(&daemon->log, LOG_LEVEL_ERROR,
                 "a password on the command line can be read by everybody: put it into a file, "
                 "which password_file of [engine] in the configuration names");
        return ERR_VALUE;
    }
    if (stat(options->config, &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH)) == 0) {
        return 0;
    }
    log_line(
        &daemon->log, LOG_LEVEL_ERROR,
        "%s has a password in it and can be read by others: chmod 0600 it, or put the password "
        "into a file that password_file of [engine] names",
        options->config);
    return ERR_VALUE;
}

static int check_url(const struct daemon *daemon)
{
    struct url url;
    char *error;
    int status = url_parse(url_of(daemon), &url, &error);
    if (status < 0) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "engine: %s",
                 error != NULL ? error : "out of memory");
        free(error);
        return status;
    }
    status = check_password(daemon, &url);
    url_deinit(&url);
    return status;
}

/* The file with the password: that of the configuration, or the unit's credential, if it has one.
 */
static const char *password_file(const struct daemon *daemon, char path[CREDENTIAL_PATH])
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (daemon->config.engine.password_file != NULL || directory == NULL) {
        return daemon->config.engine.password_file;
    }
    (void)snprintf(path, CREDENTIAL_PATH, "%s/engine-password", directory);
    return access(path, R_OK) == 0 ? path : NULL;
}

static void answered(void *data)
{
    struct daemon *daemon = data;
    net_settle(&daemon->net);
}

static void say(void *data, const char *text)
{
    const struct daemon *daemon = data;
    log_line(&daemon->log, LOG_LEVEL_WARNING, "engine: %s", text);
}

static bool has_name(void *data, const char *name)
{
    const struct daemon *daemon = data;
    return engine_config_has(&daemon->config.engine, name);
}

int sharing_open(struct daemon *daemon)
{
    const struct engine_config *config = &daemon->config.engine;
    char path[CREDENTIAL_PATH];
    if (url_of(daemon) == NULL || daemon->options->embedded) {
        return 0;
    }
    const struct engine_options options = {
        .url = url_of(daemon),
        .realm = config->realm != NULL ? config->realm : "ipcd",
        .host = config->host,
        .has_name = has_name,
        .lease_ms = config->lease_ms,
        .timeout_ms = config->timeout_ms,
        .wait_replicas = (unsigned)config->wait_replicas,
        .user = config->user,
        .password_file = password_file(daemon, path),
        .ca_file = config->ca_file,
        .certificate_file = config->certificate_file,
        .key_file = config->key_file,
        .answered = answered,
        .say = say,
        .data = daemon,
    };
    char *error = NULL;
    int status = check_url(daemon);
    if (status == 0) {
        status = engine_open(daemon->base, &daemon->service, &options, &daemon->engine, &error);
        if (status < 0) {
            log_line(&daemon->log, LOG_LEVEL_ERROR, "engine: %s",
                     error != NULL ? error : "out of memory");
            free(error);
        }
    }
    return status;
}

void sharing_close(struct daemon *daemon)
{
    if (daemon->engine != NULL) {
        engine_leave(daemon->engine, LEAVE_MS);
        engine_close(daemon->engine);
        daemon->engine = NULL;
    }
}

#else

int sharing_open(struct daemon *daemon)
{
    if (url_of(daemon) == NULL) {
        return 0;
    }
    log_line(&daemon->log, LOG_LEVEL_ERROR,
             "this ipcd was built without engines: it needs hiredis (meson option engine)");
    return ERR_UNSUPPORTED;
}

void sharing_close(struct daemon *daemon)
{
}

#endif
