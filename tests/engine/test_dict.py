"""dict: each method, its errors and their sentences."""
import pytest

from containers import NOTHING, Dict, array, pairs, some
from harness import EngineError, stored, stored_as


@pytest.fixture
def mapping(host):
    """The dict d, {1: "one", "two": 2}."""
    host.open("dict", "d", pairs({1: "one", "two": 2}))
    return Dict(host)


def test_open_sets_the_initial_pairs_only_once(host, mapping):
    assert host.open("dict", "d", pairs({3: 3}))["size"] == 2
    assert host.open("dict", "e", NOTHING)["size"] == 0
    assert host.open("dict", "f", pairs({}))["bytes"] == 0
    assert mapping.items() == [(1, "one"), ("two", 2)]


def test_open_with_a_long_initial_keeps_its_order(host):
    many = {f"key {(7 * i) % 10007}": i for i in range(10007)}
    assert host.open("dict", "d", pairs(many))["size"] == 10007
    assert Dict(host).items() == list(many.items())


def test_open_with_a_key_that_cannot_be_one_makes_nothing(host):
    impossible = array(b"\x01", b"\x01", b"\x91\x80", b"\x01")
    for kind, text in (("dict", "dict.open: [{}] cannot be a key: it is an array that holds a map"),
                       ("namespace", "namespace.open: 1 cannot be a key: it is not a string")):
        with pytest.raises(EngineError) as error:
            host.open(kind, "new", impossible)
        assert (error.value.code, error.value.text) == ("TYPE", text)
        assert not [key for key in host.engine.keys() if key.endswith(":new")]


def test_get_returns_the_value_or_the_default(mapping):
    assert mapping("get", stored(1), NOTHING) == "one"
    assert mapping("get", stored(3), stored("none")) == "none"
    assert mapping("get", stored(3), stored(None)) is None
    assert mapping.refusal("get", stored(1.0), NOTHING) == ("KEY", '"d" has no key 1.0')
    assert mapping.refusal("get", stored([3, b"x"]), NOTHING) == ("KEY", '"d" has no key [3, b"x"]')


def test_what_cannot_be_a_key_is_refused_by_every_method(mapping):
    for verb, args in (("get", [NOTHING]), ("set", [stored(1)]), ("setdefault", [NOTHING]),
                       ("delete", []), ("pop", [NOTHING]), ("contains", []),
                       ("incr", [NOTHING, NOTHING]), ("cas", [some(), some()]),
                       ("wait", [NOTHING])):
        text = f"dict.{verb}: {{4: 5}} cannot be a key: it is a map"
        assert mapping.refusal(verb, stored({4: 5}), *args) == ("TYPE", text)
    assert len(mapping.items()) == 2


def test_set_says_whether_the_key_is_new_and_keeps_its_place(mapping):
    assert mapping("set", stored(3), stored({"x": [1]})) is True
    assert mapping("set", stored(1), stored(None)) is False
    assert mapping.items() == [(1, None), ("two", 2), (3, {"x": [1]})]


def test_values_come_back_byte_for_byte(host, mapping):
    raw = b"\xcd\x00\x07"
    mapping("set", stored("k"), stored_as(b"\x07", raw))
    op = host.op("dict.get", "d", stored("k"), NOTHING)
    assert host.run([op]) == [b"=" + raw]
    assert mapping("cas", stored("k"), some(7), some(8)) is True
    large = "x" * 100000
    mapping("set", stored("k"), stored(large))
    assert mapping("pop", stored("k"), NOTHING) == large


def test_update_sets_all_or_none(mapping):
    assert mapping("update", pairs({1: "uno", 3: "tres", 4: None})) == 2
    assert mapping("copy") == {1: "uno", "two": 2, 3: "tres", 4: None}
    assert mapping("update", pairs({})) == 0
    impossible = array(b"\x05", b"\x01", b"\x91\x80", b"\x01")
    text = "dict.update: [{}] cannot be a key: it is an array that holds a map"
    assert mapping.refusal("update", impossible) == ("TYPE", text)
    assert mapping("len") == 4


