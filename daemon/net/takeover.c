/*
 * takeover: see takeover.h.
 *
 * Tests: tests/system/test_takeover.c.
 */
#include "daemon/net/takeover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/net/connection.h"
#include "daemon/net/peer.h"
#include "daemon/objects/allocation.h"

enum { CARRIED_AT_ONCE = DESCRIPTORS_MAX };

/* ---- carriers -------------------------------------------------------------------------------- */

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(CARRIED_AT_ONCE * sizeof(int))];
};

/* Sends some, with a byte. 0, or -1 with errno. */
static int carry(int socket, const int *fds, uint32_t count)
{
    union control control = {{0}};
    char byte = 0;
    struct iovec iovec = {&byte, 1};
    struct msghdr header = {.msg_iov = &iovec, .msg_iovlen = 1};
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Fills one carrier: how many it has taken; or -1 with errno, and there is none. */
static int64_t fill_one(struct carriers *carriers, const int *fds, uint32_t nfds)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return -1;
    }
    uint32_t done = 0;
    int status = 0;
    while (done < nfds && status == 0) {
        uint32_t count = nfds - done < CARRIED_AT_ONCE ? nfds - done : CARRIED_AT_ONCE;
        status = carry(pair[0], fds + done, count);
        done += status == 0 ? count : 0;
    }
    (void)close(pair[0]); /* what is in the queue of the other one stays there */
    if (done == 0 || (status < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) {
        int error = errno;
        (void)close(pair[1]);
        errno = error;
        return -1;
    }
    carriers->fds[carriers->count++] = pair[1];
    return done;
}

int carriers_fill(struct carriers *carriers, const int *fds, uint32_t nfds)
{
    *carriers = (struct carriers){.count = 0};
    uint32_t done = 0;
    while (done < nfds) {
        int64_t more = -1;
        errno = EMFILE;
        if (carriers->count < CARRIERS_MAX) {
            more = fill_one(carriers, fds + done, nfds - done);
        }
        if (more < 0) {
            int error = errno;
            carriers_close(carriers);
            errno = error;
            return ERR_MEMORY;
        }
        done += (uint32_t)more;
    }
    return 0;
}

void carriers_close(struct carriers *carriers)
{
    for (unsigned i = 0; i < carriers->count; i++) {
        (void)close(carriers->fds[i]);
    }
    carriers->count = 0;
}

/* Makes room for what one message brings. */
static int reserve(int **fds, uint32_t nfds)
{
    void *grown = realloc(*fds, ((size_t)nfds + CARRIED_AT_ONCE) * sizeof(int));
    if (grown == NULL) {
        return ERR_MEMORY;
    }
    *fds = grown;
    return 0;
}

/* One message: 1, or 0 at the end; ERR_MEMORY: some of the descriptors could not be had. */
static int unload(int socket, int *fds, uint32_t *nfds)
{
    union control control;
    char byte;
    struct iovec iovec = {&byte, 1};
    struct msghdr header = {.msg_iov = &iovec, .msg_iovlen = 1};
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof(control.bytes);
    ssize_t len = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len <= 0) {
        return len == 0 ? 0 : ERR_MEMORY;
    }
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(&header, cmsg)) {
        if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
            size_t size = cmsg->cmsg_len - CMSG_LEN(0);
            memcpy(fds + *nfds, CMSG_DATA(cmsg), size);
            *nfds += (uint32_t)(size / sizeof(int));
        }
    }
    return (header.msg_flags & MSG_CTRUNC) != 0 ? ERR_MEMORY : 1;
}

int carriers_empty(struct carriers *carriers, int **fds, uint32_t *nfds)
{
    int status = 0;
    *fds = NULL;
    *nfds = 0;
    for (unsigned i = 0; i < carriers->count && status >= 0; i++) {
        do {
            status = reserve(fds, *nfds);
            status = status < 0 ? status : unload(carriers->fds[i], *fds, nfds);
        } while (status > 0);
    }
    carriers_close(carriers);
    return status;
}

