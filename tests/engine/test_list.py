"""list: each method, its errors and their sentences."""
import msgpack
import pytest

from containers import NOTHING, List, values
from harness import stored, stored_as
from test_open import refused

INT_MAX, INT_MIN = 2**63 - 1, -2**63


@pytest.fixture
def row(host):
    """The list l, [0, 1, 2, 3, 4]."""
    host.open("list", "l", values(0, 1, 2, 3, 4))
    return List(host)


def test_open_sets_the_initial_values_only_once(host, row):
    assert host.open("list", "l", values(7))["size"] == 5
    empty = host.open("list", "m", NOTHING)
    assert empty["size"] == 0 and empty["bytes"] == 0
    many = list(range(10007))
    assert host.open("list", "n", values(*many))["size"] == 10007
    assert List(host, "n").all() == many
    assert row.all() == [0, 1, 2, 3, 4]


def test_one_call_has_so_many_values_in_hand_and_no_more(host):
    host.open("list", "many", values(*range(100001)))
    assert "100000 are the most" in refused("TOO_LARGE", host.call, "list.sort", "many", "")
    host.call("list.extend", "many", values(*range(150000)))
    for call in (["slice", "", "", ""], ["reverse"], ["repeat", "2"]):
        assert "250000 are the most" in refused("TOO_LARGE", host.call, "list." + call[0], "many",
                                                *call[1:])
    assert host.call("list.slice", "many", "1", "3", "") == [1, 2]
    assert host.call("list.len", "many") == 250001
    host.call("list.pop", "many", "")
    host.call("list.reverse", "many")


def test_append_and_extend_return_the_new_length(row):
    assert row("append", stored({"x": "y" * 5000})) == 6
    assert row("extend", values(None, "z")) == 8
    assert row("extend", values()) == 8
    assert row("len") == 8
    assert row("extend", values(*range(9000))) == 9008
    assert row.all() == [0, 1, 2, 3, 4, {"x": "y" * 5000}, None, "z", *range(9000)]


def test_insert_clamps_its_index(row):
    for index, value in ((1, "a"), (-1, "b"), (100, "c"), (-100, "d"), (INT_MAX, "e"),
                         (INT_MIN, "f")):
        assert row("insert", index, stored(value)) is None
    assert row.all() == ["f", "d", 0, "a", 1, 2, 3, "b", 4, "c", "e"]


def test_get_set_and_delete_go_by_index(row):
    assert row("get", 1) == 1 and row("get", -1) == 4
    assert row("set", -5, stored(9)) is None
    assert row("delete", 1) is None and row("delete", -1) is None
    assert row.all() == [9, 2, 3]
    for index in (3, -4, INT_MAX, INT_MIN, 2**53, -2**53 - 1):
        for verb, args in (("get", []), ("set", [stored(1)]), ("delete", []), ("pop", []),
                           ("incr", [NOTHING])):
            text = f'list.{verb}: index {index} is out of range: "l" has 3 values'
            assert row.refusal(verb, index, *args) == ("INDEX", text)
    row("clear")
    for verb, args in (("get", []), ("set", [stored(1)]), ("delete", [])):
        text = f'list.{verb}: index 0 is out of range: "l" has 0 values'
        assert row.refusal(verb, 0, *args) == ("INDEX", text)


def test_pop_takes_the_last_or_the_one_at_an_index(row):
    row("append", stored("x" * 5000))
    assert row("pop", NOTHING) == "x" * 5000
    assert row("pop", 0) == 0 and row("pop", -2) == 3 and row("pop", 1) == 2
    assert row("pop", NOTHING) == 4 and row("pop", 0) == 1
    assert row.refusal("pop", NOTHING) == ("INDEX", 'list.pop: "l" is empty')
    assert row.refusal("pop", 5) == ("INDEX", 'list.pop: "l" is empty')


