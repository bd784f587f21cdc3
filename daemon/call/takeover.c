/*
 * takeover: see takeover.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, all of them, with IPCD_TEST_TAKEOVER
 * in the environment.
 */
#include "daemon/call/takeover.h"

#include <stdlib.h>

#include "daemon/call/unsent.h"
#include "daemon/call/watching.h"
#include "daemon/objects/waits.h"

enum { LIST_LEAST = 64 };

int service_loader_init(struct service_loader *loader, struct service *service,
                        struct state_reader *state)
{
    *loader = (struct service_loader){.service = service};
    return loader_init(&loader->loader, state, &service->registry, &service->accounts);
}

void service_loader_deinit(struct service_loader *loader)
{
    loader_deinit(&loader->loader);
    free(loader->sessions);
    free(loader->calls);
    *loader = (struct service_loader){0};
}

/* Appends to an array that doubles when its length is a power of two. */
static int append(void ***elements, uint32_t *len, void *element)
{
    if (*len == 0 || (*len >= LIST_LEAST && (*len & (*len - 1)) == 0)) {
        size_t cap = *len == 0 ? LIST_LEAST : (size_t)*len * 2;
        void **grown = realloc(*elements, cap * sizeof(void *));
        if (grown == NULL) {
            return ERR_MEMORY;
        }
        *elements = grown;
    }
    (*elements)[(*len)++] = element;
    return 0;
}

static struct session *session_at(const struct service_loader *loader, uint32_t i)
{
    return loader->sessions[i];
}

/* The session of a number; NULL, and the fields are bad: there is none. */
static struct session *find_session(const struct service_loader *loader, struct fields *fields)
{
    uint64_t id = field_uint(fields);
    uint32_t low = 0;
    uint32_t high = loader->nsessions;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (session_at(loader, middle)->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == loader->nsessions || session_at(loader, low)->id != id) {
        fields->bad = true;
        return NULL;
    }
    return session_at(loader, low);
}

/* ---- the service ----------------------------------------------------------------------------- */

static void take_over_figures(struct service *service, struct fields *fields)
{
    uint32_t count = field_array(fields);
    for (uint32_t i = 0; i < count && !fields->bad; i++) {
        const struct method *method = method_index_find(&service->index, field_bytes(fields));
        struct method_figures figures;
        figures.calls = field_uint(fields);
        figures.errors = field_uint(fields);
        if (method != NULL) {
            service->figures[method->id] = figures;
        }
    }
}

static int take_over_service(struct service_loader *loader, struct fields *fields)
{
    struct service *service = loader->service;
    struct registry *registry = &service->registry;
    registry->seed = field_uint(fields);
    loader->next_object = field_uint(fields);
    registry->anonymous = field_uint(fields);
    registry->faults = field_uint(fields);
    loader->next_session = field_uint(fields);
    service->started = field_uint(fields);
    service->since = field_time(fields);
    service->takeovers = field_uint(fields) + 1;
    service->unknown_methods = field_uint(fields);
    service->retries = field_uint(fields);
    take_over_figures(service, fields);
    return 0;
}

/* ---- sessions -------------------------------------------------------------------------------- */

int session_take_over(struct service_loader *loader, struct session *session, struct fields *fields)
{
    uint64_t last = loader->nsessions == 0 ? 0 : session_at(loader, loader->nsessions - 1)->id;
    session->id = field_uint(fields);
    session->ncalls = field_uint(fields);
    session->since = field_time(fields);
    session->killed = field_bool(fields);
    session->closing = field_bool(fields);
    bool has_client = field_bool(fields);
    struct slice client = field_bytes(fields);
    if (fields->bad || session->id <= last) {
        return ERR_VALUE;
    }
    if (has_client) {
        session->client = strndup((const char *)client.data, client.len);
        if (session->client == NULL) {
            return ERR_MEMORY;
        }
        session_charge_memory(session);
    }
    return append(&loader->sessions, &loader->nsessions, session);
}

static int take_over_watch(struct session *session, struct tie *tie, struct fields *fields)
{
    struct watcher *watcher = session_watcher(session);
    return watcher == NULL ? ERR_MEMORY : watch_take_over(watcher, tie, fields);
}

