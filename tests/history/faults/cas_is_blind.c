/* Fault: cas does not compare the value that is there with the one that is expected. */
#include "daemon/objects/dict.h"

int __real_dict_cas(struct dict *dict, const struct dict_key *key, const struct slice *expected,
                    const struct incoming *value, bool *done, struct pace *pace);
int __wrap_dict_cas(struct dict *dict, const struct dict_key *key, const struct slice *expected,
                    const struct incoming *value, bool *done, struct pace *pace);

int __wrap_dict_cas(struct dict *dict, const struct dict_key *key, const struct slice *expected,
                    const struct incoming *value, bool *done, struct pace *pace)
{
    uint32_t position = dict_find(dict, key);
    struct slice there;
    if (position != ORDERED_NONE && expected != NULL) {
        there = dict_at(dict, position).value.bytes;
        expected = &there;
    }
    return __real_dict_cas(dict, key, expected, value, done, pace);
}
