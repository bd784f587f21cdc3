/*
 * mapping: memory that the daemon and its clients have in common: a memfd of a fixed size.
 *
 * The file is sealed against shrinking, growing and further seals, and the daemon keeps what it
 * must know of it (its size above all) in memory of its own. So whatever a client does with its
 * descriptor, every page of the mapping lies within the file and none of the daemon's accesses is a
 * SIGBUS: a page that is not there yet, or that a client has punched out, reads as zeros. (Where
 * the system refuses to overcommit memory, vm.overcommit_memory 2, such a page has to be found
 * first, as memory for anything else has.)
 *
 * The file's mode leaves only the daemon's own user, who may do everything, a way to it besides the
 * descriptors: a descriptor for reading cannot be opened again for writing by way of /proc.
 */
#pragma once

#include "daemon/objects/pace.h"
#include "proto/error.h"

struct mapping {
    int fd;          /* owned; open for reading and writing */
    uint8_t *memory; /* `size` bytes, zeroed at first; NULL: there is none */
    size_t size;
};

/* Makes one of a whole number of pages. 0, or ERR_MEMORY with errno: the system gives none. */
int mapping_init(struct mapping *mapping, size_t size);
/* Maps one that another process has made, whose descriptor it takes over on success. 0; ERR_VALUE:
 * it is not such a file, or of another size; ERR_MEMORY. */
int mapping_take_over(struct mapping *mapping, int fd, size_t size);
/* Unmaps it; the descriptor is left to its owner. What others have mapped stays theirs. `pace` may
 * be NULL. */
void mapping_unmap(struct mapping *mapping, struct pace *pace);

/* Another open file description of it that can only be read: a descriptor, the caller's, or
 * ERR_MEMORY with errno. */
int mapping_open_read(const struct mapping *mapping);

/* How many bytes of whole pages hold `size`; saturates far above every limit. */
size_t mapping_size(size_t size);
