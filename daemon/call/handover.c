/*
 * handover: see handover.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, all of them, with IPCD_TEST_TAKEOVER
 * in the environment.
 */
#include "daemon/call/handover.h"

#include <assert.h>

#include "daemon/call/parked.h"
#include "daemon/call/unsent.h"
static void hand_over_figures(const struct service *service, struct buffer *out)
{
    pack_array(out, METHOD_COUNT);
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        pack_string(out, methods[i].name);
        pack_uint(out, service->figures[i].calls);
        pack_uint(out, service->figures[i].errors);
    }
}

static void hand_over_service(const struct service *service, struct saver *saver)
{
    struct buffer *out = state_begin(saver->state, STATE_SERVICE);
    const struct registry *registry = &service->registry;
    pack_uint(out, registry->seed);
    pack_uint(out, registry->objects.next_seq);
    pack_uint(out, registry->anonymous);
    pack_uint(out, registry->faults);
    pack_uint(out, service->next_session);
    pack_uint(out, service->started);
    pack_time(out, service->since);
    pack_uint(out, service->takeovers);
    pack_uint(out, service->unknown_methods);
    pack_uint(out, service->retries);
    hand_over_figures(service, out);
    state_end(saver->state);
}

static void hand_over_session(const struct session *session, struct saver *saver,
                              const struct session_saver *above)
{
    struct buffer *out = state_begin(saver->state, STATE_CONNECTION);
    pack_uint(out, session->id);
    pack_uint(out, session->ncalls);
    pack_time(out, session->since);
    pack_bool(out, session->killed);
    pack_bool(out, session->closing);
    pack_bool(out, session->client != NULL);
    pack_string(out, session->client != NULL ? session->client : "");
    above->save(above->data, session, saver, out);
    state_end(saver->state);
}

static void hand_over_tie(const struct tie *tie, struct saver *saver)
{
    const struct object_type *type = tie->object->type;
    struct buffer *out = state_begin(saver->state, STATE_TIE);
    bool claims = tie->holding > 0 && !object_is_sealed(tie->object);
    pack_uint(out, tie->object->entry.seq);
    pack_uint(out, tie->session->id);
    pack_bool(out, tie->open);
    pack_uint(out, claims ? tie->holding : 0);
    pack_time(out, tie->since);
    pack_bool(out, tie->watch != NULL);
    if (tie->watch != NULL) {
        watch_hand_over(tie->watch, out);
    }
    if (claims && type->hand_over_claims != NULL) {
        type->hand_over_claims(tie, saver, out);
    }
    state_end(saver->state);
}

static void hand_over_ties(const struct registry *registry, struct saver *saver)
{
    const struct object *object;
    for (uint64_t number = 0; (object = registry_from(registry, number)) != NULL;) {
        const struct tie *tie;
        number = object->entry.seq + 1;
        TAILQ_FOREACH (tie, &object->ties, of_object) {
            hand_over_tie(tie, saver);
        }
    }
}

static void hand_over_origin(const struct origin *origin, struct saver *saver, struct buffer *out)
{
    pack_bool(out, origin != NULL);
    if (origin == NULL) {
        return;
    }
    pack_uint(out, origin->named);
    pack_array(out, origin->count);
    for (unsigned i = 0; i < origin->count; i++) {
        save_descriptor(saver, out, origin->descriptors[i]);
    }
}

static void hand_over_params(const struct call *call, struct buffer *out)
{
    unsigned count = call->service->index.signatures[call->method->id].count;
    pack_array(out, count);
    for (unsigned i = 0; i < count; i++) {
        pack_bin(out, call->params[i].raw);
    }
}

static void hand_over_call(const struct parked *parked, struct saver *saver)
{
    const struct call *call = &parked->call;
    struct buffer *out = state_begin(saver->state, STATE_CALL);
    assert(parked->state == PARKED_WAITS);
    pack_uint(out, call->session->id);
    pack_uint(out, parked->of_session.seq);
    pack_string(out, call->method->name);
    pack_uint(out, call->msgid);
    pack_bool(out, call->notification);
    pack_uint(out, call->object == NULL ? 0 : call->object->entry.seq);
    pack_uint(out, call->progress);
    pack_uint(out, parked->since);
    pack_uint(out, parked->deadline.position == HEAP_NONE ? TIME_NEVER : parked->deadline.at);
    pack_int(out, call->wish.timeout_ms);
    pack_uint(out, call->wish.channel);
    pack_bool(out, call->wish.by_key);
    pack_uint(out, call->wish.hash);
    pack_uint(out, parked->nwaits);
    hand_over_params(call, out);
    hand_over_origin(call->origin, saver, out);
    state_end(saver->state);
}

static void hand_over_calls(const struct session *session, struct saver *saver, uint32_t *number)
{
    struct parked *parked;
    for (uint64_t seq = 0; (parked = session_parked_from(session, seq)) != NULL;) {
        seq = parked->of_session.seq + 1;
        parked->number = (*number)++;
        hand_over_call(parked, saver);
    }
}

/* The place of a wait among those of its call. */
static uint64_t place_of(const struct wait *wait)
{
    const struct parked *parked = parked_of(wait->call);
    return parked->waits == NULL ? 0 : (uint64_t)(wait - parked->waits);
}

