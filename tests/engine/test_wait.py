"""Calls that wait: who is served, in which order, and what else can end a wait."""
import msgpack
import pytest

from harness import EngineError, Op, Waiting, stored, unpack


@pytest.fixture(autouse=True)
def box(host):
    """A box for two values."""
    host.open("sample", "box", "2")


def test_a_call_that_can_go_on_does_not_wait(host):
    assert host.call("sample.put", "box", stored(1), "") is None
    assert host.call("sample.get", "box", "") == 1


def test_one_that_cannot_waits_and_is_served_by_the_next_put(host, other):
    wait = other.call("sample.get", "box", "")
    assert isinstance(wait, Waiting)
    assert not other.is_served(wait)
    host.call("sample.put", "box", stored("x"), "")
    assert other.served(wait) == "x"
    assert host.call("sample.count", "box") == 0


def test_those_who_wait_are_served_in_the_order_in_which_they_came(host, other):
    waits = [daemon.call("sample.get", "box", "") for daemon in (host, other, host, other)]
    for value in range(4):
        host.call("sample.put", "box", stored(value), "")
    assert [wait.host.served(wait) for wait in waits] == [0, 1, 2, 3]


def test_time_that_is_none_answers_at_once(host):
    with pytest.raises(EngineError) as error:
        host.call("sample.get", "box", 0)
    assert error.value.code == "EMPTY"


def test_a_call_without_a_number_may_not_wait(host):
    with pytest.raises(EngineError) as error:
        host.call("sample.get", "box", "", wait=False)
    assert error.value.code == "EMPTY"


def test_nobody_overtakes(host, other):
    host.calls(("sample.put", "box", stored(1), ""), ("sample.put", "box", stored(2), ""))
    first = other.call("sample.put", "box", stored(3), "")
    second = host.call("sample.put", "box", stored(4), "")
    assert host.calls(("sample.get", "box", ""), ("sample.put", "box", stored(5), "0"))[0] == 1
    assert other.served(first) is None
    assert not host.is_served(second)
    assert [host.call("sample.get", "box", "0") for _ in range(3)] == [2, 3, 4]
    assert host.served(second) is None


def test_who_could_go_on_waits_behind_who_cannot(host, other):
    host.open("sample", "{box}big")
    first = host.call("sample.take", "{box}big", "2", "")
    second = other.call("sample.get", "{box}big", "")
    host.call("sample.put", "{box}big", stored(1), "")
    assert not other.is_served(second)
    with pytest.raises(EngineError):
        host.call("sample.get", "{box}big", "0")
    host.call("sample.put", "{box}big", stored(2), "")
    assert host.served(first) == [1, 2]
    assert not other.is_served(second)
    host.call("sample.put", "{box}big", stored(3), "")
    assert other.served(second) == 3


@pytest.mark.parametrize("how", ["cancel", "timeout", "session"])
def test_those_behind_go_on_when_the_first_gives_up(host, other, how):
    host.open("sample", "{box}big")
    first = host.call("sample.take", "{box}big", "2", "900", session=5)
    second = other.call("sample.get", "{box}big", "")
    host.call("sample.put", "{box}big", stored(1), "")
    if how == "cancel":
        assert host.cancel(first)
    elif how == "timeout":
        with pytest.raises(EngineError):
            host.timeout(first)
    else:
        host.end_session(5, "{box}big")
    assert other.served(second) == 1


def test_its_own_host_is_told_in_the_same_way(host):
    wait = host.call("sample.get", "box", "")
    heard = host.listen("box")
    host.call("sample.put", "box", stored(1), "")
    entry = host.engine.redis.lrange(host.prefix("box") + ":out:" + host.key, 0, -1)
    messages = heard.messages()
    assert [message[:3] for message in messages] == [[1, wait.number, b"=\x01"]]
    assert len(entry) == 1


def test_the_limit_is_told_to_who_waits(host):
    assert host.call("sample.get", "box", "").limit is None
    assert host.call("sample.get", "box", "1234").limit == 1234
    assert host.call("sample.get", "box", str(2**63 - 1)).limit == 2**63 - 1


