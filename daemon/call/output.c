/* output: see output.h. */
#include "daemon/call/output.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/call/hold.h"
#include "daemon/objects/allocation.h"
#include "daemon/objects/bulk.h"

enum {
    ITEM_FRAME = 64 + OBJECT_NAME_MAX, /* for what stands around a value in an answer, the object's
                                          name included */
    NOTE_STEPS = 16,                   /* to forget a note, and maybe the value with it */
    SPLICE_STEPS = 16,                 /* to forget a splice, and maybe the blob with it */
};

/* Makes room for `len` elements, more than the array has, by doubling. NULL for want of memory. */
static void *grow(void *array, size_t len, size_t *cap, size_t size)
{
    size_t wanted = *cap > 0 ? *cap * 2 : 8;
    while (wanted < len) {
        wanted *= 2;
    }
    void *grown = realloc(array, wanted * size);
    if (grown != NULL) {
        *cap = wanted;
    }
    return grown;
}

uint64_t output_cost(const struct output *output)
{
    return allocation_cost(output->bytes.cap) +
           allocation_cost(output->splices_cap * sizeof(*output->splices)) +
           allocation_cost(output->undelivered_cap * sizeof(*output->undelivered)) +
           allocation_cost(output->npassing * sizeof(*output->passing)) + output->spliced;
}

static void drop_undelivered(struct undelivered *note)
{
    note->object->type->forget(note->note);
    object_unref(note->object);
    blob_unref(note->blob);
}

/* Keeps the first `count` descriptors. */
static void truncate_passing(struct passing *passing, unsigned count)
{
    while (passing->count > count) {
        descriptor_unref(passing->descriptors[--passing->count]);
    }
}

/* The descriptors of the answer that is being packed, or NULL if it has none. */
static struct passing *unsealed_passing(const struct output *output)
{
    struct passing *last = output->npassing > 0 ? &output->passing[output->npassing - 1] : NULL;
    return last != NULL && last->at == UINT64_MAX ? last : NULL;
}

/* Forgets the notes and splices behind a mark. */
static void truncate_lists(struct output *output, struct output_mark mark, struct pace *pace)
{
    while (output->npassing > mark.npassing) {
        truncate_passing(&output->passing[--output->npassing], 0);
    }
    struct passing *unsealed = unsealed_passing(output);
    if (unsealed != NULL) {
        truncate_passing(unsealed, mark.ndescriptors);
    }
    while (output->nundelivered > mark.nundelivered) {
        drop_undelivered(&output->undelivered[--output->nundelivered]);
        pace_step(pace, NOTE_STEPS);
    }
    while (output->nsplices > mark.nsplices) {
        struct blob *blob = output->splices[--output->nsplices].blob;
        size_t steps = SPLICE_STEPS + blob->len / BULK_FREE_STEP;
        output->spliced -= blob->len;
        blob_unref(blob);
        pace_step(pace, steps);
    }
}

uint64_t output_forget_steps(const struct output *output)
{
    return output->nundelivered * NOTE_STEPS + output->nsplices * SPLICE_STEPS +
           (output->spliced + output->bytes.cap +
            output->undelivered_cap * sizeof(struct undelivered)) /
               BULK_FREE_STEP;
}

void output_forget(struct output *output, struct pace *pace)
{
    truncate_lists(output, (struct output_mark){0}, pace);
    free(output->passing);
    bulk_free(output->splices, output->splices_cap * sizeof(*output->splices), pace);
    bulk_free(output->undelivered, output->undelivered_cap * sizeof(*output->undelivered), pace);
    bulk_free(output->bytes.data, output->bytes.cap, pace);
    *output = (struct output){0};
}

void output_deinit(struct output *output)
{
    output_forget(output, NULL);
}

void output_reset(struct output *output)
{
    truncate_lists(output, (struct output_mark){0}, NULL);
    free(output->passing);
    output->passing = NULL;
    output->bytes.len = 0;
    output->bytes.failed = false;
    output->overfull = false;
    output->sent = 0;
    output->splices_sent = 0;
    output->spliced_sent = 0;
}

static int reserve_splices(struct output *output, size_t more)
{
    size_t len = output->nsplices + more;
    if (len <= output->splices_cap) {
        return 0;
    }
    struct splice *splices = grow(output->splices, len, &output->splices_cap, sizeof(*splices));
    if (splices == NULL) {
        return ERR_MEMORY;
    }
    output->splices = splices;
    return 0;
}

static int reserve_undelivered(struct output *output, size_t more)
{
    size_t len = output->nundelivered + more;
    if (len <= output->undelivered_cap) {
        return 0;
    }
    struct undelivered *notes =
        grow(output->undelivered, len, &output->undelivered_cap, sizeof(*notes));
    if (notes == NULL) {
        return ERR_MEMORY;
    }
    output->undelivered = notes;
    return 0;
}

/* True if the value goes by reference. */
static bool is_spliced(struct stored value)
{
    return value.blob != NULL && value.bytes.len >= BLOB_MIN &&
           (value.blob->attachments == NULL || value.blob->attachments->ndescriptors == 0);
}

