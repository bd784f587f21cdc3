/* claims: who waits on an object, who holds what, and for whom items are reserved; see claims.h. */
#include "tools/ipcctl/description/claims.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>
#include <limits.h>

/* What can be held: the key of how much, the title of its column, and of the table. */
static const struct holding {
    const char *key;
    const char *column;
    const char *title;
} holdings[] = {
    {"tickets", "TICKETS", "Holding tickets"},
    {"permits", "PERMITS", "Holding permits"},
    {"depth", "DEPTH", "Holding the lock"},
};

static void pack_claim(struct context *context, struct buffer *out, const struct ipcc_value *claim)
{
    struct ipcc_walk walk = ipcc_walk_of(claim);
    struct ipcc_value key;
    struct ipcc_value value;
    struct buffer program = {0};
    size_t at = pack_map_begin(out);
    size_t count = 1;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        value_encode(&key, out);
        value_encode(&value, out);
        count++;
    }
    claimant_put_program(context, &program, claim);
    pack_key_str(out, "program", buffer_slice(&program));
    pack_map_end(out, at, count);
    out->failed |= program.failed;
    buffer_deinit(&program);
}

void claims_pack(struct context *context, struct buffer *out, const struct ipcc_value *claims)
{
    struct ipcc_walk walk = ipcc_walk_of(claims);
    struct ipcc_value claim;
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (; ipcc_walk_next(&walk, &claim); count++) {
        pack_claim(context, out, &claim);
    }
    pack_array_end(out, at, count);
}

void claims_title(struct context *context, const char *title, int64_t count, size_t shown)
{
    struct buffer line = {0};
    text_format(&line, "\n%s (%" PRId64, title, count);
    if (count > (int64_t)shown) {
        text_format(&line, ", the first %zu", shown);
    }
    text_put(&line, "):\n");
    output_buffer(context, &line);
}

/* The cells that both tables begin with. */
static void add_session(struct context *context, struct table *table,
                        const struct ipcc_value *claim)
{
    struct ipcc_value client = field(claim, "client");
    claimant_session(table, claim);
    show_number(table, claim, "pid");
    claimant_program(context, table, claim);
    show_field(table_text(table), "client", &client);
    table_cell(table);
}

static void add_wait(struct context *context, struct table *table, const struct ipcc_value *wait)
{
    struct ipcc_value timeout = field(wait, "timeout_ms");
    add_session(context, table, wait);
    table_plain(table, field_text(wait, "method"));
    text_time(table_text(table), field_int(wait, "since_ms"));
    table_cell(table);
    if (timeout.kind == IPCC_INT) {
        text_time(table_text(table), timeout.as.integer);
    } else {
        text_put(table_text(table), "none");
    }
    table_cell(table);
}

static void print_waits(struct context *context, const struct ipcc_value *description)
{
    static const struct column columns[] = {
        {"SESSION", true, false}, {"PID", true, false}, {"PROGRAM", false, true},
        {"CLIENT", false, true},  {"IN", false, false}, {"FOR", true, false},
        {"TIMEOUT", true, false},
    };
    struct ipcc_value waits = field(description, "waits");
    struct ipcc_walk walk = ipcc_walk_of(&waits);
    struct ipcc_value wait;
    struct table table;
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    while (ipcc_walk_next(&walk, &wait)) {
        add_wait(context, &table, &wait);
    }
    if (table_rows(&table) > 0) {
        claims_title(context, "Waiting", field_int(description, "waiting"), table_rows(&table));
        output_table(context, &table);
    }
    table_deinit(&table);
}

static void add_hold(struct context *context, struct table *table, const struct ipcc_value *hold,
                     const struct holding *holding)
{
    struct ipcc_value owner = field(hold, "owner");
    struct ipcc_value since = field(hold, "since");
    add_session(context, table, hold);
    show_age(table_text(table), &since);
    table_cell(table);
    show_number(table, hold, holding->key);
    if (owner.kind != IPCC_NONE) {
        show_field(table_text(table), "", &owner);
        table_cell(table);
    }
}

/* What is held, by what is said of the first holder. */
static const struct holding *holding_of(const struct ipcc_value *hold)
{
    enum { COUNT = sizeof(holdings) / sizeof(holdings[0]) };
    size_t i = 0;
    while (i < COUNT - 1 && field(hold, holdings[i].key).kind == IPCC_NONE) {
        i++;
    }
    return &holdings[i];
}

static void print_holds(struct context *context, const struct ipcc_value *description)
{
    struct ipcc_value first = claims_holder(description);
    const struct holding *holding = holding_of(&first);
    bool owned = field(&first, "owner").kind != IPCC_NONE;
    const struct column columns[] = {
        {"SESSION", true, false}, {"PID", true, false}, {"PROGRAM", false, true},
        {"CLIENT", false, true},  {"FOR", true, false}, {holding->column, true, false},
        {"OWNER", false, true},
    };
    struct ipcc_value holds = field(description, "holds");
    struct ipcc_walk walk = ipcc_walk_of(&holds);
    struct ipcc_value hold;
    struct table table;
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]) - !owned);
    while (ipcc_walk_next(&walk, &hold)) {
        add_hold(context, &table, &hold, holding);
    }
    if (table_rows(&table) > 0) {
        claims_title(context, holding->title, (int64_t)table_rows(&table), table_rows(&table));
        output_table(context, &table);
    }
    table_deinit(&table);
}

/* For whom items of a queue are reserved. */
static void print_ahead(struct context *context, const struct ipcc_value *description)
{
    static const struct column columns[] = {
        {"SESSION", true, false},
        {"PID", true, false},
        {"PROGRAM", false, true},
        {"CLIENT", false, true},
    };
    struct ipcc_value ahead = field(description, "ahead");
    struct table table;
    if (ahead.kind != IPCC_RAW) {
        return;
    }
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    add_session(context, &table, &ahead);
    claims_title(context, "Reserved items", field_int(&ahead, "items"), INT_MAX);
    output_table(context, &table);
    table_deinit(&table);
}

void claims_print(struct context *context, const struct ipcc_value *description)
{
    print_holds(context, description);
    print_ahead(context, description);
    print_waits(context, description);
}

size_t claims_waiting_in(const struct ipcc_value *description, const char *method)
{
    struct ipcc_value waits = field(description, "waits");
    struct ipcc_walk walk = ipcc_walk_of(&waits);
    struct ipcc_value wait;
    size_t count = 0;
    while (ipcc_walk_next(&walk, &wait)) {
        struct ipcc_value name = field(&wait, "method");
        count += ipcc_value_is_str(&name, method);
    }
    return count;
}

struct ipcc_value claims_holder(const struct ipcc_value *description)
{
    struct ipcc_value holds = field(description, "holds");
    struct ipcc_walk walk = ipcc_walk_of(&holds);
    struct ipcc_value hold;
    return ipcc_walk_next(&walk, &hold) ? hold : ipcc_none();
}
