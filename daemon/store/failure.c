/* failure: see failure.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* Whether a write was refused for a quota, which SQLite has no code for; its number for the last
 * error of the system may have changed since, but each file has its own. */
static bool is_over_quota(sqlite3 *handle)
{
    int database = 0;
    int of_log = 0;
    sqlite3_file *log = NULL;
    (void)sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &database);
    (void)sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != NULL && log->pMethods != NULL) {
        (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &of_log);
    }
    return database == EDQUOT || of_log == EDQUOT;
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
        /* Whatever the reason, what is on disk is not known then. */
        if (result == SQLITE_IOERR_FSYNC || result == SQLITE_IOERR_DIR_FSYNC) {
            return EIO;
        }
        /* The log's index could not grow; SQLite does not say why. */
        if (result == SQLITE_IOERR_SHMSIZE) {
            return ENOSPC;
        }
        if (result == SQLITE_IOERR_WRITE && is_over_quota(handle)) {
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