def test_values_come_back_byte_for_byte(host, row):
    raw = b"\xcd\x00\x07"
    row("append", stored_as(b"\x07", raw))
    for verb, args in (("get", [-1]), ("slice", [-1, NOTHING, NOTHING]), ("pop", [NOTHING])):
        op = host.op("list." + verb, "l", *args)
        assert host.run([op]) == [b"=" + (b"\x91" if verb == "slice" else b"") + raw]


def test_slice_follows_the_rules_of_python(row):
    model = [0, 1, 2, 3, 4]
    bounds = [None, 0, 1, 2, 4, 5, 6, -1, -2, -5, -6, INT_MAX, INT_MIN]
    calls, expected = [], []
    for start in bounds:
        for stop in bounds:
            for step in (None, 1, 2, 4, 5, 7, -1, -2, -5, INT_MAX, INT_MIN, -INT_MAX):
                given = ["" if bound is None else bound for bound in (start, stop, step)]
                calls.append(("list.slice", "l", *given))
                expected.append(model[start:stop:step])
    assert row.host.calls(*calls) == expected
    text = "list.slice: the step of a slice cannot be 0"
    assert row.refusal("slice", 0, 1, 0) == ("VALUE", text)


def test_set_slice_follows_the_rules_of_python(row):
    assert row("set_slice", 1, 3, NOTHING, values("a", "b", "c")) is None
    assert row.all() == [0, "a", "b", "c", 3, 4]
    row("set_slice", NOTHING, NOTHING, -2, values("x", "y", "z"))
    assert row.all() == [0, "z", "b", "y", 3, "x"]
    text = "list.set_slice: 2 values do not fit an extended slice of 3"
    assert row.refusal("set_slice", NOTHING, NOTHING, 2, values(1, 2)) == ("VALUE", text)
    text = "list.set_slice: the step of a slice cannot be 0"
    assert row.refusal("set_slice", NOTHING, NOTHING, 0, values()) == ("VALUE", text)
    row("set_slice", 3, 1, NOTHING, values("in"))
    assert row.all() == [0, "z", "b", "in", "y", 3, "x"]
    row("set_slice", NOTHING, NOTHING, NOTHING, values())
    assert row.all() == []


def test_delete_slice_removes_what_slice_shows(row):
    row("delete_slice", NOTHING, NOTHING, 2)
    assert row.all() == [1, 3]
    row("delete_slice", -1, NOTHING, NOTHING)
    assert row.all() == [1]
    text = "list.delete_slice: the step of a slice cannot be 0"
    assert row.refusal("delete_slice", NOTHING, NOTHING, 0) == ("VALUE", text)
    row("delete_slice", NOTHING, NOTHING, NOTHING)
    assert row.all() == []


def look(row, rest):
    """Looks for values among [0, 1, 2, 3, 4, 1, 1.0, "1", [1]] and what follows."""
    assert row("index", stored(1), NOTHING, NOTHING) == 1
    assert row("index", stored(1), 2, NOTHING) == 5
    assert row("index", stored(1), -4 - rest, -1 - rest) == 5
    assert row("index", stored(1), INT_MIN, INT_MAX) == 1
    assert row("index", stored_as(b"\x91\x01", b"\x91\xcd\x00\x01"), NOTHING, NOTHING) == 8
    for bounds in ((2, 5), (0, 0), (INT_MAX, INT_MIN), (6, NOTHING), (NOTHING, 1)):
        if bounds != (6, NOTHING) or not rest:
            text = 'list.index: 1 is not in "l"'
            assert row.refusal("index", stored(1), *bounds) == ("VALUE", text)
    assert row("count", stored(1)) == 2 + rest
    assert row("count", stored_as(stored(1.0), b"\xca\x3f\x80\0\0")) == 1
    assert row("contains", stored("1")) is True and row("contains", stored(True)) is False
    row("remove", stored_as(b"\x01", b"\xcd\x00\x01"))
    assert row.all()[:8] == [0, 2, 3, 4, 1, 1.0, "1", [1]]
    assert row.refusal("remove", stored("no")) == ("VALUE", 'list.remove: "no" is not in "l"')


def test_equal_values_are_found_however_they_were_sent(row):
    row("extend", values(1, 1.0, "1", [1]))
    look(row, 0)


