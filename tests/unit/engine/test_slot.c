/* The slot of a key: values that Redis itself gives (CLUSTER KEYSLOT), and the rule of hash tags.
 */
#include "tests/support/unit.h"

#include "daemon/engine/slot.h"

static uint16_t slot(const char *key)
{
    return slot_of_key(slice_of_string(key));
}

static void known_keys_are_in_their_slots(void **state)
{
    assert_int_equal(slot("123456789"), 0x31C3);
    assert_int_equal(slot("foo"), 12182);
    assert_int_equal(slot("bar"), 5061);
    assert_int_equal(slot("hello"), 866);
    assert_int_equal(slot(""), 0);
    assert_int_equal(slot_of_key((struct slice){NULL, 0}), 0);
    assert_int_equal(slot_of_key((struct slice){(const uint8_t *)"\0\xff\x80", 3}), 4727);
}

static void only_the_tag_counts(void **state)
{
    assert_int_equal(slot("{foo}"), slot("foo"));
    assert_int_equal(slot("ipcd:r:{foo}:m:name"), slot("foo"));
    assert_int_equal(slot("{foo}{bar}"), slot("foo"));
    assert_int_equal(slot("}{foo}"), slot("foo"));
    assert_int_equal(slot("foo{{bar}}zap"), slot("{bar"));
}

static void an_empty_or_open_tag_is_none(void **state)
{
    assert_int_equal(slot("foo{}{bar}"), 8363);
    assert_int_equal(slot("{}"), 15257);
    assert_int_equal(slot("{foo"), 13308);
    assert_int_equal(slot("foo}"), 15679);
    assert_int_equal(slot("{"), 4092);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_keys_are_in_their_slots),
        cmocka_unit_test(only_the_tag_counts),
        cmocka_unit_test(an_empty_or_open_tag_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
