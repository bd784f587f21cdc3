/* Where an engine is, as people write it: what is understood, what is refused, and in which words.
 */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/engine/url.h"
#include "proto/error.h"

static struct url parsed(const char *text)
{
    struct url url;
    char *error = NULL;
    if (url_parse(text, &url, &error) < 0) {
        fail_msg("%s: %s", text, error);
    }
    assert_null(error);
    return url;
}

static void assert_printed(const char *text, const char *wanted)
{
    struct url url = parsed(text);
    struct url copy;
    struct buffer out = {0};
    assert_int_equal(url_copy(&url, &copy), 0);
    url_deinit(&url);
    url_print(&copy, &out);
    url_deinit(&copy);
    assert_int_equal(buffer_append(&out, "", 1), 0);
    assert_string_equal((const char *)out.data, wanted);
    buffer_deinit(&out);
}

static void assert_refused(const char *text, const char *because)
{
    struct url url = {.database = 77};
    char *error = NULL;
    assert_int_equal(url_parse(text, &url, &error), ERR_VALUE);
    assert_int_equal(url.database, 77);
    if (error == NULL || strstr(error, because) == NULL) {
        fail_msg("%s: \"%s\" should say \"%s\"", text, error, because);
    }
    assert_null(strstr(error, "secret"));
    free(error);
}

static void hosts_have_ports(void **state)
{
    struct url url = parsed("redis://one,two.example:1,[::1]:65535,[fe80::1%eth0]/15");
    assert_int_equal(url.count, 4);
    assert_string_equal(url.hosts[0].name, "one");
    assert_int_equal(url.hosts[0].port, 6379);
    assert_string_equal(url.hosts[1].name, "two.example");
    assert_int_equal(url.hosts[1].port, 1);
    assert_string_equal(url.hosts[2].name, "::1");
    assert_int_equal(url.hosts[2].port, 65535);
    assert_string_equal(url.hosts[3].name, "fe80::1%eth0");
    assert_int_equal(url.hosts[3].port, 6379);
    assert_int_equal(url.database, 15);
    assert_false(url.tls);
    assert_null(url.user);
    assert_null(url.password);
    assert_null(url.path);
    url_deinit(&url);
    url = parsed("rediss://host/");
    assert_true(url.tls);
    assert_int_equal(url.database, 0);
    url_deinit(&url);
}

static void users_and_passwords_are_decoded(void **state)
{
    struct url url = parsed("redis://us%65r:p%40ss%3A%2f%25@host");
    assert_string_equal(url.user, "user");
    assert_string_equal(url.password, "p@ss:/%");
    assert_string_equal(url.hosts[0].name, "host");
    url_deinit(&url);
    url = parsed("redis://:a:b@c@host");
    assert_null(url.user);
    assert_string_equal(url.password, "a:b@c");
    url_deinit(&url);
    url = parsed("redis://user@host");
    assert_string_equal(url.user, "user");
    assert_null(url.password);
    url_deinit(&url);
    url = parsed("redis://user:@host");
    assert_string_equal(url.password, "");
    url_deinit(&url);
}

static void sockets_have_paths(void **state)
{
    struct url url = parsed("redis+unix:///run/redis%20s/a,b@c.sock");
    assert_string_equal(url.path, "/run/redis s/a,b@c.sock");
    assert_int_equal(url.count, 0);
    url_deinit(&url);
    url = parsed("redis+unix://user:secret@/s");
    assert_string_equal(url.path, "/s");
    assert_string_equal(url.user, "user");
    assert_string_equal(url.password, "secret");
    url_deinit(&url);
}

static void what_is_printed_is_read_the_same_but_for_the_password(void **state)
{
    assert_printed("redis://h", "redis://h:6379");
    assert_printed("rediss://a:1,[::1]:2/3", "rediss://a:1,[::1]:2/3");
    assert_printed("redis://u%40:secret@h:7", "redis://u%40:***@h:7");
    assert_printed("redis://:secret@h:7", "redis://:***@h:7");
    assert_printed("redis+unix:///a%20b%25/c", "redis+unix:///a%20b%25/c");
}

static void what_is_wrong_is_said(void **state)
{
    assert_refused("", "is written redis://");
    assert_refused("redis:/host", "is written redis://");
    assert_refused("http://host", "is written redis://");
    assert_refused("redis://", "a host is missing");
    assert_refused("redis://a,,b", "a host is missing");
    assert_refused("redis://a,", "a host is missing");
    assert_refused("redis://user:secret@", "a host is missing");
    assert_refused("redis://:6379", "a host is missing");
    assert_refused("redis://a:0", "from 1 to 65535");
    assert_refused("redis://a:65536", "from 1 to 65535");
    assert_refused("redis://a:99999999999999999999999", "from 1 to 65535");
    assert_refused("redis://a:", "from 1 to 65535");
    assert_refused("redis://a:1x", "from 1 to 65535");
    assert_refused("redis://::1", "in brackets");
    assert_refused("redis://[::1", "no ] behind");
    assert_refused("redis://[::1]x", "can follow the ]");
    assert_refused("redis://a b", "a character");
    assert_refused("redis://a/b", "the number of a database");
    assert_refused("redis://a/-1", "the number of a database");
    assert_refused("redis://a/2147483648", "the number of a database");
    assert_refused("redis://a/1/2", "the number of a database");
    assert_refused("redis://a?tls=1", "? or #");
    assert_refused("redis://u:secret/secret@a", "%2F");
    assert_refused("redis://u:secret%@a", "two hexadecimal digits");
    assert_refused("redis://u:secret%4@a", "two hexadecimal digits");
    assert_refused("redis://u:secret%4x@a", "two hexadecimal digits");
    assert_refused("redis://u:secret%00@a", "zero byte");
    assert_refused("redis+unix://", "must be whole");
    assert_refused("redis+unix://host/path", "is written redis://");
    assert_refused("redis+unix:///"
                   "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567",
                   "107 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_have_ports),
        cmocka_unit_test(users_and_passwords_are_decoded),
        cmocka_unit_test(sockets_have_paths),
        cmocka_unit_test(what_is_printed_is_read_the_same_but_for_the_password),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
