/* show: the members of descriptions as text for people; see show.h. */
#include "tools/ipcctl/description/show.h"
#include "proto/header.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/json/moment.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/names.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static bool moment_of(const struct ipcc_value *value, struct moment *out)
{
    struct header header;
    return value->kind == IPCC_RAW && header_read(value->as.data, value->length, &header) == 0 &&
           header.kind == KIND_EXT && header.ext_type == EXT_TIMESTAMP &&
           moment_decode(
               (struct slice){(const uint8_t *)value->as.data + header.size, header.length}, out) ==
               0;
}

bool show_is_moment(const struct ipcc_value *value)
{
    struct moment moment;
    return moment_of(value, &moment);
}

void show_age(struct buffer *out, const struct ipcc_value *value)
{
    struct moment moment;
    struct timespec now;
    if (!moment_of(value, &moment) || clock_gettime(CLOCK_REALTIME, &now) < 0) {
        text_put(out, "-");
        return;
    }
    int64_t age = (now.tv_sec - moment.seconds) * 1000 +
                  (now.tv_nsec - (int64_t)moment.nanoseconds) / 1000000;
    text_time(out, age > 0 ? age : 0);
}

/* "2026-11-21 20:52:02", local time. */
static bool show_local_time(struct buffer *out, const struct ipcc_value *value)
{
    struct moment moment;
    struct tm local;
    char text[64];
    if (!moment_of(value, &moment)) {
        return false;
    }
    time_t seconds = (time_t)moment.seconds;
    if (localtime_r(&seconds, &local) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0) {
        return false;
    }
    text_put(out, text);
    return true;
}

static bool is_milliseconds(const char *key)
{
    size_t len = strlen(key);
    return strcmp(key, "timeout") == 0 || strcmp(key, "paused") == 0 ||
           (len > 3 && strcmp(key + len - 3, "_ms") == 0);
}

/* "session 17", and the owner within it if there is one. */
static void show_holder(struct buffer *out, const struct ipcc_value *holder)
{
    struct ipcc_value owner = field(holder, "owner");
    text_put(out, "session ");
    claimant_put_session(out, holder);
    if (owner.kind != IPCC_NIL && owner.kind != IPCC_NONE) {
        text_put(out, ", owner ");
        show_field(out, "", &owner);
    }
}

static bool is_bytes(const char *key)
{
    static const char *const keys[] = {"bytes",      "overhead",   "max_message",   "max_bytes",
                                       "max_output", "max_events", "max_user_bytes"};
    const char *last = strrchr(key, ' ');
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(last != NULL ? last + 1 : key, keys[i]) == 0) {
            return true;
        }
    }
    return strncmp(key, "memory ", 7) == 0 || strcmp(key, "store queued") == 0;
}

/* The members that have a form of their own. */
static bool show_known(struct buffer *out, const char *key, const struct ipcc_value *value)
{
    bool number = value->kind == IPCC_INT;
    if (number && (strcmp(key, "owner") == 0 || strcmp(key, "uid") == 0)) {
        names_put_user(out, value->as.integer);
    } else if (number && (strcmp(key, "group") == 0 || strcmp(key, "gid") == 0)) {
        names_put_group(out, value->as.integer);
    } else if (number && strcmp(key, "mode") == 0) {
        text_format(out, "0%03" PRIo64, (uint64_t)value->as.integer);
    } else if (number && is_bytes(key)) {
        text_bytes(out, value->as.integer);
    } else if (number && is_milliseconds(key) && value->as.integer > 0) {
        text_time(out, value->as.integer);
    } else if (strcmp(key, "holder") == 0 && value->kind == IPCC_RAW) {
        show_holder(out, value);
    } else {
        return show_local_time(out, value);
    }
    return true;
}

void show_field(struct buffer *out, const char *key, const struct ipcc_value *value)
{
    if (value->kind == IPCC_NONE || value->kind == IPCC_NIL) {
        text_put(out, "-");
    } else if (value->kind == IPCC_STR) {
        text_plain(out, (struct slice){value->as.data, value->length});
    } else if (!show_known(out, key, value)) {
        struct buffer encoded = {0};
        value_encode(value, &encoded);
        json_write(buffer_slice(&encoded), out);
        buffer_deinit(&encoded);
    }
}

void show_where(struct buffer *out, const struct ipcc_value *description)
{
    struct ipcc_value engine = field(description, "engine");
    struct slice host = field_text(&engine, "host");
    if (engine.kind != IPCC_RAW) {
        text_put(out, "here");
        return;
    }
    text_plain(out, field_text(&engine, "kind"));
    if (host.len > 0) {
        text_put(out, " at ");
        text_plain(out, host);
    }
}

void show_number(struct table *table, const struct ipcc_value *map, const char *key)
{
    struct ipcc_value value = field(map, key);
    if (value.kind == IPCC_INT) {
        table_number(table, value.as.integer);
    } else {
        table_put(table, "-");
    }
}

const char *show_state(const struct ipcc_value *description)
{
    struct ipcc_value left = field(description, "value");
    int64_t maxsize = field_int(description, "maxsize");
    int64_t held = field_int(description, "queued") + field_int(description, "delayed");
    struct ipcc_value paused = field(description, "paused");
    static const char *const states[][2] = {
        {"shut_down", "shut down"},
        {"set", "set"},
        {"broken", "broken"},
        {"abandoned", "abandoned"},
    };
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (field_true(description, states[i][0])) {
            return states[i][1];
        }
    }
    if (field_true(description, "paused") || paused.kind == IPCC_INT) {
        return "paused";
    }
    if (field_int(description, "depth") > 0) {
        return "held";
    }
    if (field(description, "bounded").kind != IPCC_NONE && left.kind == IPCC_INT &&
        left.as.integer == 0) {
        return "none left";
    }
    return maxsize > 0 && held >= maxsize ? "full" : "";
}
