"""object.*: describing, deleting, giving away, renaming and watching."""
import pytest

from harness import EngineError, stored, unpack
from test_open import refused


@pytest.fixture(autouse=True)
def box(host):
    """A box."""
    host.open("sample", "box", "5")


def object_keys(engine):
    """The keys that objects have."""
    parts = ("m", "x", "q", "held", "Wput", "Wget", "Wh", "Wc", "Wkeyk", "f", "wd")
    return [key for key in engine.keys() if key.startswith("ipcd:") and
            key.rsplit("}:", 1)[1].split(":")[0] in parts]


def test_describing_shows_who_waits_and_who_holds(host, other, engine):
    host.call("sample.put", "box", stored("v"), "")
    other.call("sample.hold", "box", "", session=6)
    other.call("sample.get", "box", "500", session=7)
    engine.now += 20
    host.call("sample.wait", "box", "k", "", "", session=3)
    engine.now += 30
    description = host.call("object.describe", "box", "1")
    assert description["waits"] == [
        {"session": "b:7", "method": "sample.get", "since_ms": 50, "timeout_ms": 500},
        {"session": "a:3", "method": "sample.wait", "since_ms": 30, "timeout_ms": None}]
    assert [(hold["session"], hold["value"]) for hold in description["holds"]] == [("b:6", "v")]
    assert description["waiting"] == 2
    assert "waits" not in host.call("object.describe", "box", "")


def test_no_name_has_a_tag_of_the_daemons(host, engine):
    host.open("sample", "{%hosts}x", "5")
    assert not [key for key in engine.keys() if key.startswith("ipcd:test:{%hosts}:m:")]
    assert "hash tag" in refused("UNSUPPORTED", host.call, "object.rename", "box", "{%hosts}x")


def test_a_session_that_has_told_is_shown_with_what_it_is(host):
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=6)
    host.call("sample.get", "box", "", session=6)
    host.tell("session.info", 123, 2**32 - 2, "näme 1.0", near="box", session=6)
    description = host.call("object.describe", "box", "1")
    for entry in description["waits"] + description["holds"]:
        assert entry["session"] == "a:6"
        assert (entry["pid"], entry["uid"], entry["client"]) == (123, 2**32 - 2, "näme 1.0")
    assert host.tell("session.holding", 6, near="box")["open"] == []
    host.end_session(6, "box")


def test_it_needs_no_rights_and_no_version(host, other):
    assert other.call("object.describe", "box", "")["size"] == 5
    assert other.versions["box"] == host.versions["box"]


def test_bytes_are_those_of_the_contents(host):
    before = host.call("object.describe", "box", "")
    assert before["bytes"] == 0 and before["overhead"] > 0
    host.call("sample.put", "box", stored("x" * 10000), "")
    assert host.call("object.describe", "box", "")["bytes"] > 10000


def test_deleting_leaves_nothing(host, other, engine):
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "")
    host.call("sample.get", "box", "")
    other.call("sample.wait", "box", "k", "", "")
    other.call("object.watch", "box")
    host.call("object.rename", "box", "{box}")
    assert object_keys(engine) != []
    assert host.call("object.delete", "{box}") is None
    assert object_keys(engine) == []
    refused("NOT_FOUND", host.call, "object.delete", "{box}")
    for daemon in (host, other):
        daemon.end_session(1, "box")
    assert [key for key in engine.keys() if ":s:" in key] == []


def test_a_mode_is_changed_and_gives_a_new_version(host, other):
    other.call("object.describe", "box", "")
    host.call("object.chmod", "box", str(0o600))
    before = other.versions["box"]
    assert other.call("sample.count", "box") == 0
    assert other.versions["box"] != before
    assert other.metas["box"][3] == 0o600


def test_an_owner_and_a_group_are_changed(host):
    host.call("object.chown", "box", "5", "")
    assert host.call("object.describe", "box", "")["owner"] == 5
    assert host.metas["box"][1:3] == [5, 1000]
    host.call("object.chown", "box", "", "6")
    host.call("object.describe", "box", "")
    assert host.metas["box"][1:3] == [5, 6]


# Renaming.

def test_a_renamed_object_is_found_by_its_new_name_with_all_it_has(host):
    host.call("sample.put", "box", stored("v"), "")
    assert host.call("object.rename", "box", "{box}2") is None
    refused("NOT_FOUND", host.call, "sample.get", "box", "0")
    assert host.call("sample.get", "{box}2", "0") == "v"
    assert host.open("sample", "box")["count"] == 0


def test_what_a_session_has_is_found_by_its_new_name(host):
    host.open("sample", "{box}s", lifetime="scoped", session=4)
    host.call("sample.put", "box", stored("v"), "")
    host.call("sample.hold", "box", "", session=4)
    host.call("object.rename", "box", "{box}2")
    host.call("object.rename", "{box}2", "{box}3")
    host.call("object.rename", "{box}s", "{box}t")
    host.open("sample", "box")
    host.end_session(4, "box")
    assert host.call("sample.get", "{box}3", "0") == "v"
    refused("NOT_FOUND", host.call, "sample.count", "{box}t")


def test_names_that_cannot_be(host):
    host.open("sample", "{box}2")
    assert "is there already" in refused("EXISTS", host.call, "object.rename", "box", "{box}2")
    assert "hash tag" in refused("UNSUPPORTED", host.call, "object.rename", "box", "far")
    assert "bad luck" in refused("VALUE", host.call, "object.rename", "box", "{box}13")
    refused("EXISTS", host.call, "object.rename", "box", "box")


# Watching.

def test_who_watches_is_told(host, other):
    heard = other.listen("box")
    other.call("object.watch", "box")
    host.call("sample.put", "box", stored(1), "")
    assert heard.events() == [("box", "put", {"size": 1})]
    other.call("object.unwatch", "box")
    host.call("sample.put", "box", stored(1), "")
    assert heard.events() == []


def test_two_hosts_watch(host, other):
    heard = [daemon.listen("box") for daemon in (host, other)]
    for daemon in (host, other):
        daemon.call("object.watch", "box")
        daemon.call("object.watch", "box")
    host.call("object.unwatch", "box")
    host.call("sample.put", "box", stored(1), "")
    assert [messages.events() for messages in heard] == [[], [("box", "put", {"size": 1})]]


def test_a_new_name_and_the_end_are_told(host, other):
    heard = other.listen("box")
    other.call("object.watch", "box")
    host.call("object.rename", "box", "{box}2")
    host.call("sample.put", "{box}2", stored(1), "")
    host.call("object.delete", "{box}2")
    assert [message for message in heard.messages() if message[0] == b"e"] != []
    assert host.engine.redis.exists(other.prefix("box") + ":hw:" + other.key) == 0


def test_the_order_of_events(host, other):
    heard = other.listen("box")
    other.call("object.watch", "box")
    host.call("object.rename", "box", "{box}2")
    host.call("sample.put", "{box}2", stored(1), "")
    host.call("object.delete", "{box}2")
    assert heard.events() == [("box", "renamed", {"name": "{box}2"}), ("{box}2", "put", {"size": 1}),
                              ("{box}2", "deleted", {})]


def test_who_watches_hears_of_new_rights(host, other):
    heard = other.listen("box")
    other.call("object.watch", "box")
    host.call("object.chmod", "box", "0")
    kind, name, meta = heard.messages()[0]
    assert (kind, name) == (b"m", b"box")
    assert unpack(meta)[3] == 0
    with pytest.raises(EngineError):
        host.call("object.watch", "none")
