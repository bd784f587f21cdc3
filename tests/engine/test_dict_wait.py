"""dict: who waits for a key, what watchers are told, and what calls cost."""
import pytest

from containers import NOTHING, Dict, commands, pairs, some
from harness import EngineError, stored


@pytest.fixture
def mapping(host):
    """The dict d, {1: "one", "two": 2}."""
    host.open("dict", "d", pairs({1: "one", "two": 2}))
    return Dict(host)


def test_events_tell_each_key(host, mapping):
    host.call("object.watch", "d")
    heard = host.listen("d")
    mapping("set", stored(1), stored(1))
    mapping("update", pairs({"two": 1, "b": 2}))
    mapping("setdefault", stored("b"), NOTHING)
    mapping("setdefault", stored([1, None]), NOTHING)
    mapping("cas", stored("b"), some(9), some())
    mapping("cas", stored("b"), some(2), some())
    mapping("incr", stored("n"), NOTHING, NOTHING)
    mapping("set", stored("k" * 1022), stored(1))
    mapping("pop", stored("n"), NOTHING)
    mapping("popitem")
    mapping("clear")
    mapping("clear")
    assert heard.events() == [
        ("d", "set", {"key": 1}), ("d", "set", {"key": "two"}), ("d", "set", {"key": "b"}),
        ("d", "set", {"key": [1, None]}), ("d", "delete", {"key": "b"}),
        ("d", "set", {"key": "n"}), ("d", "set", {}), ("d", "delete", {"key": "n"}),
        ("d", "delete", {}), ("d", "clear", {"count": 3})]
    heard.close()


def test_wait_answers_at_once_if_the_key_is_there(mapping):
    assert mapping("wait", stored(1), NOTHING) == "one"
    assert mapping.refusal("wait", stored(3), 0) == ("TIMEOUT", "")


WAYS = [("set", [stored(7)]), ("setdefault", [stored(7)]), ("incr", [stored(3), stored(4)]),
        ("cas", [some(), some(7)])]


@pytest.mark.parametrize("verb, args", WAYS + [("update", None)])
def test_every_way_to_set_a_key_ends_the_waits_for_it_alone(host, other, mapping, verb, args):
    elsewhere = Dict(other)
    asleep = elsewhere("wait", stored("other"), 1000)
    first = elsewhere("wait", stored("k"), NOTHING)
    second = mapping("wait", stored("k"), 1000)
    assert (asleep.limit, first.limit) == (1000, None)
    assert host.call("object.describe", "d", "0")["waiting"] == 3
    if verb == "update":
        mapping("update", pairs({"j": 1, "k": 7}))
    else:
        mapping(verb, stored("k"), *args)
    assert other.served(first) == 7 and host.served(second) == 7
    assert not other.is_served(asleep)
    with pytest.raises(EngineError) as error:
        other.timeout(asleep)
    assert error.value.code == "TIMEOUT"


def test_a_key_that_has_gone_again_is_waited_for_still(host, mapping):
    wait = mapping("wait", stored("k"), NOTHING)
    host.calls(("dict.set", "d", stored("j"), stored(1)), ("dict.delete", "d", stored("j")))
    mapping("set", stored(1), stored(2))
    assert not host.is_served(wait)
    mapping("set", stored("k"), stored(3))
    assert host.served(wait) == 3


def test_wait_is_ended_by_deletion_and_cancel(host, mapping):
    deleted = mapping("wait", stored([1, "long key" * 10000]), NOTHING)
    cancelled = mapping("wait", stored("k"), NOTHING)
    assert host.cancel(cancelled)
    host.call("object.delete", "d")
    with pytest.raises(EngineError) as error:
        host.served(deleted)
    assert error.value.code == "DELETED"
    assert host.engine.redis.keys("*Wk*") == []


def test_a_call_on_one_key_is_one_command_more_than_the_runtime_makes(host, mapping):
    engine = host.engine
    least = commands(engine, lambda: mapping("len"))
    assert least.pop("hlen") == 1
    found = commands(engine, lambda: mapping("get", stored(1), NOTHING))
    assert found == {**least, "hget": 1}
    found = commands(engine, lambda: mapping("contains", stored(1)))
    assert found == {**least, "hexists": 1}
    first = commands(engine, lambda: mapping("set", stored(1), stored(5)))
    second = commands(engine, lambda: mapping("delete", stored(1)))
    assert first["hset"] == 1 and "zadd" not in first and "zrevrange" not in first
    assert second["hdel"] == 1 and second["zrem"] == 1


def test_what_a_set_costs_does_not_follow_those_who_wait_for_other_keys(host, other, mapping):
    elsewhere = Dict(other)
    mapping("wait", stored("x"), NOTHING)
    few = commands(host.engine, lambda: mapping("set", stored("a"), stored(1)))
    for i in range(300):
        elsewhere("wait", stored(["k", i]), NOTHING)
    many = commands(host.engine, lambda: mapping("set", stored("b"), stored(1)))
    assert few == many


def test_who_waits_for_a_key_goes_with_the_dict_when_it_is_renamed(host, mapping):
    wait = mapping("wait", stored("k"), NOTHING)
    host.call("object.rename", "d", "{d}2")
    renamed = Dict(host, "{d}2")
    assert not host.is_served(wait)
    renamed("set", stored("k"), stored(5))
    assert host.served(wait) == 5


def test_a_wait_in_a_batch_that_sets_its_key_behind_it_is_served(host, mapping):
    ops = [host.op("dict.wait", "d", stored("k"), NOTHING),
           host.op("dict.set", "d", stored("k"), stored(1)),
           host.op("dict.delete", "d", stored("k")),
           host.op("dict.wait", "d", stored("k"), 0)]
    replies = host.run(ops)
    assert replies[:3] == [b"~", b"=\xc3", b"=\xc0"] and replies[3].startswith(b"!TIMEOUT")
    assert [reply for _, _, reply, _ in host.fetch("d")] == [b"=\x01"]
    assert mapping("len") == 2
