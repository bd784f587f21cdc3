/*
 * meta: what is remembered of the objects in the engine, so that rights can be checked here: whose
 * they are, and in which version of that.
 *
 * What is remembered may be old. That does no harm: an op carries the version by which its rights
 * were checked, and is not run if the object has another one by then; the answer has what is true,
 * and the op is checked and sent again. Nobody is refused by what is merely remembered.
 *
 * At most METAS_MOST are remembered; the ones that were learnt first go first.
 */
#pragma once

#include "daemon/objects/ordered.h"
#include "proto/buffer.h"
#include "proto/type.h"

enum {
    METAS_MOST = 16384,
    META_VERSION_MAX = 128, /* bytes; of a condition it has its lock's too, each with two numbers */
    META_NAME_MAX = 256,    /* bytes, the NUL included */
};

struct meta {
    const char *type; /* static: a name of types.def */
    uint32_t uid;
    uint32_t gid;
    uint16_t mode;
    uint8_t lifetime; /* enum lifetime */
    uint8_t version_len;
    char version[META_VERSION_MAX];
    /* Another object, on which the caller needs the write bit too: a condition's lock. */
    bool has_other;
    char other[META_NAME_MAX]; /* its name */
    uint32_t other_uid;
    uint32_t other_gid;
    uint16_t other_mode;
};

/* Reads one that the functions have packed, [type, uid, gid, mode, version, lifetime] and perhaps
 * the other object's [name, uid, gid, mode], off the front of *rest. 0, or ERR_VALUE: it is none.
 */
int meta_read(struct slice *rest, struct meta *out);

static inline struct slice meta_version(const struct meta *meta)
{
    return (struct slice){(const uint8_t *)meta->version, meta->version_len};
}

struct metas {
    struct ordered names;
    uint64_t seed;
};

void metas_init(struct metas *metas, uint64_t seed);
void metas_deinit(struct metas *metas);
/* What is remembered under the name, or NULL; valid until something is remembered or forgotten. */
const struct meta *metas_find(const struct metas *metas, struct slice name);
/* Remembers it instead of what was known; for want of memory nothing is known then. */
void metas_remember(struct metas *metas, struct slice name, const struct meta *meta);
void metas_forget(struct metas *metas, struct slice name);
/* Forgets all. */
void metas_clear(struct metas *metas);
