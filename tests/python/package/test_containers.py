"""Dicts, namespaces and lists behave as Python's do."""
import collections.abc
import datetime

import pytest

import ipcd


def test_dict_is_a_mapping(client):
    table = client.dict(None, {"a": 1, (1, 2): [3]})
    assert isinstance(table, collections.abc.MutableMapping)
    assert table == {"a": 1, (1, 2): [3]} and {"a": 1, (1, 2): [3]} == table
    assert table != {"a": 1} and table and len(table) == 2
    assert list(table) == ["a", (1, 2)] == list(table.keys())
    assert list(table.values()) == [1, [3]]
    assert list(table.items()) == [("a", 1), ((1, 2), [3])]
    assert "a" in table and (1, 2) in table and "b" not in table and ("a", 1) in table.items()
    assert table.keys() & {"a", "b"} == {"a"}
    assert dict(table) == table.copy() == {**table}
    assert "a" in repr(table) and repr(table.items()) == "dict_items([('a', 1), ((1, 2), [3])])"
    del table["a"]
    for missing in (lambda: table["a"], lambda: table.pop("a"), lambda: table.__delitem__("a")):
        with pytest.raises(KeyError) as raised:
            missing()
        assert raised.value.args == ("a",) and isinstance(raised.value, ipcd.Error)
    assert table.get("a") is None and table.get("a", 5) == 5 and table.pop("a", None) is None
    assert table.pop((1, 2)) == [3] and not table
    assert table.setdefault("x") is None and table.setdefault("y", {1}) == {1}
    table.update({"y": 2}, z=3)
    table.update([("w", 4)])
    table |= {"v": 5}
    assert table | {"u": 6} == {"x": None, "y": 2, "z": 3, "w": 4, "v": 5, "u": 6}
    assert {"u": 6} | table == {"u": 6, "x": None, "y": 2, "z": 3, "w": 4, "v": 5}
    assert table.popitem() == ("v", 5)
    table.clear()
    with pytest.raises(KeyError):
        table.popitem()
    for key in ([], {}, {1}, ([],), bytearray()):
        with pytest.raises(TypeError, match="unhashable"):
            table[key] = 1
    assert len(table) == 0


def test_dict_keys_of_every_kind(client):
    keys = [None, True, 0, -1, 2**63, 2**70, 1.5, "", "k", b"b", (), (1, ("x", None)), 3 + 4j,
            datetime.date(2020, 1, 1), frozenset(), "\ud800", (1, datetime.date(2020, 1, 1)), int]
    table = client.dict()
    for i, key in enumerate(keys):
        table[key] = i
    assert list(table) == keys
    assert [table[key] for key in keys] == list(range(len(keys)))
    assert list(table.copy()) == keys
    other = client.dict(None, dict(zip(keys, keys)))
    assert other.copy() == dict(zip(keys, keys))
    for key in keys:
        del table[key]


def test_dict_of_many_is_iterated_in_steps(client):
    table = client.dict(None, {i: str(i) for i in range(5000)})
    before = client.stats()["calls"]["dict.scan"] if "dict.scan" in client.stats()["calls"] else 0
    assert list(table) == list(range(5000))
    assert client.stats()["calls"]["dict.scan"] - before == 5
    assert sum(1 for _ in table.items()) == 5000
    assert repr(table).endswith(", …}>") and len(repr(table)) < 400


def test_dict_does_what_pythons_does_not(client):
    table = client.dict()
    assert table.incr("n") == 1 and table.incr("n", 5) == 6 and table.incr("f", 0.5, 1) == 1.5
    assert table.cas("n", 6, 7) and not table.cas("n", 6, 8)
    assert table.cas("new", ipcd.MISSING, [1]) and table.cas("new", [1], ipcd.MISSING)
    assert "new" not in table
    table["s"] = "x"
    with pytest.raises(TypeError):
        table.incr("s")
    table["big"] = 2**64 - 1
    with pytest.raises(OverflowError):
        table.incr("big")
    assert table.wait("n", timeout=1) == 7
    with pytest.raises(TimeoutError):
        table.wait("never", timeout=0.001)


