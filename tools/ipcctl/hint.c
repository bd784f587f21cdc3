/* hint: what can be done about a call that failed; see hint.h. */
#include "tools/ipcctl/hint.h"
#include "tools/ipcctl/command_line/nearest.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    NAMES_MOST = 10000, /* names that are compared, as many as one answer has */
    PATIENCE_MS = 1000, /* with another daemon */
};

static const char system_path[] = "/run/ipcd/ipcd.sock";

/* True if the message is that nobody listens at the socket, and not that somebody hangs. */
static bool nobody_is_there(int error, const char *message)
{
    return error == IPCC_ERR_CONNECT && (strstr(message, strerror(ENOENT)) != NULL ||
                                         strstr(message, strerror(ECONNREFUSED)) != NULL);
}

/* The name of which the message says that it is not there, if it is shown as it is. */
static bool missing_name(const char *message, struct slice *name)
{
    static const char before[] = "there is no object \"";
    const char *at = strstr(message, before);
    if (at == NULL) {
        return false;
    }
    at += strlen(before);
    *name = (struct slice){(const uint8_t *)at, strcspn(at, "\"\\")};
    return name->len > 0 && at[name->len] == '"';
}

/* ---- a name that is near ---- */

/* The nearest of the names that are there, of that type if it is not NULL. */
static struct nearest near_name(struct context *context, struct slice name, const char *type)
{
    struct nearest nearest = nearest_to(name);
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "object.list");
    struct buffer *filter = request_param(&request);
    pack_map(filter, type != NULL ? 2 : 1);
    pack_key_int(filter, "limit", NAMES_MOST);
    if (type != NULL) {
        pack_key_string(filter, "type", type);
    }
    if (request_try(context, &request, &reply) < 0) {
        return nearest;
    }
    struct ipcc_value objects = field(&reply.value, "objects");
    struct ipcc_walk walk = ipcc_walk_of(&objects);
    struct ipcc_value object;
    while (ipcc_walk_next(&walk, &object)) {
        nearest_offer(&nearest, field_text(&object, "name"));
    }
    ipcc_reply_free(&reply);
    return nearest;
}

/* ---- another daemon ---- */

/* The path of the socket that the answer came from; "" if it has none. */
static void asked_path(const struct context *context, struct sockaddr_un *address)
{
    socklen_t length = sizeof(*address) - 1;
    *address = (struct sockaddr_un){0};
    if (getpeername(ipcc_fd(context->conn), (struct sockaddr *)address, &length) < 0) {
        address->sun_path[0] = '\0';
    }
}

/* Whether the daemon at that path has the object: 0, IPCC_ERR_NOT_FOUND, or why that is not known.
 */
static int ask(const char *path, struct slice name)
{
    const struct ipcc_options wanted = {.path = path,
                                        .client = "ipcctl",
                                        .client_version = IPCD_VERSION,
                                        .connect_timeout_ms = PATIENCE_MS};
    struct ipcc *conn = NULL;
    struct ipcc_reply reply = {0};
    const struct ipcc_value param = ipcc_strn((const char *)name.data, name.len);
    const struct ipcc_request request = {
        .method = "object.describe", .params = &param, .nparams = 1, .guard_ms = PATIENCE_MS};
    int error = ipcc_open(&conn, &wanted);
    error = error < 0 ? error : ipcc_call_request(conn, &request, &reply);
    ipcc_reply_free(&reply);
    (void)ipcc_close(conn);
    return error;
}

/* Both a user's and the system's daemon may be there: which one was asked, and whether the other
 * has the name. True if it has. */
static bool put_other_daemon(struct buffer *out, const struct context *context, struct slice name)
{
    struct sockaddr_un asked;
    char user_path[sizeof(asked.sun_path)];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int len =
        snprintf(user_path, sizeof(user_path), "%s/ipcd/ipcd.sock", runtime != NULL ? runtime : "");
    asked_path(context, &asked);
    bool is_user = strcmp(asked.sun_path, user_path) == 0;
    if (runtime == NULL || runtime[0] == '\0' || len >= (int)sizeof(user_path) ||
        (!is_user && strcmp(asked.sun_path, system_path) != 0)) {
        return false;
    }
    const char *other = is_user ? system_path : user_path;
    int error = ask(other, name);
    if (error < 0 && error != IPCC_ERR_NOT_FOUND) {
        return false;
    }
    text_format(out, "; asked was the %s daemon (%s), and the %s (--socket=%s) has %s",
                is_user ? "user's" : "system's", asked.sun_path, is_user ? "system's" : "user's",
                other, error == 0 ? "one" : "none either");
    return error == 0;
}

/* ---- */

static void put_missing(struct buffer *out, struct context *context, const char *message)
{
    size_t word;
    enum word_kind kind;
    struct slice name;
    char hint[NEAREST_HINT];
    bool has_subject = find_subject(context, &word, &kind);
    const char *type = has_subject ? word_type(kind) : NULL;
    bool elsewhere = false;
    struct nearest nearest = nearest_to((struct slice){0});
    if (missing_name(message, &name)) {
        nearest = near_name(context, name, type);
        text_put(out, nearest_hint(&nearest, "\"", "\"", hint));
        elsewhere = put_other_daemon(out, context, name);
    }
    if (type != NULL && !elsewhere && nearest.word[0] == '\0') {
        text_format(out, "; 'ipcctl create %s' makes one", type);
    }
}

/* --type may be a word that is no type. */
static void put_type(struct buffer *out, const struct given *type)
{
    char hint[NEAREST_HINT];
    if (type->is) {
        struct nearest nearest = command_nearest_type(type->text);
        text_put(out, nearest_hint(&nearest, "", "", hint));
    }
}

void hint_put(struct buffer *out, struct context *context, int error, const char *message)
{
    size_t word;
    enum word_kind kind;
    if (nobody_is_there(error, message)) {
        text_put(out, "; start it with 'systemctl start ipcd' or 'ipcd --socket=PATH', or name the "
                      "socket of one that runs with --socket");
    } else if (error == IPCC_ERR_BAD_REQUEST) {
        put_type(out, &context->options[OPTION_TYPE]);
    } else if (error == IPCC_ERR_NOT_FOUND) {
        put_missing(out, context, message);
    } else if (error == IPCC_ERR_NOT_OWNER && find_subject(context, &word, &kind) &&
               kind == WORD_LOCK) {
        text_put(out, "; 'ipcctl lock break' takes it from its holder");
    }
}
