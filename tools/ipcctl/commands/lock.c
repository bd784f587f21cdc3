/* lock: the commands for locks that are more than a method: ls and break. */
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/description/listing.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/description/record.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/terminal/text.h"

/* ---- ls ---- */

struct lock_list {
    struct context *context;
    struct ipcc_value sessions; /* what session.list answered */
    struct table table;
};

/* The holder's session; of kind IPCC_NONE if it is not there (any more). */
static struct ipcc_value find_session(const struct lock_list *list, const struct ipcc_value *holder)
{
    struct ipcc_walk walk = ipcc_walk_of(&list->sessions);
    struct ipcc_value session;
    while (ipcc_walk_next(&walk, &session)) {
        if (claimant_same(list->context, holder, &session)) {
            return session;
        }
    }
    return ipcc_none();
}

/* The cells from SESSION to CLIENT. */
static void add_holder(struct context *context, struct table *table, const struct ipcc_value *lock,
                       const struct ipcc_value *session)
{
    struct ipcc_value holder = field(lock, "holder");
    struct ipcc_value client = field(session, "client");
    claimant_session(table, &holder);
    show_number(table, session, "pid");
    claimant_program(context, table, session);
    show_field(table_text(table), "client", &client);
    table_cell(table);
}

static void add_lock(struct context *context, struct table *table, const struct ipcc_value *lock,
                     const struct ipcc_value *session)
{
    struct ipcc_value since = field(lock, "held_since");
    table_name(table, field_text(lock, "name"));
    add_holder(context, table, lock, session);
    show_age(table_text(table), &since);
    table_cell(table);
    show_number(table, lock, "depth");
    show_number(table, lock, "waiting");
    table_put(table, show_state(lock));
}

/* The description, and of its holder's session the pid, the client and the program. */
static void print_lock_record(struct context *context, const struct ipcc_value *lock,
                              const struct ipcc_value *session)
{
    static const char *const keys[] = {"pid", "client"};
    struct record record;
    record_begin(&record, lock);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct ipcc_value of_session = field(session, keys[i]);
        pack_string(&record.bytes, keys[i]);
        value_encode(&of_session, &record.bytes);
        record.count++;
    }
    record_program(context, &record, session);
    record_print(context, &record);
}

static bool list_lock(void *data, const struct ipcc_value *lock)
{
    struct lock_list *list = data;
    struct ipcc_value holder = field(lock, "holder");
    struct ipcc_value session = ipcc_none();
    if (holder.kind == IPCC_RAW) {
        session = find_session(list, &holder);
    }
    if (list->context->options[OPTION_JSON].is) {
        print_lock_record(list->context, lock, &session);
    } else {
        add_lock(list->context, &list->table, lock, &session);
    }
    return list->context->write_error == 0;
}

enum status run_lock_ls(struct context *context)
{
    static const struct column columns[] = {
        {"LOCK", false, true},    {"SESSION", true, false}, {"PID", true, false},
        {"PROGRAM", false, true}, {"CLIENT", false, true},  {"FOR", true, false},
        {"DEPTH", true, false},   {"WAITING", true, false}, {"STATE", false, false},
    };
    struct filter filter = {.glob = context->count > 0 ? context->words[0] : NULL, .type = "lock"};
    struct lock_list list = {.context = context};
    struct request request;
    struct ipcc_reply sessions;
    request_init(&request, "session.list");
    enum status status = request_send(context, &request, &sessions);
    if (status != STATUS_OK) {
        return status;
    }
    list.sessions = sessions.value;
    table_init(&list.table, columns, sizeof(columns) / sizeof(columns[0]));
    int error = listing_run(context, &filter, (struct listener){list_lock, &list});
    if ((error == 0 || list.table.ends.len > 0) && !context->options[OPTION_JSON].is) {
        output_table(context, &list.table);
    }
    table_deinit(&list.table);
    ipcc_reply_free(&sessions);
    return error < 0 ? report_call(context, error) : STATUS_OK;
}

/* ---- break ---- */

/* "session 17, pid 4711 (worker)", or less of it if the session is gone. */
static void put_session(struct context *context, struct buffer *out,
                        const struct ipcc_value *holder)
{
    struct ipcc_value session = field(holder, "session");
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "session.describe");
    value_encode(&session, request_param(&request));
    if (request_try(context, &request, &reply) < 0) {
        text_put(out, "session ");
        claimant_put_session(out, holder);
        text_put(out, ", which has ended");
        return;
    }
    claimant_put(context, out, &reply.value);
    ipcc_reply_free(&reply);
}

static void print_broken(struct context *context, const struct ipcc_value *holder)
{
    struct buffer line = {0};
    text_name(&line, slice_of_string(context->words[0]));
    if (holder->kind == IPCC_NIL) {
        text_put(&line, ": nobody held it");
    } else {
        text_put(&line, ": taken from ");
        put_session(context, &line, holder);
    }
    text_put(&line, "\n");
    output_buffer(context, &line);
}

enum status run_lock_break(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "lock.break");
    pack_string(request_param(&request), context->words[0]);
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    if (context->options[OPTION_JSON].is) {
        output_value(context, &reply.value);
    } else {
        print_broken(context, &reply.value);
    }
    ipcc_reply_free(&reply);
    return STATUS_OK;
}
