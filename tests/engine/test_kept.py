"""What a node knows of an object from batch to batch, and when that counts no more."""
import pytest
from redis.exceptions import ResponseError

import harness
from conftest import SAMPLE


@pytest.fixture
def versions(engine, tmp_path):
    """Two daemons with libraries of different versions, which know nothing of each other."""
    more = tmp_path / "29_more.lua"
    more.write_text("-- more: a version of its own.\nlocal more = 1\n", encoding="utf-8")
    second = harness.Engine.__new__(harness.Engine)
    second.server, second.redis, second.now = engine.server, engine.redis, engine.now
    second.function, text = harness.library(SAMPLE, more)
    engine.redis.execute_command("FUNCTION", "LOAD", text)
    assert second.function != engine.function
    return harness.Host(engine, "a"), harness.Host(second, "b")


def size(host):
    """What the object's size is."""
    return host.call("object.describe", "box", "")["size"]


def test_what_has_changed_is_written_and_read_again(host, other):
    host.open("sample", "box", "5")
    host.call("sample.resize", "box", "6")
    assert size(host) == size(other) == 6


def test_a_change_by_another_library_is_seen(versions):
    first, second = versions
    first.open("sample", "box", "5")
    assert size(second) == 5
    for new in range(6, 10):
        first.call("sample.resize", "box", str(new))
        assert size(second) == new
        second.call("sample.resize", "box", str(new * 100))
        assert size(first) == new * 100
    wait = first.call("sample.get", "box", "")
    second.call("sample.put", "box", harness.stored(1), "")
    assert first.served(wait) == 1
    assert first.call("object.describe", "box", "")["waiting"] == 0


def test_what_a_type_keeps_is_there_in_the_next_batch(host):
    host.open("sample", "box", "5")
    assert host.call("sample.kept", "box") == "nothing"
    host.call("sample.resize", "box", "6")
    assert host.call("sample.kept", "box") == "6"


def test_and_not_when_another_has_written_the_object(versions):
    first, second = versions
    first.open("sample", "box", "5")
    first.call("sample.resize", "box", "6")
    second.call("sample.resize", "box", "7")
    assert first.call("sample.kept", "box") == "nothing"


def test_nothing_is_known_of_a_batch_that_ended_before_it_wrote(host):
    host.open("sample", "box", "5")
    with pytest.raises(ResponseError, match="this cannot be saved"):
        host.calls(("sample.resize", "box", "bad"), ("object.watch", "box"))
    assert size(host) == 5
    assert host.call("sample.kept", "box") == "nothing"
    host.call("sample.resize", "box", "6")
    assert size(host) == 6


def test_an_engine_that_has_lost_all_is_not_remembered(host, engine):
    host.open("sample", "box", "5")
    engine.redis.flushall()
    host.seqs.clear()
    with pytest.raises(harness.EngineError):
        size(host)
    host.open("sample", "box", "3")
    assert size(host) == 3
