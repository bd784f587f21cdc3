/*
 * shared: see shared.h.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared.h"

int shared_no_handle(void)
{
    return error_set(IPCC_ERR_ARGUMENT, "a value or array needs a handle, not NULL");
}

struct header shared_to_number(const struct ipcc_value *value)
{
    switch (value->kind) {
    case IPCC_BOOL:
        return (struct header){.kind = KIND_BOOL, .b = value->as.boolean};
    case IPCC_INT:
        return (struct header){.kind = KIND_INT, .i = value->as.integer};
    case IPCC_UINT:
        return (struct header){.kind = KIND_UINT, .u = value->as.unsigned_integer};
    case IPCC_FLOAT:
        return (struct header){.kind = KIND_FLOAT, .f = value->as.number};
    default:
        return (struct header){.kind = KIND_NIL};
    }
}

int shared_refuse(const struct shared *shared, const char *method, int status)
{
    return error_set(status,
                     status == IPCC_ERR_RANGE
                         ? "%s: the number does not fit typecode %c; nothing was changed"
                         : "%s: a number of this kind does not go with typecode %c",
                     method, shared->item->code);
}

int shared_check_writable(const struct shared *shared, const char *method)
{
    if (shared->memory == NULL || shared->writable) {
        return 0;
    }
    return error_set(IPCC_ERR_DENIED, "%s needs the write bit on \"%s\": it is mapped for reading",
                     method, shared->handle->name);
}

void *shared_data(const struct shared *shared, struct ipcc_shared_layout *layout)
{
    if (shared == NULL) {
        return NULL;
    }
    if (layout != NULL) {
        *layout =
            (struct ipcc_shared_layout){.typecode = shared->item->code,
                                        .writable = shared->memory != NULL && shared->writable,
                                        .itemsize = shared->item->size,
                                        .count = shared->count};
    }
    return shared->items;
}
