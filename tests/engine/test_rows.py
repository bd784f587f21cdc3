"""rows: calls of one method on one object that follow each other in a batch do what they do one by
one, with fewer commands."""
import random

import pytest

from harness import EngineError, stored, stored_as

COUNT = 200


def run(host, *calls):
    """The results of calls in one batch, which may not wait; an error is there as the exception."""
    ops = [host.op(*call, wait=False) for call in calls]
    results = []
    for op, reply in zip(ops, host.run(ops)):
        try:
            results.append(host.decode(op, host.prefix(op.name), reply))
        except EngineError as error:
            results.append(error)
    return results


def shown(results, name):
    """Results that can be compared with those of an object of another name."""
    return [str(result).replace(f'"{name}"', "NAME") if isinstance(result, EngineError) else result
            for result in results]


def check(host, kind, options, calls):
    """Runs calls, (verb, arg…), in batches of the lengths in `calls`, on one object, and one by one
    on another: all that is seen is the same."""
    for name in ("o", "p"):
        host.open(kind, name, **options)
    for part in calls:
        together = run(host, *[(verb, "o", *args) for verb, *args in part])
        alone = [result for verb, *args in part for result in run(host, (verb, "p", *args))]
        assert shown(together, "o") == shown(alone, "p")
    descriptions = [host.call("object.describe", name) for name in ("o", "p")]
    for description in descriptions:
        for key in ("name", "number", "version", "created", "bytes"):
            description.pop(key, None)
    assert descriptions[0] == descriptions[1]


def rows(rng, make):
    """Batches of rows: make() gives a function that gives one call."""
    batches = []
    for _ in range(COUNT):
        batch = []
        for _ in range(rng.randrange(1, 4)):
            one = make()
            batch += [one() for _ in range(rng.randrange(1, 6))]
        batches.append(batch)
    return batches


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["dict", "namespace"])
def test_rows_of_sets_and_gets_are_as_one_by_one(host, kind, seed):
    rng = random.Random(seed)
    keys = [stored(f"k{n}") for n in range(8)] + [stored(n) for n in range(2)] + [b"\x80"]
    values = [stored(1), stored("x" * 40), stored_as(b"\x01", b"\xd1\x00\x01")]

    def make():
        if rng.random() < 0.5:
            return lambda: (kind + ".set", rng.choice(keys), rng.choice(values))
        if rng.random() < 0.2:
            return lambda: (kind + ".delete", rng.choice(keys))
        default = rng.choice(["", stored("none")])
        return lambda: (kind + ".get", rng.choice(keys), default)

    check(host, kind, {}, rows(rng, make))
    assert host.call(kind + ".items", "o") == host.call(kind + ".items", "p")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("options", [{}, {"maxsize": 7}, {"order": "lifo"}, {"order": "priority"},
                                     {"joinable": "1"}])
def test_rows_of_puts_and_gets_are_as_one_by_one(host, options, seed):
    rng = random.Random(seed)
    values = [stored(n) for n in range(5)] + [stored_as(b"\x01", b"\xd1\x00\x01")]

    def make():
        if rng.random() < 0.5:
            more = rng.choice([(), ("", "", "", "", ""), ("", "", "", "", "1"), ("0", stored(7))])
            return lambda: ("queue.put", rng.choice(values), *more)
        ahead = rng.choice([(), ("0",), ("", ""), ("", "5")])
        return lambda: ("queue.get", *ahead)

    check(host, "queue", options, rows(rng, make))


def test_rows_of_a_queue_that_is_shut_down_are_refused(host):
    put, get = ("queue.put", stored(1)), ("queue.get",)
    check(host, "queue", {}, [[put] * 3, [("queue.shutdown", "0")], [put] * 2, [get] * 5])


def test_a_row_with_a_version_that_has_changed_is_not_run(host):
    host.open("queue", "q")
    ops = [host.op("queue.put", "q", stored(n)) for n in range(3)]
    host.call("object.chmod", "q", "432")
    assert all(reply[:1] == b"?" for reply in host.batch(host.prefix("q"), ops))


def test_a_row_serves_those_who_wait(host):
    host.open("queue", "q")
    waits = [host.call("queue.get", "q", "") for _ in range(2)]
    host.calls(*[("queue.put", "q", stored(n)) for n in range(4)])
    assert [host.served(wait)[0] for wait in waits] == [0, 1]
    assert host.call("queue.get", "q", "0")[0] == 2


def test_a_row_of_keys_serves_those_who_wait_for_one(host):
    host.open("dict", "d")
    wait = host.call("dict.wait", "d", stored("b"), "")
    host.calls(*[("dict.set", "d", stored(key), stored(key)) for key in "abc"])
    assert host.served(wait) == "b"


def test_each_call_of_a_row_is_an_event(host):
    host.open("dict", "d")
    messages = host.listen("d")
    host.call("object.watch", "d")
    host.calls(*[("dict.set", "d", stored(key), stored(1)) for key in "abc"])
    assert [details["key"] for _, event, details in messages.events() if event == "set"] == \
        ["a", "b", "c"]
    messages.close()


def test_an_atomic_batch_stops_at_its_first_error(host):
    host.open("dict", "d")
    ops = [host.op("dict.get", "d", stored("missing"), "") for _ in range(2)]
    assert [reply[:4] for reply in host.batch(host.prefix("d"), ops, mode="atomic")] == [b"!KEY"]
