/*
 * pipe_child: a process gives its child one end of a pipe, and the child sends a list.
 *
 * An end is a socket, so it may be handed on by fork, unlike a connection. Each side closes the end
 * that is the other's: only then can the parent see that the child has closed its own.
 */
#include "example.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void send_list(struct ipcc_pipe_end *end)
{
    const struct ipcc_value list[] = {ipcc_int(42), ipcc_nil(), ipcc_str("hello")};
    MUST(ipcc_pipe_send(end, ipcc_array(list, 3), IPCC_FOREVER));
    MUST(ipcc_pipe_end_close(end));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_pipe *pipe;
    struct ipcc_pipe_end *ours;
    struct ipcc_pipe_end *childs;
    struct ipcc_reply reply;
    char text[64];
    MUST(ipcc_pipe_open(conn, NULL, NULL, &pipe));
    MUST(ipcc_pipe_connect(pipe, IPCC_ANY_END, NULL, &ours));
    MUST(ipcc_pipe_connect(pipe, IPCC_ANY_END, NULL, &childs));
    pid_t child = fork();
    CLAIM(child >= 0);
    if (child == 0) {
        MUST(ipcc_pipe_end_close(ours));
        send_list(childs);
        exit(0);
    }
    MUST(ipcc_pipe_end_close(childs));
    MUST(ipcc_pipe_receive(ours, IPCC_FOREVER, &reply));
    MUST(ipcc_value_print(&reply.value, text, sizeof(text)));
    ipcc_reply_free(&reply);
    printf("the child sent %s\n", text);
    CLAIM(strcmp(text, "[42, null, \"hello\"]") == 0);
    CLAIM(ipcc_pipe_receive(ours, IPCC_FOREVER, &reply) == IPCC_ERR_END);
    await_process(child);
    MUST(ipcc_pipe_end_close(ours));
    MUST(ipcc_pipe_close(pipe));
    MUST(ipcc_close(conn));
    return 0;
}
