"""Pieces of MessagePack as the functions pack them, and values in their stored form."""
import datetime

import msgpack
import pytest

from harness import stored, stored_as, tag_of

INTEGERS = sorted({sign * (1 << bits) + by for bits in range(65) for sign in (1, -1)
                   for by in (-1, 0, 1) if -2**63 <= sign * (1 << bits) + by < 2**64})


def raw_result(host, verb, *args):
    """The bytes that an op answers."""
    op = host.op(verb, "x", *args)
    reply = host.batch(host.prefix("x"), [op])[0]
    assert reply.startswith(b"="), reply
    return reply[1:]


def test_integers_in_decimal_are_packed_as_short_as_can_be(host):
    for number in INTEGERS:
        assert raw_result(host, "pack.text", "int_text", number) == msgpack.packb(number), number


def test_integers_of_lua_are_packed_alike(host):
    for number in INTEGERS:
        if abs(number) <= 2**53:
            assert raw_result(host, "pack.number", "int", number) == msgpack.packb(number), number


@pytest.mark.parametrize("size", [0, 1, 31, 32, 255, 256, 65535, 65536])
def test_strings_and_bytes_of_every_size_of_head(host, size):
    assert raw_result(host, "pack.text", "str", "a" * size) == msgpack.packb("a" * size)
    assert raw_result(host, "pack.text", "bin", "a" * size) == msgpack.packb(b"a" * size)


@pytest.mark.parametrize("count", [0, 15, 16, 65535, 65536])
def test_heads_of_arrays_and_maps(host, count):
    assert raw_result(host, "pack.head", "array", count, count) == msgpack.packb([None] * count)
    packer = msgpack.Packer()
    expected = packer.pack_map_header(count) + b"\xc0" * (2 * count)
    assert raw_result(host, "pack.head", "map", count, 2 * count) == expected


@pytest.mark.parametrize("ms", [0, 1, 999, 1000, 1700000000123, (2**32 - 1) * 1000, 2**32 * 1000,
                                2**33 * 1000 + 7])
def test_times(host, ms):
    expected = msgpack.Timestamp(ms // 1000, ms % 1000 * 1000000)
    assert raw_result(host, "pack.number", "time", ms) == msgpack.packb(expected)


def test_doubles(host):
    for number in (0.5, -1.25, 1e300, float("inf")):
        assert raw_result(host, "pack.number", "double", number) == msgpack.packb(number)


def test_a_value_as_it_came_and_its_canonical_form(host):
    value = stored_as(b"\x05", b"\xcd\x00\x05")
    assert raw_result(host, "pack.text", "raw", value) == b"\xcd\x00\x05"
    assert raw_result(host, "pack.text", "canon", value) == b"\x05"
    assert raw_result(host, "pack.text", "raw", stored("x")) == stored("x")
    assert raw_result(host, "pack.text", "canon", stored("x")) == stored("x")


@pytest.mark.parametrize("value, kind", [
    (0, "int"), (-1, "int"), (127, "int"), (128, "int"), (-33, "int"), (2**40, "int"),
    (True, "bool"), (1.5, "double"), ("", "str"), ("a" * 300, "str"), (b"ab", "bin"),
    (b"b" * 300, "bin"), (b"b" * 70000, "bin")])
def test_scalars_are_taken_apart(host, value, kind):
    result = msgpack.unpackb(raw_result(host, "pack.parse", stored(value)))
    assert result[0] == kind
    assert result[1] == (value.decode() if isinstance(value, bytes) else value)


@pytest.mark.parametrize("value, kind", [
    ([1], "array"), ([0] * 20, "array"), ({1: 2}, "map"), ({i: 0 for i in range(20)}, "map"),
    (None, "nil"), (datetime.datetime.fromtimestamp(0, datetime.timezone.utc), "ext")])
def test_of_others_the_kind_is_known(host, value, kind):
    packed = msgpack.packb(value, datetime=True)
    assert msgpack.unpackb(raw_result(host, "pack.parse", packed))[0] == kind


@pytest.mark.parametrize("name", ["a", "a{b}c", "{}a", "a{}{b}", "{a", "a}b{c", "a%b", "{a{b}}",
                                  "}{a}", "x{%}y"])
def test_hash_tags(host, name):
    assert raw_result(host, "pack.tag", name) == msgpack.packb(tag_of(name))
