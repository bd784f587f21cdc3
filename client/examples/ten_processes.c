/*
 * ten_processes: ten processes change one dict and one list at the same time.
 *
 * The keys 1 and "2" are of two kinds, and stay so. Adding to a number is one call, so that no
 * addition is lost.
 */
#include "example.h"

enum { PROCESSES = 10, ROUNDS = 100 };

static void change(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_dict *dict;
    struct ipcc_list *list;
    MUST(ipcc_dict_open(conn, names->first, NULL, &dict));
    MUST(ipcc_list_open(conn, names->second, NULL, &list));
    for (int i = 0; i < ROUNDS; i++) {
        MUST(ipcc_dict_incr(dict, ipcc_int(1), ipcc_none(), ipcc_none(), NULL));
        MUST(ipcc_dict_incr(dict, ipcc_str("2"), ipcc_int(10), ipcc_none(), NULL));
    }
    MUST(ipcc_list_append(list, ipcc_int(number), NULL));
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_list_close(list));
    MUST(ipcc_close(conn));
}

static void check_key(struct ipcc_dict *dict, struct ipcc_value key, int64_t expected)
{
    struct ipcc_reply reply;
    MUST(ipcc_dict_get(dict, key, ipcc_none(), &reply));
    CLAIM(reply.value.kind == IPCC_INT && reply.value.as.integer == expected);
    ipcc_reply_free(&reply);
}

static void check_list(struct ipcc_list *list)
{
    struct ipcc_reply reply;
    struct ipcc_value number;
    int expected = 0;
    MUST(ipcc_list_sort(list, false));
    MUST(ipcc_list_slice(list, IPCC_OMIT, IPCC_OMIT, IPCC_OMIT, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    while (ipcc_walk_next(&walk, &number)) {
        CLAIM(number.as.integer == expected);
        expected++;
    }
    CLAIM(expected == PROCESSES);
    ipcc_reply_free(&reply);
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_dict *dict;
    struct ipcc_list *list;
    pid_t processes[PROCESSES];
    uint64_t keys;
    MUST(ipcc_dict_open(conn, NULL, NULL, &dict));
    MUST(ipcc_list_open(conn, NULL, NULL, &list));
    struct names names = {ipcc_dict_name(dict), ipcc_list_name(list)};
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_process(change, names, i);
    }
    for (int i = 0; i < PROCESSES; i++) {
        await_process(processes[i]);
    }
    MUST(ipcc_dict_len(dict, &keys));
    CLAIM(keys == 2);
    check_key(dict, ipcc_int(1), PROCESSES * ROUNDS);
    check_key(dict, ipcc_str("2"), PROCESSES * ROUNDS * 10);
    check_list(list);
    printf("1 is %d, \"2\" is %d, and the list has each process once\n", PROCESSES * ROUNDS,
           PROCESSES * ROUNDS * 10);
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_list_close(list));
    MUST(ipcc_close(conn));
    return 0;
}