def test_equal_values_are_found_among_some_that_are_not_canonical(row):
    row("extend", values(1, 1.0, "1", [1]))
    row("append", stored_as(b"\x01", b"\xcc\x01"))
    look(row, 1)
    assert row("index", stored(1), 6, NOTHING) == 8
    row("set", 0, stored_as(b"\x01", b"\xcc\x01"))
    assert row("index", stored(1), NOTHING, NOTHING) == 0
    row("clear")
    row("extend", values(*range(3000)))
    row("set", 2500, stored_as(b"\x07", b"\xcc\x07"))
    assert row("count", stored(7)) == 2
    assert row("index", stored(7), 8, NOTHING) == 2500
    assert row("index", stored(2999), 1, NOTHING) == 2999


def test_reverse_and_sort_are_in_place(row):
    row("reverse")
    assert row.all() == [4, 3, 2, 1, 0]
    row("append", stored(2.5))
    row("sort", NOTHING)
    assert row.all() == [0, 1, 2, 2.5, 3, 4]
    row("sort", 1)
    assert row.all() == [4, 3, 2.5, 2, 1, 0]
    row("append", stored("x"))
    text = 'list.sort: the values of "l" cannot be ordered: they must be all numbers, all ' \
        "strings or all binaries"
    assert row.refusal("sort", "0") == ("TYPE", text)
    assert row.all() == [4, 3, 2.5, 2, 1, 0, "x"]


def test_what_cannot_be_ordered_is_refused_unless_it_is_alone(row):
    for odd in (None, True, [1], {"a": 1}, msgpack.ExtType(5, b"x")):
        row("clear")
        row("append", stored(odd))
        assert row("sort", NOTHING) is None
        row("append", stored(odd))
        assert row.refusal("sort", NOTHING)[0] == "TYPE"


def test_repeat_is_in_place(row):
    row("repeat", 2)
    assert row.all() == [0, 1, 2, 3, 4] * 2
    row("repeat", 1)
    row("repeat", 321)
    assert row.all() == [0, 1, 2, 3, 4] * 642
    text = "list.repeat: a list has at most 2147483648 values"
    assert row.refusal("repeat", INT_MAX) == ("TOO_LARGE", text)
    text = "list.repeat: the copies take more than the 67108864 bytes that one call may add in " \
        "an engine"
    assert row.refusal("repeat", 200000) == ("LIMIT", text)
    assert row("len") == 3210
    for n in (0, -1, INT_MIN):
        row("append", stored(1))
        row("repeat", n)
        assert row.all() == []
    row("repeat", INT_MAX)
    assert row.all() == []


def test_incr_adds(row):
    assert row("incr", -1, NOTHING) == 5
    assert row("incr", 0, stored(-300)) == -300
    assert row("incr", 1, stored(0.5)) == 1.5
    assert row.all() == [-300, 1.5, 2, 3, 5]
    row("set", 0, stored("x"))
    assert row.refusal("incr", 0, NOTHING) == (
        "TYPE", "list.incr: the value at this index is not a number")
    row("set", 0, stored(INT_MIN))
    assert row.refusal("incr", 0, stored(-1)) == (
        "RANGE", "list.incr: the sum is not between -2^63 and 2^64-1; nothing was changed")
    assert row("get", 0) == INT_MIN
    assert row("incr", 0, stored(2**64 - 1)) == INT_MAX


def test_long_replies_are_not_all_in_one_batch(host):
    """A node does nothing else meanwhile: behind some 4 MiB the rest is for another batch."""
    host.open("list", "l", "")
    host.call("list.append", "l", stored("x" * 1000000))
    ops = [host.op("list.get", "l", 0) for _ in range(20)]
    replies = host.batch(host.prefix("l"), ops)
    given = [len(reply) > 1000000 for reply in replies]
    assert given == [True] * 5 + [False] * 15
    assert set(replies[5:]) == {b""}
    assert [len(reply) > 1000000 for reply in host.batch(host.prefix("l"), ops[5:9])] == [True] * 4
