/* progress: how far a long put has come; see progress.h. */
#include "tools/ipcctl/terminal/progress.h"
#include "tools/ipcctl/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_MS = 500, EVERY_MS = 200 };

void progress_begin(struct progress *progress, bool wanted)
{
    struct stat input;
    *progress =
        (struct progress){.shown = wanted && isatty(STDERR_FILENO) != 0, .begun = clock_ms()};
    progress->next = progress->begun + FIRST_MS;
    if (fstat(STDIN_FILENO, &input) == 0 && S_ISREG(input.st_mode)) {
        progress->size = (uint64_t)input.st_size;
    }
}

void progress_show(struct progress *progress, uint64_t done, uint64_t bytes)
{
    int64_t now = progress->shown ? clock_ms() : 0;
    if (!progress->shown || now < progress->next) {
        return;
    }
    uint64_t rate = done * 1000 / (uint64_t)(now - progress->begun);
    (void)fprintf(stderr, "\r\033[K%" PRIu64 " values put, %" PRIu64 "/s", done, rate);
    if (progress->size > 0 && bytes <= progress->size) {
        (void)fprintf(stderr, ", %" PRIu64 " %%", bytes * 100 / progress->size);
    }
    (void)fflush(stderr);
    progress->visible = true;
    progress->next = now + EVERY_MS;
}

void progress_end(struct progress *progress)
{
    if (progress->visible) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        progress->visible = false;
    }
}
