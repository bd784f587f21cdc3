/* config: see config.h. */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The keys that are no limits. */
enum other_key {
    SOCKET_PATH,
    SOCKET_MODE,
    SOCKET_GROUP,
    STORE_DIRECTORY,
    STORE_SYNC,
    STORE_RESERVE,
    LOOP_SPIN,
    OTHER_KEYS
};

static const struct {
    const char *section;
    const char *name;
} other_keys[OTHER_KEYS] = {
    [SOCKET_PATH] = {"socket", "path"},   [SOCKET_MODE] = {"socket", "mode"},
    [SOCKET_GROUP] = {"socket", "group"}, [STORE_DIRECTORY] = {"store", "directory"},
    [STORE_SYNC] = {"store", "sync"},     [STORE_RESERVE] = {"store", "reserve"},
    [LOOP_SPIN] = {"loop", "spin"},
};

/* A file being read. */
struct reading {
    FILE *file;
    struct config config;
    uint64_t seen; /* bits of keys: limits first, then other_keys, then those of the engine */
    int line;      /* number of the last one read */
    int long_line; /* number of the first one that is too long; 0: none */
    struct fault fault;
};

void config_init(struct config *config)
{
    *config = (struct config){.mode = CONFIG_MODE, .reserve = STORE_RESERVE_STANDARD};
    limits_init(&config->limits);
    engine_config_init(&config->engine);
}

void config_deinit(struct config *config)
{
    free(config->path);
    free(config->group);
    free(config->state);
    engine_config_deinit(&config->engine);
    *config = (struct config){0};
}

bool config_number(const char *text, bool bytes, uint64_t *out)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    uint64_t unit = 1;
    if (bytes && *end != '\0') {
        static const char suffixes[] = "KMG";
        const char *suffix = strchr(suffixes, *end);
        if (suffix == NULL) {
            return false;
        }
        unit = 1UL << (10 * (suffix - suffixes + 1));
        end++;
    }
    if (errno != 0 || *end != '\0' || __builtin_mul_overflow(number, unit, &number)) {
        return false;
    }
    *out = number;
    return true;
}

bool config_mode(const char *text, mode_t *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '7') {
        return false;
    }
    errno = 0;
    unsigned long mode = strtoul(text, &end, 8);
    if (errno != 0 || *end != '\0' || mode > 0777) {
        return false;
    }
    *out = (mode_t)mode;
    return true;
}

/* Notes what is wrong with the line in hand; only the first fault is kept. */
static int refuse(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct reading *reading, const char *format, ...)
{
    if (reading->fault.text[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(reading->fault.text, sizeof(reading->fault.text), format, arguments);
        va_end(arguments);
    }
    return 0;
}

static int set_limit(struct reading *reading, const struct limit_row *row, const char *value)
{
    bool bytes = strcmp(row->unit, "bytes") == 0;
    uint64_t number;
    if (!config_number(value, bytes, &number) || number < row->least || number > row->most) {
        return refuse(reading, "%s = %s: must be a number of %s from %" PRIu64 " to %" PRIu64 "%s",
                      row->name, value, row->unit, row->least, row->most,
                      bytes ? ", with K, M or G behind it for units of 1024, 1024² or 1024³" : "");
    }
    *limit_value(&reading->config.limits, row) = number;
    return 1;
}

static int set_text(struct reading *reading, const char *name, char **out, const char *value)
{
    if (value[0] == '\0') {
        return refuse(reading, "%s is empty; leave the line out for the default", name);
    }
    *out = strdup(value);
    return *out == NULL ? refuse(reading, "out of memory") : 1;
}

bool config_sync(const char *text, enum store_sync *sync, uint64_t *interval_ms)
{
    char *end;
    *interval_ms = 0;
    if (strcmp(text, "always") == 0 || strcmp(text, "never") == 0) {
        *sync = text[0] == 'a' ? STORE_SYNC_ALWAYS : STORE_SYNC_NEVER;
        return true;
    }
    errno = 0;
    uint64_t ms = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    if (ms == 0 || errno != 0 || ms > STORE_INTERVAL_MOST || strcmp(end, "ms") != 0) {
        return false;
    }
    *sync = STORE_SYNC_INTERVAL;
    *interval_ms = ms;
    return true;
}

static int set_spin(struct reading *reading, const char *value)
{
    uint64_t *spin = &reading->config.spin_us;
    return config_number(value, false, spin) && *spin <= CONFIG_SPIN_MOST
               ? 1
               : refuse(reading, "spin = %s: must be a number of microseconds from 0 to %d", value,
                        CONFIG_SPIN_MOST);
}

static int set_other_key(struct reading *reading, enum other_key key, const char *value)
{
    struct config *config = &reading->config;
    switch (key) {
    case SOCKET_PATH:
        return set_text(reading, "path", &config->path, value);
    case SOCKET_MODE:
        return config_mode(value, &config->mode)
                   ? 1
                   : refuse(reading, "mode = %s: must be file mode bits in octal, as 0660", value);
    case SOCKET_GROUP:
        return set_text(reading, "group", &config->group, value);
    case STORE_DIRECTORY:
        return value[0] == '/'
                   ? set_text(reading, "directory", &config->state, value)
                   : refuse(reading, "directory = %s: must be a path that begins with /", value);
    case STORE_SYNC:
        return config_sync(value, &config->sync, &config->interval_ms)
                   ? 1
                   : refuse(reading, "sync = %s: must be always, never, or a time from 1ms to %dms",
                            value, STORE_INTERVAL_MOST);
    case LOOP_SPIN:
        return set_spin(reading, value);
    default:
        return config_number(value, true, &config->reserve) &&
                       config->reserve >= STORE_RESERVE_LEAST
                   ? 1
                   : refuse(reading,
                            "reserve = %s: must be a number of bytes from %d, with K, M or "
                            "G behind it for units of 1024, 1024² or 1024³",
                            value, STORE_RESERVE_LEAST);
    }
}

static int set_engine_key(struct reading *reading, enum engine_key key, const char *value)
{
    char text[ENGINE_SENTENCE];
    return engine_config_set(&reading->config.engine, key, value, text)
               ? 1
               : refuse(reading, "%s", text);
}

/* The number of a key among all keys, or -1. */
static int find_key(const char *section, const char *name)
{
    if (strcmp(section, "limits") == 0) {
        for (int i = 0; i < LIMIT_COUNT; i++) {
            if (strcmp(name, limit_rows[i].name) == 0) {
                return i;
            }
        }
    }
    for (int i = 0; i < OTHER_KEYS; i++) {
        if (strcmp(section, other_keys[i].section) == 0 && strcmp(name, other_keys[i].name) == 0) {
            return LIMIT_COUNT + i;
        }
    }
    for (int i = 0; i < ENGINE_KEYS && strcmp(section, "engine") == 0; i++) {
        if (strcmp(name, engine_key_names[i]) == 0) {
            return LIMIT_COUNT + OTHER_KEYS + i;
        }
    }
    return -1;
}

/* Says which keys there are. */
static int refuse_key(struct reading *reading, const char *section, const char *name)
{
    char names[256] = "";
    char engine[192] = "";
    size_t len = 0;
    for (int i = 0; i < LIMIT_COUNT && len < sizeof(names); i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "",
                                limit_rows[i].name);
    }
    len = 0;
    for (int i = 0; i < ENGINE_KEYS && len < sizeof(engine); i++) {
        len += (size_t)snprintf(engine + len, sizeof(engine) - len, "%s%s", i > 0 ? ", " : "",
                                engine_key_names[i]);
    }
    return refuse(reading,
                  "%s: there is no such key in section [%s]; [limits] has %s; [socket] has path, "
                  "mode, group; [store] has directory, sync, reserve; [loop] has "
                  "spin; [engine] has %s",
                  name, section, names, engine);
}

