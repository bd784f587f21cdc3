"""TYPE.open: what is there, what is made, and what does not agree."""
import pytest

from harness import EngineError, Op, stored, unpack


def refused(code, function, *args, **named):
    """Its error has that code; returns the sentence."""
    with pytest.raises(EngineError) as error:
        function(*args, **named)
    assert error.value.code == code, error.value
    return error.value.text


def test_a_new_object_is_described(host, engine):
    description = host.open("sample", "box", "3", uid=7, gid=8)
    assert description["created"].seconds * 1000 == engine.now
    for field in ("created", "bytes", "overhead"):
        assert description.pop(field) is not None
    assert description == {"name": "box", "type": "sample", "owner": 7, "group": 8, "mode": 0o660,
                           "lifetime": "daemon", "waiting": 0, "size": 3, "count": 0}
    assert host.metas["box"] == ["sample", 7, 8, 0o660, host.versions["box"], "daemon"]


def test_its_options_are_those_given(host):
    description = host.open("sample", "box", mode=0o604, group=12, lifetime="scoped")
    assert description["mode"] == 0o604
    assert description["group"] == 12
    assert description["lifetime"] == "scoped"


def test_one_that_is_there_is_opened(host, other):
    host.open("sample", "box", "3")
    host.call("sample.put", "box", stored(1), "")
    assert other.open("sample", "box")["count"] == 1
    assert other.open("sample", "box", "3", mode=0o660, group=1000, lifetime="daemon")["count"] == 1


def test_one_whose_rights_are_not_known_is_shown_first(host, other):
    host.open("sample", "box", uid=7)
    op = Op("sample.open", "box", 1, 1, "", "", "", "1", "0", "rw", "")
    reply = other.batch(other.prefix("box"), [op])[0]
    assert reply[:1] == b"?" and unpack(reply[1:])[1] == 7


def test_options_that_do_not_agree(host):
    host.open("sample", "box", "3")
    assert "another size" in refused("MISMATCH", host.open, "sample", "box", "4")
    assert "another mode" in refused("MISMATCH", host.open, "sample", "box", mode=0o600)
    assert "another group" in refused("MISMATCH", host.open, "sample", "box", group=7)
    assert "another lifetime" in refused("MISMATCH", host.open, "sample", "box", lifetime="scoped")


def test_exclusive_and_without_create(host):
    assert "create was false" in refused("NOT_FOUND", host.open, "sample", "box", create="0")
    host.open("sample", "box", exclusive="1")
    assert host.open("sample", "box", create="0")["name"] == "box"
    refused("EXISTS", host.open, "sample", "box", exclusive="1")


def test_options_that_cannot_be_leave_nothing(host, engine):
    refused("BAD_REQUEST", host.open, "sample", "box", "0")
    assert [key for key in engine.keys() if ":m:" in key or ":s:" in key] == []
    assert host.open("sample", "box", "1")["size"] == 1


def test_a_type_that_cannot_be_durable(host):
    assert refused("BAD_REQUEST", host.open, "sample", "box", lifetime="durable").startswith(
        "a sample cannot be durable")


def test_a_name_of_another_type(host, engine):
    host.open("sample", "box")
    host.call("object.delete", "box")
    host.open("tin", "box")
    refused("WRONG_TYPE", host.call, "sample.put", "box", stored(1), "")
    assert refused("WRONG_TYPE", host.open, "sample", "box") == "\"box\" is a tin, not a sample"


def test_versions_are_never_given_twice(host, engine):
    seen = set()
    for _ in range(5):
        host.open("sample", "box")
        seen.add(host.versions["box"])
        host.call("object.delete", "box")
        host.versions.clear()
    engine.redis.flushall()
    host.seqs.clear()
    engine.now += 1
    host.open("sample", "box")
    seen.add(host.versions["box"])
    assert len(seen) == 6


# Scoped ones.

def test_a_scoped_object_lives_while_a_session_has_it_open(host, other):
    host.open("sample", "box", lifetime="scoped", session=1)
    host.open("sample", "box", session=1)
    other.open("sample", "box", session=2)
    host.call("object.close", "box", session=1)
    host.call("object.close", "box", session=1)
    assert other.call("sample.count", "box", session=2) == 0
    other.end_session(2, "box")
    refused("NOT_FOUND", host.call, "sample.count", "box")


def test_who_waits_on_one_that_goes_is_told(host, other):
    host.open("sample", "box", lifetime="scoped")
    host.call("object.describe", "box", "")
    other.versions = dict(host.versions)
    wait = other.call("sample.get", "box", "")
    host.call("object.close", "box")
    refused("DELETED", other.served, wait)


def test_one_that_another_goes_by_stays(host):
    host.open("sample", "box", lifetime="scoped")
    host.call("sample.depend", "box", "1")
    host.call("sample.depend", "box", "1")
    host.call("object.close", "box")
    host.call("sample.depend", "box", "-1")
    assert host.call("sample.count", "box") == 0
    host.call("sample.depend", "box", "-1")
    refused("NOT_FOUND", host.call, "sample.count", "box")


def test_a_session_of_an_object_that_was_deleted_does_not_close_the_next(host):
    host.open("sample", "box", lifetime="scoped", session=1)
    host.call("object.delete", "box")
    host.open("sample", "box", lifetime="scoped", session=2)
    host.end_session(1, "box")
    assert host.call("sample.count", "box") == 0
    host.end_session(2, "box")
    refused("NOT_FOUND", host.call, "sample.count", "box")
