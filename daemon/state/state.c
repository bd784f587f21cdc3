/*
 * state: see state.h.
 *
 * Tests: tests/unit/state/test_state.c.
 */
#include "daemon/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Records are gathered up to here before they are written. */
enum { FLUSH_BYTES = 1024 * 1024, FDS_LEAST = 64 };

static const char MAGIC[8] = {'i', 'p', 'c', 'd', '-', 's', 't', 'a'};

/* What the file begins with. */
struct head {
    char magic[sizeof(MAGIC)];
    uint32_t version;
    uint32_t reserved;
};

/* What each record begins with. The last one is empty, and instead of its length stands the sum
 * over all that comes before it. */
struct frame {
    uint32_t kind;
    uint32_t reserved;
    uint64_t size; /* of what is behind it */
};

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* of Linux 6.3: it cannot be made a program */
#endif

/* ---- writing --------------------------------------------------------------------------------- */

static int new_file(void)
{
    int fd = memfd_create("ipcd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("ipcd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING)
                                     : fd;
}

int state_writer_init(struct state_writer *writer)
{
    *writer = (struct state_writer){.fd = new_file()};
    writer->sum = XXH3_createState();
    if (writer->fd < 0 || writer->sum == NULL) {
        writer->failed = true;
        return ERR_MEMORY;
    }
    (void)XXH3_64bits_reset(writer->sum);
    struct head head = {.version = STATE_VERSION};
    memcpy(head.magic, MAGIC, sizeof(MAGIC));
    (void)buffer_append(&writer->buffer, &head, sizeof(head));
    return 0;
}

void state_writer_deinit(struct state_writer *writer)
{
    if (writer->fd >= 0) {
        (void)close(writer->fd);
    }
    buffer_deinit(&writer->buffer);
    (void)XXH3_freeState(writer->sum);
    free(writer->fds);
    *writer = (struct state_writer){.fd = -1};
}

static void flush(struct state_writer *writer)
{
    const struct buffer *buffer = &writer->buffer;
    size_t at = 0;
    writer->failed |= buffer->failed;
    if (!writer->failed) {
        (void)XXH3_64bits_update(writer->sum, buffer->data, buffer->len);
    }
    while (!writer->failed && at < buffer->len) {
        ssize_t len = write(writer->fd, buffer->data + at, buffer->len - at);
        if (len > 0) {
            at += (size_t)len;
        } else if (errno != EINTR) {
            writer->failed = true;
        }
    }
    writer->buffer.len = 0;
}

struct buffer *state_begin(struct state_writer *writer, enum state_kind kind)
{
    const struct frame frame = {.kind = kind};
    writer->begun = writer->buffer.len;
    (void)buffer_append(&writer->buffer, &frame, sizeof(frame));
    return &writer->buffer;
}

void state_end(struct state_writer *writer)
{
    struct buffer *buffer = &writer->buffer;
    if (buffer->failed) {
        writer->failed = true;
        return;
    }
    uint64_t size = buffer->len - writer->begun - sizeof(struct frame);
    memcpy(buffer->data + writer->begun + offsetof(struct frame, size), &size, sizeof(size));
    if (buffer->len >= FLUSH_BYTES) {
        flush(writer);
    }
}

uint32_t state_add(struct state_writer *writer, int fd)
{
    if (writer->nfds == writer->fds_cap) {
        uint32_t cap = writer->fds_cap > 0 ? writer->fds_cap * 2 : FDS_LEAST;
        int *fds = realloc(writer->fds, cap * sizeof(int));
        if (fds == NULL) {
            writer->failed = true;
            return 0;
        }
        writer->fds = fds;
        writer->fds_cap = cap;
    }
    writer->fds[writer->nfds] = fd;
    return writer->nfds++;
}

