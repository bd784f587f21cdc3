/* state: what is written is read again; what is damaged, of another version or not whole is not. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/state/state.h"

static void not_taken(void *data, int fd)
{
    unsigned *count = data;
    ++*count;
    (void)close(fd);
}

/* Records of different sizes, one of them longer than what is gathered at a time. */
static void write_some(struct state_writer *writer)
{
    static uint8_t large[3 << 20];
    assert_int_equal(state_writer_init(writer), 0);
    pack_int(state_begin(writer, STATE_DAEMON), 7);
    state_end(writer);
    (void)state_begin(writer, STATE_SERVICE);
    state_end(writer);
    memset(large, 'x', sizeof(large));
    pack_bin(state_begin(writer, STATE_OBJECT), (struct slice){large, sizeof(large)});
    state_end(writer);
    for (int i = 0; i < 100000; i++) {
        pack_int(state_begin(writer, STATE_ROW), i);
        state_end(writer);
    }
    assert_int_equal(state_finish(writer), 0);
}

static void records_come_back_in_their_order(void **state)
{
    struct state_writer writer;
    struct state_reader reader;
    char why[STATE_WHY_MAX];
    enum state_kind kind;
    struct slice record;
    write_some(&writer);
    assert_int_equal(state_open(&reader, writer.fd, why), 0);
    for (int times = 0; times < 2; times++) {
        assert_true(state_next(&reader, &kind, &record));
        assert_int_equal(kind, STATE_DAEMON);
        assert_int_equal(record.len, 1);
        assert_int_equal(record.data[0], 7);
        assert_true(state_next(&reader, &kind, &record));
        assert_int_equal(kind, STATE_SERVICE);
        assert_int_equal(record.len, 0);
        assert_true(state_next(&reader, &kind, &record));
        assert_int_equal(kind, STATE_OBJECT);
        assert_int_equal(record.len, (3 << 20) + 5);
        unsigned count = 0;
        while (state_next(&reader, &kind, &record)) {
            assert_int_equal(kind, STATE_ROW);
            count++;
        }
        assert_int_equal(count, 100000);
        state_rewind(&reader);
    }
    state_reader_deinit(&reader, not_taken, NULL);
    state_writer_deinit(&writer);
}

static void nobody_can_change_what_is_whole(void **state)
{
    struct state_writer writer;
    write_some(&writer);
    assert_int_equal(pwrite(writer.fd, "x", 1, 20), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(writer.fd, 0), -1);
    state_writer_deinit(&writer);
}

/* A copy of a state in which a byte is another one, or which ends before its end. */
static int damaged(const struct state_writer *writer, off_t at, size_t cut)
{
    off_t size = lseek(writer->fd, 0, SEEK_END);
    uint8_t *bytes = malloc((size_t)size);
    assert_non_null(bytes);
    assert_int_equal(pread(writer->fd, bytes, (size_t)size, 0), size);
    bytes[at] ^= 1;
    int fd = memfd_create("damaged", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(write(fd, bytes, (size_t)size - cut), size - (off_t)cut);
    assert_return_code(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), errno);
    free(bytes);
    return fd;
}

static void what_is_damaged_is_refused(void **state)
{
    struct state_writer writer;
    struct state_reader reader;
    char why[STATE_WHY_MAX];
    write_some(&writer);
    off_t size = lseek(writer.fd, 0, SEEK_END);
    const off_t places[] = {0, 8, 16, 24, 40, 5000, size - 16, size - 8, size - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int fd = damaged(&writer, places[i], 0);
        assert_int_equal(state_open(&reader, fd, why), ERR_VALUE);
        state_reader_deinit(&reader, not_taken, NULL);
        (void)close(fd);
    }
    for (size_t cut = 1; cut < 40; cut++) {
        int fd = damaged(&writer, 20, cut);
        assert_int_equal(state_open(&reader, fd, why), ERR_VALUE);
        state_reader_deinit(&reader, not_taken, NULL);
        (void)close(fd);
    }
    state_writer_deinit(&writer);
}

static void what_is_not_whole_is_refused(void **state)
{
    struct state_writer writer;
    struct state_reader reader;
    char why[STATE_WHY_MAX];
    assert_int_equal(state_writer_init(&writer), 0);
    assert_int_equal(state_open(&reader, writer.fd, why), ERR_VALUE);
    state_reader_deinit(&reader, not_taken, NULL);
    state_writer_deinit(&writer);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(state_open(&reader, null, why), ERR_VALUE);
    assert_int_equal(state_open(&reader, -1, why), ERR_VALUE);
    (void)close(null);
}

static void descriptor_is_taken_once(void **state)
{
    struct state_writer writer;
    struct state_reader reader;
    char why[STATE_WHY_MAX];
    unsigned left = 0;
    assert_int_equal(state_writer_init(&writer), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(state_add(&writer, i), i);
    }
    assert_int_equal(state_finish(&writer), 0);
    assert_int_equal(state_open(&reader, writer.fd, why), 0);
    int *fds = calloc(3, sizeof(int));
    for (int i = 0; i < 3; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    int second = fds[1];
    state_give(&reader, fds, 3);
    assert_int_equal(state_take(&reader, 1), second);
    assert_int_equal(state_take(&reader, 1), -1);
    assert_int_equal(state_take(&reader, 3), -1);
    assert_int_equal(state_take(&reader, UINT64_MAX), -1);
    state_reader_deinit(&reader, not_taken, &left);
    assert_int_equal(left, 2);
    (void)close(second);
    state_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_their_order),
        cmocka_unit_test(nobody_can_change_what_is_whole),
        cmocka_unit_test(what_is_damaged_is_refused),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(descriptor_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
