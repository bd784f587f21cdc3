/*
 * loader: see loader.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, with IPCD_TEST_TAKEOVER.
 */
#include "daemon/call/loader.h"

#include <stdlib.h>

#include "daemon/objects/waits.h"

enum { LIST_LEAST = 64 };

/* Appends to an array that doubles when its length is a power of two. */
int loader_append(void ***elements, uint32_t *len, void *element)
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

struct session *loader_session_at(const struct service_loader *loader, uint32_t i)
{
    return loader->sessions[i];
}

/* The session of a number; NULL, and the row is bad: there is none. */
struct session *loader_session(const struct service_loader *loader, struct row *row)
{
    uint64_t id = row_uint(row);
    uint32_t low = 0;
    uint32_t high = loader->nsessions;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (loader_session_at(loader, middle)->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == loader->nsessions || loader_session_at(loader, low)->id != id) {
        row->bad = true;
        return NULL;
    }
    return loader_session_at(loader, low);
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

struct descriptor *loader_descriptor(void *data, uint64_t number)
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
    status = loader_append(&elements, &loader->ndescriptors, descriptor);
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
struct object *loader_object(struct row *row)
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
    struct object *object = loader_object(row);
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
                                       .descriptor = loader_descriptor,
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
