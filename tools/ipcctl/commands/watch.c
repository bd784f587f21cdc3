/*
 * watch: a table of the queues and of all else on which somebody waits, again and again; with names
 * of objects, their events (events.c).
 *
 * Rates are differences of the queues' own counts of puts and gets between two looks. A look that
 * fails ends the command, except on the screen, where the reason stands until the daemon is back.
 */
#include "tools/ipcctl/clock.h"
#include "tools/ipcctl/commands/events.h"
#include "tools/ipcctl/description/listing.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/screen.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/terminal/text.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_MS = 2000, INTERVAL_LEAST_MS = 50 };

/* What is kept of a queue until the next look. */
struct sample {
    size_t name; /* where its name stands */
    size_t len;
    int64_t puts;
    int64_t gets;
};

/* All queues at one moment, in the order in which they were made. */
struct look {
    int64_t at;          /* clock_ms; 0: there has been none */
    struct buffer names; /* one after the other */
    struct buffer samples;
    size_t next; /* when looked up: the one after the last that was found */
};

struct watch {
    struct context *context;
    struct look before;
    struct look now;
    struct table table;
    size_t queues; /* rows of the table that are queues; the others stand below them */
};

static const struct column columns[] = {
    {"NAME", false, true},       {"TYPE", false, false},   {"SIZE", true, false},
    {"MAX", true, false},        {"TAKEN", true, false},   {"DELAYED", true, false},
    {"UNFINISHED", true, false}, {"WAITING", true, false}, {"PUT/S", true, false},
    {"GET/S", true, false},      {"STATE", false, false},
};

static void look_deinit(struct look *look)
{
    buffer_deinit(&look->names);
    buffer_deinit(&look->samples);
    *look = (struct look){0};
}

/* The sample of a queue, or NULL. The queues come in the same order in each look, so that the
 * search mostly finds it at once. */
static const struct sample *look_find(struct look *look, struct slice name)
{
    const struct sample *samples = (const struct sample *)(const void *)look->samples.data;
    size_t count = look->samples.len / sizeof(*samples);
    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &samples[(look->next + i) % count];
        if (slice_equal((struct slice){look->names.data + sample->name, sample->len}, name)) {
            look->next = (look->next + i + 1) % count;
            return sample;
        }
    }
    return NULL;
}

static void look_add(struct look *look, struct slice name, const struct ipcc_value *queue)
{
    struct sample sample = {.name = look->names.len,
                            .len = name.len,
                            .puts = field_int(queue, "puts"),
                            .gets = field_int(queue, "gets")};
    (void)buffer_append(&look->names, name.data, name.len);
    (void)buffer_append(&look->samples, &sample, sizeof(sample));
}

/* The rate for each second, or a negative number if it is not known. */
static double rate(const struct watch *watch, int64_t before, int64_t now)
{
    int64_t passed = watch->now.at - watch->before.at;
    return now < before || passed <= 0 ? -1 : (double)(now - before) * 1000 / (double)passed;
}

static void put_rate(struct buffer *out, double each_second)
{
    if (each_second < 0) {
        text_put(out, "-");
    } else {
        text_format(out, each_second > 0 && each_second < 10 ? "%.1f" : "%.0f", each_second);
    }
}

static void add_row(struct table *table, const struct ipcc_value *queue, double puts, double gets)
{
    static const char *const keys[] = {"taken", "delayed", "unfinished", "waiting"};
    int64_t maxsize = field_int(queue, "maxsize");
    table_name(table, field_text(queue, "name"));
    table_plain(table, field_text(queue, "type"));
    show_number(table, queue, "size");
    if (maxsize > 0) {
        table_number(table, maxsize);
    } else {
        table_put(table, "-");
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        show_number(table, queue, keys[i]);
    }
    put_rate(table_text(table), puts);
    table_cell(table);
    put_rate(table_text(table), gets);
    table_cell(table);
    table_put(table, show_state(queue));
}

static void pack_rate(struct buffer *out, const char *key, double each_second)
{
    pack_string(out, key);
    if (each_second < 0) {
        pack_nil(out);
    } else {
        pack_double(out, each_second);
    }
}

static void pack_time(struct buffer *out)
{
    struct timespec now;
    pack_string(out, "time");
    (void)clock_gettime(CLOCK_REALTIME, &now);
    pack_timestamp(out, now.tv_sec, (uint32_t)(now.tv_nsec / 1000000 * 1000000));
}

