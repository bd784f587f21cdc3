/* attachment: see attachment.h. Tests: tests/unit/call/test_references.c and test_output.c. */
#include "daemon/objects/attachment.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/registry.h"

/* The exts of a run of encoded values, one after the other. */
struct walk {
    struct slice bytes;
    size_t at;            /* behind the last header looked at */
    struct header header; /* of the ext that was found */
    const uint8_t *data;  /* its data */
};

/* Goes on to the next ext of the two types. Containers need no stack: their elements follow. */
static bool next_ext(struct walk *walk)
{
    while (walk->at < walk->bytes.len) {
        const uint8_t *from = walk->bytes.data + walk->at;
        if (header_read(from, walk->bytes.len - walk->at, &walk->header) != 0) {
            return false; /* cannot be: the bytes are whole values */
        }
        walk->data = from + walk->header.size;
        walk->at += walk->header.size + walk->header.length;
        if (walk->header.kind == KIND_EXT &&
            (walk->header.ext_type == EXT_DESCRIPTOR || walk->header.ext_type == EXT_REFERENCE)) {
            return true;
        }
    }
    return false;
}

int descriptor_new(struct user *user, int fd, struct descriptor **out)
{
    int status = user_take(user, RESOURCE_DESCRIPTORS, 1);
    if (status < 0) {
        return status;
    }
    struct descriptor *descriptor = malloc(sizeof(*descriptor));
    if (descriptor == NULL) {
        user_give_back(user, RESOURCE_DESCRIPTORS, 1);
        return ERR_MEMORY;
    }
    *descriptor = (struct descriptor){.refs = 1, .fd = fd, .user = user_ref(user)};
    *out = descriptor;
    return 0;
}

size_t descriptor_cost(void)
{
    return allocation_cost(sizeof(struct descriptor));
}

struct descriptor *descriptor_ref(struct descriptor *descriptor)
{
    descriptor->refs++;
    return descriptor;
}

static void give_up(struct descriptor *descriptor)
{
    if (descriptor->fd >= 0) {
        user_give_back(descriptor->user, RESOURCE_DESCRIPTORS, 1);
        if (descriptor->ours) {
            (void)close(descriptor->fd);
        } else {
            user_close(descriptor->user, descriptor->fd);
        }
        descriptor->fd = -1;
    }
}

void descriptor_unref(struct descriptor *descriptor)
{
    if (descriptor == NULL || --descriptor->refs > 0) {
        return;
    }
    give_up(descriptor);
    user_unref(descriptor->user);
    free(descriptor);
}

void descriptor_set_user(struct descriptor *descriptor, struct user *user)
{
    (void)user_ref(user);
    user_unref(descriptor->user);
    descriptor->user = user;
}

void descriptor_left(struct descriptor *descriptor)
{
    if (descriptor->moves) {
        give_up(descriptor);
    }
}

struct origin *origin_ref(struct origin *origin)
{
    if (origin != NULL) {
        origin->refs++;
    }
    return origin;
}

size_t origin_cost(const struct origin *origin)
{
    size_t cost = origin == NULL ? 0 : allocation_cost(sizeof(*origin));
    for (unsigned i = 0; origin != NULL && i < origin->count; i++) {
        cost += origin->descriptors[i] == NULL ? 0 : descriptor_cost();
    }
    return cost;
}

void origin_unref(struct origin *origin)
{
    if (origin == NULL || --origin->refs > 0) {
        return;
    }
    for (unsigned i = 0; i < origin->count; i++) {
        descriptor_unref(origin->descriptors[i]);
    }
    free(origin);
}

static int take(struct origin *origin, const struct passed *passed, unsigned index,
                struct user *user)
{
    int status = descriptor_new(user, passed->fds[index], &origin->descriptors[index]);
    if (status == 0) {
        passed->fds[index] = -1;
    }
    return status;
}

/* Takes the descriptors that a param names, and counts what it names. */
static int take_named(struct origin *origin, const struct passed *passed, struct slice param,
                      struct user *user, const char **why)
{
    struct walk walk = {.bytes = param};
    int status = 0;
    while (status == 0 && next_ext(&walk)) {
        if (++origin->named > NAMED_PER_MESSAGE) {
            *why = "a message can name objects and descriptors (ext types 1 and 2) 65,536 times at "
                   "most";
            return ERR_BAD_REQUEST;
        }
        if (walk.header.ext_type != EXT_DESCRIPTOR) {
            continue;
        }
        if (walk.header.length != 1) {
            *why = "an ext value of type 2 must be one byte, the index of a descriptor";
            return ERR_BAD_REQUEST;
        }
        if (passed != NULL && passed->lost == ERR_LIMIT) {
            user->accounts->refusal = *passed->refusal;
            return ERR_LIMIT;
        }
        if (passed != NULL && passed->lost < 0) {
            *why = "the descriptors that came with the message are lost: the daemon has as many "
                   "open as its process may have (RLIMIT_NOFILE)";
            return passed->lost;
        }
        if (walk.data[0] >= origin->count) {
            *why = "an ext value of type 2 names a descriptor that did not come with the "
                   "message's first byte";
            return ERR_BAD_REQUEST;
        }
        if (origin->descriptors[walk.data[0]] == NULL) {
            status = take(origin, passed, walk.data[0], user);
        }
    }
    return status;
}

