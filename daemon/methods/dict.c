/*
 * methods/dict: the handlers of dict.* and namespace.*; the operations are in
 * daemon/objects/dict.h.
 *
 * A namespace is a dict whose keys are str, which is checked by the signatures of its methods and
 * by the dict itself: so its handlers are those of the dict, by the list at the end.
 */
#include "daemon/objects/dict.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"
#include "proto/value.h"

/* Refuses a value that cannot be a key. */
static int refuse_key(struct call *call, const struct key_fault *fault)
{
    struct buffer shown = {0};
    value_print(fault->key, 64, &shown);
    int status = call_fail(call, ERR_TYPE, "%s: %.*s cannot be a key: it is %s", call->method->name,
                           (int)shown.len, (const char *)shown.data, fault->why);
    buffer_deinit(&shown);
    return status;
}

static int refuse_missing(struct call *call, const struct dict_key *key)
{
    struct buffer shown = {0};
    value_print(key->bytes, 64, &shown);
    int status = call_fail(call, ERR_KEY, "\"%s\" has no key %.*s", call->object->name,
                           (int)shown.len, (const char *)shown.data);
    buffer_deinit(&shown);
    return status;
}

/* Makes a key of param 1; the handler deinits it, whatever comes of it. */
static inline int read_key(struct call *call, struct dict_key *key)
{
    struct key_fault fault;
    int status = dict_key_init(key, dict_of(call->object), call_value(call, 1), &fault, call->pace);
    return status == ERR_TYPE ? refuse_key(call, &fault) : status;
}

/* Makes a key of param 1, as read_key, and finds its position, or ORDERED_NONE. */
static inline int find_key(struct call *call, struct dict_key *key, uint32_t *position)
{
    int status = read_key(call, key);
    *position = status == 0 ? dict_find(dict_of(call->object), key) : ORDERED_NONE;
    return status;
}

/* True if the call needs a pace to set a key that is or is not there: for the arrays of a large
 * dict grow. */
static bool set_needs_pace(struct call *call, uint32_t position)
{
    uint64_t steps = position == ORDERED_NONE ? dict_insert_steps(dict_of(call->object)) : 0;
    return __builtin_expect(steps > 0, 0) && call_needs_pace(call, steps);
}

/* True if the call needs a pace to take it out, if it is there: for they shrink. */
static bool remove_needs_pace(struct call *call, uint32_t position)
{
    uint64_t steps =
        position == ORDERED_NONE ? 0 : dict_remove_steps(dict_of(call->object), position);
    return __builtin_expect(steps > 0, 0) && call_needs_pace(call, steps);
}

/* dict.open */

static int make_dict(struct call *call, const struct object_options *common,
                     const struct param *given, struct object **out)
{
    const struct dict_options options = {.seed = call->service->registry.seed,
                                         .str_keys = strcmp(call->method->type, "namespace") == 0};
    struct dict *dict;
    int status = dict_new(common, &options, &dict);
    if (status < 0) {
        return status;
    }
    const struct param *initial = &given[OPTION_dict_open_initial];
    if (option_given(initial)) {
        struct key_fault fault;
        uint64_t new_keys;
        status = call_check_lasting(call, &dict->object);
        if (status < 0) {
            object_unref(&dict->object);
            return status;
        }
        status = dict_update(dict, (struct incoming){initial->raw, call->origin, call->pace},
                             &new_keys, &fault, call->pace);
        if (status == ERR_TYPE) {
            (void)refuse_key(call, &fault);
        }
    }
    if (status < 0) {
        object_unref(&dict->object);
        return status;
    }
    *out = &dict->object;
    return 0;
}

int method_dict_open(struct call *call)
{
    static const struct open_type type = {.type = &dict_type, .make = make_dict};
    return open_needs_pace(call) ? CALL_PACED : open_object(call, &type);
}

int method_namespace_open(struct call *call)
{
    static const struct open_type type = {.type = &namespace_type, .make = make_dict};
    return open_needs_pace(call) ? CALL_PACED : open_object(call, &type);
}

/* One key. */

int method_dict_get(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (position != ORDERED_NONE) {
        return call_answer_value(call, dict_at(dict_of(call->object), position).value);
    }
    return call_given(call, 2) ? call_answer_param(call, 2) : refuse_missing(call, &key);
}

int method_dict_set(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (set_needs_pace(call, position)) {
        return CALL_PACED;
    }
    struct dict *dict = dict_of(call->object);
    status = dict_set(dict, &key, position, call_incoming(call, 2), call->pace);
    return status < 0 ? status : call_answer_bool(call, position == ORDERED_NONE);
}

int method_dict_update(struct call *call)
{
    struct key_fault fault;
    uint64_t new_keys;
    struct dict *dict = dict_of(call->object);
    if (call_needs_pace(call, dict_update_steps(dict, call_value(call, 1)))) {
        return CALL_PACED;
    }
    int status = dict_update(dict, call_incoming(call, 1), &new_keys, &fault, call->pace);
    if (status == ERR_TYPE) {
        return refuse_key(call, &fault);
    }
    if (status < 0) {
        return status;
    }
    return call_answer_int(call, (int64_t)new_keys);
}

