/*
 * shared_value: several processes count in one number, and fill an array, in memory that they
 * share.
 *
 * An addition is one atomic operation, so that none is lost, though none asks the daemon either.
 * What takes two steps, like moving an amount from one number to another, is done under the lock in
 * the memory; nobody sees the half of it.
 */
#include "example.h"

enum { PROCESSES = 8, ROUNDS = 10000, AMOUNT = 1000 };

/* The array's items: two accounts, and how often each process has moved something. */
enum { FROM, TO, MOVES };

static void move(struct ipcc_shared_array *accounts)
{
    int64_t from;
    int64_t to;
    MUST(ipcc_shared_array_lock(accounts, IPCC_FOREVER, NULL));
    MUST(ipcc_shared_array_get_int(accounts, FROM, &from));
    MUST(ipcc_shared_array_get_int(accounts, TO, &to));
    CLAIM(from + to == AMOUNT);
    MUST(ipcc_shared_array_set_int(accounts, FROM, from - 1));
    MUST(ipcc_shared_array_set_int(accounts, TO, to + 1));
    MUST(ipcc_shared_array_unlock(accounts));
}

static void count(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_shared_value *value;
    struct ipcc_shared_array *accounts;
    MUST(ipcc_shared_value_open(conn, names->first, NULL, &value));
    MUST(ipcc_shared_array_open(conn, names->second, NULL, &accounts));
    for (int i = 0; i < ROUNDS; i++) {
        MUST(ipcc_shared_value_add_int(value, 1, NULL));
    }
    for (int i = 0; i <= number; i++) {
        move(accounts);
        MUST(ipcc_shared_array_add_int(accounts, MOVES + number, 1, NULL));
    }
    MUST(ipcc_shared_value_close(value));
    MUST(ipcc_shared_array_close(accounts));
    MUST(ipcc_close(conn));
}

static void check(struct ipcc_shared_value *value, struct ipcc_shared_array *accounts)
{
    int32_t items[MOVES + PROCESSES];
    int64_t total;
    int32_t moves = 0;
    MUST(ipcc_shared_value_get_int(value, &total));
    CLAIM(total == PROCESSES * ROUNDS);
    MUST(ipcc_shared_array_read(accounts, 0, items, MOVES + PROCESSES));
    for (int i = 0; i < PROCESSES; i++) {
        CLAIM(items[MOVES + i] == i + 1);
        moves += items[MOVES + i];
    }
    CLAIM(items[FROM] == AMOUNT - moves && items[TO] == moves);
    printf("%d additions make %lld; %d moves leave %d and %d\n", PROCESSES * ROUNDS,
           (long long)total, moves, items[FROM], items[TO]);
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_shared_value *value;
    struct ipcc_shared_array *accounts;
    struct ipcc_shared_value_options number = {.typecode = 'i'};
    struct ipcc_shared_array_options numbers = {.typecode = 'i', .size = MOVES + PROCESSES};
    pid_t processes[PROCESSES];
    MUST(ipcc_shared_value_open(conn, NULL, &number, &value));
    MUST(ipcc_shared_array_open(conn, NULL, &numbers, &accounts));
    MUST(ipcc_shared_array_set_int(accounts, FROM, AMOUNT));
    struct names names = {ipcc_shared_value_name(value), ipcc_shared_array_name(accounts)};
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_process(count, names, i);
    }
    for (int i = 0; i < PROCESSES; i++) {
        await_process(processes[i]);
    }
    check(value, accounts);
    MUST(ipcc_shared_value_close(value));
    MUST(ipcc_shared_array_close(accounts));
    MUST(ipcc_close(conn));
    return 0;
}
