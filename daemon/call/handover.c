/*
 * handover: see handover.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, all of them, with IPCD_TEST_TAKEOVER
 * in the environment.
 */
#include "daemon/call/handover.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/call/parked.h"
#include "daemon/call/unsent.h"
#include "daemon/objects/row_form.h"

enum { DESCRIPTORS_LEAST = 16 };

/* ---- descriptors ----------------------------------------------------------------------------- */

/* The number of a descriptor, from 1 on. */
static uint64_t number_of(void *data, struct descriptor *descriptor)
{
    struct saver *saver = data;
    if (descriptor->number < saver->ndescriptors &&
        saver->descriptors[descriptor->number] == descriptor) {
        return descriptor->number + UINT64_C(1);
    }
    if (saver->ndescriptors == saver->descriptors_cap) {
        uint32_t cap = saver->descriptors_cap > 0 ? saver->descriptors_cap * 2 : DESCRIPTORS_LEAST;
        void *grown = realloc(saver->descriptors, cap * sizeof(struct descriptor *));
        if (grown == NULL) {
            saver->state->failed = true;
            return 0;
        }
        saver->descriptors = grown;
        saver->descriptors_cap = cap;
    }
    descriptor->number = saver->ndescriptors;
    saver->descriptors[saver->ndescriptors++] = descriptor;
    return saver->ndescriptors;
}

/* Those that were named. */
static void hand_over_descriptors(struct saver *saver)
{
    for (uint32_t i = 0; i < saver->ndescriptors; i++) {
        const struct descriptor *descriptor = saver->descriptors[i];
        struct buffer *out = state_begin(saver->state, STATE_DESCRIPTOR);
        pack_uint(out, descriptor->user->uid);
        pack_bool(out, descriptor->ours);
        pack_bool(out, descriptor->moves);
        pack_bool(out, descriptor->fd >= 0);
        if (descriptor->fd >= 0) {
            pack_uint(out, state_add(saver->state, descriptor->fd));
        }
        state_end(saver->state);
    }
}

/* ---- objects --------------------------------------------------------------------------------- */

static int put_row(void *data, struct slice key, struct slice value)
{
    struct saver *saver = data;
    struct buffer *out = state_begin(saver->state, key.len == 0 ? STATE_OBJECT : STATE_ROW);
    pack_uint(out, saver->object);
    pack_bin(out, key);
    pack_bin(out, value);
    state_end(saver->state);
    return saver->state->failed ? ERR_MEMORY : 0;
}

/* What is in those that are durable is on disk already. */
static void hand_over_objects(struct registry *registry, struct saver *saver,
                              const struct moment *now)
{
    struct object *object;
    saver->object = 0;
    int status = registry_save(registry, ROWS_ALL, &saver->rows);
    while (status == 0 && (object = registry_from(registry, saver->object + 1)) != NULL) {
        saver->object = object->entry.seq;
        status = object_is_durable(object) ? object_save_own(object, &saver->rows)
                                           : object_save(object, ROWS_ALL, &saver->rows, now);
        if (object_is_sealed(object)) {
            struct buffer *out = state_begin(saver->state, STATE_SEALED);
            pack_uint(out, saver->object);
            state_end(saver->state);
        }
    }
    saver->state->failed |= status < 0;
}

/* ---- the service ----------------------------------------------------------------------------- */
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
    pack_uint(out, registry->faults);
    pack_uint(out, service->next_session);
    pack_uint(out, service->started);
    row_pack_date(out, service->since);
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
    above->save(above->data, session, saver, out);
    pack_uint(out, session->id);
    pack_uint(out, session->ncalls);
    row_pack_date(out, session->since);
    pack_bool(out, session->killed);
    pack_bool(out, session->closing);
    pack_bool(out, session->client != NULL);
    pack_string(out, session->client != NULL ? session->client : "");
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
    row_pack_date(out, tie->since);
    pack_bool(out, tie->watch != NULL);
    if (tie->watch != NULL) {
        watch_save(tie->watch, out);
    }
    if (claims && type->save_claims != NULL) {
        type->save_claims(tie, out);
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
        struct descriptor *descriptor = origin->descriptors[i];
        pack_uint(out, descriptor == NULL ? 0 : number_of(saver, descriptor));
    }
}

static void hand_over_params(const struct call *call, struct buffer *out)
{
    unsigned count = call->service->index.signatures[call->method->id].count;
    pack_array(out, count);
    for (unsigned i = 0; i < count; i++) {
        bool is_given = call_given(call, i);
        pack_bool(out, is_given);
        if (is_given) {
            pack_raw(out, call_value(call, i));
        }
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

/* The header of a bin whose bytes follow. */
static void pack_bin_header(struct buffer *out, uint64_t len)
{
    const uint8_t header[] = {0xc6, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                              (uint8_t)len};
    (void)buffer_append(out, header, sizeof(header));
}

/* The bytes that have not been sent, those of spliced values in their places. */
static void pack_unsent(const struct output *output, struct buffer *out)
{
    uint64_t skip = output->sent;
    size_t from = 0;
    pack_bin_header(out, output_pending(output));
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
        row_pack_value(out, value, &saver->rows);
        note->object->type->save_note(note->note, out, &saver->rows);
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
            pack_uint(out, number_of(saver, passing->descriptors[k]));
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
        watcher_save(session->watcher, out);
        state_end(saver->state);
    }
}

void service_come_to_rest(struct service *service)
{
    struct session *session;
    do {
        service_finish(service);
        service_drain(service);
        TAILQ_FOREACH (session, &service->sessions, link) {
            session_settle(session);
        }
    } while (jobs_pending(&service->jobs) || !TAILQ_EMPTY(&service->registry.ready));
}

void service_hand_over(struct service *service, struct state_writer *state,
                       const struct session_saver *above, const struct moment *now)
{
    const struct session *session;
    uint32_t calls = 0;
    struct saver saver = {.state = state};
    saver.rows = (struct row_writer){.put = put_row, .descriptor = number_of, .data = &saver};
    assert(service->jobs.count == 0);
    hand_over_service(service, &saver);
    hand_over_objects(&service->registry, &saver, now);
    TAILQ_FOREACH (session, &service->sessions, link) {
        hand_over_session(session, &saver, above);
    }
    hand_over_ties(&service->registry, &saver);
    TAILQ_FOREACH (session, &service->sessions, link) {
        hand_over_calls(session, &saver, &calls);
    }
    hand_over_all_waits(&service->registry, &saver);
    TAILQ_FOREACH (session, &service->sessions, link) {
        hand_over_unsent(session, &saver);
        hand_over_events(session, &saver);
    }
    hand_over_descriptors(&saver);
    free(saver.descriptors);
}
