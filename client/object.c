/*
 * object: functions for the rows of the method table that belong to no type: objects by name,
 * sessions, and the daemon itself.
 *
 * Tests: tests/system/test_client_session.c.
 */
#include "client/typed.h"
#include "client/reply.h"
#include "client/option.h"

/* A call of which the only or first param is a name. Unlike in the open functions, NULL is none. */
static int call_by_name(struct ipcc *conn, const struct typed_call *call, const char *name,
                        struct ipcc_reply *reply)
{
    reply_clear(reply);
    if (name == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a name, not NULL", call->method);
    }
    return typed_call(conn, call, reply);
}

int ipcc_object_describe(struct ipcc *conn, const char *name, struct ipcc_reply *reply)
{
    return call_by_name(conn, &(struct typed_call){"object.describe", {ipcc_str(name)}, 0}, name,
                        reply);
}

int ipcc_object_delete(struct ipcc *conn, const char *name)
{
    return call_by_name(conn, &(struct typed_call){"object.delete", {ipcc_str(name)}, 0}, name,
                        NULL);
}

int ipcc_object_close(struct ipcc *conn, const char *name)
{
    return call_by_name(conn, &(struct typed_call){"object.close", {ipcc_str(name)}, 0}, name,
                        NULL);
}

int ipcc_object_chmod(struct ipcc *conn, const char *name, unsigned mode)
{
    struct typed_call call = {"object.chmod", {ipcc_str(name), ipcc_int(mode)}, 0};
    return call_by_name(conn, &call, name, NULL);
}

int ipcc_object_chown(struct ipcc *conn, const char *name, int64_t uid, int64_t gid)
{
    struct typed_call call = {"object.chown",
                              {ipcc_str(name), uid < 0 ? ipcc_nil() : ipcc_int(uid),
                               gid < 0 ? ipcc_nil() : ipcc_int(gid)},
                              0};
    return call_by_name(conn, &call, name, NULL);
}

int ipcc_object_rename(struct ipcc *conn, const char *name, const char *new_name)
{
    struct typed_call call = {"object.rename", {ipcc_str(name), ipcc_str(new_name)}, 0};
    return call_by_name(conn, &call, new_name != NULL ? name : NULL, NULL);
}

int ipcc_object_list(struct ipcc *conn, const struct ipcc_object_filter *filter,
                     struct ipcc_reply *reply)
{
    struct option_map map = {.count = 0};
    reply_clear(reply);
    if (filter != NULL) {
        option_str(&map, "glob", filter->glob);
        option_str(&map, "type", filter->type);
        option_value(&map, "cursor", filter->cursor > 0 ? ipcc_uint(filter->cursor) : ipcc_none());
        option_value(&map, "limit", filter->limit > 0 ? ipcc_uint(filter->limit) : ipcc_none());
        option_true(&map, "waiting", filter->waiting);
        int status = CHECK_RESERVED(filter);
        if (status < 0) {
            return status;
        }
    }
    return typed_call(conn, &(struct typed_call){"object.list", {option_map_value(&map)}, 0},
                      reply);
}

int ipcc_server_ping(struct ipcc *conn, struct ipcc_value value, struct ipcc_reply *reply)
{
    return typed_call(conn, &(struct typed_call){"server.ping", {value}, 0}, reply);
}

int ipcc_server_methods(struct ipcc *conn, struct ipcc_reply *reply)
{
    return typed_call(conn, &(struct typed_call){.method = "server.methods"}, reply);
}

int ipcc_server_stats(struct ipcc *conn, struct ipcc_reply *reply)
{
    return typed_call(conn, &(struct typed_call){.method = "server.stats"}, reply);
}

int ipcc_session_list(struct ipcc *conn, struct ipcc_reply *reply)
{
    return typed_call(conn, &(struct typed_call){.method = "session.list"}, reply);
}

int ipcc_session_describe(struct ipcc *conn, uint64_t session, struct ipcc_reply *reply)
{
    struct ipcc_value number = session != 0 ? ipcc_uint(session) : ipcc_none();
    return typed_call(conn, &(struct typed_call){"session.describe", {number}, 0}, reply);
}

int ipcc_session_kill(struct ipcc *conn, uint64_t session)
{
    return typed_call_nil(conn, &(struct typed_call){"session.kill", {ipcc_uint(session)}, 0});
}
