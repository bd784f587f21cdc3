/* config: see config.h. */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SOCKET_KEYS = 3, SPIN_KEY = LIMIT_COUNT + SOCKET_KEYS };

/* A file being read. */
struct reading {
    FILE *file;
    struct config config;
    uint32_t seen; /* bits of keys: limits first, then SOCKET_KEYS, then SPIN_KEY */
    int line;      /* number of the last one read */
    int long_line; /* number of the first one that is too long; 0: none */
    struct fault fault;
};

void config_init(struct config *config)
{
    *config = (struct config){.mode = CONFIG_MODE};
    limits_init(&config->limits);
}

void config_deinit(struct config *config)
{
    free(config->path);
    free(config->group);
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

static int set_socket_key(struct reading *reading, int key, const char *value)
{
    switch (key) {
    case 0:
        return set_text(reading, "path", &reading->config.path, value);
    case 1:
        return config_mode(value, &reading->config.mode)
                   ? 1
                   : refuse(reading, "mode = %s: must be file mode bits in octal, as 0660", value);
    default:
        return set_text(reading, "group", &reading->config.group, value);
    }
}

static int set_spin(struct reading *reading, const char *value)
{
    uint64_t *spin = &reading->config.spin_us;
    return config_number(value, false, spin) && *spin <= CONFIG_SPIN_MOST
               ? 1
               : refuse(reading, "spin = %s: must be a number of microseconds from 0 to %d", value,
                        CONFIG_SPIN_MOST);
}

/* The number of a key among all keys, or -1. */
static int find_key(const char *section, const char *name)
{
    static const char *const socket_keys[SOCKET_KEYS] = {"path", "mode", "group"};
    if (strcmp(section, "limits") == 0) {
        for (int i = 0; i < LIMIT_COUNT; i++) {
            if (strcmp(name, limit_rows[i].name) == 0) {
                return i;
            }
        }
    } else if (strcmp(section, "socket") == 0) {
        for (int i = 0; i < SOCKET_KEYS; i++) {
            if (strcmp(name, socket_keys[i]) == 0) {
                return LIMIT_COUNT + i;
            }
        }
    } else if (strcmp(section, "loop") == 0 && strcmp(name, "spin") == 0) {
        return SPIN_KEY;
    }
    return -1;
}

/* Says which keys there are. */
static int refuse_key(struct reading *reading, const char *section, const char *name)
{
    char names[256] = "";
    size_t len = 0;
    for (int i = 0; i < LIMIT_COUNT && len < sizeof(names); i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "",
                                limit_rows[i].name);
    }
    return refuse(reading,
                  "%s: there is no such key in section [%s]; [limits] has %s; [socket] has path, "
                  "mode, group; [loop] has spin",
                  name, section, names);
}

/* inih calls this for each key: 1, or 0 with the fault noted. */
static int take_key(void *data, const char *section, const char *name, const char *value)
{
    struct reading *reading = data;
    int key = find_key(section, name);
    if (key < 0) {
        return refuse_key(reading, section, name);
    }
    if ((reading->seen & 1U << key) != 0) {
        return refuse(reading, "%s is given twice", name);
    }
    reading->seen |= 1U << key;
    if (key == SPIN_KEY) {
        return set_spin(reading, value);
    }
    return key < LIMIT_COUNT ? set_limit(reading, &limit_rows[key], value)
                             : set_socket_key(reading, key - LIMIT_COUNT, value);
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
        reading.config.given = reading.seen & (UINT32_MAX >> (32 - LIMIT_COUNT));
        reading.config.lowered = limits_complete(&reading.config.limits, reading.seen);
        *out = reading.config;
    }
    return status;
}
