/*
 * main: ipcd(8).
 *
 * Tests: tests/system/test_startup.c.
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/takeover.h"

/* Where the program lies, now, before it may be replaced. */
static void find_program(char out[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[len > 0 ? len : 0] = '\0';
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(argc, argv, &options);
    if (status != OPTIONS_RUN) {
        return status;
    }
    if (options.check_takeover != NULL) {
        return takeover_check(&options);
    }
    char program[PATH_MAX];
    find_program(program);
    options.program = program;
    memory_tune();
    struct daemon *daemon = malloc(sizeof(*daemon));
    if (daemon == NULL) {
        return EXIT_FAILURE;
    }
    status = daemon_init(daemon, &options);
    if (status == 0) {
        status = daemon_run(daemon);
    }
    daemon_deinit(daemon);
    free(daemon);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
