/* example: see example.h. */
#include "example.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct ipcc *connect_to_daemon(void)
{
    struct ipcc *conn;
    MUST(ipcc_open(&conn, NULL));
    return conn;
}

void must_succeed(int status, const char *call)
{
    if (ipcc_perror(call, status) < 0) {
        exit(1);
    }
}

void must_be_true(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "this should be true: %s\n", what);
        exit(1);
    }
}

pid_t start_process(void (*body)(const struct names *names, int number), struct names names,
                    int number)
{
    fflush(stdout);
    pid_t pid = fork();
    CLAIM(pid >= 0);
    if (pid == 0) {
        body(&names, number);
        exit(0);
    }
    return pid;
}

void await_process(pid_t pid)
{
    int status = -1;
    CLAIM(waitpid(pid, &status, 0) == pid);
    CLAIM(status == 0);
}

void await_waiting(struct ipcc *conn, const char *name, int64_t count)
{
    struct ipcc_reply reply;
    struct ipcc_value waiting;
    int64_t now = -1;
    while (now != count) {
        MUST(ipcc_object_describe(conn, name, &reply));
        MUST(ipcc_map_get(&reply.value, "waiting", &waiting));
        MUST(ipcc_value_int(&waiting, &now));
        ipcc_reply_free(&reply);
    }
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
