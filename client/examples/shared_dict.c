/*
 * shared_dict: a dict that one process changes and another reads.
 *
 * The writer is gone when the reader looks: the dict lives in the daemon, as long as somebody has
 * it open, here the first process.
 */
#include "example.h"

static void write_dict(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_dict *dict;
    struct ipcc_value point[] = {ipcc_int(3), ipcc_int(4)};
    MUST(ipcc_dict_open(conn, names->first, NULL, &dict));
    MUST(ipcc_dict_set(dict, ipcc_str("colour"), ipcc_str("green"), NULL));
    MUST(ipcc_dict_set(dict, ipcc_str("point"), ipcc_array(point, 2), NULL));
    MUST(ipcc_dict_delete(dict, ipcc_str("old")));
    printf("writer: set colour and point, deleted old\n");
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_close(conn));
}

static void read_dict(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_dict *dict;
    struct ipcc_reply reply;
    struct ipcc_value key;
    struct ipcc_value value;
    char text[64];
    uint64_t length;
    MUST(ipcc_dict_open(conn, names->first, NULL, &dict));
    MUST(ipcc_dict_len(dict, &length));
    CLAIM(length == 2);

    MUST(ipcc_dict_get(dict, ipcc_str("colour"), ipcc_none(), &reply));
    CLAIM(ipcc_value_is_str(&reply.value, "green"));
    ipcc_reply_free(&reply);
    CLAIM(ipcc_dict_get(dict, ipcc_str("old"), ipcc_none(), &reply) == IPCC_ERR_KEY);

    MUST(ipcc_dict_items(dict, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    while (ipcc_walk_pair(&walk, &key, &value)) {
        MUST(ipcc_value_print(&value, text, sizeof(text)));
        printf("reader: %.*s is %s\n", (int)key.length, key.as.str, text);
    }
    ipcc_reply_free(&reply);
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_value initial[] = {ipcc_str("colour"), ipcc_str("red"), ipcc_str("old"),
                                   ipcc_bool(true)};
    struct ipcc_dict_options options = {.initial = ipcc_map(initial, 2)};
    struct ipcc_dict *dict;
    MUST(ipcc_dict_open(conn, NULL, &options, &dict));
    struct names names = {ipcc_dict_name(dict), NULL};
    await_process(start_process(write_dict, names, 0));
    await_process(start_process(read_dict, names, 0));
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_close(conn));
    return 0;
}
