"""list beside Python's own: random operations, each answer and the whole compared."""
import functools
import math
import random
import struct
from fractions import Fraction

import msgpack
import pytest

from containers import NOTHING, array
from harness import stored, stored_as

LEAST, MOST = -2**63, 2**64 - 1
INT_MAX, INT_MIN = 2**63 - 1, -2**63
NUMBERS = [0, 1, 2, 3, -7, MOST, LEAST, INT_MAX, 2**53, 2**53 + 1, 0.5, 1.0, -0.0, 2.0**53]
RUNS = ["", "a", "b", "ab", "a\0", "é", "long" * 40]
OTHERS = [None, True, [1, [2]], {"k": 1}]


def encoded(value, dice):
    """The stored form of a value, and the bytes in which it comes back."""
    canonical = msgpack.packb(value)
    if canonical[0] < 0x80 and dice.random() < 0.3:
        raw = b"\xcd\x00" + canonical
        return stored_as(canonical, raw), raw
    return canonical, canonical


def canon(raw):
    """The canonical form of the bytes of a value."""
    return msgpack.packb(msgpack.unpackb(raw, strict_map_key=False))


def head_of(count):
    """The head of an array."""
    return bytes([0x90 + count]) if count < 16 else bytes([0xdc]) + count.to_bytes(2, "big")


