/*
 * nested: a list of dicts of queues. One process builds it, another finds its way in, changes it in
 * place and leaves; the first one sees what has changed, and what nothing refers to any more goes.
 *
 * Only the list is opened by its name. Dicts and queues have none that anybody knows: a container
 * holds references to them. They live as long as one does, whoever made them; and who gets a
 * reference has the object open.
 */
#include "example.h"

#include <string.h>

/* The name of the object that the value refers to. */
static const char *referred(const struct ipcc_reply *reply, char name[IPCC_NAME_SIZE])
{
    MUST(ipcc_value_reference(&reply->value, name, IPCC_NAME_SIZE));
    return name;
}

/* list[index] */
static struct ipcc_dict *open_dict(struct ipcc *conn, struct ipcc_list *list, int64_t index)
{
    char name[IPCC_NAME_SIZE];
    struct ipcc_reply reply;
    struct ipcc_dict *dict;
    MUST(ipcc_list_get(list, index, &reply));
    MUST(ipcc_dict_open(conn, referred(&reply, name), NULL, &dict));
    ipcc_reply_free(&reply);
    return dict;
}

/* dict[key] */
static struct ipcc_queue *open_queue(struct ipcc *conn, struct ipcc_dict *dict, const char *key)
{
    char name[IPCC_NAME_SIZE];
    struct ipcc_reply reply;
    struct ipcc_queue *queue;
    MUST(ipcc_dict_get(dict, ipcc_str(key), ipcc_none(), &reply));
    MUST(ipcc_queue_open(conn, referred(&reply, name), NULL, &queue));
    ipcc_reply_free(&reply);
    return queue;
}

/* dict[key] = Queue([first]) */
static void add_queue(struct ipcc *conn, struct ipcc_dict *dict, const char *key, const char *first)
{
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    MUST(ipcc_queue_put(queue, ipcc_str(first), IPCC_FOREVER, NULL));
    MUST(ipcc_dict_set(dict, ipcc_str(key), ipcc_reference(ipcc_queue_name(queue)), NULL));
    MUST(ipcc_queue_close(queue));
}

/* list.append({"letters": Queue([first])}) */
static void add_dict(struct ipcc *conn, struct ipcc_list *list, const char *first)
{
    struct ipcc_dict *dict;
    MUST(ipcc_dict_open(conn, NULL, NULL, &dict));
    add_queue(conn, dict, "letters", first);
    MUST(ipcc_list_append(list, ipcc_reference(ipcc_dict_name(dict)), NULL));
    MUST(ipcc_dict_close(dict));
}

/* Another process: list[1]["letters"].put("b2"), list[1]["parcels"] = Queue(["p1"]) */
static void change_in_place(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_list *list;
    MUST(ipcc_list_open(conn, names->first, NULL, &list));
    struct ipcc_dict *dict = open_dict(conn, list, 1);
    struct ipcc_queue *queue = open_queue(conn, dict, "letters");
    MUST(ipcc_queue_put(queue, ipcc_str("b2"), IPCC_FOREVER, NULL));
    add_queue(conn, dict, "parcels", "p1");
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_list_close(list));
    MUST(ipcc_close(conn));
}

/* list[1][key].get() == expected */
static void expect_item(struct ipcc *conn, struct ipcc_list *list, const char *key,
                        const char *expected)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc_dict *dict = open_dict(conn, list, 1);
    struct ipcc_queue *queue = open_queue(conn, dict, key);
    MUST(ipcc_queue_get(queue, 0, &item, &reply));
    printf("list[1][\"%s\"].get() is \"%.*s\"\n", key, (int)item.value.length, item.value.as.str);
    CLAIM(ipcc_value_is_str(&item.value, expected));
    ipcc_reply_free(&reply);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_dict_close(dict));
}

int main(void)
{
    char name[IPCC_NAME_SIZE];
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_list *list;
    struct ipcc_reply reply;
    MUST(ipcc_list_open(conn, NULL, NULL, &list));
    add_dict(conn, list, "a1");
    add_dict(conn, list, "b1");
    await_process(start_process(change_in_place, (struct names){ipcc_list_name(list), NULL}, 0));
    expect_item(conn, list, "letters", "b1");
    expect_item(conn, list, "letters", "b2");
    expect_item(conn, list, "parcels", "p1");
    MUST(ipcc_list_get(list, 1, &reply));
    referred(&reply, name);
    ipcc_reply_free(&reply);
    MUST(ipcc_list_clear(list));
    MUST(ipcc_object_describe(conn, name, NULL)); /* getting its reference opened it here */
    MUST(ipcc_object_close(conn, name));
    CLAIM(ipcc_object_describe(conn, name, NULL) == IPCC_ERR_NOT_FOUND);
    printf("%s is gone with the last reference to it\n", name);
    MUST(ipcc_list_close(list));
    MUST(ipcc_close(conn));
    return 0;
}
