/* session: the commands about the daemon and its sessions: sessions, kill, stats. */
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/command_line/word.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/description/record.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/terminal/names.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- sessions ---- */

/* Entries of each kind that are asked for of one session: the most that it tells at a time. */
enum { DESCRIBE_MOST = 10000 };

static const struct column session_columns[] = {
    {"SESSION", true, false}, {"PID", true, false},     {"PROGRAM", false, true},
    {"CLIENT", false, true},  {"USER", false, true},    {"SINCE", true, false},
    {"CALLS", true, false},   {"WAITING", true, false}, {"HOLDING", true, false},
    {"BYTES", true, false},
};

static void add_session(struct context *context, struct table *table,
                        const struct ipcc_value *session)
{
    struct ipcc_value client = field(session, "client");
    struct ipcc_value since = field(session, "since");
    claimant_session(table, session);
    show_number(table, session, "pid");
    claimant_program(context, table, session);
    show_field(table_text(table), "client", &client);
    table_cell(table);
    names_put_user(table_text(table), field_int(session, "uid"));
    table_cell(table);
    show_age(table_text(table), &since);
    table_cell(table);
    show_number(table, session, "calls");
    show_number(table, session, "waiting");
    show_number(table, session, "holding");
    show_number(table, session, "bytes");
}

static void print_session_record(struct context *context, const struct ipcc_value *session)
{
    struct record record;
    record_begin(&record, session);
    record_program(context, &record, session);
    record_print(context, &record);
}

static void print_sessions(struct context *context, const struct ipcc_value *sessions)
{
    struct table table;
    struct ipcc_walk walk = ipcc_walk_of(sessions);
    struct ipcc_value session;
    table_init(&table, session_columns, sizeof(session_columns) / sizeof(session_columns[0]));
    while (ipcc_walk_next(&walk, &session)) {
        if (context->options[OPTION_JSON].is) {
            print_session_record(context, &session);
        } else {
            add_session(context, &table, &session);
        }
    }
    if (!context->options[OPTION_JSON].is) {
        output_table(context, &table);
    }
    table_deinit(&table);
}

/* "  queue.get of jobs for 3m20s, timeout 5m0s" */
static void put_wait(struct buffer *out, const struct ipcc_value *wait)
{
    struct ipcc_value timeout = field(wait, "timeout_ms");
    text_put(out, "  ");
    text_plain(out, field_text(wait, "method"));
    text_put(out, " of ");
    text_name(out, field_text(wait, "object"));
    text_put(out, " for ");
    text_time(out, field_int(wait, "since_ms"));
    if (timeout.kind == IPCC_INT) {
        text_put(out, ", timeout ");
        text_time(out, timeout.as.integer);
    }
    text_put(out, "\n");
}

/* What is held of an object: "2 tickets of the ", "3 permits of the ", "the ". */
static void put_amount(struct buffer *out, const struct ipcc_value *hold)
{
    static const char *const keys[][2] = {{"tickets", "ticket"}, {"permits", "permit"}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (field(hold, keys[i][0]).kind != IPCC_NONE) {
            int64_t amount = field_int(hold, keys[i][0]);
            text_format(out, "%" PRId64 " %s%s of ", amount, keys[i][1], amount == 1 ? "" : "s");
        }
    }
    text_put(out, "the ");
}

/* "  2 tickets of the queue jobs for 3m20s", "  the lock db for 3m20s, owner 7, depth 2" */
static void put_hold(struct buffer *out, const struct ipcc_value *hold)
{
    struct ipcc_value owner = field(hold, "owner");
    struct ipcc_value since = field(hold, "since");
    text_put(out, "  ");
    put_amount(out, hold);
    text_plain(out, field_text(hold, "type"));
    text_put(out, " ");
    text_name(out, field_text(hold, "object"));
    text_put(out, " for ");
    show_age(out, &since);
    if (owner.kind != IPCC_NONE && owner.kind != IPCC_NIL) {
        text_put(out, ", owner ");
        show_field(out, "", &owner);
    }
    if (field_int(hold, "depth") > 1) {
        text_format(out, ", depth %" PRId64, field_int(hold, "depth"));
    }
    text_put(out, "\n");
}