int origin_new(const struct message *message, const struct passed *passed,
               const struct sender *sender, struct origin **out, const char **why)
{
    unsigned count = passed == NULL ? 0 : passed->count;
    if (count > DESCRIPTORS_PER_MESSAGE) {
        *why = "more than 16 descriptors came with the message";
        return ERR_BAD_REQUEST;
    }
    struct origin *origin = calloc(1, sizeof(*origin));
    if (origin == NULL) {
        return ERR_MEMORY;
    }
    origin->refs = 1;
    origin->registry = sender->registry;
    origin->sender = sender->credentials;
    origin->count = count;
    int status = 0;
    for (unsigned i = 0; i < message->nparams && i < MESSAGE_PARAMS_MAX && status == 0; i++) {
        status = take_named(origin, passed, message->params[i].raw, sender->user, why);
    }
    if (status < 0) {
        origin_unref(origin);
        return status;
    }
    *out = origin;
    return 0;
}

/* How many of each a value can have at most. */
static void count_exts(struct incoming value, uint32_t *descriptors, uint32_t *references)
{
    struct walk walk = {.bytes = value.bytes};
    while (next_ext(&walk)) {
        *descriptors += walk.header.ext_type == EXT_DESCRIPTOR;
        *references += walk.header.ext_type == EXT_REFERENCE;
    }
}

/* The object that a reference keeps, or NULL: it is just bytes. */
static struct object *referred(const struct walk *walk, const struct origin *origin)
{
    struct slice name = {walk->data, walk->header.length};
    struct object *object = registry_find(origin->registry, name);
    return object != NULL && object_may_be_kept(object, origin->sender) ? object : NULL;
}

int incoming_check_lasting(struct incoming value, const struct object **object)
{
    struct walk walk = {.bytes = value.bytes};
    *object = NULL;
    while (value.origin != NULL && next_ext(&walk)) {
        if (walk.header.ext_type == EXT_DESCRIPTOR) {
            return ERR_TYPE;
        }
        const struct object *other = referred(&walk, value.origin);
        if (other != NULL && !object_is_durable(other)) {
            *object = other;
            return ERR_TYPE;
        }
    }
    return 0;
}

static void attach(struct attachments *attachments, const struct walk *walk,
                   const struct incoming *value)
{
    if (walk->header.ext_type == EXT_DESCRIPTOR) {
        attachments->descriptors[attachments->ndescriptors++] = (struct attached_descriptor){
            .at = (uint32_t)(walk->data - value->bytes.data),
            .descriptor = descriptor_ref(value->origin->descriptors[walk->data[0]]),
        };
        return;
    }
    struct object *object = referred(walk, value->origin);
    if (object != NULL) {
        object->contained++;
        attachments->objects[attachments->nobjects++] = object_ref(object);
    }
}

int attachments_new(struct incoming value, struct attachments **out)
{
    uint32_t descriptors = 0;
    uint32_t references = 0;
    *out = NULL;
    if (value.origin == NULL) {
        return 0;
    }
    if (value.origin->ready != NULL) {
        *out = value.origin->ready;
        value.origin->ready = NULL;
        return 0;
    }
    count_exts(value, &descriptors, &references);
    if (descriptors + references == 0) {
        return 0;
    }
    struct attachments *attachments = calloc(1, sizeof(*attachments));
    if (attachments == NULL) {
        return ERR_MEMORY;
    }
    attachments->descriptors = calloc(descriptors + 1, sizeof(*attachments->descriptors));
    attachments->objects = calloc(references + 1, sizeof(struct object *));
    if (attachments->descriptors == NULL || attachments->objects == NULL) {
        attachments_free(attachments);
        return ERR_MEMORY;
    }
    struct walk walk = {.bytes = value.bytes};
    while (next_ext(&walk)) {
        attach(attachments, &walk, &value);
    }
    *out = attachments;
    return 0;
}

void attachments_free(struct attachments *attachments)
{
    if (attachments == NULL) {
        return;
    }
    for (uint32_t i = 0; i < attachments->ndescriptors; i++) {
        descriptor_unref(attachments->descriptors[i].descriptor);
    }
    for (uint32_t i = 0; i < attachments->nobjects; i++) {
        object_let_go(attachments->objects[i]);
    }
    free(attachments->descriptors);
    free(attachments->objects);
    free(attachments);
}

size_t attachments_cost(const struct attachments *attachments)
{
    if (attachments == NULL) {
        return 0;
    }
    return allocation_cost(sizeof(*attachments)) +
           allocation_cost((attachments->ndescriptors + 1) * sizeof(*attachments->descriptors)) +
           attachments->ndescriptors * descriptor_cost() +
           allocation_cost((attachments->nobjects + 1) * sizeof(struct object *));
}
