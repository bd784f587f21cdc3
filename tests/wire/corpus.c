/* corpus: see corpus.h. */
#include "tests/wire/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/rpc.h"

static void read_outcome(struct corpus_case *corpus, const char *text, const char *path)
{
    if (strncmp(text, "reply ", 6) == 0) {
        assert_true(corpus->reply_count < CORPUS_REPLIES_MAX);
        (void)snprintf(corpus->replies[corpus->reply_count++], CORPUS_TEXT_MAX, "%s", text + 6);
    } else if (strncmp(text, "goodbye ", 8) == 0) {
        corpus->outcome = OUTCOME_GOODBYE;
        (void)snprintf(corpus->code, sizeof(corpus->code), "%s", text + 8);
    } else if (strcmp(text, "incomplete") == 0) {
        corpus->outcome = OUTCOME_INCOMPLETE;
    } else if (strcmp(text, "any") == 0) {
        corpus->outcome = OUTCOME_ANY;
    } else if (strcmp(text, "silence") != 0) {
        test_fail(HERE, "%s: no such outcome: %s", path, text);
    }
}

static void read_line(struct corpus_case *corpus, const char *line, const char *path)
{
    if (strncmp(line, "config ", 7) == 0) {
        size_t len = strlen(corpus->config);
        (void)snprintf(corpus->config + len, sizeof(corpus->config) - len, "%s\n", line + 7);
    } else if (strncmp(line, "send ", 5) == 0) {
        const char *bad = notation_pack(line + 5, &corpus->sent);
        if (bad != NULL) {
            test_fail(HERE, "%s: not understood: %s", path, bad);
        }
    } else if (strncmp(line, "outcome ", 8) == 0) {
        read_outcome(corpus, line + 8, path);
    } else if (line[0] != '#' && line[0] != '\0') {
        test_fail(HERE, "%s: no such line: %s", path, line);
    }
}

struct corpus_case *corpus_read(const char *path)
{
    struct corpus_case *corpus = calloc(1, sizeof(*corpus));
    FILE *in = fopen(path, "re");
    if (corpus == NULL || in == NULL) {
        test_fail(HERE, "%s cannot be read", path);
    }
    msgpack_sbuffer_init(&corpus->sent);
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, in) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        read_line(corpus, line, path);
    }
    free(line);
    (void)fclose(in);
    assert_true(corpus->sent.size > 0);
    return corpus;
}

void corpus_free(struct corpus_case *corpus)
{
    msgpack_sbuffer_destroy(&corpus->sent);
    free(corpus);
}
