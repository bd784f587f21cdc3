/*
 * main: ipcd(8).
 *
 * Tests: tests/system/test_startup.c.
 */
#include <stdlib.h>

#include "daemon/daemon.h"

int main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(argc, argv, &options);
    if (status != OPTIONS_RUN) {
        return status;
    }
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
