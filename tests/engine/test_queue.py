"""Queues in an engine, as tests/unit/methods/test_queue*.c has them: opening, refusals in words, and
what the random calls of test_queue_model.py do not come to."""
import msgpack
import pytest

from harness import EngineError, Waiting, stored, stored_as
from queue_calls import array, atomic, get, get_any, put, refused

ENDLESS = ["18446744072709", "18446744072710", "18446744073709", "18446744073710", str(2**63 - 1)]


# Opening.


def test_a_new_queue_is_described_with_its_options(host):
    shown = host.open("queue", "q", maxsize="-5", order="lifo", joinable="1",
                      on_disconnect="discard", lease_ms=str(2**63 - 1), max_deliveries="3",
                      dead_letter="dead")
    expected = {"maxsize": -5, "order": "lifo", "joinable": True, "on_disconnect": "discard",
                "lease_ms": 2**63 - 1, "max_deliveries": 3, "dead_letter": "dead", "size": 0,
                "queued": 0, "unfinished": 0, "taken": 0, "delayed": 0, "puts": 0, "gets": 0,
                "dropped": 0, "expired": 0, "shut_down": False, "drain": False, "paused": False}
    assert {key: shown[key] for key in expected} == expected
    plain = host.open("queue", "r")
    assert (plain["maxsize"], plain["order"], plain["joinable"], plain["on_disconnect"]) == \
        (0, "fifo", False, "requeue")
    assert (plain["lease_ms"], plain["max_deliveries"], plain["dead_letter"]) == (0, 0, None)


def test_options_that_agree_or_are_not_given_open_it_again(host):
    given = {"maxsize": "7", "order": "priority", "joinable": "1", "on_disconnect": "requeue",
             "lease_ms": "5", "max_deliveries": "2", "dead_letter": "d"}
    host.open("queue", "q", **given)
    for option, value in given.items():
        host.open("queue", "q", **{option: value})
    others = {"maxsize": "8", "order": "fifo", "joinable": "0", "on_disconnect": "discard",
              "lease_ms": "6", "max_deliveries": "0", "dead_letter": "e"}
    for option, value in others.items():
        with pytest.raises(EngineError) as caught:
            host.open("queue", "q", **{option: value})
        assert (caught.value.code, option in caught.value.text) == ("MISMATCH", True)


@pytest.mark.parametrize("option, value", [("on_disconnect", "requeue"), ("lease_ms", "5"),
                                           ("max_deliveries", "0"), ("dead_letter", "d")])
def test_options_of_joinable_queues_are_refused_without_it(host, option, value):
    with pytest.raises(EngineError) as caught:
        host.open("queue", "q", **{option: value})
    assert caught.value.code == "BAD_REQUEST"
    assert caught.value.text == \
        f"queue.open: option {option} is for queues with option joinable"
    assert refused(host, "object.describe", "q").code == "NOT_FOUND"


def open_dead(host, name, dead_letter):
    """Opens a queue with a dead letter queue: the text of its refusal, or None."""
    try:
        host.open("queue", name, joinable="1", dead_letter=dead_letter)
    except EngineError as error:
        assert error.code == "BAD_REQUEST"
        return error.text
    return None


def test_a_queue_is_not_its_own_dead_letter_queue(host):
    assert open_dead(host, "j", "j") == "queue.open: option dead_letter must name another queue"
    assert open_dead(host, "j", "J") is None


def test_the_queue_that_closes_a_circle_of_dead_letters_is_refused(host):
    assert open_dead(host, "a", "b") is None
    assert open_dead(host, "b", "a") == \
        "queue.open: option dead_letter: dead items would come back to this queue by way of its " \
        "dead letter queue's own"
    assert open_dead(host, "b", "c") is None
    assert open_dead(host, "c", "a") is not None


