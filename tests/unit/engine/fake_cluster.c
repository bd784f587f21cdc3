/* fake_cluster: see fake_cluster.h. */
#include "tests/unit/engine/fake_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

static const char *script(struct fake_redis *fake, struct fake_connection *connection, size_t argc,
                          const char *const *argv)
{
    struct fake_cluster *stage = fake->data;
    size_t node = (size_t)(fake - stage->nodes);
    if (strcmp(argv[0], "GET") == 0 || strcmp(argv[0], "FCALL") == 0 ||
        strcmp(argv[0], "SSUBSCRIBE") == 0) {
        const char *answer = stage->answers[node][stage->next[node]];
        if (answer != NULL) {
            stage->next[node]++;
            return answer;
        }
    } else if (strcmp(argv[0], "FUNCTION") == 0) {
        stage->loads++;
        return stage->load_answer;
    } else if (strcmp(argv[0], "ROLE") == 0 && stage->role_answer[node] != NULL) {
        return stage->role_answer[node];
    } else if (strcmp(argv[0], "ASKING") == 0) {
        stage->asking[node]++;
    } else if (strcmp(argv[0], "WAIT") == 0) {
        stage->waits++;
        (void)snprintf(stage->wait, sizeof(stage->wait), "%s %s", argv[1], argv[2]);
    }
    return FAKE_ORDINARY;
}

void fake_cluster_set_map(struct fake_cluster *stage, size_t count, size_t first)
{
    uint16_t ports[NODES];
    for (size_t i = 0; i < count; i++) {
        ports[i] = stage->nodes[first + i].port;
    }
    free(stage->slots);
    stage->slots = fake_slots("", ports, count);
    for (size_t i = 0; i < NODES; i++) {
        stage->nodes[i].slots = stage->slots;
    }
}

int fake_cluster_setup(void **state)
{
    struct fake_cluster *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    caller_init(&stage->caller);
    for (size_t i = 0; i < NODES; i++) {
        fake_start(&stage->nodes[i], stage->caller.base, script, stage);
    }
    stage->load_answer = "$4\r\nipcd\r\n";
    fake_cluster_set_map(stage, 1, 0);
    *state = stage;
    return 0;
}

int fake_cluster_teardown(void **state)
{
    struct fake_cluster *stage = *state;
    for (size_t i = 0; i < NODES; i++) {
        fake_stop(&stage->nodes[i]);
    }
    caller_close(&stage->caller);
    free(stage->slots);
    free(stage);
    return 0;
}

void fake_cluster_open(struct fake_cluster *stage)
{
    char url[96];
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u,127.0.0.1:%u", stage->nodes[0].port,
                   stage->nodes[1].port);
    caller_open(&stage->caller, url);
    caller_await_reachable(&stage->caller, true);
}

void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" should say \"%s\"", text, part);
    }
}

struct cluster_figures fake_cluster_figures(struct fake_cluster *stage)
{
    struct cluster_figures figures;
    cluster_figures(stage->caller.cluster, &figures);
    return figures;
}

const char *fake_cluster_naming(const struct fake_cluster *stage, const char *form, size_t node)
{
    static char texts[4][64];
    static unsigned next;
    next = (next + 1) % 4;
    (void)snprintf(texts[next], sizeof(texts[next]), form, stage->nodes[node].port);
    return texts[next];
}
