/* target: what all targets have in common; see target.h. */
#include "tools/ipcbench/target.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void target_key(uint32_t index, char key[KEY_SIZE + 1])
{
    (void)snprintf(key, KEY_SIZE + 1, "key:%07u", (unsigned)(index % 10000000));
}

/* One operation on the control connection. */
static int control(const struct target *target, enum operation operation)
{
    struct request request = {.operation = operation};
    struct stream stream;
    if (stream_init(&stream, target, target->control) < 0) {
        return -1;
    }
    int status = stream_call(&stream, &request);
    stream_deinit(&stream);
    return status;
}

static int open_objects(struct target *target)
{
    target->control = server_connect(target->server.socket);
    if (target->control < 0) {
        return fail("no connection to %s at %s: %s", target->plan.name, target->server.socket,
                    strerror(errno));
    }
    int status = 0;
    for (unsigned i = 0; status == 0 && i < target->protocol->objects; i++) {
        status = control(target, target->protocol->opens[i]);
    }
    if (status == 0) {
        server_identify(&target->server, target->control);
    }
    return status;
}

int target_start(struct target *target, const char *socket_path)
{
    target->control = -1;
    int status = socket_path != NULL ? server_attach(&target->server, &target->plan, socket_path)
                                     : server_start(&target->server, &target->plan);
    if (status == 0) {
        status = open_objects(target);
    }
    if (status < 0) {
        target_stop(target);
    }
    return status;
}

void target_stop(struct target *target)
{
    if (target->control >= 0) {
        (void)close(target->control);
        target->control = -1;
    }
    server_stop(&target->server);
}

int target_restart(struct target *target)
{
    target_stop(target);
    return target_start(target, NULL);
}

int target_clear(const struct target *target)
{
    int status = 0;
    for (unsigned i = 0; status == 0 && i < target->protocol->objects; i++) {
        status = control(target, target->protocol->clears[i]);
    }
    return status;
}