static int take_over_tie(struct service_loader *loader, struct fields *fields)
{
    struct object *object = load_object(&loader->loader, fields);
    struct session *session = find_session(loader, fields);
    if (fields->bad || session_tie(session, object) != NULL) {
        return ERR_VALUE;
    }
    struct tie *tie = session_tie_make(session, object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    tie->open = field_bool(fields);
    object->opens += tie->open;
    uint64_t holding = field_uint(fields);
    tie->since = field_time(fields);
    int status = field_bool(fields) ? take_over_watch(session, tie, fields) : 0;
    if (status == 0 && holding > 0) {
        if (object->type->take_over_claims == NULL || object_is_sealed(object)) {
            return ERR_VALUE;
        }
        tie->holding = holding;
        status = object->type->take_over_claims(tie, &loader->loader, fields);
    }
    session_tie_check(tie);
    return status;
}

static struct tie *tie_to(struct session *session, struct object *object)
{
    return session_tie(session, object);
}

static int take_over_events(struct service_loader *loader, struct fields *fields)
{
    struct session *session = find_session(loader, fields);
    if (session == NULL) {
        return ERR_VALUE;
    }
    struct watcher *watcher = session_watcher(session);
    return watcher == NULL ? ERR_MEMORY
                           : watcher_take_over(watcher, &loader->loader, fields, tie_to);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static int take_over_origin(struct service_loader *loader, const struct session *session,
                            struct fields *fields, struct origin **out)
{
    *out = NULL;
    if (!field_bool(fields)) {
        return 0;
    }
    struct origin *origin = calloc(1, sizeof(*origin));
    if (origin == NULL) {
        return ERR_MEMORY;
    }
    *origin = (struct origin){
        .refs = 1, .registry = &loader->service->registry, .sender = &session->credentials};
    origin->named = (unsigned)field_below(fields, NAMED_PER_MESSAGE + 1);
    uint32_t count = field_array(fields);
    int status = count > DESCRIPTORS_PER_MESSAGE ? ERR_VALUE : 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        status = load_descriptor(&loader->loader, fields, &origin->descriptors[i]);
        origin->count++;
    }
    if (status < 0) {
        origin_unref(origin);
        return status;
    }
    *out = origin;
    return 0;
}

/* Params that the method has come to have since then are not given. */
static int take_over_params(const struct call *call, struct param params[METHOD_PARAMS_MAX],
                            struct fields *fields)
{
    uint32_t known = call->service->index.signatures[call->method->id].count;
    uint32_t count = field_array(fields);
    if (count > known) {
        return ERR_VALUE;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct param *param = &params[i];
        param->raw = field_bytes(fields);
        if (param->raw.len > 0 &&
            header_read(param->raw.data, param->raw.len, &param->header) != 0) {
            return ERR_VALUE;
        }
    }
    return fields->bad ? ERR_VALUE : 0;
}

/* What is known of a call and what stands beside it; its object is 0 if it has none. */
static int take_over_head(struct service_loader *loader, struct call *call,
                          struct parked_past *past, struct fields *fields)
{
    call->service = loader->service;
    call->session = find_session(loader, fields);
    past->seq = field_uint(fields);
    call->method = method_index_find(&loader->service->index, field_bytes(fields));
    call->msgid = (uint32_t)field_below(fields, UINT64_C(1) << 32);
    call->notification = field_bool(fields);
    uint64_t number = field_uint(fields);
    call->object = number == 0 ? NULL : registry_from(&loader->service->registry, number);
    if (number != 0 && (call->object == NULL || call->object->entry.seq != number)) {
        return ERR_VALUE;
    }
    call->progress = field_uint(fields);
    past->since = field_uint(fields);
    past->deadline = field_uint(fields);
    call->wish.timeout_ms = field_int(fields);
    call->wish.channel = (unsigned)field_below(fields, OBJECT_CHANNELS);
    call->wish.by_key = field_bool(fields);
    call->wish.hash = (uint32_t)field_below(fields, UINT64_C(1) << 32);
    past->nwaits = (unsigned)field_below(fields, CALL_OBJECTS_MAX + 1);
    return fields->bad || call->method == NULL ? ERR_VALUE : 0;
}

static int take_over_call(struct service_loader *loader, struct fields *fields)
{
    struct param params[METHOD_PARAMS_MAX] = {{{0}, {0}}};
    struct call call = {.now = loader->service->now, .waited = true, .params = params};
    struct parked_past past;
    struct parked *parked;
    int status = take_over_head(loader, &call, &past, fields);
    status = status < 0 ? status : take_over_params(&call, params, fields);
    if (status < 0) {
        return status;
    }
    struct origin *origin;
    status = take_over_origin(loader, call.session, fields, &origin);
    if (status < 0) {
        return status;
    }
    call.origin = origin;
    status = parked_take_over(&call, &past, &parked);
    origin_unref(origin);
    return status < 0 ? status : append(&loader->calls, &loader->ncalls, parked);
}

static int take_over_waits(struct service_loader *loader, struct fields *fields)
{
    struct object *object = load_object(&loader->loader, fields);
    unsigned channel = (unsigned)field_below(fields, OBJECT_CHANNELS);
    uint32_t count = field_array(fields);
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        uint64_t number = field_below(fields, loader->ncalls);
        uint64_t place = field_uint(fields);
        bool asleep = field_bool(fields);
        uint32_t hash = (uint32_t)field_below(fields, UINT64_C(1) << 32);
        if (fields->bad) {
            return ERR_VALUE;
        }
        status = parked_take_place(loader->calls[number], place, object, channel, asleep, hash);
    }
    return status;
}