def test_entries_of_an_outbox_are_numbered_and_forgotten_when_acknowledged(host):
    waits = [host.call("sample.get", "box", "") for _ in range(5)]
    for value in range(3):
        host.call("sample.put", "box", stored(value), "")
    assert [entry[0] for entry in host.fetch("box")] == [1, 2, 3]
    host.acknowledge("box")
    host.call("sample.put", "box", stored(3), "")
    key = host.prefix("box") + ":out:" + host.key
    assert host.engine.redis.llen(key) == 1
    assert [entry[0] for entry in host.fetch("box")] == [4]
    host.acknowledge("box")
    host.call("sample.put", "box", stored(4), "")
    assert [entry[0] for entry in host.fetch("box")] == [5]
    assert [host.served(wait) for wait in waits] == list(range(5))
    host.acknowledge("box")
    host.call("sample.put", "box", stored(4), "")
    assert host.engine.redis.llen(key) == 0


def test_the_whole_outbox_can_be_asked_for(host):
    host.call("sample.get", "box", "")
    assert host.tell("outbox.fetch", near="box") == []
    host.call("sample.put", "box", stored(3), "")
    entries = [msgpack.unpackb(entry, raw=True) for entry in raw_list(host, "outbox.fetch")]
    assert [entry[::2] for entry in entries] == [[1, b"=\x03"]]


def raw_list(host, verb):
    """What an op answers that is a list of bytes."""
    reply = host.batch(host.prefix("box"), [Op(verb, "")])[0]
    return msgpack.unpackb(reply[1:], raw=True)


# Giving up.

def test_a_call_that_is_cancelled_is_not_served(host, other):
    first = host.call("sample.get", "box", "")
    second = other.call("sample.get", "box", "")
    assert host.cancel(first)
    host.call("sample.put", "box", stored(1), "")
    assert other.served(second) == 1
    assert not host.is_served(first)
    assert not host.cancel(first)


def test_one_that_was_served_already_is_not_cancelled(host):
    wait = host.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    assert not host.cancel(wait)
    assert host.served(wait) == 1


def test_those_behind_one_that_is_cancelled_go_on(host, other):
    """One at the head that cannot go on keeps those behind it, until it leaves."""
    host.open("sample", "{box}big", "1")
    host.call("sample.put", "{box}big", stored(0), "")
    first = host.call("sample.put", "{box}big", stored(1), "")
    assert host.cancel(first)
    assert host.call("sample.get", "{box}big", "") == 0
    assert host.call("sample.put", "{box}big", stored(2), "0") is None


def test_a_call_whose_time_is_over_answers_as_the_method_does(host):
    wait = host.call("sample.get", "box", "100")
    with pytest.raises(EngineError) as error:
        host.timeout(wait)
    assert error.value.code == "EMPTY"
    with pytest.raises(EngineError) as error:
        host.timeout(wait)
    assert error.value.code == "NOT_FOUND"


def test_one_that_was_served_before_its_time_was_over_keeps_what_it_got(host):
    wait = host.call("sample.get", "box", "100")
    host.call("sample.put", "box", stored(1), "")
    with pytest.raises(EngineError) as error:
        host.timeout(wait)
    assert error.value.code == "NOT_FOUND"
    assert host.served(wait) == 1


def test_an_object_hears_of_who_goes_without(host, engine):
    ended = lambda: int(engine.redis.hget(host.prefix("box") + ":ended:box", host.sid()) or 0)
    host.cancel(host.call("sample.get", "box", ""))
    assert ended() == 1
    with pytest.raises(EngineError):
        host.timeout(host.call("sample.get", "box", "5"))
    assert ended() == 2
    wait = host.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    assert host.served(wait) == 1
    assert ended() == 2
    host.call("sample.get", "box", "")
    host.end_session(1, "box")
    assert ended() == 3


# Several objects.

def any_op(host, *names, timeout="", session=1):
    """A sample.get_any of boxes whose versions are known."""
    op = host.op("sample.get_any", names[0], msgpack.packb(names), timeout, session=session)
    op.version = msgpack.packb([host.versions[name] for name in names])
    return op


def get_any(host, *names, timeout="", session=1):
    """Its result, or Waiting."""
    op = any_op(host, *names, timeout=timeout, session=session)
    prefix = host.prefix(names[0])
    return host.decode(op, prefix, host.batch(prefix, [op])[0])


@pytest.fixture
def boxes(host):
    """Three boxes with one tag."""
    names = ["{box}a", "{box}b", "{box}c"]
    for name in names:
        host.open("sample", name)
    return names


def test_a_call_that_waits_on_several_is_served_by_the_first_to_have_something(host, boxes):
    wait = get_any(host, *boxes)
    host.call("sample.put", boxes[1], stored("x"), "")
    assert host.served(wait) == [boxes[1], "x"]
    for name in boxes:
        host.call("sample.put", name, stored(1), "")
    assert len(host.fetch(boxes[0])) == 0
    assert host.calls(*(("sample.count", name) for name in boxes)) == [1, 1, 1]
    assert get_any(host, *boxes) == [boxes[0], 1]


