/*
 * takeover: see takeover.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, all of them, with IPCD_TEST_TAKEOVER
 * in the environment.
 */
#include "daemon/call/takeover.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/unsent.h"
#include "daemon/call/waiting.h"
#include "daemon/call/watching.h"
#include "daemon/objects/waits.h"

enum { LIST_LEAST = 64 };

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

/* The session of a number; NULL, and the row is bad: there is none. */
static struct session *find_session(const struct service_loader *loader, struct row *row)
{
    uint64_t id = row_uint(row);
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
        row->bad = true;
        return NULL;
    }
    return session_at(loader, low);
}

/* ---- the service ----------------------------------------------------------------------------- */

static void take_over_figures(struct service *service, struct row *row)
{
    uint32_t count = row_array(row);
    for (uint32_t i = 0; i < count && !row->bad; i++) {
        const struct method *method = method_index_find(&service->index, row_bytes(row));
        struct method_figures figures;
        figures.calls = row_uint(row);
        figures.errors = row_uint(row);
        if (method != NULL) {
            service->figures[method->id] = figures;
        }
    }
}

static int take_over_service(struct service_loader *loader, struct row *row)
{
    struct service *service = loader->service;
    struct registry *registry = &service->registry;
    registry->seed = row_uint(row);
    registry->faults = row_uint(row);
    loader->next_session = row_uint(row);
    service->started = row_uint(row);
    service->since = row_date(row);
    service->takeovers = row_uint(row) + 1;
    service->unknown_methods = row_uint(row);
    service->retries = row_uint(row);
    take_over_figures(service, row);
    return 0;
}

/* ---- descriptors and objects ----------------------------------------------------------------- */

struct row service_loader_row(struct service_loader *loader, struct slice record)
{
    return (struct row){.rest = record, .reader = &loader->rows};
}

static struct descriptor *find_descriptor(void *data, uint64_t number)
{
    struct service_loader *loader = data;
    bool is_there = number > 0 && number <= loader->ndescriptors;
    return is_there ? descriptor_ref(loader->descriptors[number - 1]) : NULL;
}

/* Its descriptor, of a record that has one; -1: it has left. */
static int take_fd(struct service_loader *loader, struct row *row)
{
    if (!row_bool(row)) {
        return -1;
    }
    int fd = state_take(loader->state, row_uint(row));
    row->bad = row->bad || fd < 0;
    return fd;
}

static int make_descriptor(struct service_loader *loader, struct row *row, struct user *user,
                           struct descriptor **out)
{
    bool ours = row_bool(row);
    bool moves = row_bool(row);
    int fd = take_fd(loader, row);
    int status = row->bad ? ERR_VALUE : descriptor_new(user, fd, out);
    if (status < 0) {
        if (fd >= 0) {
            user_close(user, fd);
        }
        return status;
    }
    (*out)->ours = ours;
    (*out)->moves = moves;
    if (fd < 0) {
        user_give_back(user, RESOURCE_DESCRIPTORS, 1); /* as it was when it left */
    }
    return 0;
}

static int add_descriptor(struct service_loader *loader, struct row *row)
{
    struct descriptor *descriptor;
    struct user *user = accounts_user(&loader->service->accounts, (uid_t)row_uint(row));
    void **elements = (void **)loader->descriptors;
    if (user == NULL) {
        return ERR_MEMORY;
    }
    int status = make_descriptor(loader, row, user, &descriptor);
    user_unref(user);
    if (status < 0) {
        return status;
    }
    status = append(&elements, &loader->ndescriptors, descriptor);
    loader->descriptors = (struct descriptor **)elements;
    if (status < 0) {
        descriptor_unref(descriptor);
    }
    return status;
}

static int add_object(struct service_loader *loader, struct row *row)
{
    uint64_t number = row_uint(row);
    (void)row_bytes(row);
    struct slice value = row_bytes(row);
    return row->bad ? ERR_VALUE : loading_object(&loader->rows, number, value);
}

