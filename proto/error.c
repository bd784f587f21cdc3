/* error: names, numbers and meanings of the protocol's error codes; see error.h. */
#include "proto/error.h"

struct error_row {
    int number;
    const char *name;
    const char *meaning;
};

static const struct error_row rows[] = {
#define ERROR(name, number, meaning) {-(number), #name, meaning},
#include "proto/errors.def"
#undef ERROR
};

static const struct error_row no_memory = {ERR_MEMORY, "LIMIT", "out of memory"};
static const struct error_row no_row = {ERR_INTERNAL, "INTERNAL", "a fault of the daemon's own"};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct error_row *row_of(int error)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].number == error) {
            return &rows[i];
        }
    }
    if (error == ERR_MEMORY) {
        return &no_memory;
    }
    return &no_row;
}

const char *error_name(int error)
{
    return row_of(error)->name;
}

const char *error_meaning(int error)
{
    return row_of(error)->meaning;
}

int error_from_name(struct slice name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (slice_equal(name, slice_of_string(rows[i].name))) {
            return rows[i].number;
        }
    }
    return 0;
}