def test_it_stands_in_line_with_others_by_when_it_came(host, other, boxes):
    waits = [other.call("sample.get", boxes[1], ""), get_any(host, *boxes),
             other.call("sample.get", boxes[1], "")]
    for value in range(3):
        host.call("sample.put", boxes[1], stored(value), "")
    assert other.served(waits[0]) == 0
    assert host.served(waits[1]) == [boxes[1], 1]
    assert other.served(waits[2]) == 2


def test_one_that_names_an_object_twice_stands_there_once(host, boxes):
    wait = get_any(host, boxes[0], boxes[0])
    assert host.call("object.describe", boxes[0], "")["waiting"] == 1
    host.call("sample.put", boxes[0], stored(1), "")
    assert host.served(wait) == [boxes[0], 1]
    assert host.call("object.describe", boxes[0], "")["waiting"] == 0


def test_cancelled_it_leaves_all_of_them(host, boxes):
    assert host.cancel(get_any(host, *boxes))
    with pytest.raises(EngineError):
        host.timeout(get_any(host, *boxes, timeout="5"))
    get_any(host, *boxes, session=4)
    host.end_session(4, boxes[0])
    for name in boxes:
        assert host.call("object.describe", name, "")["waiting"] == 0
        host.call("sample.put", name, stored(1), "")
    assert host.fetch(boxes[0]) == []


def test_it_ends_when_one_of_them_is_deleted(host, boxes):
    wait = get_any(host, *boxes)
    host.call("object.delete", boxes[2])
    with pytest.raises(EngineError) as error:
        host.served(wait)
    assert error.value.code == "DELETED"
    assert host.call("object.describe", boxes[0], "")["waiting"] == 0


def test_versions_of_several_that_are_not_known(host, other, boxes):
    prefix = host.prefix("box")
    op = any_op(host, *boxes)
    op.version = ""
    reply = host.batch(prefix, [op])[0]
    assert reply.startswith(b"?")
    assert [meta[4] for meta in unpack(reply[1:])] == [host.versions[name] for name in boxes]
    op = any_op(host, *boxes)
    op.args = (msgpack.packb(boxes + ["{box}none"]), "")
    assert host.batch(prefix, [op])[0].startswith(b"!NOT_FOUND ")


# Channels that are not listed, progress, and going on elsewhere.

def test_all_who_wait_on_a_channel_are_asked(host, other):
    waits = [host.call("sample.wait", "box", "k", "", ""), other.call("sample.wait", "box", "k", "", ""),
             host.call("sample.wait", "box", "l", "", "")]
    host.call("sample.ring", "box", "k", "0")
    assert not host.is_served(waits[0])
    host.call("sample.ring", "box", "k", "1")
    assert host.served(waits[0]) == "."
    assert other.served(waits[1]) == "."
    assert not host.is_served(waits[2])
    host.call("sample.ring", "box", "l", "1")
    assert host.served(waits[2]) == ""


def test_progress_is_kept_from_one_try_to_the_next(host):
    wait = host.call("sample.wait", "box", "k", "100", "")
    for _ in range(3):
        host.call("sample.ring", "box", "k", "0")
    with pytest.raises(EngineError) as error:
        host.timeout(wait)
    assert error.value.text == "after ..."


def test_a_call_that_goes_on_waiting_elsewhere(host, other):
    host.open("sample", "{box}x")
    first = host.call("sample.get", "{box}x", "")
    wait = host.call("sample.wait", "box", "k", "100", "{box}x")
    host.call("sample.ring", "box", "k", "1")
    assert host.call("object.describe", "box", "")["waiting"] == 0
    assert host.call("object.describe", "{box}x", "")["waiting"] == 2
    moved = host.timeout(wait)
    assert isinstance(moved, Waiting) and moved.limit is None
    host.call("sample.put", "{box}x", stored(1), "")
    assert host.served(first) == 1 and not host.is_served(wait)
    host.call("sample.put", "{box}x", stored(b"2"), "")
    assert host.served(wait) == b"2"


