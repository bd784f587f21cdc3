/* claims: who waits on an object and who holds what; see claims.h. */
#include "tools/ipcctl/claims.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/show.h"
#include "tools/ipcctl/text.h"

void claims_deinit(struct claims *claims)
{
    buffer_deinit(&claims->waits);
    buffer_deinit(&claims->holds);
}

enum { SESSION_PAIRS = 4 };

/* What both kinds of claims begin with. */
static void pack_session(struct buffer *out, const struct ipcc_value *session)
{
    static const char *const keys[] = {"session", "pid", "client"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct ipcc_value value = field(session, keys[i]);
        pack_string(out, keys[i]);
        value_encode(&value, out);
    }
    struct buffer program = {0};
    show_program(&program, field_int(session, "pid"));
    pack_key_str(out, "program", buffer_slice(&program));
    out->failed |= program.failed;
    buffer_deinit(&program);
}

/* The session's pairs and the claim's own. */
static void pack_claim(struct buffer *out, const struct ipcc_value *session,
                       const struct ipcc_value *claim)
{
    struct ipcc_walk walk = ipcc_walk_of(claim);
    struct ipcc_value key;
    struct ipcc_value value;
    size_t at = pack_map_begin(out);
    size_t count = SESSION_PAIRS;
    pack_session(out, session);
    while (ipcc_walk_pair(&walk, &key, &value)) {
        value_encode(&key, out);
        value_encode(&value, out);
        count++;
    }
    pack_map_end(out, at, count);
}

/* Adds the elements of session[key] that are about the object. Returns how many. */
static size_t add_claims(struct buffer *out, const struct ipcc_value *session, const char *key,
                         const char *object)
{
    struct ipcc_value array = field(session, key);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    struct ipcc_value claim;
    size_t count = 0;
    while (ipcc_walk_next(&walk, &claim)) {
        struct ipcc_value name = field(&claim, "object");
        if (ipcc_value_is_str(&name, object)) {
            pack_claim(out, session, &claim);
            count++;
        }
    }
    return count;
}

/* Asks one session. One that has ended has no claims. */
static enum status ask(struct context *context, int64_t session, const char *object,
                       struct claims *claims)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "session.describe");
    pack_int(request_param(&request), session);
    int error = request_try(context, &request, &reply);
    if (error < 0) {
        return error == IPCC_ERR_NOT_FOUND ? STATUS_OK : report_call(context, error);
    }
    claims->wait_count += add_claims(&claims->waits, &reply.value, "waits", object);
    claims->hold_count += add_claims(&claims->holds, &reply.value, "holds", object);
    ipcc_reply_free(&reply);
    return STATUS_OK;
}

enum status claims_collect(struct context *context, const char *object, struct claims *claims)
{
    struct request request;
    struct ipcc_reply reply;
    *claims = (struct claims){0};
    size_t waits = pack_array_begin(&claims->waits);
    size_t holds = pack_array_begin(&claims->holds);
    request_init(&request, "session.list");
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    struct ipcc_value session;
    while (status == STATUS_OK && ipcc_walk_next(&walk, &session)) {
        if (field_int(&session, "waiting") > 0 || field_int(&session, "holding") > 0) {
            status = ask(context, field_int(&session, "session"), object, claims);
        }
    }
    ipcc_reply_free(&reply);
    pack_array_end(&claims->waits, waits, claims->wait_count);
    pack_array_end(&claims->holds, holds, claims->hold_count);
    return claims->waits.failed || claims->holds.failed ? report_memory(context) : status;
}

static void print_title(struct context *context, const char *title, size_t count)
{
    struct buffer line = {0};
    text_format(&line, "\n%s (%zu):\n", title, count);
    output_buffer(context, &line);
}

/* The cells that both tables begin with. */
static void add_session(struct table *table, const struct ipcc_value *claim)
{
    show_number(table, claim, "session");
    show_number(table, claim, "pid");
    table_plain(table, field_text(claim, "program"));
    struct ipcc_value client = field(claim, "client");
    show_field(table_text(table), "client", &client);
    table_cell(table);
}

static void print_waits(struct context *context, const struct claims *claims)
{
    static const struct column columns[] = {
        {"SESSION", true, false}, {"PID", true, false}, {"PROGRAM", false, true},
        {"CLIENT", false, true},  {"IN", false, false}, {"FOR", true, false},
        {"TIMEOUT", true, false},
    };
    struct ipcc_value array = ipcc_raw(claims->waits.data, claims->waits.len);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    struct ipcc_value claim;
    struct table table;
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    while (ipcc_walk_next(&walk, &claim)) {
        struct ipcc_value timeout = field(&claim, "timeout_ms");
        add_session(&table, &claim);
        table_plain(&table, field_text(&claim, "method"));
        text_time(table_text(&table), field_int(&claim, "since_ms"));
        table_cell(&table);
        if (timeout.kind == IPCC_INT) {
            text_time(table_text(&table), timeout.as.integer);
        } else {
            text_put(table_text(&table), "none");
        }
        table_cell(&table);
    }
    output_table(context, &table);
}

static void print_holds(struct context *context, const struct claims *claims)
{
    static const struct column columns[] = {
        {"SESSION", true, false}, {"PID", true, false},     {"PROGRAM", false, true},
        {"CLIENT", false, true},  {"TICKETS", true, false},
    };
    struct ipcc_value array = ipcc_raw(claims->holds.data, claims->holds.len);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    struct ipcc_value claim;
    struct table table;
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    while (ipcc_walk_next(&walk, &claim)) {
        add_session(&table, &claim);
        show_number(&table, &claim, "tickets");
    }
    output_table(context, &table);
}

void claims_print(struct context *context, const struct claims *claims)
{
    if (claims->wait_count > 0) {
        print_title(context, "Waiting", claims->wait_count);
        print_waits(context, claims);
    }
    if (claims->hold_count > 0) {
        print_title(context, "Holding tickets", claims->hold_count);
        print_holds(context, claims);
    }
}

size_t claims_waiting_in(const struct claims *claims, const char *method)
{
    struct ipcc_value array = ipcc_raw(claims->waits.data, claims->waits.len);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    struct ipcc_value claim;
    size_t count = 0;
    while (ipcc_walk_next(&walk, &claim)) {
        struct ipcc_value name = field(&claim, "method");
        count += ipcc_value_is_str(&name, method);
    }
    return count;
}
