/*
 * resuming: see resuming.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, with IPCD_TEST_TAKEOVER.
 */
#include "daemon/call/resuming.h"

#include <stdlib.h>

#include "daemon/call/parked.h"
#include "daemon/call/unsent.h"

/* ---- calls ----------------------------------------------------------------------------------- */

static void take_over_descriptors(struct origin *origin, struct row *row)
{
    uint32_t count = row_array(row);
    row->bad = row->bad || count > DESCRIPTORS_PER_MESSAGE;
    while (!row->bad && origin->count < count) {
        uint64_t number = row_uint(row);
        struct descriptor *descriptor =
            number == 0 ? NULL : loader_descriptor(row->reader->data, number);
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
    call->session = loader_session(loader, row);
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

int resume_call(struct service_loader *loader, struct row *row)
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
    return status < 0 ? status : loader_append(&loader->calls, &loader->ncalls, parked);
}

int resume_waits(struct service_loader *loader, struct row *row)
{
    struct object *object = loader_object(row);
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
    struct object *object = loader_object(row);
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

int resume_output(struct service_loader *loader, struct row *row)
{
    struct output output = {0};
    struct session *session = loader_session(loader, row);
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
