"""list: what watchers are told, what calls cost, and what is left."""
import pytest

from containers import NOTHING, List, commands, values
from harness import stored, stored_as


@pytest.fixture
def row(host):
    """The list l, [0, 1, 2, 3, 4]."""
    host.open("list", "l", values(0, 1, 2, 3, 4))
    return List(host)


def test_events_tell_where(host, row):
    row("clear")
    host.call("object.watch", "l")
    heard = host.listen("l")
    for verb, args in (
            ("append", [stored(1)]), ("extend", [values(4, 3)]), ("extend", [values()]),
            ("insert", [0, stored(2)]), ("set", [-1, stored(7)]), ("incr", [0, NOTHING])):
        row(verb, *args)
    row.refusal("set", 4, stored(0))
    assert heard.events() == [
        ("l", "insert", {"index": 0, "count": 1}), ("l", "insert", {"index": 1, "count": 2}),
        ("l", "insert", {"index": 0, "count": 1}), ("l", "set", {"index": 3}),
        ("l", "set", {"index": 0})]
    for verb, args in (("sort", [NOTHING]), ("reverse", []), ("repeat", [2]), ("repeat", [1]),
                       ("pop", [NOTHING]), ("delete", [0]), ("remove", [stored(4)])):
        row(verb, *args)
    assert heard.events() == [
        ("l", "sort", {}), ("l", "reverse", {}), ("l", "insert", {"index": 4, "count": 4}),
        ("l", "delete", {"index": 7, "count": 1}), ("l", "delete", {"index": 0, "count": 1}),
        ("l", "delete", {"index": 0, "count": 1})]
    for verb, args in (
            ("set_slice", [1, 3, NOTHING, values(8)]), ("set_slice", [1, 1, NOTHING, values(9, 9)]),
            ("set_slice", [1, 3, NOTHING, values()]), ("set_slice", [1, 1, NOTHING, values()]),
            ("delete_slice", [NOTHING, 1, NOTHING]), ("delete_slice", [NOTHING, NOTHING, 2]),
            ("clear", []), ("clear", []), ("sort", [NOTHING]), ("reverse", []), ("repeat", [3])):
        row(verb, *args)
    assert heard.events() == [
        ("l", "set_slice", {"index": 1, "removed": 2, "inserted": 1}),
        ("l", "insert", {"index": 1, "count": 2}), ("l", "delete", {"index": 1, "count": 2}),
        ("l", "delete", {"index": 0, "count": 1}),
        ("l", "set_slice", {"index": 0, "removed": 2, "inserted": 0}), ("l", "clear", {"count": 1})]
    row("extend", values(*range(9)))
    row("set_slice", 7, 0, -2, values(1, 2, 3, 4))
    row("delete_slice", 7, 0, -3)
    row("delete_slice", NOTHING, 2, -1)
    row("repeat", 0)
    assert heard.events()[1:] == [
        ("l", "set_slice", {"index": 1, "removed": 4, "inserted": 4}),
        ("l", "set_slice", {"index": 1, "removed": 3, "inserted": 0}),
        ("l", "delete", {"index": 3, "count": 3}), ("l", "clear", {"count": 3})]
    heard.close()


def test_a_call_at_an_end_is_one_command_more_than_the_runtime_makes(host, row):
    engine = host.engine
    least = commands(engine, lambda: row("len"))
    assert least.pop("llen") == 1
    assert commands(engine, lambda: row("get", 1)) == {**least, "lindex": 1}
    changed = commands(engine, lambda: row("append", stored(1)))
    assert changed["rpush"] == 1 and "llen" not in changed
    found = commands(engine, lambda: row("set", -1, stored(2)))
    assert found["lset"] == 1 and "llen" not in found
    assert commands(engine, lambda: row("contains", stored(2))) == {**least, "lpos": 1, "llen": 1}


def test_one_value_in_the_middle_does_not_move_the_others(host, row):
    row("extend", values(*range(20000)))
    for verb, args in (("insert", [9999, stored("x")]), ("delete", [5000]), ("pop", [-5000]),
                       ("remove", [stored("x")]), ("set", [777, stored(1)]),
                       ("delete_slice", [100, 103, NOTHING]),
                       ("set_slice", [400, 402, NOTHING, values(1, 2)])):
        found = commands(host.engine, lambda verb=verb, args=args: row(verb, *args))
        assert "lrange" not in found and "rpush" not in found and "lpush" not in found, verb


def test_a_list_leaves_nothing_when_it_goes(host, row):
    row("append", stored_as(b"\x01", b"\xcc\x01"))
    host.call("object.rename", "l", "{l}2")
    assert List(host, "{l}2").all() == [0, 1, 2, 3, 4, 1]
    assert List(host, "{l}2")("count", stored(1)) == 2
    host.call("object.delete", "{l}2")
    assert not [key for key in host.engine.keys() if ":l:" in key or ":m:" in key]


def test_a_list_that_has_been_emptied_forgets_that_some_were_not_canonical(host, row):
    row("append", stored_as(b"\x01", b"\xcc\x01"))
    assert "lpos" not in commands(host.engine, lambda: row("contains", stored(1)))
    row("clear")
    assert commands(host.engine, lambda: row("contains", stored(1)))["lpos"] == 1


def test_a_slice_moves_the_values_of_its_shorter_side(host, row):
    row("extend", values(*range(5000)))
    for start, moves in ((50, "lpush"), (4950, "rpush")):
        found = commands(host.engine, lambda start=start: row(
            "set_slice", start, start + 1, NOTHING, values("a", "b")))
        assert found[moves] == 2 and {"lpush", "rpush"} & set(found) == {moves}
