/*
 * state: all that a daemon has, as it hands it to the one that takes its place.
 *
 * It is a file in memory (a memfd, sealed when it is whole) of records, each of them a kind and
 * MessagePack values; a layer writes its own and reads them again. Beside it go descriptors: a
 * record names one by its number in the list that the writer gathers; how they get to the reader is
 * somebody else's business.
 *
 * It is read on the machine, and in the life of the machine, in which it was written: points of
 * time are those of the monotonic clock, integers of the frame are the machine's own. It has a
 * version, which is counted up with every change of what a record means; an older one that is
 * still known (STATE_OLDEST) is read, all others are refused. Names stand for what has a place in a
 * table (methods, events, types), so that a row more is no change. A sum over all bytes tells what
 * is damaged before anything of it is believed.
 */
#pragma once

#include "proto/error.h"
#include "proto/pack.h"

enum { STATE_VERSION = 1, STATE_OLDEST = 1 };

/* Records, in the order in which they stand. */
enum state_kind {
    STATE_DAEMON,     /* its address, its sockets */
    STATE_SERVICE,    /* numbers that go on, figures */
    STATE_DESCRIPTOR, /* one that objects, answers or calls refer to */
    STATE_OBJECT,     /* the own row of one (daemon/objects/rows.h), */
    STATE_SEALED,     /* that it is sealed, */
    STATE_ROW,        /* and any other row of it */
    STATE_CONNECTION, /* a session with its socket, input and output */
    STATE_TIE,        /* what a session has of an object */
    STATE_CALL,       /* one that waits */
    STATE_WAITS,      /* who waits on an object, in order */
    STATE_OUTPUT,     /* what a session has been answered */
    STATE_EVENTS,     /* what a session has been told */
    STATE_END,
    STATE_KINDS
};

struct state_writer {
    int fd;               /* owned */
    struct buffer buffer; /* what is not in the file yet */
    size_t begun;         /* where the record in hand begins in it */
    void *sum;            /* owned */
    int *fds;             /* owned array of descriptors, which stay their owners' */
    uint32_t nfds;
    uint32_t fds_cap;
    bool failed; /* memory has run out, or the file could not be written */
};

/* 0, or ERR_MEMORY with errno; to be given to state_writer_deinit in both cases. */
int state_writer_init(struct state_writer *writer);
/* Closes the file, too. */
void state_writer_deinit(struct state_writer *writer);

/* Begins a record: its values are packed into what is returned. */
struct buffer *state_begin(struct state_writer *writer, enum state_kind kind);
/* It is whole. */
void state_end(struct state_writer *writer);

/* A descriptor goes along: the number by which a record names it. One that is given twice goes
 * twice. */
uint32_t state_add(struct state_writer *writer, int fd);

/* There are no more records: writes the end and seals the file. 0; or ERR_MEMORY, with errno if
 * that is known: nobody can read it. */
int state_finish(struct state_writer *writer);

struct state_reader {
    const uint8_t *data; /* the file, mapped; owned */
    size_t size;
    size_t at;
    int *fds; /* owned array; those that have been taken are -1, the others are owned */
    uint32_t nfds;
};

enum { STATE_WHY_MAX = 256 };

/* Opens a state for reading. 0; or ERR_VALUE with a sentence in `why`: it is of another version,
 * damaged, or none; ERR_MEMORY with one, too. The descriptor stays the caller's. */
int state_open(struct state_reader *reader, int fd, char why[STATE_WHY_MAX]);
/* Closes the descriptors that nobody has taken with `close_one`. A zeroed one is allowed. */
void state_reader_deinit(struct state_reader *reader, void (*close_one)(void *data, int fd),
                         void *data);
/* The descriptors that came with it, an owned array; they are the reader's now. */
void state_give(struct state_reader *reader, int *fds, uint32_t nfds);

/* The next record, valid as long as the reader. False at the end. */
bool state_next(struct state_reader *reader, enum state_kind *kind, struct slice *record);
/* Back to the first. */
void state_rewind(struct state_reader *reader);
/* The descriptor of a number, which is the caller's from then on; -1: there is none, or none any
 * more. */
int state_take(struct state_reader *reader, uint64_t number);