def test_namespace(client):
    space = client.namespace(None, {"a": 1})
    space.b = {2}
    assert (space.a, space.b) == (1, {2}) and "b" in space and len(space) == 2
    del space.a
    for missing in (lambda: space.a, lambda: space.__delattr__("a")):
        with pytest.raises(AttributeError):
            missing()
    assert not hasattr(space, "a") and list(space) == ["b"] and space._copy() == {"b": {2}}
    assert space._incr("n", 3) == 3 and space._cas("n", 3, 4) and space._wait("n") == 4
    assert space._setdefault("d", 5) == 5 and space._pop("d") == 5
    space._update(e=6)
    assert repr(space) == "Namespace(b={2}, n=4, e=6)"
    space._clear()
    assert len(space) == 0

def test_list_is_a_sequence(client):
    shared, plain = client.list(None, [3, 1, 2]), [3, 1, 2]
    assert isinstance(shared, collections.abc.MutableSequence)

    def both(change):
        for one in (shared, plain):
            change(one)
        assert shared == plain and plain == shared and list(shared) == plain
    both(lambda x: x.append("a"))
    both(lambda x: x.extend(range(5)))
    both(lambda x: x.insert(1, None))
    both(lambda x: x.insert(-100, (1,)))
    both(lambda x: x.pop())
    both(lambda x: x.pop(0))
    both(lambda x: x.remove("a"))
    both(lambda x: x.reverse())
    both(lambda x: x.__setitem__(0, 9))
    both(lambda x: x.__setitem__(slice(1, 3), [7, 8, 9]))
    both(lambda x: x.__setitem__(slice(None, None, 2), [0] * len(x[::2])))
    both(lambda x: x.__delitem__(0))
    both(lambda x: x.__delitem__(slice(None, None, 3)))
    both(lambda x: x.__iadd__([5, 4]))
    both(lambda x: x.__imul__(2))
    both(lambda x: x.sort(key=str, reverse=True))
    for index in (slice(None), slice(1, -1), slice(None, None, -1), slice(5, 1, -2), 0, -1):
        assert shared[index] == plain[index]
    assert shared + [1] == plain + [1] and [1] + shared == [1] + plain
    assert shared * 2 == 2 * shared == plain * 2
    assert (shared.index(5), shared.count(5), 5 in shared) == (plain.index(5), plain.count(5), True)
    assert list(reversed(shared)) == plain[::-1]
    both(lambda x: x.clear())
    both(lambda x: x.extend([2, 3, 1]))
    both(lambda x: x.sort(reverse=True))
    assert repr(shared).endswith("[3, 2, 1]>") and bool(shared) and len(shared) == 3


def test_list_errors_are_pythons(client):
    shared = client.list(None, [1, "a"])
    for wrong, error in ((lambda: shared[5], IndexError), (lambda: shared.pop(9), IndexError),
                         (lambda: shared.__setitem__(5, 1), IndexError),
                         (lambda: shared.__delitem__(-3), IndexError),
                         (lambda: shared.remove(7), ValueError), (lambda: shared.index(7), ValueError),
                         (lambda: shared.sort(), TypeError), (lambda: shared["x"], TypeError),
                         (lambda: shared[::0], ValueError),
                         (lambda: shared.__setitem__(slice(0, 2, 2), [1, 2]), ValueError),
                         (lambda: client.list().pop(), IndexError)):
        with pytest.raises(error):
            wrong()
    assert shared.incr(0, 4) == 5 and shared == [5, "a"]


def test_list_of_many_is_iterated_in_steps(client):
    assert list(client.list(None, range(2500))) == list(range(2500))
    assert repr(client.list(None, range(2500))).endswith("19, …]>")
