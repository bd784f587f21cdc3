/*
 * descriptors: those of a message, and of a reply, whose they are until they are taken.
 *
 * A call duplicates what it is given as soon as it is encoded, so that the caller's own can be
 * closed when the function returns.
 *
 * Tests: tests/unit/client/test_descriptors_sent.c,
 * tests/unit/client/test_descriptors_received.c.
 */
#include "client/descriptors.h"

#include "client/error.h"
#include "client/ipcclient.h"
#include "client/value.h"
#include "proto/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct ipcc_descriptors *descriptors_new(unsigned count)
{
    struct ipcc_descriptors *made = calloc(1, sizeof(*made) + count * sizeof(made->fds[0]));
    return made;
}

void descriptors_free(struct ipcc_descriptors *descriptors)
{
    if (descriptors == NULL) {
        return;
    }
    for (unsigned i = 0; i < descriptors->count; i++) {
        if (descriptors->fds[i] >= 0) {
            (void)close(descriptors->fds[i]);
        }
    }
    free(descriptors);
}

static int duplicate_failed(int fd)
{
    return errno == EBADF ? error_set(IPCC_ERR_ARGUMENT, "%d is not an open file descriptor", fd)
                          : error_set(IPCC_ERR_SYSTEM, "cannot duplicate file descriptor %d: %s",
                                      fd, strerror(errno));
}

int descriptors_duplicate(const int *fds, unsigned count, struct ipcc_descriptors **out)
{
    struct ipcc_descriptors *made = descriptors_new(count);
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for %u file descriptors", count);
    }
    for (; made->count < count; made->count++) {
        int fd = fds[made->count];
        int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0 && copy < 0) {
            int status = duplicate_failed(fd);
            descriptors_free(made);
            return status;
        }
        made->fds[made->count] = copy;
    }
    *out = made;
    return 0;
}

/* ---- in replies ------------------------------------------------------------------------------ */

/* Reads the ext that a value of an answer is. */
static bool ext_read(const struct ipcc_value *value, int type, struct slice *body)
{
    struct header header;
    if (value->kind != IPCC_RAW || !value_has_bytes(value) ||
        header_read(value->as.data, value->length, &header) != 0 || header.kind != KIND_EXT ||
        header.ext_type != type || value->length - header.size < header.length) {
        return false;
    }
    *body = (struct slice){(const uint8_t *)value->as.data + header.size, header.length};
    return true;
}

/* Where the reply has the descriptor that the value names. */
static int find_descriptor(const struct ipcc_reply *reply, const struct ipcc_value *value,
                           int **place)
{
    struct slice body;
    if (reply == NULL || value == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "a descriptor is found by a reply and a value of it");
    }
    if (!ext_read(value, EXT_DESCRIPTOR, &body) || body.len != 1) {
        return error_set(IPCC_ERR_TYPE, "the value is %s where a file descriptor was expected",
                         value_kind_name(value));
    }
    struct ipcc_descriptors *descriptors = reply->descriptors;
    if (descriptors == NULL || body.data[0] >= descriptors->count ||
        descriptors->fds[body.data[0]] < 0) {
        return error_set(IPCC_ERR_NOT_FOUND,
                         "the reply has no file descriptor %u: it was taken out, or the "
                         "value is of another reply",
                         body.data[0]);
    }
    *place = &descriptors->fds[body.data[0]];
    return 0;
}

int ipcc_reply_fd(const struct ipcc_reply *reply, const struct ipcc_value *value)
{
    int *place = NULL;
    int status = find_descriptor(reply, value, &place);
    return status < 0 ? status : *place;
}

int ipcc_reply_take_fd(const struct ipcc_reply *reply, const struct ipcc_value *value)
{
    int *place = NULL;
    int status = find_descriptor(reply, value, &place);
    if (status < 0) {
        return status;
    }
    int fd = *place;
    *place = -1;
    return fd;
}

int ipcc_value_reference(const struct ipcc_value *value, char *name, size_t size)
{
    struct slice body;
    if (value == NULL || name == NULL || size == 0) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "ipcc_value_reference wants a value and room for a name");
    }
    if (!ext_read(value, EXT_REFERENCE, &body)) {
        return error_set(IPCC_ERR_TYPE, "the value is %s where a reference was expected",
                         value_kind_name(value));
    }
    if (body.len >= size) {
        return error_set(IPCC_ERR_RANGE, "the name has %zu bytes, which need room for %zu",
                         body.len, body.len + 1);
    }
    memcpy(name, body.data, body.len);
    name[body.len] = '\0';
    return 0;
}