/* inih calls this for each key: 1, or 0 with the fault noted. */
static int take_key(void *data, const char *section, const char *name, const char *value)
{
    struct reading *reading = data;
    int key = find_key(section, name);
    if (key < 0) {
        return refuse_key(reading, section, name);
    }
    if ((reading->seen & UINT64_C(1) << key) != 0) {
        return refuse(reading, "%s is given twice", name);
    }
    reading->seen |= UINT64_C(1) << key;
    if (key >= LIMIT_COUNT + OTHER_KEYS) {
        return set_engine_key(reading, (enum engine_key)(key - LIMIT_COUNT - OTHER_KEYS), value);
    }
    return key < LIMIT_COUNT ? set_limit(reading, &limit_rows[key], value)
                             : set_other_key(reading, (enum other_key)(key - LIMIT_COUNT), value);
}

/* inih calls this for each line; it would take the rest of a long one for a line of its own. */
static char *read_line(char *line, int size, void *data)
{
    struct reading *reading = data;
    if (fgets(line, size, reading->file) == NULL) {
        return NULL;
    }
    reading->line++;
    if (strchr(line, '\n') == NULL && feof(reading->file) == 0) {
        if (reading->long_line == 0) {
            reading->long_line = reading->line;
        }
        int next;
        do {
            next = fgetc(reading->file);
        } while (next != EOF && next != '\n');
    }
    return line;
}

/* Reads all of it; what is wrong is said in *fault. */
static int read_all(struct reading *reading, const char *file, struct fault *fault)
{
    int line = ini_parse_stream(read_line, reading, take_key, reading);
    char *text = fault->text;
    size_t size = sizeof(fault->text);
    if (ferror(reading->file) != 0) {
        (void)snprintf(text, size, "%s: cannot be read: %s", file, strerror(errno));
    } else if (reading->long_line > 0 && (line == 0 || reading->long_line <= line)) {
        (void)snprintf(text, size, "%s:%d: the line is too long; it may have %d bytes", file,
                       reading->long_line, INI_MAX_LINE - 2);
    } else if (line < 0) {
        (void)snprintf(text, size, "%s: out of memory", file);
    } else if (line > 0) {
        (void)snprintf(text, size, "%s:%d: %.640s", file, line,
                       reading->fault.text[0] != '\0'
                           ? reading->fault.text
                           : "must be \"key = value\", \"[section]\" or a comment");
    } else {
        return 0;
    }
    return ERR_BAD_REQUEST;
}

int config_read(const char *file, struct config *out, struct fault *fault)
{
    struct reading reading = {.file = fopen(file, "re")};
    if (reading.file == NULL) {
        (void)snprintf(fault->text, sizeof(fault->text), "%s: cannot be opened: %s", file,
                       strerror(errno));
        return ERR_BAD_REQUEST;
    }
    config_init(&reading.config);
    int status = read_all(&reading, file, fault);
    (void)fclose(reading.file);
    if (status < 0) {
        config_deinit(&reading.config);
    } else {
        reading.config.given = (uint32_t)reading.seen & (UINT32_MAX >> (32 - LIMIT_COUNT));
        reading.config.lowered = limits_complete(&reading.config.limits, reading.config.given);
        *out = reading.config;
    }
    return status;
}
