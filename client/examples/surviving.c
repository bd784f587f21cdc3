/*
 * surviving: a queue of jobs that outlives the daemon, even one that is killed.
 *
 * The program has a daemon of its own, which keeps its durable objects in a directory, so that it
 * can kill it (kill -9) while a worker has a job in hand. Started again on the same directory, the
 * daemon has every job that had been put and was not done; the one that was in hand is the first,
 * and says that it is given out for the second time. The worker just goes on: its connection is
 * made anew, and only its ticket is void.
 *
 * The daemon's program is what $IPCD_PATH names, else the ipcd that PATH leads to.
 */
#include "example.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS = 10, KILLED_IN = 3 };

struct place {
    char directory[64];
    char socket[96];
    char state[96];
};

static pid_t start_daemon(const struct place *place)
{
    const char *program = getenv("IPCD_PATH");
    unlink(place->socket); /* who was killed has left it */
    pid_t pid = fork();
    CLAIM(pid >= 0);
    if (pid == 0) {
        execlp(program != NULL ? program : "ipcd", "ipcd", "--socket", place->socket, "--state",
               place->state, (char *)NULL);
        perror("ipcd");
        _exit(1);
    }
    return pid;
}

/* The connection is made again when it is lost, by the next call. */
static struct ipcc *open_when_it_listens(const struct place *place)
{
    const struct ipcc_options options = {.path = place->socket, .reconnect = true};
    struct ipcc *conn = NULL;
    while (access(place->socket, F_OK) < 0 || ipcc_open(&conn, &options) == IPCC_ERR_CONNECT) {
        poll(NULL, 0, 10);
    }
    CLAIM(conn != NULL);
    return conn;
}

static void kill_daemon(pid_t daemon)
{
    CLAIM(kill(daemon, SIGKILL) == 0);
    CLAIM(waitpid(daemon, NULL, 0) == daemon);
}

static void put_jobs(struct ipcc_queue *jobs)
{
    for (int i = 1; i <= JOBS; i++) {
        MUST(ipcc_queue_put(jobs, ipcc_int(i), IPCC_FOREVER, NULL)); /* it is on disk now */
    }
    printf("%d jobs are put\n", JOBS);
}

/* Takes the job that must come next, and tells how often it has been given out. */
static int64_t take(struct ipcc_queue *jobs, int64_t expected, int64_t *deliveries)
{
    struct ipcc_item job;
    struct ipcc_reply reply;
    int64_t number;
    MUST(ipcc_queue_get(jobs, 0, &job, &reply));
    MUST(ipcc_value_int(&job.value, &number));
    CLAIM(number == expected);
    *deliveries = job.deliveries;
    ipcc_reply_free(&reply);
    return job.ticket;
}

int main(void)
{
    const struct ipcc_queue_options options = {.open.lifetime = IPCC_LIFETIME_DURABLE,
                                               .joinable = true};
    struct place place = {.directory = "/tmp/ipcd-example-XXXXXX"};
    struct ipcc_queue *jobs;
    int64_t deliveries;
    CLAIM(mkdtemp(place.directory) != NULL);
    snprintf(place.socket, sizeof(place.socket), "%s/ipcd.sock", place.directory);
    snprintf(place.state, sizeof(place.state), "%s/state", place.directory);
    pid_t daemon = start_daemon(&place);
    struct ipcc *conn = open_when_it_listens(&place);
    MUST(ipcc_queue_open(conn, "jobs", &options, &jobs));
    put_jobs(jobs);

    for (int64_t next = 1; next <= JOBS; next++) {
        int64_t ticket = take(jobs, next, &deliveries);
        CLAIM(deliveries == 1);
        if (next == KILLED_IN) {
            kill_daemon(daemon);
            printf("the daemon is killed while job %d is in hand\n", KILLED_IN);
            CLAIM(ipcc_queue_task_done(jobs, ticket, NULL) == IPCC_ERR_LOST);
            daemon = start_daemon(&place);
            ipcc_close(open_when_it_listens(&place));
            ticket = take(jobs, next, &deliveries);
            CLAIM(deliveries == 2);
            printf("it is there again, and so is the job, as delivery %d\n", (int)deliveries);
        }
        MUST(ipcc_queue_task_done(jobs, ticket, NULL));
    }
    MUST(ipcc_queue_join(jobs, 0));
    printf("all %d jobs are done\n", JOBS);

    MUST(ipcc_queue_close(jobs));
    MUST(ipcc_close(conn));
    CLAIM(kill(daemon, SIGTERM) == 0);
    await_process(daemon);
    pid_t cleaner = fork();
    if (cleaner == 0) {
        execlp("rm", "rm", "-r", place.directory, (char *)NULL);
        _exit(1);
    }
    await_process(cleaner);
    return 0;
}