int state_finish(struct state_writer *writer)
{
    struct frame frame = {.kind = STATE_END};
    flush(writer);
    frame.size = XXH3_64bits_digest(writer->sum);
    (void)buffer_append(&writer->buffer, &frame, sizeof(frame));
    flush(writer);
    if (!writer->failed && fcntl(writer->fd, F_ADD_SEALS,
                                 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
        writer->failed = true;
    }
    return writer->failed ? ERR_MEMORY : 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int refuse(char why[STATE_WHY_MAX], int error, const char *what)
{
    (void)snprintf(why, STATE_WHY_MAX, "%s", what);
    return error;
}

static struct frame frame_at(const struct state_reader *reader, size_t at)
{
    struct frame frame;
    memcpy(&frame, reader->data + at, sizeof(frame));
    return frame;
}

/* Version and sum. */
static int check(const struct state_reader *reader, char why[STATE_WHY_MAX])
{
    struct head head;
    memcpy(&head, reader->data, sizeof(head));
    if (memcmp(head.magic, MAGIC, sizeof(MAGIC)) != 0) {
        return refuse(why, ERR_VALUE, "it is no state of an ipcd");
    }
    if (head.version < STATE_OLDEST || head.version > STATE_VERSION) {
        (void)snprintf(why, STATE_WHY_MAX,
                       "its version is %" PRIu32 ", and this ipcd reads %d to %d", head.version,
                       STATE_OLDEST, STATE_VERSION);
        return ERR_VALUE;
    }
    size_t end = reader->size - sizeof(struct frame);
    struct frame frame = frame_at(reader, end);
    if (frame.kind != STATE_END || frame.size != XXH3_64bits(reader->data, end)) {
        return refuse(why, ERR_VALUE, "it is damaged: its sum is wrong");
    }
    return 0;
}

int state_open(struct state_reader *reader, int fd, char why[STATE_WHY_MAX])
{
    *reader = (struct state_reader){.at = sizeof(struct head)};
    struct stat file;
    if (fstat(fd, &file) < 0 ||
        file.st_size < (off_t)(sizeof(struct head) + sizeof(struct frame))) {
        return refuse(why, ERR_VALUE, "it is damaged: it is too short");
    }
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || (seals & F_SEAL_SHRINK) == 0) {
        return refuse(why, ERR_VALUE, "it is not sealed, so it was not written to its end");
    }
    void *data = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return refuse(why, ERR_MEMORY, "out of memory");
    }
    reader->data = data;
    reader->size = (size_t)file.st_size;
    return check(reader, why);
}

void state_reader_deinit(struct state_reader *reader, void (*close_one)(void *data, int fd),
                         void *data)
{
    for (uint32_t i = 0; i < reader->nfds; i++) {
        if (reader->fds[i] >= 0) {
            close_one(data, reader->fds[i]);
        }
    }
    free(reader->fds);
    if (reader->data != NULL) {
        (void)munmap((void *)(uintptr_t)reader->data, reader->size);
    }
    *reader = (struct state_reader){0};
}

void state_give(struct state_reader *reader, int *fds, uint32_t nfds)
{
    reader->fds = fds;
    reader->nfds = nfds;
}

bool state_next(struct state_reader *reader, enum state_kind *kind, struct slice *record)
{
    size_t left = reader->size - reader->at;
    if (left <= sizeof(struct frame)) {
        return false; /* the end */
    }
    struct frame frame = frame_at(reader, reader->at);
    left -= sizeof(struct frame);
    if (frame.kind >= STATE_END || frame.size > left) {
        return false;
    }
    *kind = (enum state_kind)frame.kind;
    *record = (struct slice){reader->data + reader->at + sizeof(frame), frame.size};
    reader->at += sizeof(frame) + frame.size;
    return true;
}

void state_rewind(struct state_reader *reader)
{
    reader->at = sizeof(struct head);
}

int state_take(struct state_reader *reader, uint64_t number)
{
    int fd = number < reader->nfds ? reader->fds[number] : -1;
    if (fd >= 0) {
        reader->fds[number] = -1;
    }
    return fd;
}
