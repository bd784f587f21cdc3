/*
 * embedded_find: see embedded_find.h.
 *
 * Tests: tests/system/test_embedded.c.
 */
#include "client/embedded_find.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/error.h"

/* From the library's directory: in one with it; as installed, also in a directory of the machine's
 * architecture; as built. */
static const char *const beside[] = {"ipcd", "../bin/ipcd", "../../bin/ipcd", "../daemon/ipcd"};

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* directory/name if there is such a program, else NULL. */
static char *try_in(const char *directory, size_t length, const char *name)
{
    char *path;
    if (length == 0 || asprintf(&path, "%.*s/%s", (int)length, directory, name) < 0) {
        return NULL;
    }
    if (!is_program(path)) {
        free(path);
        return NULL;
    }
    return path;
}

/* The directory of the file in which this library is (of a program that is linked with the archive,
 * that program's), to be freed; NULL if it is not known. */
static char *own_directory(void)
{
    Dl_info info;
    char *path = NULL;
    if (dladdr(beside, &info) != 0 && info.dli_fname != NULL) {
        path = realpath(info.dli_fname, NULL);
    }
    char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
    }
    return path;
}

static char *find_beside(const char *directory)
{
    char *found = NULL;
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]) && found == NULL; i++) {
        found = try_in(directory, strlen(directory), beside[i]);
    }
    return found;
}

static char *find_in_path(const char *list)
{
    char *found = NULL;
    while (list != NULL && *list != '\0' && found == NULL) {
        size_t length = strcspn(list, ":");
        found = try_in(list, length, "ipcd");
        list += length + (list[length] == ':' ? 1 : 0);
    }
    return found;
}

char *embedded_find(int *status)
{
    const char *named = secure_getenv("IPCD_PATH");
    if (named != NULL && named[0] != '\0') {
        char *path = is_program(named) ? strdup(named) : NULL;
        *status = path != NULL ? 0
                               : error_set(IPCC_ERR_CONNECT,
                                           "no daemon answers, and $IPCD_PATH, which should be "
                                           "the ipcd to start, is \"%s\": no program",
                                           named);
        return path;
    }
    char *directory = own_directory();
    char *found = directory != NULL ? find_beside(directory) : NULL;
    found = found != NULL ? found : try_in(IPCD_BINDIR, strlen(IPCD_BINDIR), "ipcd");
    found = found != NULL ? found : find_in_path(secure_getenv("PATH"));
    *status = found != NULL ? 0
                            : error_set(IPCC_ERR_CONNECT,
                                        "no daemon answers, and there is no ipcd to start: it is "
                                        "neither beside the library in %s (nor ../bin, ../../bin, "
                                        "../daemon from there), nor in " IPCD_BINDIR ", nor in "
                                        "$PATH; $IPCD_PATH can name it",
                                        directory != NULL ? directory : "(unknown)");
    free(directory);
    return found;
}
