/* taken: the items of a queue that are taken and not done; see taken.h. */
#include "tools/ipcctl/description/taken.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/description/claims.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/text.h"

enum {
    VALUE_COLUMNS = 40, /* of a value, in the table */
    DESCRIBED = 10,     /* items in a description */
};

int taken_ask(struct context *context, const char *queue, int64_t start, int64_t count,
              struct ipcc_reply *reply)
{
    struct request request;
    request_init(&request, "queue.taken");
    pack_string(request_param(&request), queue);
    pack_int(request_param(&request), start);
    pack_int(request_param(&request), count);
    return request_try(context, &request, reply);
}

static void add_value(struct table *table, const struct ipcc_value *item)
{
    struct ipcc_value value = field(item, "value");
    struct buffer encoded = {0};
    struct buffer text = {0};
    value_encode(&value, &encoded);
    json_write(buffer_slice(&encoded), &text);
    text_cut(table_text(table), buffer_slice(&text), VALUE_COLUMNS);
    table_cell(table);
    buffer_deinit(&text);
    buffer_deinit(&encoded);
}

static void add_item(struct context *context, struct table *table, const struct ipcc_value *item)
{
    struct ipcc_value since = field(item, "since");
    struct ipcc_value lease = field(item, "lease_ms");
    struct ipcc_value client = field(item, "client");
    struct ipcc_value uid = field(item, "uid");
    show_number(table, item, "ticket");
    show_number(table, item, "deliveries");
    show_age(table_text(table), &since);
    table_cell(table);
    if (lease.kind == IPCC_INT) {
        text_time(table_text(table), lease.as.integer);
    } else {
        text_put(table_text(table), "-");
    }
    table_cell(table);
    claimant_session(table, item);
    show_number(table, item, "pid");
    show_field(table_text(table), "uid", &uid);
    table_cell(table);
    claimant_program(context, table, item);
    add_value(table, item);
    show_field(table_text(table), "client", &client);
    table_cell(table);
}

void taken_init(struct table *table)
{
    static const struct column columns[] = {
        {"TICKET", true, false}, {"DELIVERIES", true, false}, {"FOR", true, false},
        {"LEASE", true, false},  {"SESSION", true, false},    {"PID", true, false},
        {"USER", false, true},   {"PROGRAM", false, true},    {"VALUE", false, true},
        {"CLIENT", false, true},
    };
    table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
}

size_t taken_add(struct context *context, struct table *table, const struct ipcc_value *items)
{
    struct ipcc_walk walk = ipcc_walk_of(items);
    struct ipcc_value item;
    size_t count = 0;
    for (; ipcc_walk_next(&walk, &item); count++) {
        add_item(context, table, &item);
    }
    return count;
}

void taken_describe(struct context *context, const struct ipcc_value *description)
{
    struct ipcc_reply reply;
    struct slice name = field_text(description, "name");
    int64_t taken = field_int(description, "taken");
    char queue[256]; /* a name has 255 bytes at most */
    if (taken == 0 || name.len >= sizeof(queue)) {
        return;
    }
    memcpy(queue, name.data, name.len);
    queue[name.len] = '\0';
    if (taken_ask(context, queue, 0, DESCRIBED, &reply) < 0) {
        return;
    }
    struct table table;
    taken_init(&table);
    size_t shown = taken_add(context, &table, &reply.value);
    if (shown > 0) {
        claims_title(context, "Taken", taken, shown);
        output_table(context, &table);
    }
    table_deinit(&table);
    ipcc_reply_free(&reply);
}