/* ---- answers --------------------------------------------------------------------------------- */

static int take_over_note(struct service_loader *loader, struct output *output,
                          struct fields *fields)
{
    struct undelivered *note = &output->undelivered[output->nundelivered];
    struct object *object = load_object(&loader->loader, fields);
    uint64_t end = field_uint(fields);
    struct blob *blob;
    int status = load_blob(&loader->loader, fields, &blob);
    if (status == 0 &&
        (object == NULL || object->type->take_over_note == NULL || object_is_sealed(object))) {
        status = ERR_VALUE;
    }
    if (status == 0) {
        status = object->type->take_over_note(note->note, &loader->loader, fields);
    }
    if (status < 0) {
        blob_unref(blob);
        return status;
    }
    note->object = object_ref(object);
    note->end = end;
    note->blob = blob;
    output->nundelivered++;
    return 0;
}

static int take_over_notes(struct service_loader *loader, struct output *output,
                           struct fields *fields)
{
    uint32_t count = field_array(fields);
    int status = 0;
    if (count > 0) {
        output->undelivered = calloc(count, sizeof(*output->undelivered));
        output->undelivered_cap = count;
        status = output->undelivered == NULL ? ERR_MEMORY : 0;
    }
    for (uint32_t i = 0; i < count && status == 0; i++) {
        status = take_over_note(loader, output, fields);
    }
    return status;
}

static int take_over_passing(struct service_loader *loader, struct output *output,
                             struct fields *fields)
{
    uint32_t count = field_array(fields);
    output->passing = count == 0 ? NULL : calloc(count, sizeof(*output->passing));
    int status = count > 0 && output->passing == NULL ? ERR_MEMORY : 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        struct passing *passing = &output->passing[output->npassing++];
        passing->at = field_uint(fields);
        uint32_t descriptors = field_array(fields);
        status = descriptors > DESCRIPTORS_PER_MESSAGE ? ERR_VALUE : 0;
        while (status == 0 && passing->count < descriptors) {
            struct descriptor *descriptor;
            status = load_descriptor(&loader->loader, fields, &descriptor);
            status = status == 0 && descriptor == NULL ? ERR_VALUE : status;
            if (status == 0) {
                passing->descriptors[passing->count++] = descriptor;
            }
        }
    }
    return status;
}

static int take_over_output(struct service_loader *loader, struct fields *fields)
{
    struct output output = {0};
    struct session *session = find_session(loader, fields);
    struct slice bytes = field_bytes(fields);
    if (fields->bad) {
        return ERR_VALUE;
    }
    int status = buffer_append(&output.bytes, bytes.data, bytes.len) < 0 ? ERR_MEMORY : 0;
    status = status < 0 ? status : take_over_notes(loader, &output, fields);
    status = status < 0 ? status : take_over_passing(loader, &output, fields);
    status = status == 0 && fields->bad ? ERR_VALUE : status;
    status = status < 0 ? status : session_take_over_output(session, &output);
    output_deinit(&output);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

int service_take_over(struct service_loader *loader, enum state_kind kind, struct fields *fields)
{
    int status = ERR_VALUE;
    switch (kind) {
    case STATE_SERVICE:
        status = take_over_service(loader, fields);
        break;
    case STATE_OBJECT:
        status = object_take_over(&loader->loader, fields);
        break;
    case STATE_ROW:
        status = object_take_over_record(&loader->loader, fields);
        break;
    case STATE_TIE:
        status = take_over_tie(loader, fields);
        break;
    case STATE_CALL:
        status = take_over_call(loader, fields);
        break;
    case STATE_WAITS:
        status = take_over_waits(loader, fields);
        break;
    case STATE_OUTPUT:
        status = take_over_output(loader, fields);
        break;
    case STATE_EVENTS:
        status = take_over_events(loader, fields);
        break;
    default:
        break;
    }
    return status == 0 && fields->bad ? ERR_VALUE : status;
}

void service_taken_over(struct service_loader *loader)
{
    struct service *service = loader->service;
    struct registry *registry = &service->registry;
    struct object *object;
    if (registry->objects.next_seq < loader->next_object) {
        registry->objects.next_seq = loader->next_object;
    }
    if (service->next_session < loader->next_session) {
        service->next_session = loader->next_session;
    }
    for (uint64_t number = 0; (object = registry_from(registry, number)) != NULL;) {
        number = object->entry.seq + 1;
        object_check_orphan(object); /* what kept it may have been an answer, which is bytes now */
        if (object_due(object) != TIME_NEVER) {
            object_ready(object); /* its timer is to be set */
        }
    }
    for (uint32_t i = 0; i < loader->nsessions; i++) {
        session_dirty(session_at(loader, i));
    }
}
