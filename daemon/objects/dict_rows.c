/*
 * dict_rows: the rows of a dict (rows.h): one for each pair, by its seq, so that they come back in
 * the order of the pairs, and a pair that gets another value keeps its row.
 *
 * Pairs that were added since the dict was last saved are those from dict->saved on: only what
 * becomes of older ones is noted. A pair that came and went meanwhile is in neither.
 *
 * Tests: tests/unit/objects/test_rows.c and model_dict.c.
 */
#include "daemon/objects/dict.h"
#include "daemon/objects/pair.h"
#include "daemon/objects/registry.h"
#include "daemon/objects/row_form.h"

enum { ROW_PAIR = 1 };

static const char what[] = "a dict";

void dict_note_change(struct dict *dict, uint64_t seq)
{
    if (object_is_loading(&dict->object)) {
        return;
    }
    if (seq < dict->saved && changes_note(&dict->changes, seq) < 0) {
        dict->object.unsaved |= UNSAVED_ALL;
    }
    object_join_changed(&dict->object);
}

/* The options: the next seq, as numbers that have been given are not used again. */
void dict_save_options(const struct object *object, struct buffer *out)
{
    pack_uint(out, ((const struct dict *)object)->pairs.next_seq);
}

static int make(const struct object_options *common, struct row *row, bool str_keys,
                struct object **out)
{
    struct dict *dict;
    struct dict_options options = {.seed = row->reader->registry->seed, .str_keys = str_keys};
    uint64_t next_seq = row_uint(row);
    int status = row_close(row, what);
    if (status == 0 && (next_seq == 0 || next_seq > INT64_MAX)) {
        status = ERR_VALUE;
    }
    status = status < 0 ? status : dict_new(common, &options, &dict);
    if (status == 0) {
        dict->saved = next_seq; /* until all is loaded */
        *out = &dict->object;
    }
    return status;
}

int dict_make(const struct object_options *common, struct row *options, struct object **out)
{
    return make(common, options, false, out);
}

int namespace_make(const struct object_options *common, struct row *options, struct object **out)
{
    return make(common, options, true, out);
}

/* Saving. */

static int put_pair(const struct pair *pair, struct buffer *value, const struct row_writer *out)
{
    struct row_key key;
    row_begin(value);
    pack_raw(value, pair_key(pair));
    row_pack_value(value, pair_value(pair), out);
    return row_put(out, row_key(&key, ROW_PAIR, pair->entry.seq), value);
}

/* The pairs from a seq on. */
static int put_from(const struct dict *dict, uint64_t seq, struct buffer *value,
                    const struct row_writer *out)
{
    int status = 0;
    uint32_t position = ordered_from_seq(&dict->pairs, seq);
    while (position != ORDERED_NONE && status == 0) {
        status = put_pair((struct pair *)dict->pairs.entries[position], value, out);
        position = ordered_next(&dict->pairs, position + 1);
    }
    return status;
}

/* A pair that has another value, or is gone. */
static int put_change(const struct dict *dict, uint64_t seq, struct buffer *value,
                      const struct row_writer *out)
{
    struct row_key key;
    uint32_t position = ordered_from_seq(&dict->pairs, seq);
    if (position != ORDERED_NONE && dict->pairs.entries[position]->seq == seq) {
        return put_pair((struct pair *)dict->pairs.entries[position], value, out);
    }
    return out->remove(out->data, row_key(&key, ROW_PAIR, seq));
}

static int put_changes(struct dict *dict, struct buffer *value, const struct row_writer *out)
{
    int status = 0;
    changes_sort(&dict->changes);
    for (size_t i = 0; i < dict->changes.len && status == 0; i++) {
        status = put_change(dict, dict->changes.numbers[i], value, out);
    }
    return status < 0 ? status : put_from(dict, dict->saved, value, out);
}

int dict_save(struct object *object, enum rows which, const struct row_writer *out,
              const struct moment *now)
{
    struct dict *dict = dict_of(object);
    struct buffer value = {0};
    int status;
    if (which == ROWS_ALL) {
        status = put_from(dict, 0, &value, out);
    } else {
        status = (object->unsaved & UNSAVED_ALL) != 0 ? put_from(dict, 0, &value, out)
                                                      : put_changes(dict, &value, out);
        if (status == 0) {
            changes_deinit(&dict->changes);
            dict->saved = dict->pairs.next_seq;
        }
    }
    buffer_deinit(&value);
    return status;
}

/* Loading. */

static int refuse(struct row *row)
{
    row->bad = true;
    return row_close(row, what);
}

/* Puts a pair behind all others, with its seq. */
static int load_pair(struct dict *dict, uint64_t seq, struct slice given, struct incoming value,
                     struct row *row)
{
    struct dict_key key;
    struct key_fault fault;
    int status = dict_key_init(&key, dict, given, &fault, NULL);
    if (status == 0 && (key.own.len > 0 || dict_find(dict, &key) != ORDERED_NONE)) {
        status = ERR_TYPE;
    }
    if (status == 0) {
        dict->pairs.next_seq = seq;
        status = dict_insert(dict, &key, value, NULL);
    }
    dict_key_deinit(&key);
    return status == ERR_TYPE ? refuse(row) : status;
}

int dict_load(struct object *object, struct slice key, struct slice value,
              struct row_reader *reader)
{
    struct dict *dict = dict_of(object);
    struct row row;
    struct origin origin;
    uint64_t seq;
    if (!row_open(&row, value, reader, what)) {
        return ERR_VALUE;
    }
    if (!row_key_number(key, &seq) || key.data[0] != ROW_PAIR || seq < dict->pairs.next_seq ||
        seq >= INT64_MAX) {
        return refuse(&row);
    }
    struct slice given = row_raw(&row);
    struct incoming incoming = row_value(&row, &origin);
    int status = row_close(&row, what);
    if (status == 0) {
        status = load_pair(dict, seq, given, incoming, &row);
    }
    row_value_done(&origin);
    return status;
}

int dict_loaded(struct object *object, struct row_reader *reader)
{
    struct dict *dict = dict_of(object);
    if (dict->pairs.next_seq < dict->saved) {
        dict->pairs.next_seq = dict->saved;
    }
    dict->saved = dict->pairs.next_seq;
    changes_deinit(&dict->changes);
    return 0;
}