/* Inserts a value that has been packed as the answer, unless there was no room for that. */
static int insert_answered(struct call *call, struct dict_key *key, struct incoming value)
{
    if (!output_is_whole(call->out)) {
        return ERR_MEMORY;
    }
    return dict_insert(dict_of(call->object), key, value, call->pace);
}

int method_dict_setdefault(struct call *call)
{
    static const uint8_t nil[] = {0xc0};
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (position != ORDERED_NONE) {
        return call_answer_value(call, dict_at(dict_of(call->object), position).value);
    }
    if (set_needs_pace(call, position)) {
        return CALL_PACED;
    }
    struct incoming value = incoming_plain((struct slice){nil, sizeof(nil)});
    if (call_given(call, 2)) {
        value = call_incoming(call, 2);
        status = call_answer_param(call, 2);
    } else {
        status = call_answer_nil(call);
    }
    if (status == 0) {
        status = insert_answered(call, &key, value);
    }
    return status;
}

int method_dict_delete(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (position == ORDERED_NONE) {
        return refuse_missing(call, &key);
    }
    if (remove_needs_pace(call, position)) {
        return CALL_PACED;
    }
    dict_remove(dict_of(call->object), position, call->pace);
    return call_answer_nil(call);
}

/* Removes a pair whose answer has been packed, unless there was no room for that. */
static int remove_answered(struct call *call, uint32_t position)
{
    if (!output_is_whole(call->out)) {
        return ERR_MEMORY;
    }
    dict_remove(dict_of(call->object), position, call->pace);
    return 0;
}

int method_dict_pop(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (position == ORDERED_NONE) {
        return call_given(call, 2) ? call_answer_param(call, 2) : refuse_missing(call, &key);
    }
    if (remove_needs_pace(call, position)) {
        return CALL_PACED;
    }
    (void)call_answer_value(call, dict_at(dict_of(call->object), position).value);
    return remove_answered(call, position);
}

/* Packs a pair as [key, value]. */
static void pack_item(struct call *call, const struct dict_item *item)
{
    pack_array(&call->out->bytes, 2);
    pack_raw(&call->out->bytes, item->key);
    call_pack_value(call, item->value);
}

int method_dict_popitem(struct call *call)
{
    struct dict *dict = dict_of(call->object);
    uint32_t position = dict_last(dict);
    if (position == ORDERED_NONE) {
        return call_fail(call, ERR_KEY, "\"%s\" is empty", call->object->name);
    }
    if (remove_needs_pace(call, position)) {
        return CALL_PACED;
    }
    struct dict_item item = dict_at(dict, position);
    (void)call_result(call);
    pack_item(call, &item);
    return remove_answered(call, position);
}

int method_dict_contains(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    return status < 0 ? status : call_answer_bool(call, position != ORDERED_NONE);
}

int method_dict_incr(struct call *call)
{
    static const uint8_t zero[] = {0x00};
    static const uint8_t one[] = {0x01};
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (set_needs_pace(call, position)) {
        return CALL_PACED;
    }
    struct slice delta = call_given(call, 2) ? call_value(call, 2) : (struct slice){one, 1};
    struct slice initial = call_given(call, 3) ? call_value(call, 3) : (struct slice){zero, 1};
    status = dict_incr(dict_of(call->object), &key, position, delta, initial, call_result(call),
                       call->pace);
    if (status == ERR_TYPE) {
        return call_fail(call, ERR_TYPE, "%s: the value of this key is not a number",
                         call->method->name);
    }
    if (status == ERR_RANGE) {
        return call_fail(call, ERR_RANGE,
                         "%s: the sum is not between -2^63 and 2^64-1; nothing was changed",
                         call->method->name);
    }
    return status;
}

/* A param that is [value] or []: *value is set to the value or stays NULL. */
static int read_optional(struct call *call, unsigned i, struct slice *bytes,
                         const struct slice **value)
{
    const struct param *param = &call->params[i];
    if (param->header.count > 1) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "%s: param %s must be [value], or [] for a key that is not there, "
                         "not an array of %u",
                         call->method->name, i == 2 ? "expected" : "value",
                         (unsigned)param->header.count);
    }
    *bytes = slice_from(param->raw, param->header.size);
    *value = param->header.count == 1 ? bytes : NULL;
    return 0;
}

int method_dict_cas(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    struct slice bytes[2];
    const struct slice *expected = NULL;
    const struct slice *value = NULL;
    uint32_t position;
    bool done;
    int status = find_key(call, &key, &position);
    if (status == 0) {
        status = read_optional(call, 2, &bytes[0], &expected);
    }
    if (status == 0) {
        status = read_optional(call, 3, &bytes[1], &value);
    }
    if (status < 0) {
        return status;
    }
    if (value != NULL ? set_needs_pace(call, position) : remove_needs_pace(call, position)) {
        return CALL_PACED;
    }
    struct incoming incoming = {bytes[1], call->origin, call->pace};
    status = dict_cas(dict_of(call->object), &key, position, expected,
                      value != NULL ? &incoming : NULL, &done, call->pace);
    if (status < 0) {
        return status;
    }
    return call_answer_bool(call, done);
}

