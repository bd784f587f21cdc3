/*
 * type: the types of objects, from types.def.
 */
#pragma once

#include "proto/slice.h"

enum object_kind {
#define TYPE(kind, ...) OBJECT_##kind,
#include "proto/types.def"
#undef TYPE
    OBJECT_KINDS
};

/* One row of types.def. */
struct type_row {
    const char *name;   /* "queue" */
    const char *plural; /* "Queues" */
    const char *summary;
    const char *python; /* "Queue, JoinableQueue" */
};

/* The row of a type; `kind` is not OBJECT_KINDS. It lives for ever. */
const struct type_row *type_row(enum object_kind kind);

/* The kind of object of a type's name ("queue"), or OBJECT_KINDS. */
enum object_kind object_kind_of(struct slice type);

/* The name of the type, "queue", as a string constant. */
const char *object_kind_name(enum object_kind kind);

/* What stands before the name of a type in a sentence: "a" queue, "an" event. */
const char *type_article(const char *name);
