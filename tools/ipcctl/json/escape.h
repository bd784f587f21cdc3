/*
 * escape: characters that must not reach a terminal as they are, since one does not see them or
 * they change how what is around them is shown: a name could look like another's.
 */
#pragma once

#include <stdbool.h>

#include "proto/slice.h"

enum { ESCAPE_TEXT = 13 }; /* the longest escape and its end */

/* True if the character that the UTF-8 text begins with is a control character (U+0000 to U+001F,
 * U+007F to U+009F), with which a line may end. */
bool escape_is_control(struct slice text);

/* True if it is a control character, or one of those that show nothing themselves: the
 * bidirectional ones, joiners, separators, variation selectors, tags and the like. */
bool escape_is_unseen(struct slice text);

/* The escape of the character as JSON has it: "\u202e"; beyond U+FFFF "\udb40\udc41". */
void escape_print(struct slice text, char escape[ESCAPE_TEXT]);
