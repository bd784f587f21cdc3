/* blob: see blob.h. */
#include "daemon/objects/blob.h"

#include <stdlib.h>

struct blob *blob_new(struct slice bytes)
{
    struct blob *blob = malloc(sizeof(*blob) + bytes.len);
    if (blob == NULL) {
        return NULL;
    }
    blob->refs = 1;
    blob->len = (uint32_t)bytes.len;
    if (bytes.len > 0) {
        memcpy(blob->data, bytes.data, bytes.len);
    }
    return blob;
}

struct blob *blob_ref(struct blob *blob)
{
    blob->refs++;
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob != NULL && --blob->refs == 0) {
        free(blob);
    }
}