def test_update_of_many_keys_counts_the_new_ones_and_keeps_the_order(mapping):
    first = {i: i for i in range(5000)}
    second = {i: -i for i in range(7000, 2000, -1)}
    assert mapping("update", pairs(first)) == 4999
    assert mapping("update", pairs(second)) == 2001
    model = {1: "one", "two": 2} | first | second
    assert mapping.items() == list(model.items())
    assert mapping("keys") == list(model)
    assert mapping("values") == list(model.values())
    assert mapping("popitem") == [5000, -5000]


def test_setdefault_sets_only_a_missing_key(mapping):
    assert mapping("setdefault", stored(1), stored("other")) == "one"
    assert mapping("setdefault", stored(3), stored("three")) == "three"
    assert mapping("setdefault", stored(4), NOTHING) is None
    assert mapping.items() == [(1, "one"), ("two", 2), (3, "three"), (4, None)]


def test_delete_and_pop_take_a_key_away(mapping):
    assert mapping("delete", stored(1)) is None
    assert mapping.refusal("delete", stored(1)) == ("KEY", '"d" has no key 1')
    assert mapping("pop", stored("two"), NOTHING) == 2
    assert mapping.refusal("pop", stored("two"), NOTHING)[0] == "KEY"
    assert mapping("pop", stored("two"), stored("gone")) == "gone"
    assert mapping("pop", stored("two"), stored(None)) is None
    assert mapping.items() == []


def test_popitem_takes_the_last_pair_that_came(mapping):
    mapping("set", stored(1), stored("uno"))
    assert mapping("popitem") == ["two", 2]
    assert mapping("popitem") == [1, "uno"]
    assert mapping.refusal("popitem") == ("KEY", '"d" is empty')
    mapping("set", stored(5), stored(5))
    assert mapping.items() == [(5, 5)]


def test_it_tells_what_is_in_it_until_it_is_cleared(host, mapping):
    assert mapping("contains", stored("two")) is True
    assert mapping("contains", stored(b"two")) is False
    assert mapping("len") == 2
    assert mapping("clear") is None and mapping("clear") is None
    assert mapping("keys") == [] and mapping("values") == [] and mapping("copy") == {}
    described = host.call("object.describe", "d", "0")
    assert described["size"] == 0 and described["bytes"] == 0


def test_incr_adds_and_creates(mapping):
    assert mapping("incr", stored("two"), NOTHING, NOTHING) == 3
    assert mapping("incr", stored("two"), stored(-5), NOTHING) == -2
    assert mapping("incr", stored("two"), stored(0.5), NOTHING) == -1.5
    assert mapping("incr", stored("new"), NOTHING, NOTHING) == 1
    assert mapping("incr", stored("other"), NOTHING, stored(10)) == 11
    assert mapping("incr", stored("third"), stored(2), stored(1.5)) == 3.5
    assert mapping("keys") == [1, "two", "new", "other", "third"]


def test_incr_refuses_what_is_no_number_and_what_does_not_fit(mapping):
    assert mapping.refusal("incr", stored(1), NOTHING, NOTHING) == (
        "TYPE", "dict.incr: the value of this key is not a number")
    for start, delta in ((2**64 - 1, 1), (-2**63, -1), (2**63, 2**63), (0, 2**64 - 1)):
        mapping("set", stored("n"), stored(start))
        if start + delta < 2**64 and start + delta >= -2**63:
            assert mapping("incr", stored("n"), stored(delta), NOTHING) == start + delta
            continue
        assert mapping.refusal("incr", stored("n"), stored(delta), NOTHING) == (
            "RANGE", "dict.incr: the sum is not between -2^63 and 2^64-1; nothing was changed")
        assert mapping("get", stored("n"), NOTHING) == start


