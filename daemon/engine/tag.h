/*
 * tag: which keys of Redis belong together.
 *
 * The tag of a name decides which slot, and so which node, has the object: objects whose names have
 * the same {tag} are at one place. All keys of a tag begin with its prefix, "ipcd:REALM:{TAG}".
 */
#pragma once

#include "proto/buffer.h"

/* The longest prefix: a realm and a name in which every byte is written as three, and what stands
 * around them. */
enum { REALM_MAX = 64, TAG_MAX = 3 * 255, PREFIX_MAX = 8 + REALM_MAX + TAG_MAX };

/* The tag of the lease of all hosts, which is that of no name. */
#define TAG_HOSTS "%hosts"

/* Appends the tag of a name: the bytes between its first { and the } behind that, if there are any
 * and the first is no %; else the whole name, with % { } written as %25 %7B %7D. Want of memory is
 * latched. */
void tag_of_name(struct slice name, struct buffer *out);

/* Appends the prefix of the keys of a tag. */
void tag_prefix(const char *realm, struct slice tag, struct buffer *out);

/* Takes a key "PREFIX:PART:WHOSE", in which PART is of one letter, apart; false if it is none. A
 * pattern of SCAN finds others too, as a name may look like the end of such a key. */
bool tag_take_apart(struct slice key, char part, struct slice *prefix, struct slice *whose);

/* The same of the tag of a name. */
void tag_prefix_of_name(const char *realm, struct slice name, struct buffer *out);

/* True if both names have the same tag. */
bool tag_is_same(struct slice a, struct slice b);