/* The descriptors of the message that is being packed, made if there are none; NULL for want of
 * memory. */
static struct passing *current_passing(struct output *output)
{
    struct passing *unsealed = unsealed_passing(output);
    if (unsealed != NULL) {
        return unsealed;
    }
    struct passing *grown =
        realloc(output->passing, ((size_t)output->npassing + 1) * sizeof(*output->passing));
    if (grown == NULL) {
        return NULL;
    }
    output->passing = grown;
    struct passing *passing = &grown[output->npassing++];
    *passing = (struct passing){.at = UINT64_MAX};
    return passing;
}

/* One more descriptor for the answer that is being packed; its index byte is bytes[at]. */
static void pass(struct output *output, struct passing *passing, struct descriptor *descriptor,
                 size_t at)
{
    output->bytes.data[at] = (uint8_t)passing->count;
    passing->descriptors[passing->count++] = descriptor_ref(descriptor);
}

/* The descriptors of a value whose copy begins at bytes[from] join those of the answer. */
static void pass_on(struct output *output, const struct attachments *attachments, size_t from)
{
    struct passing *passing = current_passing(output);
    if (passing == NULL) {
        output->bytes.failed = true;
        return;
    }
    if (passing->count + attachments->ndescriptors > DESCRIPTORS_PER_MESSAGE) {
        output->overfull = true;
        return;
    }
    for (uint32_t i = 0; i < attachments->ndescriptors; i++) {
        const struct attached_descriptor *attached = &attachments->descriptors[i];
        pass(output, passing, attached->descriptor, from + attached->at);
    }
}

void output_descriptor(struct output *output, struct descriptor *descriptor)
{
    pack_ext(&output->bytes, EXT_DESCRIPTOR, (struct slice){(const uint8_t *)"", 1});
    struct passing *passing = current_passing(output);
    if (passing == NULL || output->bytes.failed) {
        output->bytes.failed = true;
    } else if (passing->count == DESCRIPTORS_PER_MESSAGE) {
        output->overfull = true;
    } else {
        pass(output, passing, descriptor, output->bytes.len - 1);
    }
}

void output_value(struct output *output, struct stored value)
{
    if (!is_spliced(value)) {
        size_t from = output->bytes.len;
        bool fits = buffer_append(&output->bytes, value.bytes.data, value.bytes.len) == 0;
        if (fits && value.blob != NULL && value.blob->attachments != NULL &&
            value.blob->attachments->ndescriptors > 0) {
            pass_on(output, value.blob->attachments, from);
        }
        return;
    }
    if (reserve_splices(output, 1) < 0) {
        output->bytes.failed = true;
        return;
    }
    output->splices[output->nsplices++] = (struct splice){output->bytes.len, blob_ref(value.blob)};
    output->spliced += value.blob->len;
}

unsigned output_descriptors(const struct output *output)
{
    const struct passing *unsealed = unsealed_passing(output);
    return unsealed == NULL ? 0 : unsealed->count;
}

bool output_has_room(const struct output *output, struct stored value)
{
    if (value.blob == NULL || value.blob->attachments == NULL) {
        return true;
    }
    return output_descriptors(output) + value.blob->attachments->ndescriptors <=
           DESCRIPTORS_PER_MESSAGE;
}

void output_rewind(struct output *output, struct output_mark mark)
{
    truncate_lists(output, mark, NULL);
    output->bytes.len = mark.bytes;
    output->bytes.failed = mark.failed;
    output->overfull = false;
}

static inline int reserve_taken(struct output *output, struct stored value)
{
    if (reserve_undelivered(output, 1) < 0) {
        return ERR_MEMORY;
    }
    size_t len = value.bytes.len;
    if (is_spliced(value)) {
        if (reserve_splices(output, 1) < 0) {
            return ERR_MEMORY;
        }
        len = 0;
    }
    return buffer_reserve(&output->bytes, len + ITEM_FRAME) < 0 ? ERR_MEMORY : 0;
}

int output_reserve_taken(struct output *output, struct stored value)
{
    return reserve_taken(output, value);
}

int output_reserve_away(struct output *output, struct stored value)
{
    return reserve_taken(output, value);
}

static inline void take_note(struct output *output, struct object *object, const void *note,
                             size_t size, struct stored value)
{
    struct undelivered *undelivered = &output->undelivered[output->nundelivered++];
    assert(size <= sizeof(undelivered->note));
    undelivered->object = object_ref(object);
    undelivered->end = UINT64_MAX;
    undelivered->value_at = output->bytes.len;
    undelivered->value_len = value.bytes.len;
    undelivered->blob = value.blob != NULL ? blob_ref(value.blob) : NULL;
    memcpy(undelivered->note, note, size);
    output_value(output, value);
}

void output_taken(struct output *output, struct object *object, const void *note, size_t size,
                  struct stored value)
{
    take_note(output, object, note, size, value);
}

void output_taken_away(struct output *output, struct object *object, const void *note, size_t size,
                       struct stored value)
{
    take_note(output, object, note, size, value);
}

