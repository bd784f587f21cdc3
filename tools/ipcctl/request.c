/* request: one call of a method; see request.h. */
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/value.h"
#include "tools/ipcctl/command_line/word.h"

#include <assert.h>
#include <stdio.h>

/* A daemon that owes an answer for longer hangs; with --timeout it is that time, but a second at
 * least: a short wait at a queue is not meant to be a short time to connect. */
enum { GUARD_MS = 10000, GUARD_LEAST_MS = 1000 };

void request_init(struct request *request, const char *method)
{
    *request = (struct request){.method = method};
}

void request_deinit(struct request *request)
{
    buffer_deinit(&request->bytes);
}

struct buffer *request_param(struct request *request)
{
    assert(request->count < REQUEST_PARAMS);
    request->starts[request->count++] = request->bytes.len;
    return &request->bytes;
}

void request_timeout(struct request *request, int64_t timeout_ms)
{
    request->wait_ms = timeout_ms;
    if (timeout_ms == IPCC_FOREVER) {
        pack_nil(request_param(request));
    } else {
        pack_int(request_param(request), timeout_ms);
    }
}

enum status request_words(struct context *context, struct request *request, size_t first)
{
    bool text = context->options[OPTION_TEXT].is;
    enum status status = STATUS_OK;
    for (size_t i = first; i < context->count && status == STATUS_OK; i++) {
        const struct argument *argument = command_argument(context->command, i);
        char error[WORD_ERROR_TEXT];
        if (request->count == REQUEST_PARAMS) {
            return report_usage(context, "a method takes at most %d params", REQUEST_PARAMS);
        }
        if (argument->kind == WORD_JSON) {
            status = value_pack_word(context, i, request_param(request));
        } else if (word_pack(context->words[i], argument->kind, text, request_param(request),
                             error) < 0) {
            status = report_usage(context, "%s", error);
        }
    }
    return status;
}

static int64_t guard_of(const struct context *context)
{
    const struct given *timeout = &context->options[OPTION_TIMEOUT];
    if (!timeout->is) {
        return GUARD_MS;
    }
    return timeout->number > GUARD_LEAST_MS ? timeout->number : GUARD_LEAST_MS;
}

int request_connect(struct context *context)
{
    struct ipcc_options wanted = {.path = context->options[OPTION_SOCKET].text,
                                  .client = context->client != NULL ? context->client : "ipcctl",
                                  .client_version = context->client != NULL ? NULL : IPCD_VERSION,
                                  .connect_timeout_ms = guard_of(context),
                                  .interruptible = context->interruptible};
    if (context->conn != NULL) {
        return 0;
    }
    return ipcc_open(&context->conn, &wanted);
}

int request_message_most(struct context *context, size_t *most)
{
    struct ipcc_reply greeting;
    int error = request_connect(context);
    error = error < 0 ? error : ipcc_greeting(context->conn, &greeting);
    if (error == 0) {
        struct ipcc_value limits = field(&greeting.value, "limits");
        *most = (size_t)field_int(&limits, "max_message");
        ipcc_reply_free(&greeting);
    }
    return error;
}

const char *request_host(struct context *context)
{
    struct ipcc_reply greeting;
    if (!context->host_known && request_connect(context) == 0 &&
        ipcc_greeting(context->conn, &greeting) == 0) {
        struct slice host = field_text(&greeting.value, "host");
        (void)snprintf(context->host, sizeof(context->host), "%.*s", (int)host.len,
                       (const char *)host.data);
        ipcc_reply_free(&greeting);
    }
    context->host_known = true;
    return context->host;
}

int64_t request_patience(const struct context *context)
{
    const struct given *timeout = &context->options[OPTION_TIMEOUT];
    return timeout->is ? timeout->number : IPCC_FOREVER;
}

/* How long the answer may take in all; 0: without limit. */
static int64_t limit_of(const struct context *context, const struct request *request)
{
    return request->wait_ms == IPCC_FOREVER ? 0 : request->wait_ms + guard_of(context);
}

int request_try_detail(struct context *context, struct request *request, struct ipcc_reply *reply)
{
    struct ipcc_value params[REQUEST_PARAMS];
    for (size_t i = 0; i < request->count; i++) {
        size_t end = i + 1 < request->count ? request->starts[i + 1] : request->bytes.len;
        params[i] = ipcc_raw(request->bytes.data + request->starts[i], end - request->starts[i]);
    }
    struct ipcc_request call = {.method = request->method,
                                .params = params,
                                .nparams = request->count,
                                .guard_ms = limit_of(context, request)};
    int error = IPCC_ERR_NO_MEMORY;
    *reply = (struct ipcc_reply){0};
    if (!request->bytes.failed) {
        error = request_connect(context);
        error = error < 0 ? error : ipcc_call_request(context->conn, &call, reply);
    }
    context->answer = *reply;
    request_deinit(request);
    return error;
}

int request_try(struct context *context, struct request *request, struct ipcc_reply *reply)
{
    struct ipcc_reply answer;
    struct ipcc_reply before = context->answer;
    int error = request_try_detail(context, request, &answer);
    if (error < 0 || reply == NULL) {
        ipcc_reply_free(&answer);
        context->answer = before;
    } else {
        *reply = answer;
    }
    return error;
}

enum status request_send(struct context *context, struct request *request, struct ipcc_reply *reply)
{
    int error = request_try(context, request, reply);
    return error < 0 ? report_call(context, error) : STATUS_OK;
}

struct ipcc_value field(const struct ipcc_value *map, const char *key)
{
    struct ipcc_value value;
    return ipcc_map_get(map, key, &value) == 0 ? value : ipcc_none();
}

int64_t field_int(const struct ipcc_value *map, const char *key)
{
    struct ipcc_value value = field(map, key);
    int64_t number;
    return ipcc_value_int(&value, &number) == 0 ? number : 0;
}

bool field_true(const struct ipcc_value *map, const char *key)
{
    struct ipcc_value value = field(map, key);
    return value.kind == IPCC_BOOL && value.as.boolean;
}

struct slice field_text(const struct ipcc_value *map, const char *key)
{
    struct ipcc_value value = field(map, key);
    return value.kind == IPCC_STR ? (struct slice){value.as.data, value.length}
                                  : (struct slice){(const uint8_t *)"", 0};
}