def test_a_rename_that_would_close_a_circle_is_refused(host):
    host.open("queue", "a{t}", joinable="1", dead_letter="b{t}")
    host.open("queue", "c{t}", joinable="1", dead_letter="a{t}")
    error = refused(host, "object.rename", "c{t}", "b{t}")
    assert error.code == "VALUE"
    assert "its dead items would come back to it by way of other queues" in error.text
    assert "it would be its own dead letter queue" in \
        refused(host, "object.rename", "a{t}", "b{t}").text


def test_a_chain_of_dead_letter_queues_has_an_end(host):
    for i in reversed(range(63)):
        assert open_dead(host, str(i), str(i + 1)) is None
    assert open_dead(host, "first", "0") is None
    assert open_dead(host, "before", "first") == \
        "queue.open: option dead_letter: more than 64 queues would pass on their dead items one " \
        "to the next"
    assert open_dead(host, "63", "0") is not None


def test_a_renamed_queue_keeps_everything_in_the_same_batch(host):
    host.open("queue", "q{t}", joinable="1")
    host.call("queue.put_many", "q{t}", array(1, 2, 3), "")
    assert get(host, "q{t}") == [1, 1, 1]
    host.calls(("queue.put", "q{t}", stored(4), ""), ("object.rename", "q{t}", "r{t}"))
    host.call("object.describe", "r{t}")
    assert host.call("queue.peek", "r{t}", "0", "9") == [2, 3, 4]
    host.end_session(1, "r{t}")
    assert get(host, "r{t}") == [1, 2, 2]


def test_a_deleted_queue_leaves_nothing_behind(host, engine):
    host.open("queue", "q", joinable="1", lease_ms="50")
    host.call("queue.put_many", "q", array(1, 2, 3), "")
    host.call("queue.put", "q", stored(4), "", "", "5", "9", "")
    get(host, "q")
    wait = host.call("queue.join", "q", "")
    host.call("object.delete", "q")
    with pytest.raises(EngineError) as caught:
        host.served(wait)
    assert caught.value.code == "DELETED"
    host.open("queue", "q")
    assert host.call("queue.qsize", "q") == 0
    host.end_session(1, "q")
    assert {key for key in engine.keys() if key.endswith(":q")} == {"ipcd:test:{q}:m:q"}


# Putting and getting.


def test_values_come_back_as_sent(host):
    host.open("queue", "q")
    raw = b"\xd3" + bytes(7) + b"\x05"
    host.call("queue.put", "q", stored_as(stored(5), raw), "")
    host.call("queue.put_many", "q", msgpack.packb([stored_as(stored(5), raw)]), "")
    for _ in range(2):
        op = host.op("queue.get", "q", "")
        assert host.run([op]) == [b"=\x93" + raw + b"\xc0\x01"]
    for value in (b"\xc1", b"\xc1\0\0\0\1\1\1", "", None, b"", {}, [None] * 3, "x" * 70000):
        put(host, "q", value)
        assert get(host, "q") == [value, None, 1]


def test_a_plain_queue_is_a_list_and_no_more(host, engine):
    host.open("queue", "q")
    put(host, "q", *range(5))
    get(host, "q")
    parts = {key.split("}:")[1].split(":")[0] for key in engine.keys() if key.endswith(":q")}
    assert parts <= {"m", "q"}
    assert engine.redis.lrange("ipcd:test:{q}:q:q", 0, -1) == [b"\1", b"\2", b"\3", b"\4"]


def test_put_many_is_done_in_parts_as_room_comes(host):
    host.open("queue", "q", "2")
    wait = host.call("queue.put_many", "q", array(1, 2, 3, 4, 5, 6), "100")
    assert wait.limit == 100
    assert get(host, "q") == [1, None, 1]
    assert get(host, "q") == [2, None, 1]
    assert host.timeout(wait) == 4
    assert refused(host, "queue.put_many", "q", array(7), "0").code == "FULL"
    assert host.call("queue.peek", "q", "0", "9") == [3, 4]