/* ---- handing over ---------------------------------------------------------------------------- */

static void save_set(const struct descriptor_set *set, struct state_writer *state,
                     struct buffer *out)
{
    const struct refusal *refusal = &set->refusal;
    bool refused = set->lost == ERR_LIMIT;
    pack_uint(out, set->from);
    pack_uint(out, set->until);
    pack_uint(out, set->count);
    pack_int(out, set->lost);
    pack_uint(out, refused ? (uint64_t)(refusal->limit - limit_rows) : 0);
    pack_uint(out, refusal->used);
    pack_uint(out, refusal->wanted);
    pack_uint(out, refusal->max);
    pack_uint(out, refusal->reserve);
    pack_uint(out, refusal->uid);
    pack_array(out, set->held);
    for (unsigned i = 0; i < set->held; i++) {
        pack_uint(out, state_add(state, set->fds[i]));
    }
}

static void save_input(const struct stream *stream, struct state_writer *state, struct buffer *out)
{
    const struct rest *rest = stream->rest;
    const struct descriptor_set *set;
    size_t count = 0;
    pack_bin(out, rest == NULL ? (struct slice){0} : (struct slice){rest->data, rest->len});
    size_t at = pack_array_begin(out);
    STAILQ_FOREACH (set, &stream->descriptors, link) {
        save_set(set, state, out);
        count++;
    }
    pack_array_end(out, at, count);
}

static void save_connection(void *data, const struct session *session, struct saver *saver,
                            struct buffer *out)
{
    const struct connection *connection = (const struct connection *)session;
    const struct stream *stream = &connection->stream;
    pack_uint(out, state_add(saver->state, stream->fd));
    pack_bool(out, stream->ended);
    pack_uint(out, connection->leaving);
    pack_uint(out, connection->reads);
    pack_bool(out, connection->paused);
    pack_bool(out, connection->later || connection->held_up || connection->stalled);
    pack_bool(out, connection->closing);
    pack_bool(out, connection->hurried);
    pack_bool(out, connection->gone || session->output.bytes.failed);
    pack_bool(out, connection->incomplete.listed);
    pack_uint(out, connection->incomplete.heard);
    save_input(stream, saver->state, out);
}

static struct moment moment_now(void)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct moment){.monotonic_ns = net_clock(),
                           .wall_us =
                               (uint64_t)wall.tv_sec * 1000000 + (uint64_t)wall.tv_nsec / 1000};
}

void net_hand_over(struct net *net, struct state_writer *state)
{
    const struct session_saver above = {.save = save_connection, .data = net};
    const struct moment now = moment_now();
    service_hand_over(net->service, state, &above, &now);
}

/* ---- taking over ----------------------------------------------------------------------------- */

static struct descriptor_set *new_set(struct row *row)
{
    struct descriptor_set *set = calloc(1, sizeof(*set) + DESCRIPTORS_PER_MESSAGE * sizeof(int));
    if (set == NULL) {
        row->no_memory = true;
        return NULL;
    }
    set->from = row_uint(row);
    set->until = row_uint(row);
    set->count = (unsigned)row_below(row, DESCRIPTORS_MAX + 1);
    set->lost = (int)row_int(row);
    set->refusal.limit = &limit_rows[row_below(row, LIMIT_COUNT)];
    set->refusal.used = row_uint(row);
    set->refusal.wanted = row_uint(row);
    set->refusal.max = row_uint(row);
    set->refusal.reserve = row_uint(row);
    set->refusal.uid = (uid_t)row_uint(row);
    return set;
}

/* A set of descriptors that came with a message that is not whole. */
static void load_set(struct connection *connection, struct state_reader *state, struct row *row)
{
    struct descriptor_set *set = new_set(row);
    uint32_t held = row_array(row);
    row->bad = row->bad || set == NULL || held > DESCRIPTORS_PER_MESSAGE;
    while (!row->bad && set->held < held) {
        int fd = state_take(state, row_uint(row));
        row->bad = row->bad || fd < 0;
        set->fds[set->held] = fd;
        set->held += fd >= 0;
    }
    if (set == NULL) {
        return;
    }
    struct user *user = connection->session.user;
    set->counted = set->held > 0 && user_take(user, RESOURCE_DESCRIPTORS, set->held) == 0;
    STAILQ_INSERT_TAIL(&connection->stream.descriptors, set, link);
}