static void print_record(struct context *context, const struct ipcc_value *queue, double puts,
                         double gets)
{
    static const char *const keys[] = {"name",    "type",       "size",    "maxsize",  "taken",
                                       "delayed", "unfinished", "waiting", "shut_down"};
    const size_t count = sizeof(keys) / sizeof(keys[0]);
    struct buffer record = {0};
    pack_map(&record, count + 3);
    pack_time(&record);
    for (size_t i = 0; i < count; i++) {
        struct ipcc_value value = field(queue, keys[i]);
        pack_string(&record, keys[i]);
        value_encode(&value, &record);
    }
    pack_rate(&record, "puts_per_second", puts);
    pack_rate(&record, "gets_per_second", gets);
    output_record(context, &record);
}

/* An object of another type: the figures that it has. */
static void print_other(struct context *context, const struct ipcc_value *object)
{
    static const char *const keys[] = {"name", "type", "size", "waiting"};
    struct buffer record = {0};
    size_t at = pack_map_begin(&record);
    pack_time(&record);
    size_t count = 1;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct ipcc_value value = field(object, keys[i]);
        if (value.kind != IPCC_NONE) {
            pack_string(&record, keys[i]);
            value_encode(&value, &record);
            count++;
        }
    }
    pack_map_end(&record, at, count);
    output_record(context, &record);
}

static bool add_other(void *data, const struct ipcc_value *object)
{
    struct watch *watch = data;
    struct ipcc_value type = field(object, "type");
    if (ipcc_value_is_str(&type, "queue")) {
        return true; /* it has its row */
    }
    if (watch->context->options[OPTION_JSON].is) {
        print_other(watch->context, object);
    } else {
        add_row(&watch->table, object, -1, -1);
    }
    return true;
}

static bool add_queue(void *data, const struct ipcc_value *queue)
{
    struct watch *watch = data;
    struct slice name = field_text(queue, "name");
    const struct sample *before = look_find(&watch->before, name);
    double puts = before != NULL ? rate(watch, before->puts, field_int(queue, "puts")) : -1;
    double gets = before != NULL ? rate(watch, before->gets, field_int(queue, "gets")) : -1;
    look_add(&watch->now, name, queue);
    if (watch->context->options[OPTION_JSON].is) {
        print_record(watch->context, queue, puts, gets);
    } else {
        add_row(&watch->table, queue, puts, gets);
    }
    return true;
}

/* Looks at the queues, and at what others wait on: fills the table, to be ended by the caller. 0 or
 * an IPCC_ERR_ code. */
static int take_look(struct watch *watch)
{
    struct context *context = watch->context;
    const char *glob = context->options[OPTION_GLOB].text;
    struct filter queues = {.glob = glob, .type = "queue"};
    struct filter others = {.glob = glob, .waiting = true};
    look_deinit(&watch->before);
    watch->before = watch->now;
    watch->now = (struct look){.at = clock_ms()};
    table_init(&watch->table, columns, sizeof(columns) / sizeof(columns[0]));
    int error = listing_run(context, &queues, (struct listener){add_queue, watch});
    watch->queues = table_rows(&watch->table);
    error = error < 0 ? error : listing_run(context, &others, (struct listener){add_other, watch});
    if (error < 0) {
        look_deinit(&watch->now);
    }
    return error;
}

static int64_t interval_of(const struct context *context)
{
    const struct given *interval = &context->options[OPTION_INTERVAL];
    int64_t time = interval->is ? interval->number : INTERVAL_MS;
    return time > INTERVAL_LEAST_MS ? time : INTERVAL_LEAST_MS;
}

/* ---- one table after the other ---- */

