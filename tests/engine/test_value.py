"""Values of any kind in Lua: their printed form, and why some cannot be keys."""
import random

import msgpack
import pytest

from scripts import Scripts

CALLS = """{
    print = function(bytes, limit) return ipcd.value.print(bytes, tonumber(limit)) end,
    fault = function(bytes) return ipcd.value.key_fault(bytes) or "" end,
}
"""
# As tests/unit/proto/test_print.c has them.
PRINTED = [
    ("c0", "null"), ("c2", "false"), ("c3", "true"), ("05", "5"), ("cc05", "5"), ("e0", "-32"),
    ("d38000000000000000", "-9223372036854775808"), ("cfffffffffffffffff", "18446744073709551615"),
    ("a568656c6c6f", '"hello"'), ("a0", '""'), ("d90161", '"a"'), ("da000161", '"a"'),
    ("db0000000161", '"a"'), ("cb3ff0000000000000", "1.0"), ("cb8000000000000000", "-0.0"),
    ("cb3fb999999999999a", "0.1"), ("cb3fd3333333333334", "0.30000000000000004"),
    ("cb7fefffffffffffff", "1.7976931348623157e+308"), ("cb0000000000000001",
                                                        "4.94065645841247e-324"),
    ("ca3dcccccd", "0.10000000149011612"), ("cb444b1ae4d6e2ef50", "1e+21"),
    ("cb7ff8000000000000", "NaN"), ("cb7ff0000000000000", "Infinity"),
    ("cbfff0000000000000", "-Infinity"), ("a4225c2f27", '"\\"\\\\/\'"'),
    ("a30a0d09", '"\\n\\r\\t"'),
    ("a500011b1f7f", '"\\u0000\\u0001\\u001b\\u001f\\u007f"'), ("a4c280c29f", '"\\u0080\\u009f"'),
    ("a4c2a0c3a4", '"\u00a0ä"'), ("a4f09f9880", '"😀"'), ("a3ff61c3", '"\\xffa\\xc3"'),
    ("a3eda080", '"\\xed\\xa0\\x80"'), ("a2c0af", '"\\xc0\\xaf"'), ("c400", 'b""'),
    ("c4066100ff225c0a", 'b"a\\x00\\xff\\"\\\\\\x0a"'), ("c402c3a4", 'b"\\xc3\\xa4"'),
    ("d40571", 'ext(5, b"q")'), ("d50171e9", 'reference("q\\xe9")'), ("d4020f", "descriptor(15)"),
    ("c70002", 'ext(2, b"")'), ("d6ff00000001", 'ext(-1, b"\\x00\\x00\\x00\\x01")'),
    ("c70080", 'ext(-128, b"")'), ("90", "[]"), ("80", "{}"), ("9301a161c0", '[1, "a", null]'),
    ("82a161010291c3", '{"a": 1, 2: [true]}'), ("9291910180", "[[[1]], {}]"),
    ("dc0001c0", "[null]"), ("dd00000001c0", "[null]"), ("de000101c0", "{1: null}"),
    ("df0000000101c0", "{1: null}"),
]
CUT = [
    ("a568656c6c6f", 7, '"hello"'), ("a568656c6c6f", 6, '"hello…'), ("a568656c6c6f", 3, '"he…'),
    ("a568656c6c6f", 0, "…"), ("a4f09f9880", 4, '"…'), ("a3000102", 10, '"\\u0000…'),
    ("93010203", 4, "[1, …"), ("cfffffffffffffffff", 5, "…"), ("8201020304", 6, "{1: 2…"),
    ("dd00100000" + "01" * 0x100000, 6, "[1, 1…"),
]
FAULTS = [
    ({}, "a map"), ([{}], "an array that holds a map"), ([1, [2, {}]], "an array that holds a map"),
    (float("nan"), "NaN"), ([float("nan")], ""), (msgpack.ExtType(1, b"q"), "an object reference"),
    ([msgpack.ExtType(1, b"q")], "an array that holds an object reference"),
    (msgpack.ExtType(2, b"\0"), "a file descriptor"),
    (["x" * 70000, [msgpack.ExtType(2, b"\0")]], "an array that holds a file descriptor"),
    (msgpack.ExtType(5, b"\x80"), ""), (msgpack.Timestamp(7), ""), (None, ""),
    (True, ""), (2**64 - 1, ""), (-2**63, ""), (1.5, ""), ("\x80", ""), (b"\x80" * 300, ""),
    ([], ""), ([["\x80" * 40, b"\x81"], -40000, 1.5, None, False], ""), (list(range(20)), ""),
]


@pytest.fixture
def values(server):
    """The functions."""
    return Scripts(server, CALLS)


def test_each_kind_is_printed(values):
    found = values.run([("print", bytes.fromhex(encoded), 1000) for encoded, _ in PRINTED])
    assert [text.decode() for text in found] == [text for _, text in PRINTED]


@pytest.mark.parametrize("encoded, limit, text", CUT)
def test_what_is_long_is_cut(values, encoded, limit, text):
    assert values.run([("print", bytes.fromhex(encoded), limit)]) == [text.encode()]


def test_strings_of_any_bytes_are_printed_as_utf8(values):
    dice = random.Random(3)
    pieces = [b"a", b"\xc3", b"\xa4", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xf4\x90",
              b"\xe0\x80", b"\x80", b"\xf5", b"\xed\xa0\x80", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]
    some = [b"".join(dice.choices(pieces, k=4)) for _ in range(2000)]
    packed = [bytes([0xa0 + len(run)]) + run for run in some]
    for run, found in zip(some, values.run([("print", one, 1000) for one in packed])):
        assert found.decode() == '"' + run.decode("utf-8", "backslashreplace") + '"'


@pytest.mark.parametrize("value, why", FAULTS)
def test_what_cannot_be_a_key_says_why(values, value, why):
    assert values.run([("fault", msgpack.packb(value))]) == [why.encode()]
