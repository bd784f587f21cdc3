/* box: see box.h. */
#include "tests/unit/store/box.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"

enum { PATIENCE_MS = 60 * 1000 };

void box_init(struct box *box)
{
    static const char memory[] = "/dev/shm";
    const char *top = access(memory, W_OK) == 0 ? memory : getenv("TMPDIR");
    *box = (struct box){.options = {.reserve = 1}};
    (void)snprintf(box->directory, sizeof(box->directory), "%s/store.XXXXXX",
                   top != NULL ? top : "/tmp");
    assert_non_null(mkdtemp(box->directory));
    box->options.directory = box->directory;
}

void box_deinit(struct box *box)
{
    box_close(box);
    DIR *entries = opendir(box->directory);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    (void)rmdir(box->directory);
}

int box_try_open(struct box *box, char **error)
{
    assert_null(box->store);
    return store_open(&box->options, &box->store, error);
}

int box_set_up(void **state)
{
    struct box *box = malloc(sizeof(*box));
    assert_non_null(box);
    box_init(box);
    *state = box;
    return 0;
}

int box_tear_down(void **state)
{
    box_deinit(*state);
    free(*state);
    return 0;
}

void box_open(struct box *box)
{
    char *error = NULL;
    if (box_try_open(box, &error) != 0) {
        print_error("%s\n", error);
        fail();
    }
}

void box_close(struct box *box)
{
    store_close(box->store);
    box->store = NULL;
}

void box_reopen(struct box *box)
{
    box_close(box);
    box_open(box);
}

void box_put(struct box *box, uint64_t object, const char *key, const char *value)
{
    store_put(box->store, object, slice_of_string(key), slice_of_string(value));
}

void box_remove(struct box *box, uint64_t object, const char *key)
{
    store_remove(box->store, object, slice_of_string(key));
}

int box_wait(struct box *box, uint64_t *number, const char **error)
{
    struct pollfd poll_for = {.fd = store_descriptor(box->store), .events = POLLIN};
    int code;
    do {
        assert_int_equal(poll(&poll_for, 1, PATIENCE_MS), 1);
        code = store_reap(box->store, number, error);
    } while (code == EAGAIN);
    return code;
}

int box_try_commit(struct box *box, const char **error)
{
    uint64_t number = 0;
    uint64_t ended = 0;
    assert_false(store_is_busy(box->store));
    assert_int_equal(store_commit(box->store, &number), 0);
    assert_true(store_is_busy(box->store));
    int code = box_wait(box, &ended, error);
    if (code == 0) {
        assert_int_equal(ended, number);
        assert_false(store_is_busy(box->store));
    }
    return code;
}

void box_commit(struct box *box)
{
    const char *error = "";
    if (box_try_commit(box, &error) != 0) {
        print_error("%s\n", error);
        fail();
    }
}

static int print_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    assert_true(fprintf(data, "%llu %.*s=%.*s; ", (unsigned long long)object, (int)key.len,
                        (const char *)key.data, (int)value.len, (const char *)value.data) > 0);
    return 0;
}

char *box_text(struct box *box)
{
    char *text = NULL;
    size_t len = 0;
    char *error = NULL;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    if (store_read(box->store, print_row, out, &error) != 0) {
        print_error("%s\n", error);
        fail();
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

void box_expect(struct box *box, const char *text)
{
    char *found = box_text(box);
    assert_string_equal(found, text);
    free(found);
}

const char *box_file(const struct box *box, const char *name)
{
    static char path[BOX_PATH + 32];
    (void)snprintf(path, sizeof(path), "%s/%s", box->directory, name);
    return path;
}
