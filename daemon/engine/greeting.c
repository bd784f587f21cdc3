/* greeting: see greeting.h. Tests: tests/unit/engine/test_node.c. */
#include "daemon/engine/greeting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/engine/command.h"
#include "proto/error.h"

enum {
    PASSWORD_MOST = 4096,
};

/* The first line of the file, in `out`. False, with errno: it cannot be read. */
static bool read_password(const char *file, char *out, size_t size)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = error;
    out[len < 0 ? 0 : len] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return len >= 0;
}

static void print(struct buffer *out, unsigned *count, size_t argc, const char *const *words)
{
    struct slice argv[3];
    for (size_t i = 0; i < argc; i++) {
        argv[i] = slice_of_string(words[i]);
    }
    command_print(out, argc, argv);
    (*count)++;
}

static void print_with(const struct greeting *greeting, const char *password, struct buffer *out,
                       unsigned *count)
{
    char database[16];
    (void)snprintf(database, sizeof(database), "%u", greeting->database);
    *count = 0;
    if (password != NULL && greeting->user != NULL) {
        print(out, count, 3, (const char *const[]){"AUTH", greeting->user, password});
    } else if (password != NULL) {
        print(out, count, 2, (const char *const[]){"AUTH", password});
    }
    print(out, count, 3, (const char *const[]){"CLIENT", "SETNAME", greeting->client_name});
    if (greeting->database > 0) {
        print(out, count, 2, (const char *const[]){"SELECT", database});
    }
}

int greeting_print(const struct greeting *greeting, struct buffer *out, unsigned *count, char *why,
                   size_t size)
{
    const char *file = greeting->password_file;
    char password[PASSWORD_MOST];
    if (file != NULL && !read_password(file, password, sizeof(password))) {
        (void)snprintf(why, size, "the file of the password, %s, cannot be read: %s", file,
                       strerror(errno));
        return ERR_VALUE;
    }
    print_with(greeting, file != NULL ? password : greeting->password, out, count);
    explicit_bzero(password, sizeof(password));
    (void)snprintf(why, size, "out of memory");
    return out->failed ? ERR_MEMORY : 0;
}

void greeting_wipe(struct buffer *printed)
{
    if (printed->data != NULL) {
        explicit_bzero(printed->data, printed->len);
    }
    buffer_deinit(printed);
}

const char *greeting_refusal(const struct redisReply *reply)
{
    static const char *const GRAVE[] = {
        "NOAUTH", "WRONGPASS",  "ERR AUTH", "ERR invalid password",
        "ERR DB", "ERR SELECT", "ERR max",  "DENIED",
    };
    for (size_t i = 0; i < sizeof(GRAVE) / sizeof(GRAVE[0]); i++) {
        if (reply->type == REDIS_REPLY_ERROR &&
            strncmp(reply->str, GRAVE[i], strlen(GRAVE[i])) == 0) {
            return reply->str;
        }
    }
    return NULL;
}