def test_a_priority_is_a_number_a_str_or_a_bin(host):
    host.open("queue", "p", order="priority")
    for value, name in ((None, "nil"), (True, "a boolean"), ([1], "an array"), ({}, "a map"),
                        (msgpack.ExtType(5, b"x"), "an ext"), (float("nan"), "a float")):
        error = refused(host, "queue.put", "p", stored(1), "", stored(value), "", "", "")
        assert (error.code, error.text) == (
            "BAD_REQUEST", "queue.put: option priority must be a number other than NaN, a str or "
            f"a bin, not {name}")
    put(host, "p", 1)
    error = refused(host, "queue.put", "p", stored(1), "", stored("x"), "", "", "")
    assert (error.code, error.text) == (
        "TYPE", "queue.put: the items of \"p\" have priorities of another kind: they must be all "
        "numbers, all strs or all bins")
    host.open("queue", "q")
    host.call("queue.put", "q", stored(1), "", stored("x"), "", "", "")
    assert refused(host, "queue.put", "q", stored(1), "", stored([]), "", "", "").code == \
        "BAD_REQUEST"


def test_priorities_are_ordered_as_numbers_and_bytes(host):
    host.open("queue", "p", order="priority")
    orders = [[-1e300, -2**63, -1.5, -1, 0, 5e-324, 1, 1.5, 2**53, 2**53 + 1, 2**63 - 1, 2**64 - 1,
               1e20, float("inf")],
              ["", "\0", "\0\0", "\0a", "\1", "a", "a\0", "a\0\0", "a\0b", "a\1", "ab", "b", "ÿ"],
              [b"", b"\0", b"\0\xff", b"\1", b"\xfe", b"\xff", b"\xff\0", b"\xff\xff"]]
    for ranks in orders:
        for rank in ranks[1::2] + ranks[::2]:
            host.call("queue.put", "p", stored(rank), "", stored(rank), "", "", "")
        answers = host.call("queue.get_many", "p", "99", "")
        assert [value for value, _, _ in answers] == ranks


def test_paused_queues_say_so(host):
    host.open("queue", "q")
    put(host, "q", 1)
    host.call("queue.pause", "q")
    assert refused(host, "queue.get", "q", "0").text == 'queue.get: "q" is paused'
    assert refused(host, "queue.get_many", "q", "2", "0").text == 'queue.get_many: "q" is paused'
    assert host.call("queue.get_many", "q", "0", "0") == []


@pytest.mark.parametrize("endless", ENDLESS)
def test_times_without_end_are_times_like_any_other(host, engine, endless):
    host.open("queue", "q", joinable="1", lease_ms=endless)
    host.call("queue.put", "q", stored("delayed"), "", "", endless, "", "")
    host.call("queue.put", "q", stored("lives"), "", "", "", endless, "")
    host.call("queue.put", "q", stored("dies"), "", "", endless, "5", "")
    engine.now += 5
    host.tell("tick", "q", near="q")
    assert get(host, "q") == ["lives", 1, 1]
    host.call("queue.touch", "q", "1")
    engine.now += 2**43
    host.tell("tick", "q", near="q")
    host.call("queue.give_back", "q", "1", endless)
    shown = host.call("object.describe", "q")
    assert (shown["delayed"], shown["expired"], shown["size"], shown["taken"]) == (2, 1, 0, 0)
    host.call("queue.pause", "q", endless)
    engine.now += 10**9
    assert isinstance(host.call("object.describe", "q")["paused"], int)
    assert host.call("queue.clear", "q") == 2
    assert host.call("queue.join", "q", "") is None


def test_a_get_with_ahead_says_that_nothing_is_reserved(host):
    host.open("queue", "q")
    put(host, "q", 1, 2)
    assert host.call("queue.get", "q", "", "5") == [1, None, 1, None]
    assert host.call("queue.get", "q", "", "0") == [2, None, 1]
    assert isinstance(host.call("queue.get", "q", "", ""), Waiting)


