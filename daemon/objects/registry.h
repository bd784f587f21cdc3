/*
 * registry: names to objects, in the order in which they were made.
 *
 * It holds one reference to each object in it. The number of an object (its sequence in the order)
 * is never used again; anonymous objects are called "#number".
 */
#pragma once

#include "daemon/objects/object.h"

/* Who is told of an object that was sealed, and why. */
struct fault_listener {
    void (*tell)(void *data, const struct object *object, const char *what); /* NULL: nobody */
    void *data;
};

struct registry {
    struct ordered objects;
    struct fault_listener listener; /* set by whoever wants faults to be contained */
    uint64_t faults;                /* objects that have been sealed */
    uint64_t count[OBJECT_KINDS];
    TAILQ_HEAD(ready_list, object) ready; /* their waiters are to be asked; see waits.h */
    TAILQ_HEAD(leaving_list, object)
    leaving; /* deleted and not yet empty, or scoped and nobody keeps
                them any more; with a reference */
    TAILQ_HEAD(changed_list, object)
    changed;          /* durable and to be saved, or gone and to be removed; with a reference */
    bool is_loading;  /* objects are being loaded: what changes is not to be saved */
    const char *sync; /* when what is durable is on disk, to be told: "always"; not owned; NULL:
                         there is no store */
    uint64_t saved_numbers; /* the lowest number that the saved registry says is free */
    uint64_t anonymous;     /* the number of the last anonymous object */
    uint64_t seed;          /* of the hash of names, so that nobody can choose colliding ones */
};

void registry_init(struct registry *registry, uint64_t seed);
/* Drops the references to all objects. */
void registry_deinit(struct registry *registry);

/* The object of that name (no new reference), or NULL. */
struct object *registry_find(const struct registry *registry, struct slice name);
/* Puts an object in; takes a reference. 0, or ERR_MEMORY for want of memory. The name must not be
 * there yet. */
int registry_add(struct registry *registry, struct object *object);
/* Takes it out and drops the registry's reference. */
void registry_remove(struct registry *registry, struct object *object);
/* It is called `name` from now on, which is a good name and nobody's yet. All who have the object
 * keep it, and who watches it is told. 0; or ERR_LIMIT, ERR_MEMORY: nothing has changed. */
int registry_rename(struct registry *registry, struct object *object, struct slice name);
/* Takes the first object off the list of those that leave; the reference is the caller's. NULL:
 * none.
 */
struct object *registry_next_leaving(struct registry *registry);
/* Takes the first object off the list of those that are to be saved that is gone or of which
 * `is_busy` says no (an operation in steps is under way: it is saved when that is over); the
 * reference is the caller's. NULL: none. */
struct object *registry_next_changed(struct registry *registry,
                                     bool (*is_busy)(const struct object *object));
/* True if there is one. */
bool registry_has_changed(const struct registry *registry,
                          bool (*is_busy)(const struct object *object));
/* Takes an object that stands on that list off it; the reference is the caller's. */
void registry_take_changed(struct registry *registry, struct object *object);
/* True while the object is made of its rows. */
static inline bool object_is_loading(const struct object *object)
{
    return object->registry != NULL && object->registry->is_loading;
}
/* The next object that is added gets this number, or ERR_VALUE: such a high one has been given
 * already, or it is none. */
int registry_set_next(struct registry *registry, uint64_t number);
/* The first object whose number is at least `number`, or NULL: for going through all of them. */
struct object *registry_from(const struct registry *registry, uint64_t number);

/* The hash that names (and keys of dicts) are found by. */
uint32_t hash_bytes(struct slice bytes, uint64_t seed);

/* 0, or ERR_BAD_REQUEST with *why set: a name is 1 to 255 bytes of UTF-8 without control
 * characters; only the daemon gives names that begin with "#". */
int registry_check_name(struct slice name, const char **why);
