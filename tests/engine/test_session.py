"""Sessions that end, and what they have."""
from harness import stored
from test_open import refused


def test_what_a_session_holds_goes_to_the_next(host, other):
    host.open("sample", "box")
    host.call("sample.put", "box", stored("v"), "")
    assert host.call("sample.hold", "box", "", session=4) == "v"
    wait = other.call("sample.get", "box", "")
    host.end_session(5, "box")
    assert not other.is_served(wait)
    host.end_session(4, "box")
    assert other.served(wait) == "v"


def test_its_waits_end_and_those_behind_go_on(host, other):
    host.open("sample", "box")
    first = host.call("sample.get", "box", "", session=4)
    second = other.call("sample.get", "box", "")
    host.end_session(4, "box")
    host.call("sample.put", "box", stored(1), "")
    assert other.served(second) == 1
    assert not host.is_served(first)


def test_it_is_not_served_with_what_it_gives_back_itself(host, engine):
    host.open("sample", "box")
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=4)
    host.call("sample.get", "box", "", session=4)
    host.end_session(4, "box")
    assert host.fetch("box") == []
    assert host.call("sample.count", "box") == 1


def test_what_it_was_served_and_its_daemon_has_not_seen_goes_back(host):
    host.open("sample", "box")
    host.call("sample.get", "box", "", session=4)
    host.call("sample.put", "box", stored("v"), "")
    assert host.call("sample.count", "box") == 0
    host.tell("session.end", 4, 1, near="box")  # entry 1 has been seen
    assert host.call("sample.count", "box") == 0
    host.call("sample.get", "box", "", session=5)
    host.call("sample.put", "box", stored("w"), "")
    host.tell("session.end", 5, 1, near="box")
    assert host.call("sample.count", "box") == 1
    host.tell("session.end", 5, 1, near="box")
    assert host.call("sample.count", "box") == 1


def test_sessions_of_two_hosts_with_one_number_are_two(host, other):
    host.open("sample", "box")
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=4)
    other.open("sample", "box", session=4)
    other.end_session(4, "box")
    assert host.call("sample.count", "box") == 0
    host.end_session(4, "box")
    assert host.call("sample.count", "box") == 1


def test_what_it_has_is_shown(host, engine):
    host.open("sample", "box", session=4)
    host.open("sample", "{box}2", session=4)
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=4)
    host.call("sample.get", "{box}2", "70", session=4)
    engine.now += 10
    shown = host.tell("session.holding", 4, near="box")
    assert shown["open"] == ["box", "{box}2"]
    assert shown["waits"] == [{"object": "{box}2", "method": "sample.get", "since_ms": 10,
                               "timeout_ms": 70}]
    assert [(hold["object"], hold["type"], hold["value"]) for hold in shown["holds"]] == [
        ("box", "sample", "v")]
    assert host.tell("session.holding", 5, near="box") == {"open": [], "holds": [], "waits": []}


def test_nothing_is_left_of_it(host, engine):
    host.open("sample", "box", session=4)
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=4)
    host.call("sample.get", "box", "", session=4)
    host.end_session(4, "box")
    assert [key for key in engine.keys() if ":s:" in key or ":W" in key or ":wd" in key] == []
    host.end_session(4, "box")


def test_a_session_whose_objects_are_gone(host):
    host.open("sample", "box", session=4)
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=4)
    host.call("object.delete", "box")
    assert host.tell("session.holding", 4, near="box")["open"] == []
    host.open("sample", "box")
    host.end_session(4, "box")
    assert host.call("sample.count", "box") == 0
    refused("NOT_FOUND", host.call, "sample.count", "none")
