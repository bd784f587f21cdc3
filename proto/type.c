/* type: see type.h. */
#include "proto/type.h"

static const struct type_row rows[OBJECT_KINDS] = {
#define TYPE(kind, name, plural, summary, python)                                                  \
    [OBJECT_##kind] = {#name, plural, summary, python},
#include "proto/types.def"
#undef TYPE
};

const struct type_row *type_row(enum object_kind kind)
{
    return &rows[kind];
}

enum object_kind object_kind_of(struct slice type)
{
    int kind = 0;
    while (kind < OBJECT_KINDS && !slice_equal(type, slice_of_string(rows[kind].name))) {
        kind++;
    }
    return (enum object_kind)kind;
}

const char *object_kind_name(enum object_kind kind)
{
    return rows[kind].name;
}

const char *type_article(const char *name)
{
    return strchr("aeiou", name[0]) != NULL ? "an" : "a";
}