def test_what_was_put_at_the_head_comes_back_ahead_of_equal_ones(host):
    host.open("queue", "p", joinable="1", order="priority")
    put(host, "p", "old")
    host.call("queue.put", "p", stored("head"), "", "", "", "", "1")
    assert get(host, "p") == ["head", 1, 1]
    host.call("queue.give_back", "p", "1")
    assert host.call("queue.peek", "p", "0", "9") == ["head", "old"]


def test_leases_and_delays_that_end_together_bring_back_the_old_order(host, engine):
    for first, second in (("1", "2"), ("2", "1")):
        host.open("queue", "j", joinable="1", lease_ms="100")
        host.call("queue.put_many", "j", array("a", "b", "c"), "")
        host.call("queue.get_many", "j", "2", "")
        engine.now += 40
        host.call("queue.give_back", "j", first, "100")
        host.call("queue.touch", "j", second)
        engine.now += 100
        host.tell("tick", "j", near="j")
        assert host.call("queue.peek", "j", "0", "9") == ["a", "b", "c"]
        host.call("object.delete", "j")


@pytest.mark.parametrize("get_call", [("queue.get", "q", ""), ("queue.get_many", "q", "1", ""),
                                      ("queue.get_any", "q", msgpack.packb(["q"]), "")])
def test_gets_of_an_atomic_batch_do_not_overtake_who_waits(host, get_call):
    host.open("queue", "q")
    wait = host.call("queue.get", "q", "")
    replies = atomic(host, ("queue.put", "q", stored(1), ""), get_call)
    assert replies[1].startswith(b"!EMPTY ")
    assert host.served(wait) == [1, None, 1]


@pytest.mark.parametrize("put_call", [("queue.put", "f", stored(3), ""),
                                      ("queue.put_many", "f", array(3), "")])
def test_puts_of_an_atomic_batch_do_not_overtake_who_waits(host, put_call):
    host.open("queue", "f", "1")
    put(host, "f", 1)
    wait = host.call("queue.put", "f", stored(2), "")
    replies = atomic(host, ("queue.get", "f", ""), put_call)
    assert replies[0] == b"=\x93\1\xc0\1"
    assert replies[1].startswith(b"!FULL ")
    assert host.served(wait) is None
    assert host.call("queue.peek", "f", "0", "9") == [2]


# Several queues.


def test_get_any_refuses_what_is_no_queue(host):
    host.open("queue", "a{t}")
    host.open("sample", "s{t}", "1")
    host.versions["none{t}"] = ""
    for names, code in ((("a{t}", "none{t}"), "NOT_FOUND"), (("s{t}", "a{t}"), "WRONG_TYPE")):
        with pytest.raises(EngineError) as caught:
            get_any(host, *names)
        assert caught.value.code == code
        assert names[1 if code == "NOT_FOUND" else 0] in caught.value.text


def test_get_any_names_its_error(host):
    host.open("queue", "a{t}")
    host.open("queue", "b{t}")
    with pytest.raises(EngineError) as caught:
        get_any(host, "a{t}", "b{t}", timeout="0")
    assert (caught.value.code, caught.value.text) == \
        ("EMPTY", "queue.get_any: none of the queues has an item")
    wait = get_any(host, "a{t}", "b{t}")
    behind = host.call("queue.get", "a{t}", "")
    host.call("queue.shutdown", "a{t}")
    assert not host.is_served(wait)
    with pytest.raises(EngineError) as caught:
        host.served(behind)
    assert caught.value.code == "SHUT_DOWN"
    host.call("queue.shutdown", "b{t}")
    with pytest.raises(EngineError) as caught:
        host.served(wait)
    assert (caught.value.code, caught.value.text) == \
        ("SHUT_DOWN", "queue.get_any: all of the queues are empty and shut down")
