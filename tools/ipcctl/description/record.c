/* record: what the daemon says as a line of JSON; see record.h. */
#include "tools/ipcctl/description/record.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/names.h"

/* The name of a member that is a number. */
static void add_name(struct record *record, const struct ipcc_value *map, const char *key,
                     const char *name_key, const char *(*name_of)(int64_t number))
{
    struct ipcc_value number = field(map, key);
    if (number.kind != IPCC_INT) {
        return;
    }
    const char *name = name_of(number.as.integer);
    if (name != NULL) {
        pack_key_string(&record->bytes, name_key, name);
    } else {
        pack_string(&record->bytes, name_key);
        pack_nil(&record->bytes);
    }
    record->count++;
}

void record_begin_with(struct record *record, const struct ipcc_value *map, record_put *put,
                       struct context *context)
{
    struct ipcc_walk walk = ipcc_walk_of(map);
    struct ipcc_value key;
    struct ipcc_value value;
    *record = (struct record){0};
    record->at = pack_map_begin(&record->bytes);
    for (; ipcc_walk_pair(&walk, &key, &value); record->count++) {
        value_encode(&key, &record->bytes);
        put(context, &record->bytes, &key, &value);
    }
    add_name(record, map, "uid", "user", names_user);
    add_name(record, map, "gid", "group_name", names_group);
    add_name(record, map, "owner", "owner_name", names_user);
    add_name(record, map, "group", "group_name", names_group);
}

static void put_value(struct context *context, struct buffer *out, const struct ipcc_value *key,
                      const struct ipcc_value *value)
{
    value_encode(value, out);
}

void record_begin(struct record *record, const struct ipcc_value *map)
{
    record_begin_with(record, map, put_value, NULL);
}

void record_program(struct context *context, struct record *record, const struct ipcc_value *map)
{
    struct buffer program = {0};
    claimant_put_program(context, &program, map);
    pack_key_str(&record->bytes, "program", buffer_slice(&program));
    record->bytes.failed |= program.failed;
    record->count++;
    buffer_deinit(&program);
}

void record_pack(struct buffer *out, struct record *record)
{
    pack_map_end(&record->bytes, record->at, record->count);
    pack_raw(out, buffer_slice(&record->bytes));
    out->failed |= record->bytes.failed;
    buffer_deinit(&record->bytes);
}

void record_print(struct context *context, struct record *record)
{
    pack_map_end(&record->bytes, record->at, record->count);
    output_record(context, &record->bytes);
}
