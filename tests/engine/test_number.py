"""Exact numbers in Lua, beside Python's own: random ones, and those where something overflows."""
import math
import random
import struct
from fractions import Fraction

import msgpack
import pytest

from scripts import Scripts

CALLS = """{
    add = ipcd.number.add,
    text = ipcd.number.text,
    pack = ipcd.number.pack_text,
    compare = function(a, b) return tostring(ipcd.number.compare_text(a, b)) end,
    key = ipcd.number.sort_key,
    before = function(a, b) return tostring(ipcd.number.is_before(a, b)) end,
    from_text = function(a) return tostring(ipcd.number.from_text(a)) end,
}
"""
LEAST, MOST = -2**63, 2**64 - 1
EDGES = [number
         for bits in (0, 4, 5, 7, 8, 15, 16, 31, 32, 33, 52, 53, 54, 62, 63, 64)
         for sign in (1, -1)
         for beside in range(-2, 3)
         if LEAST <= (number := sign * 2**bits + beside) <= MOST]
EDGES += [10**6 - 1, 10**6, 10**12 - 1, 10**12, 10**13 * 999999, -10**18]
ODD_FLOATS = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1.7e308, 0.5, -0.5,
              2.0**63, 2.0**64, -2.0**63, -2.0**63 - 2048, 2.0**53 + 2]


@pytest.fixture
def numbers(server):
    """The functions."""
    return Scripts(server, CALLS)


@pytest.fixture
def dice():
    """Chance that is the same each time."""
    return random.Random(7)


def an_integer(dice):
    """Any integer that MessagePack has; those at the edges often."""
    if dice.random() < 0.4:
        return dice.choice(EDGES)
    number = dice.randrange(2**dice.randrange(1, 65))
    return -number if number <= 2**63 and dice.random() < 0.5 else number


def a_float(dice):
    """Any float; those near integers often."""
    kind = dice.random()
    if kind < 0.3:
        return float(an_integer(dice))
    if kind < 0.5:
        return dice.choice(ODD_FLOATS)
    if kind < 0.7:
        return an_integer(dice) + dice.random()
    return struct.unpack(">d", dice.randbytes(8))[0]


def a_number(dice):
    """One of both."""
    return an_integer(dice) if dice.random() < 0.5 else a_float(dice)


def pack_wide(number, dice):
    """An integer in one of the encodings that can hold it, canonical or not."""
    forms = [(0xcc, "B"), (0xcd, "H"), (0xce, "I"), (0xcf, "Q"),
             (0xd0, "b"), (0xd1, "h"), (0xd2, "i"), (0xd3, "q")]
    encodings = [msgpack.packb(number)]
    for first, form in forms:
        try:
            encodings.append(bytes([first]) + struct.pack(">" + form, number))
        except struct.error:
            continue
    return dice.choice(encodings)


def place(number):
    """Where a number sorts, exactly; NaN behind all others."""
    if number != number:
        return (3, 0)
    if math.isinf(number):
        return (2, 0) if number > 0 else (0, 0)
    return (1, Fraction(number))


def test_integers_come_back_as_text_and_as_bytes(numbers, dice):
    some = EDGES + [an_integer(dice) for _ in range(3000)]
    texts = numbers.run([("text", pack_wide(number, dice)) for number in some])
    assert texts == [str(number).encode() for number in some]
    packed = numbers.run([("pack", str(number)) for number in some])
    assert packed == [msgpack.packb(number) for number in some]


def test_texts_of_no_integer_of_64_bits_are_none(numbers):
    for text in (str(MOST + 1), str(LEAST - 1), "9" * 20, "1" + "0" * 20, "", "-", "1.0", "1e3",
                 " 1", "0x10", "nan"):
        assert numbers.run([("from_text", text)]) == [b"nil"], text
    assert numbers.run([("from_text", "0" * 30 + "7"), ("from_text", "-0")]) == [b"0", b"0"]


def test_the_sum_of_integers_is_exact_or_refused(numbers, dice):
    some = [(an_integer(dice), an_integer(dice)) for _ in range(5000)]
    some += [(a, b) for a in (LEAST, -1, 0, 1, MOST) for b in (LEAST, -1, 0, 1, MOST)]
    sums = numbers.run([("add", pack_wide(a, dice), pack_wide(b, dice)) for a, b in some])
    for (a, b), found in zip(some, sums):
        expected = msgpack.packb(a + b) if LEAST <= a + b <= MOST else b"!RANGE"
        assert found == expected, (a, b)


def test_a_sum_with_a_float_is_the_float_that_python_gets(numbers, dice):
    some = [(a_number(dice), a_float(dice)) for _ in range(4000)]
    sums = numbers.run([("add", msgpack.packb(a), msgpack.packb(b)) for a, b in some])
    for (a, b), found in zip(some, sums):
        if math.isnan(a + b):
            assert math.isnan(msgpack.unpackb(found))
        else:
            assert found == msgpack.packb(float(a) + b), (a, b)
    single = msgpack.packb(0.5, use_single_float=True)
    assert numbers.run([("add", single, b"\x01")]) == [msgpack.packb(1.5)]


def test_what_is_no_number_has_no_sum(numbers):
    for value in (None, True, "1", b"1", [1], {1: 1}, msgpack.ExtType(5, b"1")):
        packed = msgpack.packb(value)
        assert numbers.run([("add", packed, b"\x01"), ("add", b"\x01", packed)]) == [b"!TYPE"] * 2


def test_decimal_texts_compare_as_their_integers_do(numbers, dice):
    some = [(an_integer(dice), an_integer(dice)) for _ in range(3000)]
    found = numbers.run([("compare", str(a), str(b)) for a, b in some])
    assert found == [str((a > b) - (a < b)).encode() for a, b in some]


def test_sort_keys_of_numbers_order_them_by_their_exact_values(numbers, dice):
    some = EDGES + ODD_FLOATS + [a_number(dice) for _ in range(4000)]
    some += [float(number) for number in EDGES]
    keys = numbers.run([("key", msgpack.packb(number)) for number in some])
    assert {len(key) for key in keys} == {11} and {key[:1] for key in keys} == {b"n"}
    ordered = sorted(zip(some, keys), key=lambda pair: place(pair[0]))
    for (a, a_key), (b, b_key) in zip(ordered, ordered[1:]):
        assert (a_key < b_key) == (place(a) < place(b)), (a, b)
        assert (a_key == b_key) == (place(a) == place(b)), (a, b)


def test_sort_keys_of_runs_are_their_bytes_and_others_have_none(numbers):
    for size in (0, 1, 31, 32, 255, 256, 65535, 65536):
        some = [msgpack.packb("x" * size), msgpack.packb(b"y" * size)]
        found = numbers.run([("key", run) for run in some])
        assert found == [b"s" + b"x" * size, b"b" + b"y" * size]
    for value in (None, False, [1], {}, msgpack.ExtType(5, b"x")):
        assert numbers.run([("key", msgpack.packb(value))]) == [b"!TYPE"]


def test_bytes_come_in_order_whatever_they_are(numbers, dice):
    some = [dice.randbytes(dice.choice([0, 1, 2, 31, 32, 33, 64, 100])) for _ in range(50)]
    some += [run[:dice.randrange(len(run) + 1)] + dice.choice([b"", b"\0", b"a", b"\xff"])
             for run in some for _ in range(4)]
    pairs = [(dice.choice(some), dice.choice(some)) for _ in range(5000)]
    found = numbers.run([("before", a, b) for a, b in pairs])
    assert found == [str(a < b).lower().encode() for a, b in pairs]
