/* blob: see blob.h. Tests: tests/unit/objects/test_cells.c and test_dict.c. */
#include "daemon/objects/blob.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/bulk.h"
#include "daemon/objects/object.h"

/* Before anything has changed, so it may give way in the middle. */
static struct blob *make(struct slice bytes, struct attachments *attachments, struct pace *pace)
{
    struct blob *blob = malloc(sizeof(*blob) + bytes.len);
    if (blob == NULL) {
        attachments_free(attachments);
        return NULL;
    }
    blob->refs = 1;
    blob->len = (uint32_t)bytes.len;
    blob->attachments = attachments;
    if (bytes.len > 0) {
        bulk_copy(blob->data, bytes.data, bytes.len, pace);
    }
    return blob;
}

struct blob *blob_new(struct incoming value)
{
    struct attachments *attachments;
    if (attachments_new(value, &attachments) < 0) {
        return NULL;
    }
    return make(value.bytes, attachments, value.pace);
}

int blob_if_needed(struct incoming value, struct blob **out)
{
    struct attachments *attachments;
    *out = NULL;
    if (attachments_new(value, &attachments) < 0) {
        return ERR_MEMORY;
    }
    if (attachments == NULL && value.bytes.len < BLOB_MIN) {
        return 0;
    }
    *out = make(value.bytes, attachments, value.pace);
    return *out == NULL ? ERR_MEMORY : 0;
}

struct blob *blob_ref(struct blob *blob)
{
    blob->refs++;
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob != NULL && --blob->refs == 0) {
        attachments_free(blob->attachments);
        free(blob);
    }
}

bool blob_is_lasting(const struct blob *blob)
{
    const struct attachments *attachments = blob->attachments;
    bool is = attachments == NULL || attachments->ndescriptors == 0;
    for (uint32_t i = 0; is && attachments != NULL && i < attachments->nobjects; i++) {
        is = object_is_durable(attachments->objects[i]);
    }
    return is;
}

size_t blob_cost_of(size_t bytes)
{
    return allocation_cost(sizeof(struct blob) + bytes);
}

size_t blob_cost(const struct blob *blob)
{
    return blob_cost_of(blob->len) + attachments_cost(blob->attachments);
}
