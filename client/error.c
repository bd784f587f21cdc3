/*
 * error: codes as text, and the message that each thread was told last.
 *
 * The message, and the thread's number, are the only state that the library keeps outside of
 * connections, besides the count of forks (fork.c) and the embedded daemon (embedded.c): one struct
 * for each thread.
 */
#include "client/error.h"

#include "client/ipcclient.h"
#include "proto/error.h"

#include <stdarg.h>
#include <stdio.h>

struct local_row {
    int code;
    const char *name;
    const char *meaning;
};

/* The library's own codes; the daemon's are in proto/errors.def. */
static const struct local_row local_rows[] = {
    {IPCC_ERR_LOST, "LOST", "the connection to the daemon is lost"},
    {IPCC_ERR_CONNECT, "CONNECT", "no connection to the daemon could be made"},
    {IPCC_ERR_NO_MEMORY, "NO_MEMORY", "out of memory"},
    {IPCC_ERR_FORKED, "FORKED", "the connection belongs to the parent process"},
    {IPCC_ERR_ARGUMENT, "ARGUMENT", "an argument is not possible"},
    {IPCC_ERR_PROTOCOL, "PROTOCOL", "the other side does not speak the protocol"},
    {IPCC_ERR_BUSY, "BUSY", "not possible while the connection is in use"},
    {IPCC_ERR_SYSTEM, "SYSTEM", "a system call failed"},
    {IPCC_ERR_NO_ANSWER, "NO_ANSWER", "the daemon did not answer in time"},
    {IPCC_ERR_OTHER, "OTHER", "an error that this library does not know"},
    {IPCC_ERR_END, "END", "the other end of the pipe is closed"},
    {IPCC_ERR_INTERRUPTED, "INTERRUPTED", "the wait was ended by ipcc_interrupt"},
};

static _Thread_local struct thread_state state_of_thread;

struct thread_state *thread_state(void)
{
    return &state_of_thread;
}

/* The row of a code of the library's own, or NULL. */
static const struct local_row *local_row(int error)
{
    for (size_t i = 0; i < sizeof(local_rows) / sizeof(local_rows[0]); i++) {
        if (local_rows[i].code == error) {
            return &local_rows[i];
        }
    }
    return NULL;
}

static bool is_daemon_code(int error)
{
    return error < 0 && error_from_name(slice_of_string(error_name(error))) == error;
}

const char *ipcc_strerror(int error)
{
    if (error == 0) {
        return "success";
    }
    if (is_daemon_code(error)) {
        return error_meaning(error);
    }
    const struct local_row *row = local_row(error);
    return row != NULL ? row->meaning : "an unknown error";
}

const char *ipcc_error_name(int error)
{
    if (is_daemon_code(error)) {
        return error_name(error);
    }
    const struct local_row *row = local_row(error);
    return row != NULL ? row->name : "OTHER";
}

const char *ipcc_last_message(void)
{
    return thread_state()->message;
}

int ipcc_perror(const char *prefix, int error)
{
    if (error < 0) {
        const char *message = ipcc_last_message();
        /* One write, so that the lines of several processes do not mix. */
        (void)fprintf(stderr, "%s%s%s: %s\n", prefix != NULL ? prefix : "",
                      prefix != NULL ? ": " : "", ipcc_error_name(error),
                      message[0] != '\0' ? message : ipcc_strerror(error));
    }
    return error;
}

const char *ipcc_version(void)
{
    return IPCD_VERSION;
}

/* Takes away the bytes of a UTF-8 character that was cut in two at the end of the text. */
static void drop_cut_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    while (start > 0 && len - start < 4 && ((uint8_t)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start == 0 || (uint8_t)text[start - 1] < 0xc0) {
        return;
    }
    uint8_t lead = (uint8_t)text[start - 1];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (len - (start - 1) < want) {
        text[start - 1] = '\0';
    }
}

static void format_list(char *text, const char *format, va_list args)
{
    int len = vsnprintf(text, MESSAGE_TEXT, format, args);
    if (len < 0) {
        text[0] = '\0';
    } else if (len >= MESSAGE_TEXT) {
        drop_cut_character(text);
    }
}

void message_format(char *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_list(text, format, args);
    va_end(args);
}

int error_set(int code, const char *format, ...)
{
    /* Formatted aside: an argument may be this thread's last message. */
    char text[MESSAGE_TEXT];
    va_list args;
    va_start(args, format);
    format_list(text, format, args);
    va_end(args);
    memcpy(thread_state()->message, text, sizeof(text));
    return code;
}

int check_reserved(const uint64_t *reserved, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (reserved[i] != 0) {
            return error_set(
                IPCC_ERR_ARGUMENT,
                "an option is set that version %s does not know; the reserved fields of a "
                "struct must be zero",
                ipcc_version());
        }
    }
    return 0;
}