int method_dict_wait(struct call *call)
{
    struct dict_key key __attribute__((cleanup(dict_key_deinit)));
    uint32_t position;
    int status = find_key(call, &key, &position);
    if (status < 0) {
        return status;
    }
    if (position == ORDERED_NONE) {
        return call_wait_for_key(call, DICT_WAITERS, key.hash, 2, ERR_TIMEOUT);
    }
    return call_answer_value(call, dict_at(dict_of(call->object), position).value);
}

/* The whole dict. */

int method_dict_len(struct call *call)
{
    return call_answer_int(call, dict_len(dict_of(call->object)));
}

int method_dict_clear(struct call *call)
{
    struct dict *dict = dict_of(call->object);
    if (call_needs_pace(call, dict_clear_steps(dict))) {
        return CALL_PACED;
    }
    dict_clear(dict, call->pace);
    return call_answer_nil(call);
}

/* Packs one thing or two of a pair. */
typedef void pack_pair(struct call *call, const struct dict_item *item);

static void say_packed(struct call *call, size_t before)
{
    pace_step(call->pace, 2 + (call->out->bytes.len - before) / PACE_STEP_BYTES);
}

/* Packs something of each pair, in order, until the answer is too long to be given. `head` packs
 * the header for so many. */
static int pack_each(struct call *call, void (*head)(struct buffer *, size_t), pack_pair *pack)
{
    const struct dict *dict = dict_of(call->object);
    if (call_needs_pace(call, dict_copy_steps(dict, dict_len(dict)))) {
        return CALL_PACED;
    }
    struct buffer *out = call_result(call);
    head(out, dict_len(dict));
    for (uint32_t i = dict_next(dict, 0); i != ORDERED_NONE && !call_is_over(call);
         i = dict_next(dict, i + 1)) {
        struct dict_item item = dict_at(dict, i);
        size_t before = out->len;
        pack(call, &item);
        say_packed(call, before);
    }
    return 0;
}

static void pack_key(struct call *call, const struct dict_item *item)
{
    pack_raw(&call->out->bytes, item->key);
}

static void pack_value(struct call *call, const struct dict_item *item)
{
    call_pack_value(call, item->value);
}

static void pack_key_and_value(struct call *call, const struct dict_item *item)
{
    pack_key(call, item);
    pack_value(call, item);
}

int method_dict_keys(struct call *call)
{
    return pack_each(call, pack_array, pack_key);
}

int method_dict_values(struct call *call)
{
    return pack_each(call, pack_array, pack_value);
}

int method_dict_items(struct call *call)
{
    return pack_each(call, pack_array, pack_item);
}

int method_dict_copy(struct call *call)
{
    return pack_each(call, pack_map, pack_key_and_value);
}

int method_dict_scan(struct call *call)
{
    const struct dict *dict = dict_of(call->object);
    int64_t count = call_int(call, 2, 100);
    if (call_needs_pace(call, dict_copy_steps(dict, count < 0 ? 0 : (uint64_t)count))) {
        return CALL_PACED;
    }
    uint32_t position = dict_from_seq(dict, (uint64_t)call_int(call, 1, 0));
    struct buffer *out = call_result(call);
    pack_map(out, 2);
    pack_string(out, "items");
    size_t at = pack_array_begin(out);
    int64_t packed = 0;
    for (; packed < count && position != ORDERED_NONE && !call_is_long(call); packed++) {
        struct dict_item item = dict_at(dict, position);
        if (packed > 0 && !call_has_room(call, item.value)) {
            break;
        }
        size_t before = out->len;
        pack_item(call, &item);
        say_packed(call, before);
        position = dict_next(dict, position + 1);
    }
    pack_array_end(out, at, (size_t)packed);
    pack_key_uint(out, "cursor", position == ORDERED_NONE ? 0 : dict_at(dict, position).seq);
    return 0;
}

/* namespace.*, but for open: the same handlers. */
#define NAMESPACE(verb)                                                                            \
    int method_namespace_##verb(struct call *call)                                                 \
    {                                                                                              \
        return method_dict_##verb(call);                                                           \
    }
NAMESPACE(get)
NAMESPACE(set)
NAMESPACE(update)
NAMESPACE(setdefault)
NAMESPACE(delete)
NAMESPACE(pop)
NAMESPACE(popitem)
NAMESPACE(contains)
NAMESPACE(len)
NAMESPACE(clear)
NAMESPACE(keys)
NAMESPACE(values)
NAMESPACE(items)
NAMESPACE(copy)
NAMESPACE(scan)
NAMESPACE(incr)
NAMESPACE(cas)
NAMESPACE(wait)
#undef NAMESPACE
