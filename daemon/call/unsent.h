/*
 * unsent: what a session has been answered and not been sent yet: outputs that leave one after the
 * other, the last of which is session->output, where answers are packed.
 *
 * What is large is set apart there: an answer that a job has packed on the side, and what a peer
 * that is behind has not read so far. So no large answer is copied, and none is moved to make room.
 * What is large is also given up in steps (job.h): with an answer of a million items, a million
 * notes and values go when it has left, or a million items go back when it cannot leave any more.
 */
#pragma once

#include "daemon/call/session.h"

/* One of the outputs that leave before session->output. */
struct part {
    TAILQ_ENTRY(part) link;
    struct output output;
    uint64_t size; /* bytes of it that were to be sent, at first */
    uint64_t cost;
};

/* All of them: at least one. */
struct earlier {
    TAILQ_HEAD(part_list, part) parts;
    uint64_t size; /* the sums */
    uint64_t cost;
};

/* Bytes that are still to be sent. */
static inline uint64_t session_unsent(const struct session *session)
{
    const struct earlier *earlier = session->earlier;
    uint64_t unsent = output_pending(&session->output);
    if (__builtin_expect(earlier != NULL, 0)) {
        const struct part *first = TAILQ_FIRST(&earlier->parts);
        unsent += earlier->size - first->size + output_pending(&first->output);
    }
    return unsent;
}

/* What all of it costs in memory, with the values that it refers to. */
uint64_t session_unsent_cost(const struct session *session);

/* The output that is to be sent next; it may be empty. */
static inline struct output *session_next_output(struct session *session)
{
    return __builtin_expect(session->earlier != NULL, 0)
               ? &TAILQ_FIRST(&session->earlier->parts)->output
               : &session->output;
}
/* So many bytes more of it have been sent (output_sent). If it was everything, the output goes;
 * true if another one is next then. */
bool session_sent(struct session *session, uint64_t more);

/* Takes over a whole answer that was packed on the side, which becomes the last; `from` is left
 * empty. 0, or ERR_MEMORY for want of memory: the session's output has failed. */
int session_append(struct session *session, struct output *from);

/* An output that another daemon has packed is the last now, and `from` empty. 0 or ERR_MEMORY. */
int session_take_over_output(struct session *session, struct output *from);

/* Nothing more will leave. What has not left is put back when the session ends, last first: by the
 * job that ends it; without one (NULL) nothing may be at work. */
void session_end_output(struct session *session, struct job *job);
/* True if that is little. */
bool session_output_is_little(const struct session *session);
/* The same for now, of a session that may still be answered: only what is little, and free,
 * goes back, so that others can have it soon; and of what is large that is forgotten which has
 * nothing in it to go back. */
void session_drop_output(struct session *session);
