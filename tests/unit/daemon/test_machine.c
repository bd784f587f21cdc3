/* How much memory there is for the daemon: daemon/machine.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/machine.h"

/* The machine's own memory; what the tests give is less. */
static uint64_t physical(void)
{
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int make_root(void **state)
{
    char path[] = "/tmp/ipcd-machine-XXXXXX";
    assert_non_null(mkdtemp(path));
    *state = strdup(path);
    return *state != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
    int status = system(command); /* NOLINT(cert-env33-c) */
    free(*state);
    return status;
}

/* A file below the root, with the folders that it is in. */
static void put(const char *root, const char *path, const char *text)
{
    char whole[256];
    (void)snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *at = whole + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(whole, 0700);
        *at = '/';
    }
    FILE *file = fopen(whole, "we");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_memory(const char *root, uint64_t bytes, const char *what)
{
    struct machine_memory memory = machine_memory(root);
    assert_int_equal(memory.bytes, bytes);
    assert_non_null(strstr(memory.what, what));
}

static void without_groups_it_is_the_machines(void **state)
{
    assert_memory(*state, physical(), "machine");
    put(*state, "/proc/self/cgroup", "");
    assert_memory(*state, physical(), "machine");
    put(*state, "/proc/self/cgroup", "nonsense\n0:\n:\n\n0::/gone\n");
    assert_memory(*state, physical(), "machine");
}

static void the_limit_of_a_group_of_version_2_holds(void **state)
{
    put(*state, "/proc/self/cgroup", "0::/a/b\n");
    put(*state, "/sys/fs/cgroup/a/b/memory.max", "50000000\n");
    assert_memory(*state, 50000000, "control group");
    put(*state, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_memory(*state, physical(), "machine");
    put(*state, "/sys/fs/cgroup/a/memory.max", "40000000\n");
    assert_memory(*state, 40000000, "control group");
    put(*state, "/sys/fs/cgroup/memory.max", "30000000\n");
    assert_memory(*state, 30000000, "control group");
    put(*state, "/sys/fs/cgroup/a/b/memory.max", "20000000\n");
    assert_memory(*state, 20000000, "control group");
}

static void the_limit_of_a_group_of_version_1_holds(void **state)
{
    put(*state, "/proc/self/cgroup", "9:cpu,cpuacct:/x\n8:hugetlb,memory:/a\n0::/\n");
    put(*state, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "60000000\n");
    put(*state, "/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1\n");
    assert_memory(*state, 60000000, "control group");
    put(*state, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
    assert_memory(*state, physical(), "machine");
    put(*state, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "70000000\n");
    assert_memory(*state, 70000000, "control group");
}

static void what_is_no_number_is_no_limit(void **state)
{
    static const char *const texts[] = {
        "", "\n", "-1\n", "x5\n", "99999999999999999999999\n", "18446744073709551615\n"};
    put(*state, "/proc/self/cgroup", "0::/\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put(*state, "/sys/fs/cgroup/memory.max", texts[i]);
        assert_memory(*state, physical(), "machine");
    }
    put(*state, "/sys/fs/cgroup/memory.max", "0\n");
    assert_memory(*state, 0, "control group");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_groups_it_is_the_machines, make_root, remove_root),
        cmocka_unit_test_setup_teardown(the_limit_of_a_group_of_version_2_holds, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(the_limit_of_a_group_of_version_1_holds, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(what_is_no_number_is_no_limit, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