static void sleep_until(int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* The table of one look, with an empty line before each but the first. */
static enum status print_look(struct watch *watch, bool first)
{
    struct context *context = watch->context;
    struct buffer gap = {0};
    int error = take_look(watch);
    if (error < 0) {
        table_deinit(&watch->table);
        return report_call(context, error);
    }
    if (!context->options[OPTION_JSON].is) {
        text_put(&gap, first ? "" : "\n");
        output_buffer(context, &gap);
        output_table(context, &watch->table);
    }
    table_deinit(&watch->table);
    return output_flush(context, STATUS_OK);
}

static enum status watch_plain(struct watch *watch)
{
    const struct given *count = &watch->context->options[OPTION_COUNT];
    enum status status = STATUS_OK;
    int64_t deadline = clock_ms();
    for (int64_t i = 0; status == STATUS_OK && (!count->is || i < count->number); i++) {
        if (i > 0) {
            sleep_until(deadline);
        }
        deadline += interval_of(watch->context);
        status = print_look(watch, i == 0);
    }
    return status;
}

/* ---- on the screen ---- */

static void put_clock(struct buffer *out)
{
    char text[32];
    struct tm local;
    time_t now = time(NULL);
    if (localtime_r(&now, &local) != NULL && strftime(text, sizeof(text), "%H:%M:%S", &local) > 0) {
        text_put(out, text);
    }
}

/* As many lines of the table as there are rows, under a title. */
static void put_frame(struct buffer *out, const struct watch *watch)
{
    const struct table *table = &watch->table;
    enum { OTHER_ROWS = 5 }; /* the title, a gap, the head, what is left out, the last one */
    size_t rows = screen_rows();
    size_t room = rows > OTHER_ROWS ? rows - OTHER_ROWS : 1;
    size_t all = table_rows(table);
    text_format(out, "%zu queue%s, ", watch->queues, watch->queues == 1 ? "" : "s");
    if (all > watch->queues) {
        text_format(out, "%zu more with calls that wait, ", all - watch->queues);
    }
    put_clock(out);
    text_put(out, " (q quits)\n\n");
    out->failed |= table_print(table, 0, room, output_width(), out) < 0;
    if (all > room) {
        text_format(out, "and %zu more\n", all - room);
    }
}

/* Shows a look, or why there is none. -1 with errno if it cannot be shown. */
static int draw_look(struct watch *watch)
{
    struct buffer frame = {0};
    int error = take_look(watch);
    if (error < 0) {
        text_plain(&frame, slice_of_string(ipcc_last_message()));
        text_put(&frame, "\n\nTrying again (q quits)\n");
        (void)ipcc_close(watch->context->conn);
        watch->context->conn = NULL;
    } else {
        put_frame(&frame, watch);
    }
    table_deinit(&watch->table);
    errno = ENOMEM;
    int status = frame.failed ? -1 : screen_draw((const char *)frame.data, frame.len);
    buffer_deinit(&frame);
    return status;
}

static enum status watch_screen(struct watch *watch)
{
    struct screen screen;
    int64_t interval = interval_of(watch->context);
    int status = screen_begin(&screen);
    enum screen_event event = SCREEN_TIME;
    while (status == 0 && event != SCREEN_QUIT) {
        int64_t deadline = clock_ms() + interval;
        status = draw_look(watch);
        event = status == 0 ? screen_wait(&screen, deadline) : SCREEN_QUIT;
    }
    int error = errno;
    screen_end(&screen);
    return status == 0 ? STATUS_OK
                       : report(watch->context, STATUS_FAILED, "cannot use the terminal: %s",
                                strerror(error));
}

/* Options that are for the other of the two things that watch does. */
static enum status check_use(struct context *context)
{
    const struct given *given = context->options;
    if (context->count == 0 && given[OPTION_EVENTS].is) {
        return report_usage(context, "--events is for objects that are named");
    }
    if (context->count > 0 && (given[OPTION_INTERVAL].is || given[OPTION_GLOB].is)) {
        return report_usage(context, "%s is for the table, which takes no names",
                            given[OPTION_GLOB].is ? "--glob" : "--interval");
    }
    return STATUS_OK;
}

enum status run_watch(struct context *context)
{
    enum status use = check_use(context);
    if (use != STATUS_OK || context->count > 0) {
        return use != STATUS_OK ? use : events_run(context);
    }
    struct watch watch = {.context = context};
    bool plain = context->options[OPTION_COUNT].is || context->options[OPTION_JSON].is ||
                 isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0;
    int error = request_connect(context); /* with no daemon to begin with there is nothing to see */
    enum status status = error < 0 ? report_call(context, error)
                         : plain   ? watch_plain(&watch)
                                   : watch_screen(&watch);
    look_deinit(&watch.before);
    look_deinit(&watch.now);
    return status;
}
