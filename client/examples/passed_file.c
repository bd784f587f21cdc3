/*
 * passed_file: a process opens a file and puts it into a queue, the open file itself and not its
 * name; then it is killed. Another gets it and reads on.
 *
 * From the put on the daemon keeps the file open, whatever becomes of the process that sent it.
 * This one has no name any more by which it could be opened again.
 */
#include "example.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] = "written by a process that is no more";

/* A file with the text in it, at its beginning, and without a name. */
static int open_file(void)
{
    char path[] = "/tmp/passed_file.XXXXXX";
    int fd = mkstemp(path);
    CLAIM(fd >= 0 && unlink(path) == 0);
    CLAIM(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CLAIM(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void send_file(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    int fd = open_file();
    struct ipcc_value pair[] = {ipcc_str("file"), ipcc_descriptor(fd)};
    MUST(ipcc_queue_put(queue, ipcc_map(pair, 1), IPCC_FOREVER, NULL));
    printf("the sender has put its file, and kills itself\n");
    fflush(stdout);
    raise(SIGKILL);
}

static void read_file(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc_value value;
    char found[sizeof(text)] = "";
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    MUST(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
    MUST(ipcc_map_get(&item.value, "file", &value));
    int fd = ipcc_reply_take_fd(&reply, &value);
    MUST(fd);
    ipcc_reply_free(&reply); /* the file is ours now */
    CLAIM(read(fd, found, sizeof(found)) == (ssize_t)strlen(text));
    printf("the receiver reads: %s\n", found);
    CLAIM(strcmp(found, text) == 0);
    close(fd);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    int status;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    struct names names = {ipcc_queue_name(queue), NULL};
    pid_t sender = start_process(send_file, names, 0);
    CLAIM(waitpid(sender, &status, 0) == sender && WIFSIGNALED(status));
    await_process(start_process(read_file, names, 0));
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
