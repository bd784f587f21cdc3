/*
 * pipe_duplex: two processes that know nothing of each other but the name of a pipe talk in both
 * directions: values, and bytes.
 */
#include "example.h"

#include <string.h>

static struct ipcc_pipe_end *take_end(struct ipcc *conn, const char *name)
{
    struct ipcc_pipe *pipe;
    struct ipcc_pipe_end *end;
    MUST(ipcc_pipe_open(conn, name, NULL, &pipe));
    MUST(ipcc_pipe_connect(pipe, IPCC_ANY_END, NULL, &end));
    MUST(ipcc_pipe_close(pipe));
    return end;
}

static void ask(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_pipe_end *end = take_end(conn, names->first);
    MUST(ipcc_close(conn)); /* the end needs no connection */
    const struct ipcc_value list[] = {ipcc_int(1), ipcc_str("hello"), ipcc_nil()};
    struct ipcc_reply reply;
    MUST(ipcc_pipe_send(end, ipcc_array(list, 3), IPCC_FOREVER));
    MUST(ipcc_pipe_receive_bytes(end, IPCC_FOREVER, &reply));
    printf("one: %.*s\n", (int)reply.value.length, reply.value.as.str);
    CLAIM(reply.value.length == 9 && memcmp(reply.value.as.data, "thank you", 9) == 0);
    ipcc_reply_free(&reply);
    MUST(ipcc_pipe_end_close(end));
}

static void answer(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_pipe_end *end = take_end(conn, names->first);
    struct ipcc_reply reply;
    bool ready;
    char text[64];
    MUST(ipcc_pipe_poll(end, IPCC_FOREVER, &ready));
    CLAIM(ready);
    MUST(ipcc_pipe_receive(end, 0, &reply));
    MUST(ipcc_value_print(&reply.value, text, sizeof(text)));
    ipcc_reply_free(&reply);
    printf("the other: %s\n", text);
    CLAIM(strcmp(text, "[1, \"hello\", null]") == 0);
    MUST(ipcc_pipe_send_bytes(end, "thank you", 9, IPCC_FOREVER));
    MUST(ipcc_pipe_end_close(end));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_pipe *pipe;
    MUST(ipcc_pipe_open(conn, NULL, NULL, &pipe));
    struct names names = {ipcc_pipe_name(pipe), NULL};
    pid_t one = start_process(ask, names, 0);
    pid_t other = start_process(answer, names, 1);
    await_process(one);
    await_process(other);
    MUST(ipcc_pipe_close(pipe));
    MUST(ipcc_close(conn));
    return 0;
}
