/* directory: see directory.h. */
#include "tools/ipcbench/directory.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASE_MAX = 32 }; /* so that the path of a socket in it is not too long */

int directory_make(char path[DIRECTORY_PATH_MAX], const char *owner)
{
    const char *base = getenv("TMPDIR");
    int len = snprintf(path, DIRECTORY_PATH_MAX, "%s/ipcbench.XXXXXX",
                       base != NULL && strlen(base) < BASE_MAX ? base : "/tmp");
    if (len >= DIRECTORY_PATH_MAX || mkdtemp(path) == NULL) {
        path[0] = '\0';
        return fail("no private directory can be made for %s: %s", owner, strerror(errno));
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void directory_remove(char path[DIRECTORY_PATH_MAX])
{
    enum { DESCRIPTORS = 8 };
    if (path[0] != '\0') {
        (void)nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
        path[0] = '\0';
    }
}
