/* command: see command.h. Tests: tests/unit/engine/test_node.c. */
#include "daemon/engine/command.h"

#include "daemon/engine/decimal.h"

static void print_length(struct buffer *out, char kind, size_t number)
{
    char text[DECIMAL_MAX + 3];
    text[0] = kind;
    size_t len = 1 + decimal_write(text + 1, number);
    text[len++] = '\r';
    text[len++] = '\n';
    (void)buffer_append(out, text, len);
}

void command_print(struct buffer *out, size_t argc, const struct slice *argv)
{
    size_t size = 32;
    for (size_t i = 0; i < argc; i++) {
        size += argv[i].len + 32;
    }
    (void)buffer_reserve(out, size);
    print_length(out, '*', argc);
    for (size_t i = 0; i < argc; i++) {
        print_length(out, '$', argv[i].len);
        (void)buffer_append(out, argv[i].data, argv[i].len);
        (void)buffer_append(out, "\r\n", 2);
    }
}
