/* Fault: cas does not compare the value that is there with the one that is expected. */
#include "daemon/objects/dict.h"

int __real_dict_cas(struct dict *dict, const struct dict_key *key, uint32_t position,
                    const struct slice *expected, const struct incoming *value, bool *done,
                    struct pace *pace);
int __wrap_dict_cas(struct dict *dict, const struct dict_key *key, uint32_t position,
                    const struct slice *expected, const struct incoming *value, bool *done,
                    struct pace *pace);

int __wrap_dict_cas(struct dict *dict, const struct dict_key *key, uint32_t position,
                    const struct slice *expected, const struct incoming *value, bool *done,
                    struct pace *pace)
{
    struct slice there;
    if (position != ORDERED_NONE && expected != NULL) {
        there = dict_at(dict, position).value.bytes;
        expected = &there;
    }
    return __real_dict_cas(dict, key, position, expected, value, done, pace);
}
