"""Values come back as what they were, to the type."""
import collections
import datetime
import decimal
import enum
import math
import uuid

import pytest

import ipcd
from ipcd import _core

UTC = datetime.timezone.utc


class Colour(enum.IntEnum):
    RED = 1


class Word(str):
    pass


Point = collections.namedtuple("Point", "x y")


class Plain:
    def __init__(self, inside):
        self.inside = inside

    def __eq__(self, other):
        return type(other) is Plain and self.inside == other.inside

    __hash__ = None


VALUES = [
    None, True, False, 0, 1, -1, 127, 128, -32, -33, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**32,
    2**63 - 1, 2**63, 2**64 - 1, 2**64, -2**63, -2**63 - 1, 10**100,
    0.0, -0.0, 1.5, math.inf, -math.inf, 5e-324, 1.7976931348623157e308,
    "", "a", "é", "\U0001f600", "a" * 31, "a" * 32, "a" * 256, "a" * 65536, "nul\0in", "\ud800",
    b"", b"\0\xff", b"x" * 255, b"x" * 256, b"x" * 70000,
    [], [1, "a", [2.5, [None]]], list(range(15)), list(range(16)), [0] * 70000,
    (), (1,), (1, (2, [3, (4,)])), ((),), tuple(range(20)), [(), [()]],
    {}, {"a": 1}, {1: "x", "1": "y"}, {None: 0, b"b": 1, 1.5: 2, (1, (2, "x")): 3, (): 4},
    {i: i for i in range(100)}, {"a": {"b": {"c": (1, 2)}}}, {frozenset([1]): 1}, {Colour.RED: 1},
    {"\ud800": 1},
    {1, 2}, frozenset([1]), 1j, range(3), Ellipsis, bytearray(b"x"), int, len,
    Colour.RED, Word("w"), Point(1, 2), collections.OrderedDict(a=1), collections.Counter("aab"),
    [Colour.RED, Word("w"), Point(1, (2,))], {"k": {1, 2}}, (1, {3}), [[{4}]],
    Plain([1, (2,)]), [Plain({"a": {1}})],
    decimal.Decimal("1.50"), uuid.UUID(int=5), datetime.date(2020, 1, 2),
    datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5, 678901, UTC),
    datetime.datetime(1, 1, 1, tzinfo=UTC), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    datetime.datetime(1970, 1, 1, tzinfo=UTC), datetime.datetime(2514, 5, 30, 1, 53, 4, tzinfo=UTC),
    ipcd.Ext(5, b"x"), ipcd.Ext(-100, b""), [ipcd.Ext(127, b"abcd")],
]


def same(one, other):
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.copysign(1, one) == math.copysign(1, other) and one == other
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, datetime.datetime):
        return one == other and one.tzinfo == other.tzinfo
    return one == other


@pytest.fixture
def queue(client):
    return client.queue()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_comes_back_as_it_was(queue, value):
    queue.put(value)
    assert same(queue.get(), value)
    queue.put([value, {"k": value}, (value,)])
    assert same(queue.get(), [value, {"k": value}, (value,)])


def test_nan_comes_back(queue):
    queue.put([math.nan])
    assert math.isnan(queue.get()[0])


def test_what_is_deep_or_holds_itself_comes_back(queue):
    deep = []
    for _ in range(200):
        deep = [deep]
    queue.put(deep)
    came, depth = queue.get(), 0
    while came:
        came, depth = came[0], depth + 1
    assert depth == 200
    round_ = [1]
    round_.append(round_)
    queue.put(round_)
    came = queue.get()
    assert came[1] is came


@pytest.mark.parametrize("depth", range(20, 34))
def test_every_depth_comes_back(client, queue, depth):
    deep = {"end": (1,)}
    for _ in range(depth):
        deep = [deep]
    queue.put_many([deep])
    assert same(queue.get(), deep)
    with client.atomic() as batch:
        batch(queue).put(deep)
        came = batch(queue).get()
    assert same(came.value, deep)


def test_large_values_come_back(queue):
    for value in (b"x" * (4 << 20), "é" * (2 << 20), list(range(500000)), {i: "v" for i in range(50000)}):
        queue.put(value)
        assert queue.get() == value


@pytest.mark.parametrize("value", [lambda: 0, [lambda: 0], {"k": (x for x in ())}, memoryview(b"x")])
def test_what_cannot_be_sent_is_a_type_error_that_names_it(queue, value):
    with pytest.raises(TypeError, match="function|generator|memoryview"):
        queue.put(value)
    assert queue.empty()


def test_an_exception_of_pickling_is_the_cause(queue):
    class Bad:
        def __reduce__(self):
            raise RuntimeError("not today")
    with pytest.raises(TypeError, match="'Bad'.*not today") as raised:
        queue.put([Bad()])
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert queue.empty()


def test_a_list_that_changes_while_it_is_sent_is_an_error(queue):
    class Grows:
        def __reduce__(self):
            values.append(1)
            return int, ()
    values = [Grows(), 2]
    with pytest.raises(RuntimeError, match="changed"):
        queue.put(values)
    table = {}

    class Adds:
        def __reduce__(self):
            table[len(table)] = 1
            return int, ()
    table["a"] = Adds()
    with pytest.raises(RuntimeError, match="changed"):
        queue.put(table)
    assert queue.empty()


def test_too_large_is_not_sent(client, queue):
    limit = client.server()["limits"]["max_message"]
    with pytest.raises(ipcd.TooLarge):
        queue.put(b"x" * limit)
    queue.put(1)
    assert queue.get() == 1


def test_lists_and_other_programs_arrays_are_one(client):
    assert client._connection.call(None, b"server.ping", [1, [2]]) == [1, [2]]
    assert _core.pack(client._hooks, [1, "a"]) == b"\x92\x01\xa1a"
    assert _core.pack(client._hooks, (1, "a")) == b"\x93\xc7\x00\x74\x01\xa1a"
    assert _core.pack_key(client._hooks, (1, "a")) == b"\x92\x01\xa1a"
    assert _core.pack(client._hooks, {(1,): 2}) == b"\x81\x91\x01\x02"


def test_elements_of_an_encoded_array():
    assert _core.elements(b"\x93\x01\x92\x02\x03\xc0") == [b"\x01", b"\x92\x02\x03", b"\xc0"]
    assert _core.elements(b"\xc0") == []