static void put_open(struct buffer *out, const struct ipcc_value *name)
{
    text_put(out, "  ");
    text_name(out, (struct slice){name->as.data, name->length});
    text_put(out, "\n");
}

static void put_list(struct buffer *out, const struct ipcc_value *session, const char *key,
                     const char *title,
                     void (*put)(struct buffer *out, const struct ipcc_value *element))
{
    struct ipcc_value array = field(session, key);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    struct ipcc_value element;
    for (bool first = true; ipcc_walk_next(&walk, &element); first = false) {
        text_put(out, first ? title : "");
        put(out, &element);
    }
}

static void print_session(struct context *context, const struct ipcc_value *session)
{
    if (context->options[OPTION_JSON].is) {
        print_session_record(context, session);
        return;
    }
    struct table table;
    struct buffer text = {0};
    table_init(&table, session_columns, sizeof(session_columns) / sizeof(session_columns[0]));
    add_session(context, &table, session);
    output_table(context, &table);
    put_list(&text, session, "waits", "\nWaits in:\n", put_wait);
    put_list(&text, session, "holds", "\nHolds:\n", put_hold);
    put_list(&text, session, "open", "\nHas open:\n", put_open);
    if (field(session, "cursor").kind == IPCC_ARRAY) {
        text_put(&text,
                 "\nThere is more than is shown here; session.describe gives the rest in pages.\n");
    }
    output_buffer(context, &text);
}

enum status run_sessions(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, context->count > 0 ? "session.describe" : "session.list");
    enum status status = request_words(context, &request, 0);
    if (context->count > 0) {
        struct buffer *page = request_param(&request);
        pack_map(page, 1);
        pack_key_int(page, "limit", DESCRIBE_MOST);
    }
    if (status == STATUS_OK) {
        status = request_send(context, &request, &reply);
    }
    if (status != STATUS_OK) {
        request_deinit(&request);
        return status;
    }
    (context->count > 0 ? print_session : print_sessions)(context, &reply.value);
    ipcc_reply_free(&reply);
    return STATUS_OK;
}

enum status run_kill(struct context *context)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < context->count; i++) {
        struct request request;
        request_init(&request, "session.kill");
        char error[WORD_ERROR_TEXT];
        (void)word_pack(context->words[i], WORD_SESSION, false, request_param(&request),
                        error); /* it has been checked */
        enum status one = request_send(context, &request, NULL);
        status = one != STATUS_OK ? one : status;
    }
    return status;
}

/* ---- stats ---- */

static bool is_map(const struct ipcc_value *value)
{
    struct ipcc_walk walk = ipcc_walk_of(value);
    struct ipcc_value key;
    struct ipcc_value member;
    return ipcc_walk_pair(&walk, &key, &member);
}

static void put_figure(struct buffer *out, const char *name, const struct ipcc_value *value)
{
    text_padded(out, slice_of_string(name), 32);
    if (strcmp(name, "uptime") == 0 && value->kind == IPCC_INT && value->as.integer > 0) {
        text_time(out, value->as.integer * 1000);
    } else {
        show_field(out, name, value);
    }
    text_put(out, "\n");
}

/* Of the store: how often it syncs, on the average since the daemon was started. */
static void put_sync_rate(struct buffer *out, const struct ipcc_value *stats)
{
    struct ipcc_value store = field(stats, "store");
    int64_t uptime = field_int(stats, "uptime");
    if (is_map(&store)) {
        text_padded(out, slice_of_string("store syncs per second"), 32);
        text_format(out, "%.1f\n",
                    (double)field_int(&store, "syncs") / (double)(uptime > 0 ? uptime : 1));
    }
}

/* What stands in tables of its own. */
static bool is_table(const struct ipcc_value *key)
{
    return ipcc_value_is_str(key, "calls") || ipcc_value_is_str(key, "errors") ||
           ipcc_value_is_str(key, "users");
}

