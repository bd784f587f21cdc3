/* directory: private directories of servers that are started here. */
#pragma once

enum { DIRECTORY_PATH_MAX = 64 };

/* Makes one in $TMPDIR, if that is short, else in /tmp. `owner` is for the sentence. 0, or -1 with
 * a sentence and an empty path. */
int directory_make(char path[DIRECTORY_PATH_MAX], const char *owner);

/* Removes it with all that is in it, and empties the path. Does nothing to an empty one. */
void directory_remove(char path[DIRECTORY_PATH_MAX]);