void output_seal(struct output *output, struct output_mark mark)
{
    uint64_t end = output->bytes.len + output->spliced;
    for (size_t i = mark.nundelivered; i < output->nundelivered; i++) {
        output->undelivered[i].end = end;
    }
    for (unsigned i = mark.npassing; i < output->npassing; i++) {
        output->passing[i].at = mark.bytes + mark.spliced;
    }
}

void output_seal_whole(struct output *output)
{
    for (unsigned i = 0; i < output->npassing; i++) {
        output->passing[i].at = 0;
    }
}

/* Makes room for all that is in `from`. */
static int reserve_all(struct output *output, const struct output *from)
{
    if (buffer_reserve(&output->bytes, from->bytes.len) < 0 ||
        reserve_splices(output, from->nsplices) < 0 ||
        reserve_undelivered(output, from->nundelivered) < 0) {
        return ERR_MEMORY;
    }
    return from->npassing > 0 && current_passing(output) == NULL ? ERR_MEMORY : 0;
}

int output_append(struct output *output, struct output *from, struct pace *pace)
{
    if (reserve_all(output, from) < 0) {
        output->bytes.failed = true;
        return ERR_MEMORY;
    }
    size_t base = output->bytes.len;
    for (size_t i = 0; i < from->nsplices; i++) {
        from->splices[i].at += base;
        output->splices[output->nsplices++] = from->splices[i];
        pace_each(pace, i);
    }
    for (size_t i = 0; i < from->nundelivered; i++) {
        from->undelivered[i].value_at += base;
        output->undelivered[output->nundelivered++] = from->undelivered[i];
        pace_each(pace, i);
    }
    if (from->npassing > 0) {
        *unsealed_passing(output) = from->passing[0];
    }
    output->spliced += from->spliced;
    if (from->bytes.len > 0) {
        bulk_move(output->bytes.data + base, from->bytes.data, from->bytes.len, pace);
    }
    output->bytes.len += from->bytes.len;
    from->nsplices = 0;
    from->nundelivered = 0;
    from->npassing = 0;
    from->spliced = 0;
    from->bytes.len = 0;
    return 0;
}

const struct passing *output_passing(const struct output *output, uint64_t *until)
{
    *until = UINT64_MAX;
    if (output->npassing == 0) {
        return NULL;
    }
    if (output->passing[0].at > output->sent) {
        *until = output->passing[0].at;
        return NULL;
    }
    if (output->npassing > 1) {
        *until = output->passing[1].at;
    }
    return &output->passing[0];
}

/* Forgets the descriptors that have left. */
static void sent_passing(struct output *output)
{
    unsigned gone = 0;
    while (gone < output->npassing && output->passing[gone].at < output->sent) {
        struct passing *passing = &output->passing[gone++];
        for (unsigned i = 0; i < passing->count; i++) {
            descriptor_left(passing->descriptors[i]);
        }
        truncate_passing(passing, 0);
    }
    if (gone > 0) {
        output->npassing -= gone;
        memmove(output->passing, output->passing + gone,
                output->npassing * sizeof(*output->passing));
    }
}

void output_sent(struct output *output, uint64_t more)
{
    output->sent += more;
    sent_passing(output);
    while (output->splices_sent < output->nsplices) {
        const struct splice *splice = &output->splices[output->splices_sent];
        uint64_t spliced = output->spliced_sent + splice->blob->len;
        if (splice->at + spliced > output->sent) {
            break;
        }
        output->spliced_sent = spliced;
        output->splices_sent++;
    }
}

/* A note goes that is in the list no more; its value is put back if it has not left. */
static void take_back(const struct output *output, struct undelivered *note)
{
    struct stored value = {.blob = note->blob};
    if (note->blob != NULL) {
        value.bytes = (struct slice){note->blob->data, note->blob->len};
    } else {
        value.bytes = (struct slice){output->bytes.data + note->value_at, note->value_len};
    }
    if (note->end > output->sent && !note->object->deleted && !object_is_sealed(note->object)) {
        note->object->type->put_back(note->object, value, note->note);
    }
    drop_undelivered(note);
}

void output_take_back(struct output *output)
{
    take_back(output, &output->undelivered[--output->nundelivered]);
}

void output_give_back(struct output *output, struct output_mark mark)
{
    while (output->nundelivered > mark.nundelivered) {
        output_take_back(output);
    }
}

void output_drop(struct output *output)
{
    size_t kept = output->nundelivered;
    for (size_t i = output->nundelivered; i > 0; i--) {
        struct undelivered *note = &output->undelivered[i - 1];
        if (object_is_busy(note->object)) {
            output->undelivered[--kept] = *note; /* those that stay gather at the end, in order */
        } else {
            take_back(output, note);
        }
    }
    output->nundelivered -= kept;
    if (output->nundelivered == 0) {
        output_reset(output);
    } else {
        memmove(output->undelivered, output->undelivered + kept,
                output->nundelivered * sizeof(struct undelivered));
    }
}
