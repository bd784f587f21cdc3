/*
 * A program of a user's own: strict C99 or C++, the public header alone, linked with the static
 * library. Its own functions have names that the library uses inside, which must not clash.
 */
#include <ipcclient.h>

int buffer_append(int value);
int error_set(int value);
int scan_run(int value);

int buffer_append(int value)
{
    return value + 1;
}

int error_set(int value)
{
    return value + 2;
}

int scan_run(int value)
{
    return value + 3;
}

static bool values_are_made(void)
{
    struct ipcc_value pair[2];
    struct ipcc_options options;
    struct ipcc_queue_options queue_options;
    IPCC_CLEANUP(ipcc_guard_release) struct ipcc_guard guard;
    memset(&options, 0, sizeof(options));
    memset(&queue_options, 0, sizeof(queue_options));
    memset(&guard, 0, sizeof(guard));
    pair[0] = ipcc_str("key");
    pair[1] = ipcc_float(0.5);
    return ipcc_map(pair, 1).kind == IPCC_MAP && ipcc_none().kind == IPCC_NONE &&
           ipcc_str(NULL).kind == IPCC_NIL && ipcc_bool(true).as.boolean &&
           ipcc_uint(7).as.unsigned_integer == 7 && ipcc_int(-7).as.integer == -7 &&
           ipcc_bin("xy", 2).length == 2 && ipcc_value_is_str(&pair[0], "key") &&
           options.path == NULL && queue_options.maxsize == 0 && guard.held == NULL &&
           IPCC_OMIT == INT64_MIN;
}

int main(void)
{
    struct ipcc_options options;
    struct ipcc *conn = NULL;
    memset(&options, 0, sizeof(options));
    options.path = "@ipcd-nobody-is-here";
    return values_are_made() && ipcc_open(&conn, &options) == IPCC_ERR_CONNECT &&
                   ipcc_call(conn, "server.ping", NULL, 0, NULL) == IPCC_ERR_ARGUMENT &&
                   buffer_append(0) + error_set(0) + scan_run(0) == 6
               ? 0
               : 1;
}