static void load_input(struct connection *connection, struct state_reader *state, struct row *row)
{
    struct slice bytes = row_bytes(row);
    if (bytes.len > 0) {
        connection->stream.rest = rest_new(bytes);
        row->no_memory |= connection->stream.rest == NULL;
    }
    if (connection->stream.rest != NULL) {
        charge_set_always(&connection->input_charge, rest_cost(connection->stream.rest));
    }
    uint32_t sets = row_array(row);
    for (uint32_t i = 0; i < sets && !row->bad; i++) {
        load_set(connection, state, row);
    }
}

static void load_state(struct connection *connection, struct state_reader *state, struct row *row)
{
    struct net *net = connection->net;
    connection->stream.ended = row_bool(row);
    connection->leaving = (enum connection_leaving)row_below(row, CONNECTION_STOPPED + 1);
    connection->reads = (unsigned)row_below(row, UINT32_MAX);
    connection->paused = row_bool(row);
    connection->later = row_bool(row);
    connection->closing = row_bool(row);
    connection->hurried = row_bool(row);
    connection->gone = row_bool(row);
    bool is_incomplete = row_bool(row);
    uint64_t heard = row_uint(row);
    load_input(connection, state, row);
    if (connection->later) { /* it goes on with what it was stopped in */
        TAILQ_INSERT_TAIL(&net->later, connection, turn);
    }
    if (is_incomplete) {
        incomplete_insert(&net->incomplete, &connection->incomplete, heard);
    }
}

/* A session on a socket, without what its record says of it. */
static int start(struct connection *connection, struct net *net)
{
    struct credentials credentials;
    int status = peer_credentials(connection->stream.fd, &credentials);
    if (status == 0) {
        status = session_init(&connection->session, net->service, &credentials);
        credentials_deinit(&credentials);
    }
    if (status == 0) {
        connection_charge(connection);
    }
    return status;
}

static int load_connection(struct net *net, struct service_loader *loader, struct slice record)
{
    struct row row = service_loader_row(loader, record);
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return ERR_MEMORY;
    }
    connection->net = net;
    stream_init(&connection->stream, state_take(loader->state, row_uint(&row)));
    int status = connection->stream.fd < 0 ? ERR_VALUE : start(connection, net);
    if (status < 0) {
        stream_deinit(&connection->stream, NULL, 0);
        free(connection);
        return status;
    }
    load_state(connection, loader->state, &row);
    status = session_take_over(loader, &connection->session, &row);
    status = status < 0 ? status : row_close(&row, "a connection");
    return status;
}

static int load_all(struct net *net, struct service_loader *loader)
{
    enum state_kind kind;
    struct slice record;
    int status = 0;
    while (status == 0 && state_next(loader->state, &kind, &record)) {
        switch (kind) {
        case STATE_DAEMON:
            break;
        case STATE_CONNECTION:
            status = load_connection(net, loader, record);
            break;
        default:
            status = service_take_over(loader, kind, record);
        }
    }
    return status;
}

int net_take_over(struct net *net, struct state_reader *state, const struct stored_rows *stored,
                  char why[STATE_WHY_MAX])
{
    struct service_loader loader;
    const struct moment now = moment_now();
    int status = service_loader_init(&loader, net->service, state, stored, &now);
    status = status < 0 ? status : load_all(net, &loader);
    if (status == 0) {
        service_taken_over(&loader);
        service_drain(net->service);
    } else {
        const char *text = status == ERR_VALUE ? loader.rows.why : error_meaning(status);
        (void)snprintf(why, STATE_WHY_MAX, "%s", text);
    }
    service_loader_deinit(&loader);
    return status;
}