class Model:
    """Does each operation to the list and to Python's, and compares. `kinds` are the values that
    come in; with `canonical` only so encoded."""

    def __init__(self, host, dice, kinds, canonical=False):
        self.host, self.dice, self.kinds, self.canonical = host, dice, kinds, canonical
        self.list = []

    def value(self):
        """The stored form, and the bytes that come back."""
        value = self.dice.choice(self.kinds)
        if self.canonical:
            return (msgpack.packb(value),) * 2
        return encoded(value, self.dice)

    def some(self, count):
        """The stored forms of several values as an array, and the bytes that come back."""
        chosen = [self.value() for _ in range(count)]
        return array(*(given for given, _ in chosen)), [raw for _, raw in chosen]

    def index(self):
        """An index, mostly near."""
        near = len(self.list) + 3
        return self.dice.choice([self.dice.randrange(-near, near), self.dice.randrange(-near, near),
                                 self.dice.choice([0, -1, INT_MAX, INT_MIN])])

    def bound(self):
        """An index that may be left out."""
        return None if self.dice.random() < 0.3 else self.index()

    def call(self, verb, *args):
        """The bytes of the result, or the code of the error."""
        args = [NOTHING if arg is None else arg for arg in args]
        reply = self.host.run([self.host.op("list." + verb, "l", *args)])[0]
        if reply.startswith(b"!"):
            return reply[1:].split(b" ")[0].decode()
        assert reply.startswith(b"="), reply
        return reply[1:]

    def tried(self, change, error, code):
        """What change() returns, or the code if it raises the error."""
        try:
            result = change()
        except error:
            return code
        return b"\xc0" if result is None else result

    def step_append(self):
        given, raw = self.value()
        self.list.append(raw)
        assert self.call("append", given) == msgpack.packb(len(self.list))

    def step_extend(self):
        given, raws = self.some(self.dice.randrange(5))
        self.list.extend(raws)
        assert self.call("extend", given) == msgpack.packb(len(self.list))

    def step_insert(self):
        index, (given, raw) = self.index(), self.value()
        self.list.insert(max(-10**9, min(index, 10**9)), raw)
        assert self.call("insert", index, given) == b"\xc0"

    def step_get(self):
        index = self.index()
        assert self.call("get", index) == self.tried(lambda: self.list[index], IndexError, "INDEX")

    def step_set(self):
        index, (given, raw) = self.index(), self.value()
        change = functools.partial(self.list.__setitem__, index, raw)
        assert self.call("set", index, given) == self.tried(change, IndexError, "INDEX")

    def step_delete(self):
        index = self.index()
        change = functools.partial(self.list.__delitem__, index)
        assert self.call("delete", index) == self.tried(change, IndexError, "INDEX")

    def step_pop(self):
        index = self.bound()
        change = functools.partial(self.list.pop, -1 if index is None else index)
        assert self.call("pop", index) == self.tried(change, (IndexError, OverflowError), "INDEX")

    def step_slice(self):
        start, stop, step = self.bound(), self.bound(), self.step()
        found = self.call("slice", start, stop, step)
        if step == 0:
            assert found == "VALUE"
            return
        cut = self.list[start:stop:step]
        assert found == head_of(len(cut)) + b"".join(cut)

    def step(self):
        """A step of a slice."""
        return self.dice.choice([None, None, 1, 1, 2, 3, -1, -2, -3, 7, 0, INT_MAX, INT_MIN])

    def step_set_slice(self):
        start, stop, step = self.bound(), self.bound(), self.step()
        fitting = len(self.list[start:stop:step or 1])
        count = fitting if self.dice.random() < 0.7 else self.dice.randrange(6)
        given, raws = self.some(count)
        change = functools.partial(self.list.__setitem__, slice(start, stop, step), raws)
        assert self.call("set_slice", start, stop, step, given) == \
            self.tried(change, ValueError, "VALUE")

    def step_delete_slice(self):
        if self.dice.random() < 0.5:
            return
        start, stop, step = self.bound(), self.bound(), self.step()
        change = functools.partial(self.list.__delitem__, slice(start, stop, step))
        assert self.call("delete_slice", start, stop, step) == \
            self.tried(change, ValueError, "VALUE")

    def step_look(self):
        (given, raw), start, stop = self.value(), self.bound(), self.bound()
        equal = list(map(canon, self.list))
        wanted = canon(raw)
        assert self.call("count", given) == msgpack.packb(equal.count(wanted))
        assert self.call("contains", given) == msgpack.packb(wanted in equal)
        end = INT_MAX if stop is None else stop
        change = functools.partial(equal.index, wanted, start or 0, end)
        expected = self.tried(change, ValueError, "VALUE")
        found = self.call("index", given, start, stop)
        assert found == (msgpack.packb(expected) if isinstance(expected, int) else expected)

    def step_remove(self):
        given, raw = self.value()
        equal = list(map(canon, self.list))
        if canon(raw) in equal:
            del self.list[equal.index(canon(raw))]
            assert self.call("remove", given) == b"\xc0"
        else:
            assert self.call("remove", given) == "VALUE"

    def step_turn(self):
        self.list.reverse()
        assert self.call("reverse") == b"\xc0"

    def step_sort(self):
        reverse = self.dice.random() < 0.5
        found = self.call("sort", "1" if reverse else NOTHING)
        read = [msgpack.unpackb(raw, strict_map_key=False) for raw in self.list]
        if len(read) > 1 and not can_be_ordered(read):
            assert found == "TYPE"
            return
        assert found == b"\xc0"
        if len(read) > 1:
            self.list.sort(key=lambda raw: place(msgpack.unpackb(raw)), reverse=reverse)

    def step_repeat(self):
        if len(self.list) < 40 or self.dice.random() < 0.1:
            n = self.dice.choice([0, 1, 2, 2, 3, INT_MIN])
            self.list *= max(n, -1)
            assert self.call("repeat", n) == b"\xc0"

    def step_incr(self):
        index, delta = self.index(), self.dice.choice([1, -1, 2**63, LEAST, MOST, 0.25])
        found = self.call("incr", index, stored(delta))
        if not -len(self.list) <= index < len(self.list):
            assert found == "INDEX"
            return
        number = msgpack.unpackb(self.list[index], strict_map_key=False)
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            assert found == "TYPE"
        elif isinstance(number + delta, int) and not LEAST <= number + delta <= MOST:
            assert found == "RANGE"
        else:
            self.list[index] = msgpack.packb(number + delta)
            assert found == self.list[index]

    def step_clear(self):
        if self.dice.random() < 0.05:
            self.list.clear()
            assert self.call("clear") == b"\xc0"

    def check(self):
        """The whole."""
        assert self.call("slice", None, None, None) == \
            head_of(len(self.list)) + b"".join(self.list)
        assert self.call("len") == msgpack.packb(len(self.list))


