/*
 * saving: see saving.h.
 *
 * Tests: tests/unit/call/test_takeover.c.
 */
#include "daemon/objects/saving.h"

#include <stdlib.h>

#include "daemon/objects/registry.h"

enum { DESCRIPTORS_LEAST = 16 };

/* ---- saving ---------------------------------------------------------------------------------- */

void saver_init(struct saver *saver, struct state_writer *state)
{
    *saver = (struct saver){.state = state};
}

/* The place of a descriptor among those that were named. */
static uint32_t number_of(struct saver *saver, struct descriptor *descriptor)
{
    if (descriptor->number < saver->ndescriptors &&
        saver->descriptors[descriptor->number] == descriptor) {
        return descriptor->number;
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
    saver->descriptors[saver->ndescriptors] = descriptor;
    return saver->ndescriptors++;
}

void save_descriptor(struct saver *saver, struct buffer *out, struct descriptor *descriptor)
{
    pack_bool(out, descriptor != NULL);
    if (descriptor != NULL) {
        pack_uint(out, number_of(saver, descriptor));
    }
}

void save_value(struct saver *saver, struct buffer *out, struct stored value)
{
    const struct attachments *attachments = value.blob == NULL ? NULL : value.blob->attachments;
    pack_bin(out, value.bytes);
    pack_bool(out, attachments != NULL);
    if (attachments == NULL) {
        return;
    }
    pack_array(out, attachments->ndescriptors);
    for (uint32_t i = 0; i < attachments->ndescriptors; i++) {
        pack_uint(out, attachments->descriptors[i].at);
        pack_uint(out, number_of(saver, attachments->descriptors[i].descriptor));
    }
    pack_array(out, attachments->nobjects);
    for (uint32_t i = 0; i < attachments->nobjects; i++) {
        pack_uint(out, attachments->objects[i]->entry.seq);
    }
}

void saver_finish(struct saver *saver)
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
    free(saver->descriptors);
    saver->descriptors = NULL;
    saver->ndescriptors = 0;
}

/* ---- loading --------------------------------------------------------------------------------- */

struct user *load_user(struct loader *loader, struct fields *fields)
{
    return accounts_user(loader->accounts, (uid_t)field_below(fields, UINT32_MAX));
}

static int make_descriptor(struct loader *loader, struct fields *fields, struct descriptor **out)
{
    struct user *user = load_user(loader, fields);
    if (user == NULL) {
        return ERR_MEMORY;
    }
    bool ours = field_bool(fields);
    bool moves = field_bool(fields);
    bool is_here = field_bool(fields);
    int fd = is_here ? state_take(loader->state, fields) : -1;
    int status = fields->bad ? ERR_VALUE : descriptor_new(user, fd, out);
    user_unref(user);
    if (status < 0) {
        if (fd >= 0) {
            user_close(user, fd);
        }
        return status;
    }
    (*out)->ours = ours;
    (*out)->moves = moves;
    if (!is_here) {
        user_give_back((*out)->user, RESOURCE_DESCRIPTORS, 1); /* it was when it left */
    }
    return 0;
}

static int add_descriptor(struct loader *loader, struct fields *fields)
{
    void *grown = realloc(loader->descriptors,
                          ((size_t)loader->ndescriptors + 1) * sizeof(struct descriptor *));
    if (grown == NULL) {
        return ERR_MEMORY;
    }
    loader->descriptors = grown;
    int status = make_descriptor(loader, fields, &loader->descriptors[loader->ndescriptors]);
    loader->ndescriptors += status == 0;
    return status;
}

int loader_init(struct loader *loader, struct state_reader *state, struct registry *registry,
                struct accounts *accounts)
{
    *loader = (struct loader){.state = state, .registry = registry, .accounts = accounts};
    size_t begin = state->at;
    enum state_kind kind;
    struct fields fields;
    int status = 0;
    while (status == 0 && state_next(state, &kind, &fields)) {
        if (kind == STATE_DESCRIPTOR) {
            status = add_descriptor(loader, &fields);
        }
    }
    state->at = begin;
    return status;
}