def test_one_that_has_moved_ends_with_either_object(host):
    host.open("sample", "{box}x")
    for name in ("{box}x", "box"):
        wait = host.call("sample.wait", "box", "k", "", "{box}x")
        host.call("sample.ring", "box", "k", "1")
        host.call("object.delete", name)
        if name == "box":
            host.call("sample.put", "{box}x", stored(1), "")
        else:
            host.open("sample", name)
        with pytest.raises(EngineError) as error:
            host.served(wait)
        assert error.value.code == "DELETED"


def test_a_handler_that_gives_something_away_once_it_stands_in_line(host, engine):
    held = lambda: engine.redis.hlen(host.prefix("box") + ":held:box")
    with pytest.raises(EngineError):
        host.call("sample.swap", "box", stored(1), wait=False)
    assert held() == 0
    wait = host.call("sample.swap", "box", stored(1))
    assert held() == 1
    host.call("sample.put", "box", stored(2), "")
    assert host.served(wait) == 2
    host.call("sample.put", "box", stored(3), "")
    assert host.served(host.call("sample.swap", "box", stored(1))) == 3


# Deleting, renaming.

def test_who_waits_on_an_object_that_is_deleted_is_told(host, other):
    waits = [host.call("sample.get", "box", ""), other.call("sample.wait", "box", "k", "", "")]
    host.call("object.delete", "box")
    for wait in waits:
        with pytest.raises(EngineError) as error:
            wait.host.served(wait)
        assert error.value.code == "DELETED"
    host.open("sample", "box")
    host.call("sample.put", "box", stored(1), "")
    assert host.call("sample.count", "box") == 1


def test_who_waits_stays_when_the_object_is_renamed(host, other, engine):
    waits = [host.call("sample.get", "box", ""), other.call("sample.get", "box", "50"),
             host.call("sample.wait", "box", "k", "", ""), host.call("sample.get", "box", "")]
    host.call("object.rename", "box", "{box}new")
    host.call("sample.put", "{box}new", stored(1), "")
    assert host.served(waits[0]) == 1
    with pytest.raises(EngineError) as error:
        other.timeout(waits[1])
    assert error.value.code == "EMPTY"
    assert host.cancel(waits[3])
    host.call("sample.ring", "{box}new", "k", "1")
    assert host.served(waits[2]) == ""
    assert host.call("object.describe", "{box}new", "")["waiting"] == 0


# Undelivered results.

def test_what_nobody_takes_goes_back(host):
    wait = host.call("sample.get", "box", "")
    host.calls(("sample.put", "box", stored(1), ""), ("sample.put", "box", stored(2), ""))
    assert host.is_served(wait)
    for _ in range(2):
        host.tell("undeliver", wait.number, near="box")
    assert host.calls(("sample.get", "box", "0"), ("sample.get", "box", "0")) == [1, 2]
    assert host.calls(("sample.get", "box", "0"))[0].code == "EMPTY"


def test_it_goes_to_the_next_who_waits(host, other):
    first, second = host.call("sample.get", "box", ""), other.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    host.tell("undeliver", first.number, near="box")
    assert other.served(second) == 1


def test_it_finds_a_box_that_was_renamed_and_none_that_was_deleted(host):
    first = host.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    host.call("object.rename", "box", "{box}new")
    host.open("sample", "box")
    host.tell("undeliver", first.number, near="box")
    assert host.calls(("sample.count", "box"), ("sample.count", "{box}new")) == [0, 1]
    second = host.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    host.call("object.delete", "box")
    host.open("sample", "box")
    host.tell("undeliver", second.number, near="box")
    assert host.call("sample.count", "box") == 0


# Without a cluster, other tags.

def test_a_box_of_another_tag_is_reached_and_who_waits_there_served(host, other):
    host.open("sample", "far")
    wait = other.call("sample.get", "far", "")
    assert host.call("sample.pass", "box", "far", stored(1)) is None
    assert other.served(wait) == 1


def test_a_call_that_waits_on_boxes_of_several_tags(host, other):
    host.open("sample", "far")
    first = other.call("sample.get", "far", "")
    wait = get_any(host, "box", "far")
    host.calls(("sample.put", "far", stored(1), ""), ("sample.put", "far", stored(2), ""))
    assert other.served(first) == 1
    assert host.served(wait) == ["far", 2]
    assert host.call("object.describe", "box", "")["waiting"] == 0
    wait = get_any(host, "box", "far")
    assert host.call("object.describe", "far", "")["waiting"] == 1
    assert host.cancel(wait)
    wait = get_any(host, "box", "far")
    host.call("object.delete", "far")
    with pytest.raises(EngineError):
        host.served(wait)
    assert host.call("object.describe", "box", "")["waiting"] == 0