static int by_key(const void *a, const void *b)
{
    const struct slice x = ((const struct sorted_row *)a)->key;
    const struct slice y = ((const struct sorted_row *)b)->key;
    int order = memcmp(x.data, y.data, x.len < y.len ? x.len : y.len);
    return order != 0 ? order : x.len < y.len ? -1 : x.len > y.len;
}

/* All rows of the object in hand have come: loads them in their order. */
static int load_rows(struct service_loader *loader)
{
    struct object_rows *rows = &loader->of_object;
    int status = 0;
    if (!rows->is_sorted) {
        qsort(rows->rows, rows->count, sizeof(*rows->rows), by_key);
    }
    for (size_t i = 0; i < rows->count && status == 0; i++) {
        status = loading_row(&loader->rows, rows->object, rows->rows[i].key, rows->rows[i].value);
    }
    rows->count = 0;
    rows->is_sorted = true;
    return status;
}

static int keep_row(struct object_rows *rows, struct sorted_row row)
{
    if (rows->count == rows->cap) {
        size_t cap = rows->cap > 0 ? rows->cap * 2 : LIST_LEAST;
        void *grown = realloc(rows->rows, cap * sizeof(*rows->rows));
        if (grown == NULL) {
            return ERR_MEMORY;
        }
        rows->rows = grown;
        rows->cap = cap;
    }
    rows->is_sorted =
        rows->count == 0 || (rows->is_sorted && by_key(&rows->rows[rows->count - 1], &row) < 0);
    rows->rows[rows->count++] = row;
    return 0;
}

static int add_row(struct service_loader *loader, struct row *row)
{
    struct object_rows *rows = &loader->of_object;
    uint64_t number = row_uint(row);
    struct sorted_row next;
    next.key = row_bytes(row);
    next.value = row_bytes(row);
    if (row->bad) {
        return ERR_VALUE;
    }
    int status = number == rows->object ? 0 : load_rows(loader);
    rows->object = number;
    return status < 0 ? status : keep_row(rows, next);
}

/* The object of a number; NULL, and the row is bad: there is none. */
static struct object *load_object(struct row *row)
{
    uint64_t number = row_uint(row);
    struct object *object = registry_from(row->reader->registry, number);
    bool is_there = object != NULL && object->entry.seq == number;
    row->bad = row->bad || !is_there;
    return is_there ? object : NULL;
}

/* One that was sealed has its name, and nothing else. */
static int seal_again(struct service_loader *loader, struct row *row)
{
    struct object *object = load_object(row);
    if (object != NULL) {
        object->kind = OBJECT_KINDS;
    }
    return 0;
}

/* Goes through all records for those of one or two kinds. */
static int load_all(struct service_loader *loader, enum state_kind one,
                    int (*load_one)(struct service_loader *loader, struct row *row),
                    enum state_kind other,
                    int (*load_other)(struct service_loader *loader, struct row *row))
{
    enum state_kind kind;
    struct slice record;
    int status = 0;
    state_rewind(loader->state);
    while (status == 0 && state_next(loader->state, &kind, &record)) {
        struct row row = service_loader_row(loader, record);
        if (kind == one) {
            status = load_one(loader, &row);
        } else if (kind == other) {
            status = load_other(loader, &row);
        }
        status = status == 0 && row.bad ? ERR_VALUE : status;
    }
    state_rewind(loader->state);
    return status;
}

/* What is in the objects: of those that are durable, where it is on disk. */
static int load_contents(struct service_loader *loader, const struct stored_rows *stored)
{
    int status = load_all(loader, STATE_ROW, add_row, STATE_KINDS, NULL);
    status = status < 0 ? status : load_rows(loader);
    if (status == 0 && stored->load != NULL) {
        status = stored->load(stored->data, &loader->rows);
    }
    return status;
}

