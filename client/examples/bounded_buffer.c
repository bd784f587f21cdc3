/*
 * bounded_buffer: two producers put numbers into a list that has room for three, one consumer takes
 * them out, and a condition lets each wait for the other.
 *
 * A queue does all this by itself. Here it shows how to wait for anything at all: by a function
 * that says whether it has come, and is called while the condition's lock is held.
 */
#include "example.h"

enum { PRODUCERS = 2, EACH = 20, ROOM = 3 };

struct buffer {
    struct ipcc *conn;
    struct ipcc_condition *changed;
    struct ipcc_list *numbers;
};

static struct buffer open_buffer(const struct names *names)
{
    struct buffer buffer = {.conn = connect_to_daemon()};
    MUST(ipcc_condition_open(buffer.conn, names->first, NULL, &buffer.changed));
    MUST(ipcc_list_open(buffer.conn, names->second, NULL, &buffer.numbers));
    return buffer;
}

static void close_buffer(struct buffer *buffer)
{
    MUST(ipcc_condition_close(buffer->changed));
    MUST(ipcc_list_close(buffer->numbers));
    MUST(ipcc_close(buffer->conn));
}

static uint64_t length_of(const struct buffer *buffer)
{
    uint64_t length;
    MUST(ipcc_list_len(buffer->numbers, &length));
    return length;
}

static bool has_room(void *data)
{
    return length_of(data) < ROOM;
}

static bool has_number(void *data)
{
    return length_of(data) > 0;
}

static void produce(const struct names *names, int number)
{
    struct buffer buffer = open_buffer(names);
    for (int i = 1; i <= EACH; i++) {
        MUST(ipcc_condition_acquire(buffer.changed, IPCC_FOREVER, NULL));
        MUST(ipcc_condition_wait_for(buffer.changed, has_room, &buffer, IPCC_FOREVER));
        MUST(ipcc_list_append(buffer.numbers, ipcc_int(i), NULL));
        MUST(ipcc_condition_notify_all(buffer.changed, NULL));
        MUST(ipcc_condition_release(buffer.changed, NULL));
    }
    printf("producer %d: put the numbers from 1 to %d\n", number, EACH);
    close_buffer(&buffer);
}

static int64_t take(struct buffer *buffer)
{
    struct ipcc_reply reply;
    MUST(ipcc_condition_acquire(buffer->changed, IPCC_FOREVER, NULL));
    MUST(ipcc_condition_wait_for(buffer->changed, has_number, buffer, IPCC_FOREVER));
    CLAIM(length_of(buffer) <= ROOM);
    MUST(ipcc_list_pop(buffer->numbers, 0, &reply));
    int64_t number = reply.value.as.integer;
    ipcc_reply_free(&reply);
    MUST(ipcc_condition_notify_all(buffer->changed, NULL));
    MUST(ipcc_condition_release(buffer->changed, NULL));
    return number;
}

int main(void)
{
    struct buffer buffer = open_buffer(&(struct names){NULL, NULL});
    struct names names = {ipcc_condition_name(buffer.changed), ipcc_list_name(buffer.numbers)};
    pid_t producers[PRODUCERS];
    int64_t sum = 0;
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = start_process(produce, names, i + 1);
    }
    for (int i = 0; i < PRODUCERS * EACH; i++) {
        sum += take(&buffer);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        await_process(producers[i]);
    }
    printf("consumer: the sum is %d\n", (int)sum);
    CLAIM(sum == PRODUCERS * EACH * (EACH + 1) / 2);
    close_buffer(&buffer);
    return 0;
}
