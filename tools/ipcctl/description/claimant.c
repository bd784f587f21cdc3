/* claimant: whose a claim is; see claimant.h. */
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { NAME_SIZE = CONTEXT_HOST + 24 }; /* "HOST:NUMBER" */

/* The whole name, that of the daemon that was asked included. Empty: it is no session. */
static void whole_name(struct context *context, const struct ipcc_value *map, char out[NAME_SIZE])
{
    struct ipcc_value session = field(map, "session");
    out[0] = '\0';
    if (session.kind == IPCC_INT) {
        (void)snprintf(out, NAME_SIZE, "%s:%" PRId64, request_host(context), session.as.integer);
    } else if (session.kind == IPCC_STR) {
        (void)snprintf(out, NAME_SIZE, "%.*s", (int)session.length, session.as.str);
    }
}

/* True if it is a session of the daemon that was asked. */
static bool is_here(struct context *context, const struct ipcc_value *map)
{
    struct ipcc_value session = field(map, "session");
    const char *host;
    if (session.kind != IPCC_STR) {
        return true;
    }
    host = request_host(context);
    size_t len = strlen(host);
    return len > 0 && session.length > len && memcmp(session.as.str, host, len) == 0 &&
           session.as.str[len] == ':';
}

void claimant_put_session(struct buffer *out, const struct ipcc_value *map)
{
    struct ipcc_value session = field(map, "session");
    if (session.kind == IPCC_INT) {
        text_format(out, "%" PRId64, session.as.integer);
    } else if (session.kind == IPCC_STR) {
        text_plain(out, (struct slice){session.as.data, session.length});
    } else {
        text_put(out, "-");
    }
}

void claimant_session(struct table *table, const struct ipcc_value *map)
{
    claimant_put_session(table_text(table), map);
    table_cell(table);
}

/* The name of the program of a process of this machine; false if it is not known. */
static bool put_program(struct buffer *out, int64_t pid)
{
    char path[64];
    char name[64];
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/comm", pid);
    int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t len = fd >= 0 ? read(fd, name, sizeof(name)) : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (len > 1) { /* the name and a newline */
        text_name(out, (struct slice){(const uint8_t *)name, (size_t)len - 1});
    }
    return len > 1;
}

void claimant_put_program(struct context *context, struct buffer *out, const struct ipcc_value *map)
{
    if (!is_here(context, map) || !put_program(out, field_int(map, "pid"))) {
        text_put(out, "-");
    }
}

void claimant_program(struct context *context, struct table *table, const struct ipcc_value *map)
{
    claimant_put_program(context, table_text(table), map);
    table_cell(table);
}

void claimant_put(struct context *context, struct buffer *out, const struct ipcc_value *claim)
{
    text_put(out, "session ");
    claimant_put_session(out, claim);
    if (field(claim, "pid").kind != IPCC_INT) {
        return;
    }
    text_format(out, ", pid %" PRId64, field_int(claim, "pid"));
    if (is_here(context, claim)) {
        text_put(out, " (");
        claimant_put_program(context, out, claim);
        text_put(out, ")");
    }
}

bool claimant_same(struct context *context, const struct ipcc_value *a, const struct ipcc_value *b)
{
    char one[NAME_SIZE];
    char other[NAME_SIZE];
    whole_name(context, a, one);
    whole_name(context, b, other);
    return one[0] != '\0' && strcmp(one, other) == 0;
}

bool claimant_own(struct context *context, const struct ipcc_value *map)
{
    uint64_t own = 0;
    char name[NAME_SIZE];
    char own_name[NAME_SIZE];
    (void)ipcc_session(context->conn, &own);
    (void)snprintf(own_name, sizeof(own_name), "%s:%" PRIu64, request_host(context), own);
    whole_name(context, map, name);
    return strcmp(name, own_name) == 0;
}
