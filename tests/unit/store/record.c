/* record: see record.h. */
#include "tests/unit/store/record.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/random_value.h"
#include "tests/support/unit.h"

enum { SECTOR = 512, NONE = -1 };

static const char *const endings[DISK_FILES] = {"store.db", "store.db-wal", "store.db-journal"};

/* One thing that was done to a file; or a note, of no file. */
struct event {
    enum disk_operation operation;
    int file;
    uint64_t at; /* of a write; the length of a truncation; a note */
    struct slice bytes;
};

static struct {
    pthread_mutex_t mutex; /* of all that follows */
    bool is_on;
    struct event *events;
    uint64_t count;
    uint64_t capacity;
} record = {.mutex = PTHREAD_MUTEX_INITIALIZER};

int record_file(const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;
    for (int i = 0; i < DISK_FILES; i++) {
        size_t ending = strlen(endings[i]);
        if (len >= ending && strcmp(name + len - ending, endings[i]) == 0) {
            return i;
        }
    }
    return NONE;
}

void record_event(enum disk_operation operation, int file, uint64_t at, const void *data,
                  size_t len)
{
    (void)pthread_mutex_lock(&record.mutex);
    if (record.is_on && file != NONE) {
        if (record.count == record.capacity) {
            record.capacity = record.capacity > 0 ? 2 * record.capacity : 1024;
            record.events = realloc(record.events, record.capacity * sizeof(record.events[0]));
            assert_non_null(record.events);
        }
        uint8_t *copy = NULL;
        if (len > 0) {
            copy = malloc(len);
            assert_non_null(copy);
            memcpy(copy, data, len);
        }
        record.events[record.count++] = (struct event){operation, file, at, {copy, len}};
    }
    (void)pthread_mutex_unlock(&record.mutex);
}

void record_forget(void)
{
    record_stop();
    for (uint64_t i = 0; i < record.count; i++) {
        free((void *)(uintptr_t)record.events[i].bytes.data);
    }
    free(record.events);
    record.events = NULL;
    record.count = record.capacity = 0;
}

void record_begin(void)
{
    record_forget();
    record.is_on = true;
}

void record_stop(void)
{
    (void)pthread_mutex_lock(&record.mutex);
    record.is_on = false;
    (void)pthread_mutex_unlock(&record.mutex);
}

void record_note(uint64_t value)
{
    record_event(DISK_NOTE, 0, value, NULL, 0);
}

uint64_t record_length(void)
{
    (void)pthread_mutex_lock(&record.mutex);
    uint64_t count = record.count;
    (void)pthread_mutex_unlock(&record.mutex);
    return count;
}

uint64_t record_last_note(uint64_t length)
{
    while (length > 0) {
        const struct event *event = &record.events[--length];
        if (event->operation == DISK_NOTE) {
            return event->at;
        }
    }
    return 0;
}

/* ---- what is left when power is lost --------------------------------------------------------- */

static void resize(struct buffer *file, size_t len)
{
    if (len > file->len) {
        assert_int_equal(buffer_reserve(file, len - file->len), 0);
        memset(file->data + file->len, 0, len - file->len);
    }
    file->len = len;
}

static void write_part(struct buffer *file, uint64_t at, struct slice bytes)
{
    if (at + bytes.len > file->len) {
        resize(file, at + bytes.len);
    }
    memcpy(file->data + at, bytes.data, bytes.len);
}

/* A write of which each sector is kept or not. */
static void write_torn(struct buffer *file, const struct event *event, unsigned kept,
                       struct random *random)
{
    size_t done = 0;
    while (done < event->bytes.len) {
        size_t len = SECTOR - (event->at + done) % SECTOR;
        len = len < event->bytes.len - done ? len : event->bytes.len - done;
        if (random_below(random, 256) < kept) {
            write_part(file, event->at + done, (struct slice){event->bytes.data + done, len});
        }
        done += len;
    }
}

struct fate {
    uint64_t synced; /* what was written before this is certain */
    bool is_new;     /* it has been made and not been synced yet */
    bool lost;       /* it was not made, or not removed: what came later is lost too */
};

/* When what was made and removed became certain: SQLite syncs the directory with the first sync of
 * a log or journal, and where it says so when it removes one. */
static uint64_t find_certain(uint64_t length, struct fate fates[DISK_FILES])
{
    uint64_t directory = 0;
    for (uint64_t i = 0; i < length; i++) {
        const struct event *event = &record.events[i];
        struct fate *fate = &fates[event->file];
        if (event->operation == DISK_OPEN) {
            fate->is_new = event->file != 0;
        } else if (event->operation == DISK_SYNC) {
            fate->synced = i;
            directory = fate->is_new ? i : directory;
            fate->is_new = false;
        } else if (event->operation == DISK_DELETE && event->at != 0) {
            directory = i + 1;
        }
    }
    return directory;
}

static void redo(struct image *image, struct fate *fate, const struct event *event, unsigned kept,
                 struct random *random)
{
    struct buffer *file = &image->files[event->file];
    bool is_kept = random_below(random, 256) < kept;
    switch (event->operation) {
    case DISK_OPEN:
        fate->lost = !image->there[event->file] && !is_kept;
        image->there[event->file] = !fate->lost;
        break;
    case DISK_WRITE:
        write_torn(file, event, kept, random);
        break;
    case DISK_TRUNCATE:
        if (is_kept) {
            resize(file, event->at);
        }
        break;
    case DISK_DELETE:
        fate->lost = !is_kept;
        image->there[event->file] = !is_kept;
        if (is_kept) {
            resize(file, 0);
        }
        break;
    default:
        break;
    }
}

void record_lose_power(uint64_t length, unsigned kept, uint64_t seed, struct image *out)
{
    struct random random = random_from_seed(seed);
    struct fate fates[DISK_FILES] = {0};
    *out = (struct image){0};
    /* The database is made, and its directory synced, before SQLite opens it. */
    out->there[0] = true;
    uint64_t directory = find_certain(length, fates);
    for (uint64_t i = 0; i < length; i++) {
        const struct event *event = &record.events[i];
        struct fate *fate = &fates[event->file];
        if (!fate->lost) {
            bool names = event->operation == DISK_OPEN || event->operation == DISK_DELETE;
            bool certain = i < (names ? directory : fate->synced);
            redo(out, fate, event, certain ? 256 : kept, &random);
        }
    }
}

void image_deinit(struct image *image)
{
    for (int i = 0; i < DISK_FILES; i++) {
        buffer_deinit(&image->files[i]);
    }
}

void record_write_image(const struct image *image, const char *directory)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/store.db-shm", directory);
    (void)unlink(path);
    for (int i = 0; i < DISK_FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, endings[i]);
        (void)unlink(path);
        if (image->there[i]) {
            int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
            assert_true(file >= 0);
            assert_int_equal(write(file, image->files[i].data, image->files[i].len),
                             image->files[i].len);
            assert_int_equal(close(file), 0);
        }
    }
}
