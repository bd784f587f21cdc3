"""event.*: set, clear, and who is woken."""

import pytest

from sync_stage import A, B, ROUNDS, WAITS, check_finds, run_model, stage  # noqa: F401

MAKE = [("event", "e", {}), ("event", "f", {})]


def test_is_set_and_cleared(stage):
    assert stage.open(A, "event", "e")["set"] is False
    assert stage.call(A, "event.is_set", "e") is False
    assert stage.call(A, "event.set", "e") is None
    assert stage.call(A, "event.set", "e") is None
    assert stage.call(B, "event.is_set", "e") is True
    stage.shows("e", set=True)
    assert stage.call(B, "event.clear", "e") is None
    assert stage.call(A, "event.is_set", "e") is False
    assert stage.events() == [("e", "set", {}), ("e", "clear", {})]


def test_set_wakes_all_who_wait(stage):
    stage.open(A, "event", "e")
    waits = [stage.call(session, "event.wait", "e", None) for session in (A, B, A, B)]
    assert [stage.answer(wait) for wait in waits] == [WAITS] * 4
    stage.call(A, "event.set", "e")
    assert [stage.answer(wait) for wait in waits] == [True] * 4
    assert stage.call(A, "event.wait", "e", 0) is True
    stage.shows("e", waiting=0)


def test_that_is_clear_again_in_one_batch_has_woken_those_who_waited(stage):
    stage.open(A, "event", "e")
    wait = stage.call(A, "event.wait", "e", None)
    stage.engine.batch([(B, "event.set", "{t}e"), (B, "event.clear", "{t}e")])
    assert stage.answer(wait) is True
    assert stage.call(A, "event.is_set", "e") is False


def test_wait_that_runs_out_of_time_is_false(stage):
    stage.open(A, "event", "e")
    assert stage.call(A, "event.wait", "e", 0) is False
    wait = stage.call(A, "event.wait", "e", 5)
    assert stage.time_out(wait) is False
    stage.shows("e", waiting=0)


def test_wait_ends_by_cancel_and_deletion(stage):
    stage.open(A, "event", "e")
    cancelled = stage.call(A, "event.wait", "e", None)
    deleted = stage.call(B, "event.wait", "e", None)
    assert stage.cancel(cancelled) == ("=", None)
    assert stage.cancel(cancelled) == ("!", "NOT_FOUND")
    stage.delete("e")
    assert stage.refused(deleted) == "DELETED"


def test_agrees_with_the_model(server):
    run_model(server, MAKE, range(4 * ROUNDS), 300)


@pytest.mark.parametrize("fault", [
    ('if is_set(obj) or obj.meta.sets ~= call.progress then', 'if is_set(obj) then'),
    ('obj:set("set", "1", "sets", string.format("%.0f", tonumber(obj.meta.sets) + 1))', 'obj:set("set", "1")'),
    ('ipcd.tell(obj, "set", {})\nipcd.changed(obj)', 'ipcd.tell(obj, "set", {})'),
    ('return waits or pack.bool(false)', 'return waits or pack.bool(true)'),
    ('if is_set(call.obj) then\ncall.obj:set', 'if true then\ncall.obj:set'),
])
def test_faults_are_found(server, monkeypatch, fault):
    check_finds(server, monkeypatch, fault, MAKE)
