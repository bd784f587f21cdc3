/* failure: see failure.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

int failure(char **error, int code, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        if (vasprintf(error, format, arguments) < 0) {
            *error = NULL;
        }
        va_end(arguments);
    }
    return code;
}

int failure_of_sqlite(sqlite3 *handle, int result)
{
    int system = handle != NULL ? sqlite3_system_errno(handle) : 0;
    switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return EBADMSG;
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (result == SQLITE_IOERR_NOMEM) {
            return ENOMEM;
        }
        /* The log's index could not grow; SQLite does not say why. */
        if (result == SQLITE_IOERR_SHMSIZE) {
            return ENOSPC;
        }
        return system == EDQUOT ? ENOSPC : system > 0 ? system : EIO;
    default:
        return EIO;
    }
}

int failure_of_database(char **error, sqlite3 *handle, int result, const char *what,
                        const char *path)
{
    int code = failure_of_sqlite(handle, result);
    switch (code) {
    case EBADMSG:
        return failure(
            error, code,
            "%s is damaged (%s, says SQLite): put a backup in its place, or look at what "
            "is left of it with \"ipcctl store dump\"",
            path, sqlite3_errmsg(handle));
    case ENOSPC:
        return failure(error, code, "%s %s failed: there is no space left on its file system", what,
                       path);
    case EBUSY:
        return failure(error, code, "%s %s failed: another program has it locked", what, path);
    case EIO:
        return failure(error, code, "%s %s failed: %s (%s)", what, path, sqlite3_errmsg(handle),
                       sqlite3_errstr(result));
    default:
        return failure(error, code, "%s %s failed: %s", what, path, strerror(code));
    }
}
