/*
 * attachment: what a value carries besides its bytes: open file descriptors (ext type 2) and
 * references to objects (ext type 1).
 *
 * A message comes with an origin: the descriptors that travelled with it and the registry that its
 * references name objects of. Values of the message that are stored while it is run take from it
 * what they name; it is made only for messages that have such an ext. A stored value that carries
 * something is a blob with a struct attachments, whatever its size (blob.h).
 *
 * A descriptor is counted as its user's from the moment its message is run. It is given up with the
 * last reference to it, and closed a moment later by others (daemon/account/closer.h): nothing else
 * may be done with it here either, since any call on a stranger's descriptor may block. A reference
 * to an object keeps the object's memory, and keeps a scoped object alive (object->contained); one
 * that names nothing when it is stored, or nothing that its sender may keep alive, is just bytes.
 */
#pragma once

#include "daemon/account/account.h"
#include "daemon/objects/pace.h"
#include "proto/message.h"

struct object;
struct registry;

/* An open file descriptor that the daemon holds for somebody. */
struct descriptor {
    uint32_t refs;
    int fd;            /* owned; -1: moved away */
    uint32_t number;   /* the saver's own (saving.c) */
    bool ours;         /* the daemon has made it, and to close it takes no time */
    bool moves;        /* it is given away with the first answer that carries it, not shared */
    struct user *user; /* a reference: for whom it is held */
};

/* Takes over an open descriptor, with one reference, for a user. 0; or ERR_LIMIT (max_descriptors,
 * max_user_descriptors), ERR_MEMORY (memory), and it stays the caller's. */
int descriptor_new(struct user *user, int fd, struct descriptor **out);
size_t descriptor_cost(void); /* in memory: the figure that is charged */
struct descriptor *descriptor_ref(struct descriptor *descriptor);
void descriptor_unref(struct descriptor *descriptor); /* NULL is allowed */
/* It is held for another user from now on, who is counted for it already (user_hand_over). */
void descriptor_set_user(struct descriptor *descriptor, struct user *user);
/* An answer that carries it has left: one that moves is closed here, for whoever still refers to
 * it. So an fd that is still open says that no answer with it ever left. */
void descriptor_left(struct descriptor *descriptor);

enum { NAMED_PER_MESSAGE = 65536 };

/* What the values of one message may refer to. */
struct origin {
    uint32_t refs;
    struct registry *registry;
    const struct credentials *sender; /* the session's, which outlives it */
    unsigned count;
    struct descriptor *descriptors[DESCRIPTORS_PER_MESSAGE]; /* references; NULL: not named */
    unsigned named;            /* how often its params name an object or a descriptor */
    struct attachments *ready; /* of a value that is read from a row: what it carries, for the one
                                  who stores it; else NULL */
};

/* What came with a message: descriptors, before it is known which of them are named; and memory. */
struct passed {
    unsigned count;                /* descriptors that were sent */
    int *fds;                      /* the giver's; one that is taken is set to -1, the giver closes
                                      the others; not looked at if they are lost */
    int lost;                      /* 0, or why they are not there: ERR_LIMIT, ERR_MEMORY (the
                                      process has no descriptors left) */
    const struct refusal *refusal; /* of ERR_LIMIT: the giver's */
    void *memory;                  /* in which the message lies, if it is large: whoever keeps the
                                      message takes it over (free(3)) and sets NULL here, instead of
                                      copying it. NULL: it is short, or lies elsewhere */
    size_t size;                   /* bytes of that */
};

/* Who sends a message, and what it may name. */
struct sender {
    struct registry *registry;
    struct user *user; /* for whom descriptors are counted */
    const struct credentials *credentials;
};

/*
 * The origin of a user's message, with one reference. Takes from `passed` (NULL: nothing came) the
 * descriptors that an ext of the message names.
 * ERR_BAD_REQUEST with *why set: an ext of type 2 is no index of a descriptor that came, more
 * came than DESCRIPTORS_PER_MESSAGE, or there are more exts of the two types than
 * NAMED_PER_MESSAGE, as what is done with those of a value is done in one go. ERR_LIMIT:
 * max_descriptors. ERR_MEMORY: memory, or with *why set, descriptors.
 */
int origin_new(const struct message *message, const struct passed *passed,
               const struct sender *sender, struct origin **out, const char **why);
struct origin *origin_ref(struct origin *origin); /* NULL is allowed */
void origin_unref(struct origin *origin);         /* NULL is allowed */
/* What it costs in memory, with its descriptors; NULL: nothing. */
size_t origin_cost(const struct origin *origin);

/* A value that is to be stored: its encoding, and the origin it came from (NULL: it carries
 * nothing). Whoever stores it copies the bytes. */
struct incoming {
    struct slice bytes;
    struct origin *origin;
    struct pace *pace; /* the value may be large: it is copied with this; NULL: in one go */
};

static inline struct incoming incoming_plain(struct slice bytes)
{
    return (struct incoming){.bytes = bytes};
}

/* A descriptor in a stored value, and where its index byte stands. */
struct attached_descriptor {
    uint32_t at;
    struct descriptor *descriptor; /* a reference */
};

struct attachments {
    uint32_t ndescriptors;
    uint32_t nobjects;
    struct attached_descriptor *descriptors; /* in the order of their places */
    struct object **objects;                 /* references */
};

/* What the value carries: 0 with NULL in *out if it carries nothing, ERR_MEMORY (memory). */
int attachments_new(struct incoming value, struct attachments **out);
void attachments_free(struct attachments *attachments); /* NULL is allowed */

/* Whether a durable object may have the value. ERR_TYPE: it has a descriptor, or refers to *object,
 * which is not durable (else NULL). */
int incoming_check_lasting(struct incoming value, const struct object **object);

/* What they cost in memory: the figure that is charged. */
size_t attachments_cost(const struct attachments *attachments);
