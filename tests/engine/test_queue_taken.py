"""What is taken from a queue in an engine, and what dies."""
from harness import stored
from queue_calls import array, get, put, refused


def test_tickets_are_refused_in_words(host):
    host.open("queue", "j", joinable="1", lease_ms="100")
    assert refused(host, "queue.task_done", "j").text == \
        'task_done was called too many times: no item of "j" is taken'
    put(host, "j", 1)
    get(host, "j")
    assert refused(host, "queue.task_done", "j", session=2).text == \
        'this session has taken no item of "j", which has lease_ms: give the ticket to finish ' \
        'one that another session has taken'
    for verb in ("queue.task_done", "queue.give_back", "queue.touch"):
        for ticket in ("0", "2", str(2**53 + 1), str(2**64 - 1)):
            assert refused(host, verb, "j", ticket).text == \
                f'{verb}: ticket {ticket} of "j" is not taken: it is done, or has gone back'
    host.open("queue", "q")
    for verb in ("queue.task_done", "queue.give_back", "queue.touch", "queue.join", "queue.taken"):
        error = refused(host, verb, "q", "1")
        assert (error.code, error.text) == (
            "WRONG_TYPE", f'{verb} needs a joinable queue; "q" was opened without joinable')


def test_what_a_dead_host_had_goes_back(host, other):
    host.open("queue", "j", joinable="1")
    other.open("queue", "j")
    host.call("queue.put_many", "j", array(1, 2, 3), "")
    assert other.call("queue.get_many", "j", "2", "") == [[1, 1, 1], [2, 2, 1]]
    other.end_session(1, "j")
    assert host.call("queue.get_many", "j", "9", "") == [[1, 3, 2], [2, 4, 2], [3, 5, 1]]


def test_dead_letters_need_a_queue_that_the_owner_may_write(host):
    def die():
        put(host, "j", "x")
        ticket = get(host, "j")[1]
        host.call("queue.give_back", "j", str(ticket))
        return host.call("object.describe", "j")["dropped"]
    host.open("queue", "j", joinable="1", max_deliveries="1", dead_letter="dead")
    assert die() == 1
    host.open("queue", "dead", uid=1001, gid=1001, mode="384")  # 0600
    assert die() == 2
    host.call("object.chmod", "dead", "386")  # 0602
    assert die() == 2
    host.call("object.chown", "dead", "", "1000")
    assert die() == 3
    host.call("object.chmod", "dead", "400")  # 0620
    assert die() == 3
    assert host.call("queue.qsize", "dead") == 2
    host.call("queue.shutdown", "dead")
    assert die() == 4


def test_a_dead_letter_queue_keeps_priorities_and_takes_their_kind(host):
    host.open("queue", "dead", order="priority")
    host.open("queue", "j", joinable="1", order="priority", max_deliveries="1", dead_letter="dead")
    for value in ("b", "a"):
        host.call("queue.put", "j", stored(value), "", stored(value), "", "", "")
    for value, ticket in (("a", "1"), ("b", "2")):
        assert get(host, "j") == [value, int(ticket), 1]
    host.call("queue.give_back", "j", "2")
    host.call("queue.give_back", "j", "1")
    assert refused(host, "queue.put", "dead", stored(1), "").code == "TYPE"
    host.call("queue.put", "dead", stored("aa"), "", stored("aa"), "", "", "")
    assert host.call("queue.get_many", "dead", "9", "") == \
        [["a", None, 1], ["aa", None, 1], ["b", None, 1]]


def test_an_answer_that_could_not_be_passed_on_is_put_back(host):
    for order in ("fifo", "lifo", "priority"):
        host.open("queue", order, order=order)
        host.call("queue.put_many", order, array(1, 2, 3, 4), "")
        got = [value for value, _, _ in host.call("queue.get_many", order, "3", "")]
        host.call("queue.put_back", order, array(*got))
        expected = got + host.call("queue.peek", order, "3", "1")
        shown = host.call("object.describe", order)
        assert (shown["gets"], shown["size"]) == (0, 4)
        assert host.call("queue.get_many", order, "9", "") == [[v, None, 1] for v in expected]
