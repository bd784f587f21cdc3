/* functions: see functions.h. Tests: tests/unit/engine/test_cluster.c,
 * tests/unit/engine/test_redis.c. */
#include "daemon/engine/functions.h"

#include <stdio.h>
#include <string.h>

#include "daemon/engine/command.h"
#include "daemon/engine/refusal.h"
#include "proto/error.h"

enum {
    LOAD_PATIENCE_MS = 1000, /* it is compiled */
};

int functions_init(struct functions *functions, struct slice library)
{
    const struct slice argv[] = {slice_of_string("FUNCTION"), slice_of_string("LOAD"), library};
    *functions = (struct functions){0};
    if (library.len > 0) {
        command_print(&functions->load, 3, argv);
    }
    return functions->load.failed ? ERR_MEMORY : 0;
}

void functions_deinit(struct functions *functions)
{
    buffer_deinit(&functions->load);
}

bool functions_has_library(const struct functions *functions)
{
    return functions->load.len > 0;
}

/* Somebody else may have loaded it in the meantime. */
static bool is_there(const struct redisReply *reply)
{
    return reply->type != REDIS_REPLY_ERROR || strstr(reply->str, "already exists") != NULL;
}

static void on_loaded(void *data, struct redisReply *reply)
{
    struct node *node = data;
    struct functions *functions = node->functions;
    node->loading = false;
    if (reply == NULL) {
        return;
    }
    if (is_there(reply)) {
        functions->loads += reply->type != REDIS_REPLY_ERROR;
        functions->loaded(functions->data, node, NULL, false);
    } else {
        char why[256];
        enum refusal_kind kind =
            refusal_of((struct slice){(const uint8_t *)reply->str, reply->len}).kind;
        (void)snprintf(why, sizeof(why), "%s does not take the library of functions: %s",
                       node->name, reply->str);
        functions->loaded(functions->data, node, why,
                          kind == REFUSAL_NONE || kind == REFUSAL_FINAL);
    }
    reader_free_reply(reply);
}

int functions_load(struct functions *functions, struct node *node)
{
    if (node->loading) {
        return 0;
    }
    node->functions = functions;
    int status = pipeline_send(&node->commands, buffer_slice(&functions->load), LOAD_PATIENCE_MS,
                               on_loaded, node);
    node->loading = status == 0;
    return status;
}