/* A line for each member that is no map, and for each member of the maps but those in tables. */
static void put_figures(struct buffer *out, const struct ipcc_value *map, const char *prefix)
{
    struct ipcc_walk walk = ipcc_walk_of(map);
    struct ipcc_value key;
    struct ipcc_value value;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        char name[64];
        if (key.kind != IPCC_STR || is_table(&key)) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%s%s%.*s", prefix, prefix[0] != '\0' ? " " : "",
                       (int)key.length, key.as.str);
        if (is_map(&value)) {
            put_figures(out, &value, name);
        } else {
            put_figure(out, name, &value);
        }
    }
}

static void print_calls(struct context *context, const struct ipcc_value *stats)
{
    static const struct column columns[] = {
        {"METHOD", false, false}, {"CALLS", true, false}, {"ERRORS", true, false}};
    struct ipcc_value calls = field(stats, "calls");
    struct ipcc_value errors = field(stats, "errors");
    struct ipcc_walk walk = ipcc_walk_of(&calls);
    struct ipcc_value method;
    struct ipcc_value count;
    struct table table;
    table_init(&table, columns, 3);
    while (ipcc_walk_pair(&walk, &method, &count)) {
        char name[64];
        if (method.kind != IPCC_STR) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)method.length, method.as.str);
        table_plain(&table, (struct slice){method.as.data, method.length});
        show_number(&table, &calls, name);
        table_number(&table, field_int(&errors, name));
    }
    output_table(context, &table);
}

static void print_users(struct context *context, const struct ipcc_value *stats)
{
    static const struct column columns[] = {
        {"USER", false, false},   {"BYTES", true, false},  {"SESSIONS", true, false},
        {"OBJECTS", true, false}, {"STORED", true, false}, {"DESCRIPTORS", true, false},
    };
    static const char *const keys[] = {"bytes", "sessions", "objects", "stored", "descriptors"};
    static const char *const limit_keys[] = {"max_user_bytes", "max_user_sessions",
                                             "max_user_objects", "max_user_stored",
                                             "max_user_descriptors"};
    struct buffer gap = {0};
    struct ipcc_value limits = field(stats, "limits");
    struct ipcc_value users = field(stats, "users");
    struct ipcc_walk walk = ipcc_walk_of(&users);
    struct ipcc_value user;
    struct table table;
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    while (ipcc_walk_next(&walk, &user)) {
        names_put_user(table_text(&table), field_int(&user, "uid"));
        table_cell(&table);
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            show_number(&table, &user, keys[i]);
        }
    }
    table_put(&table, "limit of each");
    for (size_t i = 0; i < sizeof(limit_keys) / sizeof(limit_keys[0]); i++) {
        show_number(&table, &limits, limit_keys[i]);
    }
    output_table(context, &table);
    text_put(&gap, "\n");
    output_buffer(context, &gap);
}

static void pack_users(struct buffer *out, const struct ipcc_value *users)
{
    struct ipcc_walk walk = ipcc_walk_of(users);
    struct ipcc_value user;
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (; ipcc_walk_next(&walk, &user); count++) {
        struct record record;
        record_begin(&record, &user);
        record_pack(out, &record);
    }
    pack_array_end(out, at, count);
}

/* A member of the answer; users have their names too. */
static void pack_figure(struct context *context, struct buffer *out, const struct ipcc_value *key,
                        const struct ipcc_value *value)
{
    if (ipcc_value_is_str(key, "users")) {
        pack_users(out, value);
    } else {
        value_encode(value, out);
    }
}

enum status run_stats(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "server.stats");
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    if (context->options[OPTION_JSON].is) {
        struct record record;
        record_begin_with(&record, &reply.value, pack_figure, context);
        record_print(context, &record);
    } else {
        struct buffer text = {0};
        put_figures(&text, &reply.value, "");
        put_sync_rate(&text, &reply.value);
        text_put(&text, "\n");
        output_buffer(context, &text);
        print_users(context, &reply.value);
        print_calls(context, &reply.value);
    }
    ipcc_reply_free(&reply);
    return STATUS_OK;
}