void loader_deinit(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->ndescriptors; i++) {
        descriptor_unref(loader->descriptors[i]);
    }
    free(loader->descriptors);
    loader->descriptors = NULL;
    loader->ndescriptors = 0;
}

static struct descriptor *numbered(const struct loader *loader, struct fields *fields)
{
    uint64_t number = field_below(fields, loader->ndescriptors);
    return fields->bad ? NULL : descriptor_ref(loader->descriptors[number]);
}

int load_descriptor(struct loader *loader, struct fields *fields, struct descriptor **out)
{
    *out = field_bool(fields) ? numbered(loader, fields) : NULL;
    return fields->bad ? ERR_VALUE : 0;
}

static int load_descriptors(struct loader *loader, struct fields *fields,
                            struct attachments *attachments)
{
    uint32_t count = field_array(fields);
    attachments->descriptors = calloc((size_t)count + 1, sizeof(*attachments->descriptors));
    if (attachments->descriptors == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < count && !fields->bad; i++) {
        uint32_t at = (uint32_t)field_below(fields, UINT32_MAX);
        struct descriptor *descriptor = numbered(loader, fields);
        if (descriptor != NULL) {
            attachments->descriptors[attachments->ndescriptors++] =
                (struct attached_descriptor){.at = at, .descriptor = descriptor};
        }
    }
    return fields->bad ? ERR_VALUE : 0;
}

/* Objects that were deleted meanwhile are not there any more: the value only has their names. */
static int load_references(struct loader *loader, struct fields *fields,
                           struct attachments *attachments)
{
    uint32_t count = field_array(fields);
    attachments->objects = calloc((size_t)count + 1, sizeof(struct object *));
    if (attachments->objects == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < count && !fields->bad; i++) {
        uint64_t number = field_uint(fields);
        struct object *object = registry_from(loader->registry, number);
        if (object != NULL && object->entry.seq == number) {
            object->contained++;
            attachments->objects[attachments->nobjects++] = object_ref(object);
        }
    }
    return fields->bad ? ERR_VALUE : 0;
}

static int load_attachments(struct loader *loader, struct fields *fields, struct attachments **out)
{
    *out = NULL;
    if (!field_bool(fields)) {
        return fields->bad ? ERR_VALUE : 0;
    }
    struct attachments *attachments = calloc(1, sizeof(*attachments));
    if (attachments == NULL) {
        return ERR_MEMORY;
    }
    int status = load_descriptors(loader, fields, attachments);
    status = status < 0 ? status : load_references(loader, fields, attachments);
    if (status < 0) {
        attachments_free(attachments);
        return status;
    }
    *out = attachments;
    return 0;
}

/* The places of the descriptors lie in the value. */
static bool fit(const struct attachments *attachments, struct slice bytes)
{
    bool all = true;
    for (uint32_t i = 0; attachments != NULL && i < attachments->ndescriptors; i++) {
        all &= attachments->descriptors[i].at < bytes.len;
    }
    return all;
}

/* `always`: it is to be a blob, whatever it is. */
static int load(struct loader *loader, struct fields *fields, bool always, struct slice *bytes,
                struct blob **out)
{
    struct attachments *attachments;
    *bytes = field_bytes(fields);
    *out = NULL;
    int status = load_attachments(loader, fields, &attachments);
    if (status < 0) {
        return status;
    }
    if (!fit(attachments, *bytes)) {
        attachments_free(attachments);
        return ERR_VALUE;
    }
    if (!always && attachments == NULL && bytes->len < BLOB_MIN) {
        return 0;
    }
    *out = blob_with(*bytes, attachments);
    return *out == NULL ? ERR_MEMORY : 0;
}

int load_value(struct loader *loader, struct fields *fields, struct slice *bytes,
               struct blob **blob)
{
    return load(loader, fields, false, bytes, blob);
}

int load_blob(struct loader *loader, struct fields *fields, struct blob **out)
{
    struct slice bytes;
    return load(loader, fields, true, &bytes, out);
}

struct object *load_object(struct loader *loader, struct fields *fields)
{
    uint64_t number = field_uint(fields);
    struct object *object = registry_from(loader->registry, number);
    if (object == NULL || object->entry.seq != number) {
        fields->bad = true;
        return NULL;
    }
    return object;
}
