"""namespace: a dict whose keys are strings."""
from containers import NOTHING, Dict, pairs, some
from harness import stored


def test_a_namespace_has_every_method_of_dict(host):
    assert host.open("namespace", "n", pairs({"x": 1}))["type"] == "namespace"
    names = Dict(host, "n", "namespace")
    assert names("get", stored("x"), NOTHING) == 1
    assert names("set", stored("y"), stored([2])) is True
    assert names("update", pairs({"z": 3, "x": 0})) == 1
    assert names("setdefault", stored("w"), stored(4)) == 4
    assert names("incr", stored("x"), stored(5), NOTHING) == 5
    assert names("cas", stored("x"), some(5), some(6)) is True
    assert names("contains", stored("x")) is True and names("len") == 4
    assert names("keys") == ["x", "y", "z", "w"] and names("values") == [6, [2], 3, 4]
    assert names("copy") == {"x": 6, "y": [2], "z": 3, "w": 4}
    assert names("scan", 0, 1)["items"] == [["x", 6]]
    assert names("popitem") == ["w", 4] and names("pop", stored("z"), NOTHING) == 3
    assert names("delete", stored("y")) is None and names("items") == [["x", 6]]
    wait = names("wait", stored("q"), NOTHING)
    names("set", stored("q"), stored(9))
    assert host.served(wait) == 9
    assert names("clear") is None and names("len") == 0


def test_keys_of_a_namespace_are_strings_of_any_length(host):
    host.open("namespace", "n", NOTHING)
    names = Dict(host, "n", "namespace")
    for size in (0, 31, 32, 255, 256, 65536):
        assert names("set", stored("k" * size), stored(size)) is True
    assert names("len") == 6
    for key in (1, b"x", None, ["x"]):
        shown = {1: "1", b"x": 'b"x"', None: "null"}.get(key, '["x"]') if key != ["x"] else '["x"]'
        text = f"namespace.set: {shown} cannot be a key: it is not a string"
        assert names.refusal("set", stored(key), stored(1)) == ("TYPE", text)
    assert names.refusal("update", pairs({"x": 1, 2: 3}))[0] == "TYPE"
    assert names("len") == 6
