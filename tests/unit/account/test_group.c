/* group: names of groups in a file of the form of group(5). */
#include "daemon/account/group.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/error.h"

static char path[] = "/tmp/ipcd-test-group.XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    return unlink(path);
}

static void write_file(const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static int find(const char *name, gid_t *gid)
{
    *gid = 12345;
    return group_find(path, slice_of_string(name), gid);
}

/* The name is that of a gid; or of none. */
static void is(const char *name, gid_t expected)
{
    gid_t gid;
    assert_int_equal(find(name, &gid), 0);
    assert_int_equal(gid, expected);
}

static void is_none(const char *name)
{
    gid_t gid;
    assert_int_equal(find(name, &gid), ERR_NOT_FOUND);
}

static void names_are_found_on_whatever_line(void **state)
{
    static const char text[] = "root:x:0:\n\n# a comment\nstaff:x:50:ann,bob\nlast::4294967294:";
    write_file(text, sizeof(text) - 1);
    is("root", 0);
    is("staff", 50);
    is("last", UINT32_MAX - 1);
    is_none("x");
    is_none("ann");
    is_none("roo");
    is_none("rootx");
    is_none("");
    is_none("root:x");
    is_none("staff:x:50:ann");
    is_none("# a comment");
}

static void what_is_no_gid_is_none(void **state)
{
    static const char text[] = "a:x:\nb:x:-1:\nc:x: 5:\nd:x:5x:\ne:x:4294967295:\nf:x:4294967296:\n"
                               "g:x:99999999999999999999999999:\nh\ni:\nj:x\n:x:7:\nk:x:5\n";
    write_file(text, sizeof(text) - 1);
    for (char name[] = "a"; name[0] <= 'j'; name[0]++) {
        is_none(name);
    }
    is_none("");
    is("k", 5);
}

static void the_first_of_a_name_counts(void **state)
{
    static const char text[] = "a:x:bad:\na:x:5:\na:x:6:\n";
    write_file(text, sizeof(text) - 1);
    is("a", 5);
}

static void no_more_than_a_part_of_a_large_file_is_read(void **state)
{
    enum { SIZE = 3 << 20 };
    static const char last[] = "\nlast:x:5:\n";
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, 'x', SIZE);
    memcpy(text, "first:x:1:\n", 11);
    memcpy(text + SIZE - sizeof(last) + 1, last, sizeof(last) - 1);
    write_file(text, SIZE);
    is("first", 1);
    is_none("last");
    memset(text, '\0', SIZE);
    write_file(text, SIZE);
    is_none("last");
    free(text);
}

static void what_cannot_be_read_has_no_groups(void **state)
{
    gid_t gid;
    assert_int_equal(group_find("/nonexistent/group", slice_of_string("root"), &gid),
                     ERR_NOT_FOUND);
    assert_int_equal(group_find("/tmp", slice_of_string("root"), &gid), ERR_NOT_FOUND);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    is_none("root"); /* and nobody waits for a writer */
    assert_int_equal(unlink(path), 0);
    write_file("", 0);
    is_none("root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_on_whatever_line),
        cmocka_unit_test(what_is_no_gid_is_none),
        cmocka_unit_test(the_first_of_a_name_counts),
        cmocka_unit_test(no_more_than_a_part_of_a_large_file_is_read),
        cmocka_unit_test(what_cannot_be_read_has_no_groups),
    };
    return cmocka_run_group_tests_name("group", tests, make_file, remove_file);
}