def can_be_ordered(read):
    """True if values can be sorted among each other."""
    kinds = {"number" if isinstance(value, (int, float)) and not isinstance(value, bool)
             else type(value) for value in read}
    return len(kinds) == 1 and kinds <= {"number", str, bytes}


def place(value):
    """How a value sorts among those of its kind."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    if math.isnan(value):
        return (3, 0)
    if math.isinf(value):
        return (2, 0) if value > 0 else (0, 0)
    return (1, Fraction(value))


KINDS = {"numbers": NUMBERS, "strs": RUNS, "bins": [run.encode() for run in RUNS],
         "all": NUMBERS + RUNS + OTHERS}


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_random_operations_do_what_they_do_to_a_list_of_python(host, seed, kind, canonical):
    host.open("list", "l", NOTHING)
    model = Model(host, random.Random(seed), KINDS[kind], canonical)
    steps = [getattr(model, name) for name in dir(Model) if name.startswith("step_")]
    for _ in range(250):
        model.dice.choice(steps)()
        model.check()


@pytest.mark.parametrize("kind", ["numbers", "strs", "bins"])
def test_a_long_list_is_sorted_stably_both_ways(host, kind):
    dice = random.Random(5)
    chosen = {
        "numbers": [dice.choice([dice.randrange(-50, 50), float(dice.randrange(-50, 50)),
                                 MOST - dice.randrange(5), 2.0**64, math.nan, math.inf,
                                 struct.unpack(">d", dice.randbytes(8))[0]]) for _ in range(3000)],
        "strs": ["common\0" + "x" * dice.randrange(9) + dice.choice(["", "a", "b\0", "À"])
                 for _ in range(3000)],
        "bins": [dice.randbytes(dice.randrange(4)) for _ in range(3000)],
    }[kind]
    host.open("list", "l", array(*map(stored, chosen)))
    for reverse in (NOTHING, "1", "1", NOTHING):
        host.call("list.sort", "l", reverse)
        chosen.sort(key=place, reverse=bool(reverse))
        reply = host.run([host.op("list.slice", "l", NOTHING, NOTHING, NOTHING)])[0]
        assert reply[1:] == head_of(3000) + b"".join(map(stored, chosen))


@pytest.mark.parametrize("seed", range(3))
def test_slices_of_long_lists_are_set_and_deleted_as_in_python(host, seed):
    dice = random.Random(seed)
    model = list(range(3000))
    host.open("list", "l", array(*map(stored, model)))
    for number in range(60):
        start, stop = sorted(dice.choices(range(len(model) + 1), k=2))
        step = dice.choice([1, 1, 2, 3, 50, -1, -4])
        if step < 0:
            start, stop = stop, start
        cut = slice(start, stop, step)
        if number % 2:
            count = len(model[cut]) if step != 1 or dice.random() < 0.5 else dice.randrange(2000)
            new = [dice.randrange(10**6) for _ in range(count)]
            model[cut] = new
            host.call("list.set_slice", "l", start, stop, step, array(*map(stored, new)))
        else:
            del model[cut]
            host.call("list.delete_slice", "l", start, stop, step)
            new = list(range(1500))
            model += new
            host.call("list.extend", "l", array(*map(stored, new)))
        assert host.call("list.slice", "l", NOTHING, NOTHING, NOTHING) == model


def test_long_strings_that_begin_alike_are_sorted(host):
    chosen = ["x" * 300000 + tail for tail in ("b", "", "a", "ab", "c" * 300000)]
    chosen += ["x" * (10 * i) + "y" * (300000 - i) for i in range(20)]
    host.open("list", "l", array(*map(stored, chosen)))
    host.call("list.sort", "l", NOTHING)
    assert host.call("list.slice", "l", NOTHING, NOTHING, NOTHING) == sorted(chosen)
