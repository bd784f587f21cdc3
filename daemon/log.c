/* log: see log.h. */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static const uint64_t WINDOW = 10000000000;

void log_init(struct log *log, int fd)
{
    *log = (struct log){.fd = fd};
    log->prefixed = getenv("JOURNAL_STREAM") != NULL || isatty(fd) == 0;
}

static void write_line(const struct log *log, enum log_level level, const char *format,
                       va_list arguments)
{
    char line[LINE_MAX_BYTES];
    size_t start = 0;
    if (log->prefixed) {
        start = (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);
    }
    int len = vsnprintf(line + start, sizeof(line) - start - 1, format, arguments);
    if (len < 0) {
        return;
    }
    size_t end = start + (size_t)len;
    if (end > sizeof(line) - 2) {
        end = sizeof(line) - 2;
    }
    for (size_t i = start; i < end; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    line[end++] = '\n';
    ssize_t written = write(log->fd, line, end);
    (void)written; /* there is nobody left to tell */
}

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(log, level, format, arguments);
    va_end(arguments);
}

void log_fault(struct log *log, uint64_t now, const char *format, ...)
{
    if (log->faults == 0 || now - log->window >= WINDOW) {
        log->window = now;
        log->faults = 0;
    }
    if (log->faults >= LOG_FAULTS) {
        log->hidden++;
        return;
    }
    log->faults++;
    if (log->hidden > 0) {
        log_line(log, LOG_LEVEL_WARNING, "%u more faults of sessions were not logged", log->hidden);
        log->hidden = 0;
    }
    va_list arguments;
    va_start(arguments, format);
    write_line(log, LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}
