/* cluster_double: see cluster_double.h. */
#include "tests/unit/engine/cluster_double.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/pack.h"

void cluster_send(struct cluster *cluster, struct request *request, struct slice key, size_t argc,
                  const struct slice *argv, uint64_t deadline_ms)
{
    assert_true(cluster->count < FAKE_REQUESTS_MAX && argc <= FAKE_STRINGS_MAX);
    struct fake_request *fake = &cluster->requests[cluster->count++];
    *fake = (struct fake_request){.request = request, .argc = argc, .deadline_ms = deadline_ms};
    for (size_t i = 0; i < argc; i++) {
        fake->argv[i] = calloc(1, argv[i].len + 1);
        assert_non_null(fake->argv[i]);
        if (argv[i].len > 0) {
            memcpy(fake->argv[i], argv[i].data, argv[i].len);
        }
    }
    cluster->sent++;
}

void cluster_gather(struct cluster *cluster)
{
}

void cluster_flush(struct cluster *cluster)
{
}

static struct request *take_first(struct cluster *cluster)
{
    assert_true(cluster->count > 0);
    struct request *request = cluster->requests[0].request;
    for (size_t i = 0; i < cluster->requests[0].argc; i++) {
        free(cluster->requests[0].argv[i]);
    }
    cluster->count--;
    memmove(&cluster->requests[0], &cluster->requests[1],
            cluster->count * sizeof(cluster->requests[0]));
    return request;
}

void cluster_forget(struct cluster *cluster, struct request *request)
{
    if (cluster->count > 0 && cluster->requests[0].request == request) {
        (void)take_first(cluster);
    }
}

static void reply(struct cluster *cluster, const char *const *strings, bool is_run)
{
    struct buffer packed = {0};
    size_t count = 0;
    while (strings[count] != NULL) {
        count++;
    }
    pack_array(&packed, is_run ? 2 : count);
    pack_string(&packed, strings[0]);
    if (is_run) {
        pack_array(&packed, count - 1);
    }
    for (size_t i = 1; i < count; i++) {
        pack_string(&packed, strings[i]);
    }
    assert_false(packed.failed);
    struct redisReply reply = {
        .type = REDIS_REPLY_STRING, .str = (char *)packed.data, .len = packed.len};
    struct request *request = take_first(cluster);
    request->done(request, &reply, REQUEST_DONE, NULL);
    buffer_deinit(&packed);
}

void fake_reply(struct cluster *cluster, const char *const *strings)
{
    reply(cluster, strings, false);
}

void fake_run(struct cluster *cluster, const char *const *strings)
{
    reply(cluster, strings, true);
}

void fake_error(struct cluster *cluster, const char *text)
{
    struct redisReply reply = {
        .type = REDIS_REPLY_ERROR, .str = (char *)(uintptr_t)text, .len = strlen(text)};
    struct request *request = take_first(cluster);
    request->done(request, &reply, REQUEST_DONE, NULL);
}

void fake_fate(struct cluster *cluster, enum request_fate fate, const char *why)
{
    struct request *request = take_first(cluster);
    request->done(request, NULL, fate, why);
}
