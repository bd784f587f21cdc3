/*
 * fake_server: a process that plays the daemon, by a script of the test's own.
 *
 * For what a real daemon does not do: answers byte by byte, in odd orders, wrong ones, none. The
 * script is a function that runs in a forked child. There, whatever is not as the script expects
 * ends the child with a message, and fake_server_join then fails the test. All values are in the
 * notation of notation.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAKE_FDS = 64 }; /* so many descriptors can come */

/* In the child: the listening socket and the connection that is being served. */
struct fake {
    int listener;
    int fd; /* of the connection; -1 without one */
    const void *data;
    uint8_t *in;
    size_t in_len;
    size_t in_cap;
    bool bytewise;     /* receive a byte at a time */
    unsigned fd_count; /* descriptors that have come so far … */
    int fds[FAKE_FDS]; /* … in their order */
    unsigned cancels;  /* cancel notifications that fake_next and fake_await_cancels came by */
};

typedef void fake_script(struct fake *fake);

/* In the test: the process, and the socket's path (an abstract one). */
struct fake_server {
    pid_t pid;
    char path[64];
};

/* Starts it. Connections are accepted from then on; the script gets `data`. */
struct fake_server fake_server_start(fake_script *script, const void *data);

/* Waits for the script's end; fails the test unless all went as it expected. */
void fake_server_join(struct fake_server *server);

/* ---- for scripts ----------------------------------------------------------------------------- */

/* Accepts the next connection, closing the one before if there is one. */
void fake_accept(struct fake *fake);

/* The same, then answers server.hello, as session 7. */
void fake_greet(struct fake *fake);

/* What it answers there. */
#define FAKE_GREETING                                                                              \
    "{server: 'ipcd', version: '0.1.0', protocol: 1, session: 7,"                                  \
    " limits: {max_message: 1048576, max_depth: 32, max_name: 255}}"

void fake_close(struct fake *fake);

/* Reads the next message, which must be a request of this method with params that match. Returns
 * its msgid. */
uint32_t fake_expect(struct fake *fake, const char *method, const char *params);

/* Reads the next request of any kind, skipping cancels: its msgid, and the first param as an
 * integer if there is one. */
uint32_t fake_next(struct fake *fake, int64_t *first_param);

/* True if there is a next message, or the beginning of one; false at the end of the connection. */
bool fake_more(struct fake *fake);

/* Reads cancels, and nothing else, until there were so many. */
void fake_await_cancels(struct fake *fake, unsigned count);

/* The next message must be this notification. */
void fake_expect_notification(struct fake *fake, const char *method, const char *params);

/* Waits for the client to close. It must have sent nothing more. */
void fake_expect_end(struct fake *fake);

/* Sends all values in the text, one after the other. */
void fake_send(struct fake *fake, const char *notation, ...) __attribute__((format(printf, 2, 3)));

/* Sends [1, msgid, nil, result] and [1, msgid, [code, message], nil]. */
void fake_answer(struct fake *fake, uint32_t msgid, const char *result);
void fake_refuse(struct fake *fake, uint32_t msgid, const char *code, const char *message);

void fake_send_bytes(struct fake *fake, const void *bytes, size_t len);

/* Sends values with descriptors at their first byte. */
void fake_send_descriptors(struct fake *fake, const char *notation, const int *fds, size_t count);

/* The same, but `first` bytes to begin with, and the rest when the client has read those. */
void fake_send_in_two(struct fake *fake, const char *notation, const int *fds, size_t count,
                      size_t first);

/* How many bytes the client has not read yet. 0, or -1 as ioctl. */
int fake_unread(const struct fake *fake, int *count);

/* Ends the child unless `ok`. */
#define fake_check(ok) fake_check_at(ok, #ok, __FILE__, __LINE__)
void fake_check_at(bool ok, const char *what, const char *file, int line);
