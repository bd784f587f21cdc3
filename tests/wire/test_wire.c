/*
 * The wire corpus against a daemon: each message whole, byte by byte and split at random places,
 * each time on a fresh connection, with another session that must not notice. Then many times over:
 * the daemon must not have grown.
 */
#include "tests/support/daemon.h"
#include "tests/wire/corpus.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum {
    BYTEWISE_MAX = 400, /* longer messages are only split */
    SPLITS = 5,
    WARM_UP = 50,
    REPEATS = 300,
    GROWTH_MAX = 4 * 1048576,
    FILES_MAX = 500,
};

/* What all steps of one test need. */
struct run {
    struct daemon *daemon;
    struct rpc *witness; /* the other session */
    const struct corpus_case *corpus;
    unsigned random;
};

static unsigned next_random(struct run *run)
{
    run->random = run->random * 1103515245U + 12345U;
    return run->random >> 8;
}

static void check_witness(const struct run *run)
{
    expect(run->witness, "server.ping", "['unharmed']", "'unharmed'");
}

static bool objects_match(const char *notation, const msgpack_object *got)
{
    msgpack_sbuffer bytes;
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_sbuffer_init(&bytes);
    msgpack_unpacked_init(&unpacked);
    bool same =
        notation_pack(notation, &bytes) == NULL &&
        msgpack_unpack_next(&unpacked, bytes.data, bytes.size, &at) == MSGPACK_UNPACK_SUCCESS &&
        notation_match(&unpacked.data, got);
    msgpack_unpacked_destroy(&unpacked);
    msgpack_sbuffer_destroy(&bytes);
    return same;
}

static void check_replies(const struct run *run, struct rpc *c)
{
    for (unsigned i = 0; i < run->corpus->reply_count; i++) {
        struct reply *reply = rpc_next(c);
        if (reply == NULL || !objects_match(run->corpus->replies[i], &reply->unpacked.data)) {
            if (reply != NULL) {
                notation_print(stderr, &reply->unpacked.data);
            }
            test_fail(HERE, "\n%s was expected, not that", run->corpus->replies[i]);
        }
        reply_free(reply);
    }
}

/* Nothing but the response to a ping must come. */
static void check_goes_on(struct rpc *c)
{
    rpc_write_notation(c, "[0, 999999, 'server.ping', ['goes on']]");
    struct reply *reply = rpc_next(c);
    if (reply == NULL || !objects_match("[1, 999999, nil, 'goes on']", &reply->unpacked.data)) {
        test_fail(HERE, "the connection does not go on");
    }
    reply_free(reply);
}

static void check_outcome(const struct run *run, struct rpc *c)
{
    check_replies(run, c);
    switch (run->corpus->outcome) {
    case OUTCOME_GOES_ON:
        check_goes_on(c);
        return;
    case OUTCOME_GOODBYE:
        expect_goodbye(c, run->corpus->code);
        return;
    case OUTCOME_INCOMPLETE:
        check_witness(run);
        assert_null(c->first);
        return;
    case OUTCOME_ANY:
        return;
    }
}

/* Objects that a message made are gone, so that each connection finds the same daemon. */
static void tidy_up(const struct run *run)
{
    struct reply *reply = rpc_call(run->witness, "object.delete", "['wire']");
    reply_free(reply);
}

static void send_whole(struct run *run)
{
    struct rpc *c = daemon_client(run->daemon);
    rpc_write(c, run->corpus->sent.data, run->corpus->sent.size);
    check_outcome(run, c);
    daemon_drop(run->daemon, c);
    tidy_up(run);
}

/* In pieces of `piece` bytes, or of random length if it is 0. Between two pieces the witness asks
 * something, so that the daemon has surely seen the first before the second comes. */
static void send_in_pieces(struct run *run, size_t piece)
{
    const msgpack_sbuffer *sent = &run->corpus->sent;
    struct rpc *c = daemon_client(run->daemon);
    for (size_t at = 0; at < sent->size;) {
        size_t len = piece != 0 ? piece : 1 + next_random(run) % (sent->size / 3 + 1);
        len = len < sent->size - at ? len : sent->size - at;
        rpc_write(c, sent->data + at, len);
        at += len;
        check_witness(run);
    }
    check_outcome(run, c);
    daemon_drop(run->daemon, c);
    tidy_up(run);
}

static void check_growth(struct run *run)
{
    for (int i = 0; i < WARM_UP; i++) {
        send_whole(run);
    }
    expect_soon(run->witness, "session.list", "[]", "[_map]");
    unsigned descriptors = daemon_descriptors(run->daemon);
    uint64_t memory = daemon_memory(run->daemon);
    for (int i = 0; i < REPEATS; i++) {
        send_whole(run);
    }
    expect_soon(run->witness, "session.list", "[]", "[_map]");
    daemon_expect_descriptors(run->daemon, descriptors);
    uint64_t grown = daemon_memory(run->daemon);
    if (grown > memory + GROWTH_MAX) {
        test_fail(HERE, "the daemon has grown from %llu to %llu bytes", (unsigned long long)memory,
                  (unsigned long long)grown);
    }
}

static void run_file(void **state)
{
    struct corpus_case *corpus = corpus_read(*state);
    struct daemon *daemon = daemon_start(
        &(struct daemon_options){.config = corpus->config[0] == '\0' ? NULL : corpus->config});
    struct run run = {.daemon = daemon, .witness = daemon_client(daemon), .corpus = corpus};
    check_witness(&run);
    send_whole(&run);
    if (corpus->sent.size <= BYTEWISE_MAX) {
        send_in_pieces(&run, 1);
    }
    for (int i = 0; i < SPLITS; i++) {
        send_in_pieces(&run, 0);
    }
    check_growth(&run);
    daemon_stop(daemon);
    corpus_free(corpus);
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".wire") == 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    static struct CMUnitTest tests[FILES_MAX];
    int count = argc == 2 ? scandir(argv[1], &entries, is_case, alphasort) : -1;
    if (count <= 0 || count > FILES_MAX) {
        (void)fprintf(stderr, "usage: test_wire DIRECTORY (of *.wire files)\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", argv[1], entries[i]->d_name) < 0) {
            return 2;
        }
        tests[i] = (struct CMUnitTest){
            .name = entries[i]->d_name, .test_func = run_file, .initial_state = path};
    }
    int failed = _cmocka_run_group_tests("wire", tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count; i++) {
        free(tests[i].initial_state);
        free(entries[i]);
    }
    free(entries);
    return failed;
}
