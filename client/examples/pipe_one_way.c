/*
 * pipe_one_way: a child sends '666' over a pipe that is not duplex, and is then killed: what it had
 * sent is received first, and then the end. Neither side can use the other direction.
 */
#include "example.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void send_number(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_pipe *pipe;
    struct ipcc_pipe_end *end;
    struct ipcc_reply reply;
    MUST(ipcc_pipe_open(conn, names->first, NULL, &pipe));
    MUST(ipcc_pipe_connect(pipe, 1, NULL, &end));
    CLAIM(ipcc_pipe_receive(end, 0, &reply) == IPCC_ERR_ARGUMENT);
    MUST(ipcc_pipe_send(end, ipcc_str("666"), IPCC_FOREVER));
    raise(SIGKILL);
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_pipe_options options = {.one_way = true};
    struct ipcc_pipe *pipe;
    struct ipcc_pipe_end *end;
    struct ipcc_reply reply;
    int status;
    MUST(ipcc_pipe_open(conn, NULL, &options, &pipe));
    MUST(ipcc_pipe_connect(pipe, 0, NULL, &end));
    pid_t child = start_process(send_number, (struct names){ipcc_pipe_name(pipe), NULL}, 0);
    CLAIM(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CLAIM(ipcc_pipe_send(end, ipcc_nil(), 0) == IPCC_ERR_ARGUMENT);
    printf("sending is refused: %s\n", ipcc_last_message());
    MUST(ipcc_pipe_receive(end, IPCC_FOREVER, &reply));
    CLAIM(ipcc_value_is_str(&reply.value, "666"));
    ipcc_reply_free(&reply);
    CLAIM(ipcc_pipe_receive(end, IPCC_FOREVER, &reply) == IPCC_ERR_END);
    printf("666 was received, and then the end\n");
    MUST(ipcc_pipe_end_close(end));
    MUST(ipcc_pipe_close(pipe));
    MUST(ipcc_close(conn));
    return 0;
}