int service_loader_init(struct service_loader *loader, struct service *service,
                        struct state_reader *state, const struct stored_rows *stored,
                        const struct moment *now)
{
    *loader = (struct service_loader){.service = service, .state = state};
    loader->rows = (struct row_reader){.registry = &service->registry,
                                       .accounts = &service->accounts,
                                       .now = *now,
                                       .descriptor = find_descriptor,
                                       .data = loader};
    loader->of_object.is_sorted = true;
    loading_begin(&loader->rows);
    int status =
        load_all(loader, STATE_SERVICE, take_over_service, STATE_DESCRIPTOR, add_descriptor);
    status =
        status < 0 ? status : load_all(loader, STATE_OBJECT, add_object, STATE_SEALED, seal_again);
    status = status < 0 ? status : load_contents(loader, stored);
    status = status < 0 ? status : loading_end(&loader->rows);
    service->accounts.is_loading = true; /* so are sessions, and what they have */
    return status;
}

void service_loader_deinit(struct service_loader *loader)
{
    for (uint32_t i = 0; i < loader->ndescriptors; i++) {
        descriptor_unref(loader->descriptors[i]);
    }
    free(loader->descriptors);
    free(loader->of_object.rows);
    free(loader->sessions);
    free(loader->calls);
    *loader = (struct service_loader){0};
}

/* ---- sessions -------------------------------------------------------------------------------- */