def test_cas_acts_only_on_what_is_expected(mapping):
    assert mapping("cas", stored(1), some("one"), some("uno")) is True
    assert mapping("cas", stored(1), some("one"), some("due")) is False
    assert mapping("cas", stored(3), some(), some([1, 2])) is True
    assert mapping("cas", stored(3), some(), some(4)) is False
    wide = array(stored_as(b"\x92\x01\x02", b"\x92\x01\xcd\x00\x02"))
    assert mapping("cas", stored(3), wide, some()) is True
    assert mapping("cas", stored(3), some(None), some()) is False
    assert mapping("cas", stored(3), some(), some()) is True
    assert mapping.items() == [(1, "uno"), ("two", 2)]
    for args, param in (((some(1, 2), some()), "expected"), ((some(), some(1, 2)), "value"),
                        ((some(1, 2), some(1, 2)), "expected")):
        text = f"dict.cas: param {param} must be [value], or [] for a key that is not there, " \
            "not an array of 2"
        assert mapping.refusal("cas", stored(1), *args) == ("BAD_REQUEST", text)


def test_scan_goes_on_where_it_stopped(mapping):
    mapping("update", pairs({3: 3, 4: 4, 5: 5}))
    assert mapping("scan", 0, 2) == {"cursor": 3, "items": [[1, "one"], ["two", 2]]}
    mapping("delete", stored(3))
    mapping("delete", stored(1))
    assert mapping("scan", 3, 1) == {"cursor": 5, "items": [[4, 4]]}
    mapping("set", stored(1), stored("again"))
    assert mapping("scan", 5, NOTHING) == {"cursor": 0, "items": [[5, 5], [1, "again"]]}
    assert mapping("scan", 0, 0) == {"cursor": 2, "items": []}
    for cursor in (99, 2**53 + 1, 2**63 - 1):
        assert mapping("scan", cursor, 2**63 - 1) == {"cursor": 0, "items": []}
    assert len(mapping("scan", 0, 2**63 - 1)["items"]) == 4


def test_scan_ends_early_once_its_answer_is_long(mapping):
    mapping("clear")
    mapping("update", pairs({i: "x" * 300000 for i in range(10)}))
    cursor, seen = 0, []
    while True:
        answer = mapping("scan", cursor, NOTHING)
        assert len(answer["items"]) == 1
        seen += [key for key, _ in answer["items"]]
        cursor = answer["cursor"]
        if cursor == 0:
            break
    assert seen == list(range(10))


def test_a_long_scan_has_many_pages_of_any_size(mapping):
    many = {i: i for i in range(2500)}
    mapping("clear")
    mapping("update", pairs(many))
    for count in (1, 999, 1000, 1001, 2499, 2500, 2501):
        answer = mapping("scan", 0, count)
        assert answer["items"] == [[i, i] for i in range(min(count, 2500))]
        assert (answer["cursor"] == 0) == (count >= 2500)


def test_a_dict_and_a_namespace_are_two_types(host, mapping):
    with pytest.raises(EngineError) as error:
        host.call("namespace.get", "d", stored("two"), NOTHING)
    assert error.value.code == "WRONG_TYPE"
    with pytest.raises(EngineError) as error:
        host.open("namespace", "d", NOTHING)
    assert error.value.code == "WRONG_TYPE"


def test_a_dict_is_renamed_with_its_contents_and_leaves_nothing_when_it_goes(host, mapping):
    host.call("object.rename", "d", "{d}2")
    renamed = Dict(host, "{d}2")
    assert renamed.items() == [(1, "one"), ("two", 2)]
    renamed("set", stored(3), stored(3))
    assert renamed("popitem") == [3, 3]
    host.call("object.delete", "{d}2")
    left = [key for key in host.engine.keys() if ":kv:" in key or ":ko:" in key or ":m:" in key]
    assert left == []


def test_another_host_sees_the_same(host, other, mapping):
    Dict(other)("set", stored("three"), stored(3))
    assert mapping.items() == [(1, "one"), ("two", 2), ("three", 3)]


def test_keys_that_come_in_one_batch_come_in_its_order(host, mapping):
    host.calls(("dict.set", "d", stored(3), stored(3)),
               ("dict.update", "d", pairs({i: i for i in range(3, 9)})),
               ("dict.popitem", "d"), ("dict.set", "d", stored(9), stored(9)),
               ("dict.clear", "d"), ("dict.update", "d", pairs({"b": 1, "z": 1})),
               ("dict.set", "d", stored("a"), stored(1)), ("dict.set", "d", stored("y"), stored(1)))
    assert mapping("keys") == ["b", "z", "a", "y"]
