/*
 * saving: what the objects of a daemon need to be written down whole, for the daemon that takes its
 * place, and to be made again there (takeover.h).
 *
 * A type says in its struct object_type how (save, make, load_row, save_claims, load_claims,
 * save_note, load_note). Nothing changes in what is saved. Descriptors are written once, however
 * many refer to them, and come back as the same one.
 */
#pragma once

#include "daemon/objects/blob.h"
#include "daemon/objects/tie.h"
#include "daemon/state/state.h"

struct saver {
    struct state_writer *state;
    struct descriptor **descriptors; /* owned array, not references: those that were named so far */
    uint32_t ndescriptors;
    uint32_t descriptors_cap;
};

struct loader {
    struct state_reader *state;
    struct registry *registry;
    struct accounts *accounts;
    struct descriptor **descriptors; /* owned array of references; NULL: none of that number */
    uint32_t ndescriptors;
};

void saver_init(struct saver *saver, struct state_writer *state);
/* Writes the descriptors that were named, when nothing more is to be saved. */
void saver_finish(struct saver *saver);

/* Packs a descriptor, which may be NULL. */
void save_descriptor(struct saver *saver, struct buffer *out, struct descriptor *descriptor);
/* Packs a value with what it carries. */
void save_value(struct saver *saver, struct buffer *out, struct stored value);

/* Reads all STATE_DESCRIPTOR records of a state, from its beginning, and goes back there. 0;
 * ERR_VALUE, ERR_MEMORY. The loader is to be given to loader_deinit in both cases. */
int loader_init(struct loader *loader, struct state_reader *state, struct registry *registry,
                struct accounts *accounts);
void loader_deinit(struct loader *loader);

/* 0 with a reference or NULL in *out; ERR_VALUE. */
int load_descriptor(struct loader *loader, struct fields *fields, struct descriptor **out);
/* A value that carries something, or is large, as a blob with a reference in *blob; any other has
 * NULL there, and its bytes stand in the record. 0; ERR_VALUE, ERR_MEMORY. */
int load_value(struct loader *loader, struct fields *fields, struct slice *bytes,
               struct blob **blob);
/* The same; a blob in any case. */
int load_blob(struct loader *loader, struct fields *fields, struct blob **out);
/* The object of a number, not a reference; NULL, and the fields are bad: there is none. */
struct object *load_object(struct loader *loader, struct fields *fields);
/* The account of a uid, with a reference; NULL for want of memory. */
struct user *load_user(struct loader *loader, struct fields *fields);