static void hand_over_waits(const struct object *object, unsigned channel, struct saver *saver)
{
    struct buffer *out = state_begin(saver->state, STATE_WAITS);
    const struct wait *wait;
    size_t count = 0;
    pack_uint(out, object->entry.seq);
    pack_uint(out, channel);
    size_t at = pack_array_begin(out);
    TAILQ_FOREACH (wait, &object->waits[channel], link) {
        pack_uint(out, parked_of(wait->call)->number);
        pack_uint(out, place_of(wait));
        pack_bool(out, wait->asleep);
        pack_uint(out, wait->asleep ? wait->hash : 0);
        count++;
    }
    pack_array_end(out, at, count);
    state_end(saver->state);
}

static void hand_over_all_waits(const struct registry *registry, struct saver *saver)
{
    const struct object *object;
    for (uint64_t number = 0; (object = registry_from(registry, number)) != NULL;) {
        number = object->entry.seq + 1;
        for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
            if (!TAILQ_EMPTY(&object->waits[channel])) {
                hand_over_waits(object, channel, saver);
            }
        }
    }
}

/* The bytes that have not been sent, those of spliced values in their places. */
static void pack_unsent(const struct output *output, struct buffer *out)
{
    uint64_t skip = output->sent;
    size_t from = 0;
    pack_bin_header(out, (size_t)output_pending(output));
    for (size_t i = 0; i <= output->nsplices; i++) {
        bool last = i == output->nsplices;
        size_t until = last ? output->bytes.len : output->splices[i].at;
        struct slice parts[] = {
            {output->bytes.data + from, until - from},
            {last ? NULL : output->splices[i].blob->data, last ? 0 : output->splices[i].blob->len}};
        for (size_t k = 0; k < 2; k++) {
            size_t gone = parts[k].len < skip ? parts[k].len : (size_t)skip;
            skip -= gone;
            if (parts[k].len > gone) {
                (void)buffer_append(out, parts[k].data + gone, parts[k].len - gone);
            }
        }
        from = until;
    }
}

/* True if what is noted may still have to be put back. */
static bool is_pending(const struct output *output, const struct undelivered *note)
{
    return note->end > output->sent && !note->object->deleted && !object_is_sealed(note->object);
}

static void hand_over_notes(const struct output *output, struct saver *saver, struct buffer *out)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (size_t i = 0; i < output->nundelivered; i++) {
        const struct undelivered *note = &output->undelivered[i];
        if (!is_pending(output, note)) {
            continue;
        }
        struct stored value = {.blob = note->blob};
        value.bytes = note->blob != NULL
                          ? (struct slice){note->blob->data, note->blob->len}
                          : (struct slice){output->bytes.data + note->value_at, note->value_len};
        pack_uint(out, note->object->entry.seq);
        pack_uint(out, note->end - output->sent);
        save_value(saver, out, value);
        note->object->type->hand_over_note(note->note, saver, out);
        count++;
    }
    pack_array_end(out, at, count);
}

static void hand_over_passing(const struct output *output, struct saver *saver, struct buffer *out)
{
    pack_array(out, output->npassing);
    for (unsigned i = 0; i < output->npassing; i++) {
        const struct passing *passing = &output->passing[i];
        pack_uint(out, passing->at - output->sent);
        pack_array(out, passing->count);
        for (unsigned k = 0; k < passing->count; k++) {
            save_descriptor(saver, out, passing->descriptors[k]);
        }
    }
}

static void hand_over_output(const struct session *session, const struct output *output,
                             struct saver *saver)
{
    if (output_pending(output) == 0 || output->bytes.failed) {
        return;
    }
    struct buffer *out = state_begin(saver->state, STATE_OUTPUT);
    pack_uint(out, session->id);
    pack_unsent(output, out);
    hand_over_notes(output, saver, out);
    hand_over_passing(output, saver, out);
    state_end(saver->state);
}

static void hand_over_unsent(const struct session *session, struct saver *saver)
{
    const struct part *part;
    if (session->earlier != NULL) {
        TAILQ_FOREACH (part, &session->earlier->parts, link) {
            hand_over_output(session, &part->output, saver);
        }
    }
    hand_over_output(session, &session->output, saver);
}

static void hand_over_events(const struct session *session, struct saver *saver)
{
    if (session->watcher != NULL) {
        struct buffer *out = state_begin(saver->state, STATE_EVENTS);
        pack_uint(out, session->id);
        watcher_hand_over(session->watcher, out);
        state_end(saver->state);
    }
}

void service_hand_over(struct service *service, struct saver *saver,
                       const struct session_saver *above)
{
    const struct session *session;
    uint32_t calls = 0;
    assert(service->jobs.count == 0);
    hand_over_service(service, saver);
    objects_hand_over(&service->registry, saver);
    TAILQ_FOREACH (session, &service->sessions, link) {
        hand_over_session(session, saver, above);
    }
    hand_over_ties(&service->registry, saver);
    TAILQ_FOREACH (session, &service->sessions, link) {
        hand_over_calls(session, saver, &calls);
    }
    hand_over_all_waits(&service->registry, saver);
    TAILQ_FOREACH (session, &service->sessions, link) {
        hand_over_unsent(session, saver);
        hand_over_events(session, saver);
    }
}
