"""barrier.*: arriving, passing, and every way in which it breaks."""

import pytest

import harness
from sync_stage import A, B, ROUNDS, WAITS, check_finds, run_model, stage  # noqa: F401

MAKE = [("barrier", "three", {"parties": 3}), ("barrier", "two", {"parties": 2, "timeout": 5}),
        ("barrier", "five", {"parties": 5})]


def arrive(stage, session, timeout=None, name="b"):
    return stage.call(session, "barrier.wait", name, timeout)


def state(stage, waiting, broken, parties=3):
    assert stage.call(A, "barrier.state", "b") == {"parties": parties, "waiting": waiting, "broken": broken}


def test_open_needs_parties_and_compares_its_options(stage):
    shown = stage.open(A, "barrier", "b", parties=3)
    assert (shown["parties"], shown["timeout"], shown["broken"]) == (3, None, False)
    stage.open(A, "barrier", "b")
    stage.refuses_open("MISMATCH", A, "barrier", "b", parties=2)
    stage.refuses_open("MISMATCH", A, "barrier", "b", timeout=5)
    assert stage.open(A, "barrier", "t", parties=1, timeout=5)["timeout"] == 5
    stage.refuses_open("MISMATCH", A, "barrier", "t", timeout=6)
    for parties in (None, 0, 2**31, 2**63 - 1):
        assert stage.refuses_open("BAD_REQUEST", A, "barrier", "x", parties=parties) == \
            "barrier.open: a new barrier needs option parties, from 1 to 2147483647"
    stage.refuses("NOT_FOUND", A, "barrier.wait", "x", None)
    assert stage.open(A, "barrier", "x", parties=2**31 - 1, timeout=2**63 - 1)["timeout"] == 2**63 - 1


def test_lets_all_go_when_the_last_one_comes_and_again(stage):
    stage.open(A, "barrier", "b", parties=3)
    for _ in range(3):
        waits = [arrive(stage, A), arrive(stage, B, 100)]
        assert [stage.answer(wait) for wait in waits] == [WAITS, WAITS]
        state(stage, 2, False)
        assert arrive(stage, A, 0) == 2
        assert [stage.answer(wait) for wait in waits] == [0, 1]
        state(stage, 0, False)
    assert [event[1] for event in stage.events()] == ["wait", "wait", "pass"] * 3


def test_breaks_when_a_wait_runs_out_of_time(stage):
    stage.open(A, "barrier", "b", parties=3)
    first, second = arrive(stage, A), arrive(stage, B, 5)
    with pytest.raises(harness.EngineError, match="BROKEN"):
        stage.time_out(second)
    assert stage.refused(first) == "BROKEN"
    state(stage, 0, True)
    stage.refuses("BROKEN", A, "barrier.wait", "b", None)
    stage.call(A, "barrier.reset", "b")
    stage.refuses("BROKEN", A, "barrier.wait", "b", 0)
    state(stage, 0, True)


def test_has_a_timeout_for_those_who_give_none(stage):
    stage.open(A, "barrier", "b", parties=3, timeout=5)
    number = 90
    assert stage.engine.run(A, number, "barrier.wait", "{t}b", None) == ("~", 5)
    assert stage.engine.run(A, number + 1, "barrier.wait", "{t}b", 7) == ("~", 7)


def test_breaks_when_one_who_waits_goes(stage):
    stage.open(A, "barrier", "b", parties=3)
    first = arrive(stage, A)
    arrive(stage, B)
    stage.end(B)
    assert stage.refused(first) == "BROKEN"
    stage.call(A, "barrier.reset", "b")
    first, cancelled = arrive(stage, A), arrive(stage, B)
    stage.cancel(cancelled)
    assert stage.refused(first) == "BROKEN"
    state(stage, 0, True)


def test_that_was_passed_is_not_broken_by_those_who_go_then(stage):
    stage.open(A, "barrier", "b", parties=3)
    arrive(stage, B)
    arrive(stage, B)
    assert arrive(stage, A) == 2
    stage.end(B)
    state(stage, 0, False)


def test_reset_breaks_those_who_wait_and_is_as_new(stage):
    stage.open(A, "barrier", "b", parties=3)
    waits = [arrive(stage, A), arrive(stage, B)]
    stage.call(B, "barrier.reset", "b")
    assert [stage.refused(wait) for wait in waits] == ["BROKEN", "BROKEN"]
    state(stage, 0, False)
    waits = [arrive(stage, A), arrive(stage, B)]
    assert arrive(stage, B) == 2
    assert [stage.answer(wait) for wait in waits] == [0, 1]


def test_abort_breaks_it_until_it_is_reset(stage):
    stage.open(A, "barrier", "b", parties=3)
    wait = arrive(stage, A)
    stage.call(A, "barrier.abort", "b")
    assert stage.refused(wait) == "BROKEN"
    stage.refuses("BROKEN", A, "barrier.wait", "b", 100)
    stage.call(A, "barrier.reset", "b")
    assert stage.answer(arrive(stage, A)) == WAITS


def test_that_is_deleted_refuses_those_who_wait(stage):
    stage.open(A, "barrier", "b", parties=3)
    waits = [arrive(stage, A), arrive(stage, B)]
    stage.delete("b")
    assert [stage.refused(wait) for wait in waits] == ["DELETED", "DELETED"]
    assert [event[1] for event in stage.events()] == ["wait", "wait"]


def test_agrees_with_the_model(server):
    run_model(server, MAKE, range(6 * ROUNDS), 300)


@pytest.mark.parametrize("fault", [
    ('if arrived + 1 == number(obj, "parties") then', 'if arrived == number(obj, "parties") then'),
    ('if outcome(obj, wait.progress) == "waits" then', 'if true then'),
    ('if outcome(obj, wait.progress) == "waits" then', 'if false then'),
    ('if not waits then\nfail_generation(obj, true)', 'if not waits then'),
    ('is_given(timeout) and timeout or obj.meta.timeout', 'timeout'),
    ('obj:set("failed", generation, "generation", generation + 1, "arrived", 0, "broken", broken and "1" or "")',
     'obj:set("failed", generation, "arrived", 0, "broken", broken and "1" or "")'),
    ('if is_broken(obj) then\nreturn nil, "BROKEN"', 'if false then\nreturn nil, "BROKEN"'),
    ('obj:set("arrived", arrived + 1)', ''),
    ('tell(obj, "pass", "parties", number(obj, "parties"))\nipcd.changed(obj)',
     'tell(obj, "pass", "parties", number(obj, "parties"))'),
])
def test_faults_are_found(server, monkeypatch, fault):
    check_finds(server, monkeypatch, fault, MAKE)