int session_take_over(struct service_loader *loader, struct session *session, struct row *row)
{
    uint64_t last = loader->nsessions == 0 ? 0 : session_at(loader, loader->nsessions - 1)->id;
    session->id = row_uint(row);
    session->ncalls = row_uint(row);
    session->since = row_date(row);
    session->killed = row_bool(row);
    session->closing = row_bool(row);
    bool has_client = row_bool(row);
    struct slice client = row_bytes(row);
    if (row->bad || session->id <= last) {
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

static int take_over_watch(struct session *session, struct tie *tie, struct row *row)
{
    struct watcher *watcher = session_watcher(session);
    return watcher == NULL ? ERR_MEMORY : watch_load(watcher, tie, row);
}

static int take_over_tie(struct service_loader *loader, struct row *row)
{
    struct object *object = load_object(row);
    struct session *session = find_session(loader, row);
    if (row->bad || session_tie(session, object) != NULL) {
        return ERR_VALUE;
    }
    struct tie *tie = session_tie_make(session, object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    tie->open = row_bool(row);
    object->opens += tie->open;
    uint64_t holding = row_uint(row);
    tie->since = row_date(row);
    int status = row_bool(row) ? take_over_watch(session, tie, row) : 0;
    if (status == 0 && holding > 0) {
        if (object->type->load_claims == NULL || object_is_sealed(object)) {
            return ERR_VALUE;
        }
        tie->holding = holding;
        status = object->type->load_claims(tie, row);
    }
    session_tie_check(tie);
    return status;
}

static struct tie *tie_to(struct session *session, struct object *object)
{
    return session_tie(session, object);
}

static int take_over_events(struct service_loader *loader, struct row *row)
{
    struct session *session = find_session(loader, row);
    if (session == NULL) {
        return ERR_VALUE;
    }
    struct watcher *watcher = session_watcher(session);
    return watcher == NULL ? ERR_MEMORY : watcher_load(watcher, row, tie_to);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void take_over_descriptors(struct origin *origin, struct row *row)
{
    uint32_t count = row_array(row);
    row->bad = row->bad || count > DESCRIPTORS_PER_MESSAGE;
    while (!row->bad && origin->count < count) {
        uint64_t number = row_uint(row);
        struct descriptor *descriptor =
            number == 0 ? NULL : find_descriptor(row->reader->data, number);
        row->bad = row->bad || (number > 0 && descriptor == NULL);
        origin->descriptors[origin->count++] = descriptor;
    }
}

static int take_over_origin(struct service_loader *loader, const struct session *session,
                            struct row *row, struct origin **out)
{
    *out = NULL;
    if (!row_bool(row)) {
        return 0;
    }
    struct origin *origin = calloc(1, sizeof(*origin));
    if (origin == NULL) {
        return ERR_MEMORY;
    }
    origin->refs = 1;
    origin->registry = &loader->service->registry;
    origin->sender = &session->credentials;
    origin->named = (unsigned)row_below(row, NAMED_PER_MESSAGE + 1);
    take_over_descriptors(origin, row);
    if (row->bad) {
        origin_unref(origin);
        return ERR_VALUE;
    }
    *out = origin;
    return 0;
}

/* Params that the method has come to have since then are not given. */
static int take_over_params(const struct call *call, struct param params[METHOD_PARAMS_MAX],
                            struct row *row)
{
    uint32_t known = call->service->index.signatures[call->method->id].count;
    uint32_t count = row_array(row);
    if (count > known) {
        return ERR_VALUE;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct param *param = &params[i];
        if (row_bool(row)) {
            param->raw = row_raw(row);
            (void)header_read(param->raw.data, param->raw.len, &param->header);
        }
    }
    return row->bad ? ERR_VALUE : 0;
}

/* What is known of a call and what stands beside it; its object is 0 if it has none. */
static int take_over_head(struct service_loader *loader, struct call *call,
                          struct parked_past *past, struct row *row)
{
    call->service = loader->service;
    call->session = find_session(loader, row);
    past->seq = row_uint(row);
    call->method = method_index_find(&loader->service->index, row_bytes(row));
    call->msgid = (uint32_t)row_below(row, UINT64_C(1) << 32);
    call->notification = row_bool(row);
    uint64_t number = row_uint(row);
    call->object = number == 0 ? NULL : registry_from(&loader->service->registry, number);
    if (number != 0 && (call->object == NULL || call->object->entry.seq != number)) {
        return ERR_VALUE;
    }
    call->progress = row_uint(row);
    past->since = row_uint(row);
    past->deadline = row_uint(row);
    call->wish.timeout_ms = row_int(row);
    call->wish.channel = (unsigned)row_below(row, OBJECT_CHANNELS);
    call->wish.by_key = row_bool(row);
    call->wish.hash = (uint32_t)row_below(row, UINT64_C(1) << 32);
    past->nwaits = (unsigned)row_below(row, CALL_OBJECTS_MAX + 1);
    return row->bad || call->method == NULL ? ERR_VALUE : 0;
}

static int take_over_call(struct service_loader *loader, struct row *row)
{
    struct param params[METHOD_PARAMS_MAX] = {{{0}, {0}}};
    struct call call = {.now = loader->service->now, .waited = true, .params = params};
    struct parked_past past;
    struct parked *parked;
    int status = take_over_head(loader, &call, &past, row);
    status = status < 0 ? status : take_over_params(&call, params, row);
    if (status < 0) {
        return status;
    }
    struct origin *origin;
    status = take_over_origin(loader, call.session, row, &origin);
    if (status < 0) {
        return status;
    }
    call.origin = origin;
    status = parked_take_over(&call, &past, &parked);
    origin_unref(origin);
    return status < 0 ? status : append(&loader->calls, &loader->ncalls, parked);
}

static int take_over_waits(struct service_loader *loader, struct row *row)
{
    struct object *object = load_object(row);
    unsigned channel = (unsigned)row_below(row, OBJECT_CHANNELS);
    uint32_t count = row_array(row);
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        uint64_t number = row_below(row, loader->ncalls);
        uint64_t place = row_uint(row);
        bool asleep = row_bool(row);
        uint32_t hash = (uint32_t)row_below(row, UINT64_C(1) << 32);
        if (row->bad) {
            return ERR_VALUE;
        }
        status = parked_take_place(loader->calls[number], place, object, channel, asleep, hash);
    }
    return status;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The value that is noted, as a blob with a reference. */
static int take_over_value(struct row *row, struct blob **out)
{
    struct origin origin;
    struct incoming value = row_value(row, &origin);
    int status = row->bad ? ERR_VALUE : row->no_memory ? ERR_MEMORY : 0;
    if (status == 0) {
        *out = blob_new(value);
        status = *out == NULL ? ERR_MEMORY : 0;
    }
    row_value_done(&origin);
    return status;
}

static int take_over_note(struct output *output, struct row *row)
{
    struct undelivered *note = &output->undelivered[output->nundelivered];
    struct object *object = load_object(row);
    uint64_t end = row_uint(row);
    struct blob *blob;
    int status = take_over_value(row, &blob);
    if (status < 0) {
        return status;
    }
    bool notes = object != NULL && object->type->load_note != NULL && !object_is_sealed(object);
    status = notes ? object->type->load_note(note->note, row) : ERR_VALUE;
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

static int take_over_notes(struct output *output, struct row *row)
{
    uint32_t count = row_array(row);
    int status = 0;
    if (count > 0) {
        output->undelivered = calloc(count, sizeof(*output->undelivered));
        output->undelivered_cap = count;
        status = output->undelivered == NULL ? ERR_MEMORY : 0;
    }
    for (uint32_t i = 0; i < count && status == 0; i++) {
        status = take_over_note(output, row);
    }
    return status;
}

static void take_over_passing_one(struct passing *passing, struct row *row)
{
    passing->at = row_uint(row);
    uint32_t count = row_array(row);
    row->bad = row->bad || count > DESCRIPTORS_PER_MESSAGE;
    while (!row->bad && passing->count < count) {
        struct descriptor *descriptor = row_descriptor(row);
        if (descriptor != NULL) {
            passing->descriptors[passing->count++] = descriptor;
        }
    }
}

static int take_over_passing(struct output *output, struct row *row)
{
    uint32_t count = row_array(row);
    if (count > 0) {
        output->passing = calloc(count, sizeof(*output->passing));
        if (output->passing == NULL) {
            return ERR_MEMORY;
        }
    }
    while (output->npassing < count && !row->bad) {
        take_over_passing_one(&output->passing[output->npassing++], row);
    }
    return 0;
}

static int take_over_output(struct service_loader *loader, struct row *row)
{
    struct output output = {0};
    struct session *session = find_session(loader, row);
    struct slice bytes = row_bytes(row);
    if (row->bad) {
        return ERR_VALUE;
    }
    int status = buffer_append(&output.bytes, bytes.data, bytes.len) < 0 ? ERR_MEMORY : 0;
    status = status < 0 ? status : take_over_notes(&output, row);
    status = status < 0 ? status : take_over_passing(&output, row);
    status = status == 0 && row->bad ? ERR_VALUE : status;
    status = status < 0 ? status : session_take_over_output(session, &output);
    output_deinit(&output);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int take_over(struct service_loader *loader, enum state_kind kind, struct row *row)
{
    switch (kind) {
    case STATE_TIE:
        return take_over_tie(loader, row);
    case STATE_CALL:
        return take_over_call(loader, row);
    case STATE_WAITS:
        return take_over_waits(loader, row);
    case STATE_OUTPUT:
        return take_over_output(loader, row);
    case STATE_EVENTS:
        return take_over_events(loader, row);
    default:
        row->rest.len = 0; /* it has been read already */
        return 0;
    }
}

int service_take_over(struct service_loader *loader, enum state_kind kind, struct slice record)
{
    struct row row = service_loader_row(loader, record);
    int status = take_over(loader, kind, &row);
    if (status == ERR_VALUE || (status == 0 && (row.bad || row.rest.len > 0))) {
        (void)snprintf(loader->rows.why, sizeof(loader->rows.why),
                       "a record of kind %d is not what it should be", (int)kind);
        status = ERR_VALUE;
    }
    return status;
}

void service_taken_over(struct service_loader *loader)
{
    struct service *service = loader->service;
    struct registry *registry = &service->registry;
    struct object *object;
    service->accounts.is_loading = false;
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

void service_upgraded(struct service *service)
{
    struct session *session;
    TAILQ_FOREACH (session, &service->sessions, link) {
        struct parked *parked;
        for (uint64_t seq = 0; (parked = session_parked_from(session, seq)) != NULL;) {
            seq = parked->of_session.seq + 1;
            if (parked->call.method->id == METHOD_server_upgrade) {
                call_ask(&parked->call);
            }
        }
    }
}
