/*
 * output: the answers to one session that the kernel has not taken yet.
 *
 * A run of bytes, in which large stored values are spliced by reference instead of copied, and
 * notes about values that were taken out of an object: until the kernel has taken the last byte of
 * the answer that carries such a value, it can still be put back (object_type.put_back), with what
 * the object wanted to be remembered of it. This is the sink that a session writes to; who sends
 * it, and how, is the business of daemon/net/.
 */
#pragma once

#include <stddef.h>

#include "daemon/objects/object.h"

enum { OUTPUT_NOTE_MAX = 64 }; /* bytes that an object may want to be remembered of a value */

/* A blob that stands between bytes[at - 1] and bytes[at]. */
struct splice {
    size_t at;
    struct blob *blob; /* a reference */
};

/* A value that was taken out of an object and is on its way. */
struct undelivered {
    struct object *object; /* a reference */
    uint64_t end;          /* it has left when `sent` reaches this; UINT64_MAX: when all has */
    size_t value_at;       /* the value: bytes[value_at, value_len), or the blob */
    size_t value_len;
    struct blob *blob; /* a reference, or NULL */
    _Alignas(
        max_align_t) uint8_t note[OUTPUT_NOTE_MAX]; /* the object's own, for put_back and forget */
};

/* Descriptors that travel with the first byte of an answer. */
struct passing {
    uint64_t at; /* that byte's position: when `sent` reaches it, they are sent with it */
    unsigned count;
    struct descriptor *descriptors[DESCRIPTORS_PER_MESSAGE]; /* references */
};

struct output {
    struct buffer bytes;
    struct splice *splices;
    size_t nsplices;
    size_t splices_cap;
    struct undelivered *undelivered;
    size_t nundelivered;
    size_t undelivered_cap;
    struct passing *passing; /* owned array; few answers have descriptors */
    unsigned npassing;
    bool overfull;       /* an answer would carry more descriptors than a message may */
    uint64_t spliced;    /* bytes of all blobs in splices */
    uint64_t sent;       /* bytes of bytes and splices, from the start, that the kernel has taken */
    size_t splices_sent; /* of the splices: the first ones have left whole */
    uint64_t spliced_sent; /* their bytes */
};

/* How many bytes are still to be sent. */
static inline uint64_t output_pending(const struct output *output)
{
    return output->bytes.len + output->spliced - output->sent;
}

/* What it costs in memory, with the values that it refers to. */
uint64_t output_cost(const struct output *output);

/* Frees everything; what is undelivered is dropped with its references. */
void output_deinit(struct output *output);
/* The same in steps, and how many. */
void output_forget(struct output *output, struct pace *pace);
uint64_t output_forget_steps(const struct output *output);

/* Appends a stored value: a large blob by reference, everything else by copy. If it carries
 * descriptors they are added to those of the answer, and the indices in the copy are changed to
 * the places they have there. */
void output_value(struct output *output, struct stored value);
/* Appends an ext value of type 2 for a descriptor, which joins those of the answer. */
void output_descriptor(struct output *output, struct descriptor *descriptor);

/* Everything has been sent: empties the output, keeping its memory for the next answers. */
void output_reset(struct output *output);

/* A point to which the output can be taken back, when an answer turns out to be an error. */
struct output_mark {
    size_t bytes;
    size_t nsplices;
    size_t nundelivered;
    unsigned npassing;
    unsigned ndescriptors; /* of the answer that is being packed */
    uint64_t spliced;
    bool failed; /* bytes are missing before it */
};
/* Descriptors of the answer that is being packed. */
unsigned output_descriptors(const struct output *output);
static inline struct output_mark output_mark(const struct output *output)
{
    return (struct output_mark){
        .bytes = output->bytes.len,
        .nsplices = output->nsplices,
        .nundelivered = output->nundelivered,
        .npassing = output->npassing,
        .ndescriptors = __builtin_expect(output->npassing == 0, 1) ? 0 : output_descriptors(output),
        .spliced = output->spliced,
        .failed = output->bytes.failed,
    };
}
void output_rewind(struct output *output, struct output_mark mark);
/* How many bytes have been packed since, those of spliced values included. */
static inline uint64_t output_since(const struct output *output, struct output_mark mark)
{
    return output->bytes.len + output->spliced - mark.bytes - mark.spliced;
}

/* Makes room for a value that is taken out of an object and its note, so that output_taken cannot
 * fail. 0, or ERR_MEMORY for want of memory. */
int output_reserve_taken(struct output *output, struct stored value);
/* The same, for what was taken elsewhere: apart, so that the compiler finds one caller of the one
 * above, which each get has to go through, and puts it there. */
int output_reserve_away(struct output *output, struct stored value);
/* Appends a value that is taken out of an object and notes it as undelivered. The note, `size`
 * bytes, is copied; what it refers to belongs to the output from now on (object_type.forget). */
void output_taken(struct output *output, struct object *object, const void *note, size_t size,
                  struct stored value);
/* The same of what was taken elsewhere (output_reserve_away). */
void output_taken_away(struct output *output, struct object *object, const void *note, size_t size,
                       struct stored value);
/* An answer that began at the mark is packed: settles the positions of what was noted in it. */
void output_seal(struct output *output, struct output_mark mark);
/* The same if there is nothing in the output but that answer, however many notes it has. */
void output_seal_whole(struct output *output);

/* True if the descriptors of a value still fit the answer that is being packed. */
bool output_has_room(const struct output *output, struct stored value);
/* True if nothing of the answer is missing, for want of memory or of room for descriptors. */
static inline bool output_is_whole(const struct output *output)
{
    return !output->bytes.failed && !output->overfull;
}
/* Moves all that is in `from` to the end of an answer that is being packed and has no descriptors
 * yet; `from` holds part of one, nothing of which is sealed or sent. 0, or ERR_MEMORY for want of
 * memory: nothing is moved, and the answer has failed. */
int output_append(struct output *output, struct output *from, struct pace *pace);
/* The descriptors to be sent with the next byte, or NULL; *until is the position of the next ones
 * behind that, up to which may be sent in one step. */
const struct passing *output_passing(const struct output *output, uint64_t *until);

/* More was taken. */
void output_sent(struct output *output, uint64_t more);
/* An answer could not be packed: what was noted since the mark is put back, last first. */
void output_give_back(struct output *output, struct output_mark mark);
/* Nothing more will leave: the last note goes, and its value is put back if it has not left. */
void output_take_back(struct output *output);
/* The same with all, and the output is empty then; but what belongs to an object that a job works
 * on (hold.h) stays noted. */
void output_drop(struct output *output);
