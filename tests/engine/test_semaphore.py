"""semaphore.*: permits, the queue of those who wait, and what becomes of the permits of a session
that goes."""

import pytest

import harness
from sync_driver import EXTREMES
from sync_stage import A, B, C, D, ROUNDS, WAITS, check_finds, run_model, stage  # noqa: F401

MOST = 2**63 - 1

MAKE = [("semaphore", "plain", {"value": 2}), ("semaphore", "bounded", {"value": 4, "bounded": True}),
        ("semaphore", "given_back", {"value": 1, "on_disconnect": "release"}),
        ("semaphore", "kept", {"value": 3, "bounded": True, "on_disconnect": "keep"})]
LARGE = [("semaphore", "large_bounded", {"value": MOST, "bounded": True}),
         ("semaphore", "large_given_back", {"value": 2**62, "on_disconnect": "release"}),
         ("semaphore", "large", {"value": 2**53 + 1})]


def acquire(stage, session, n=None, timeout=None):
    return stage.call(session, "semaphore.acquire", "s", timeout, n)


def release(stage, session, n=None):
    return stage.call(session, "semaphore.release", "s", n)


def test_open_shows_and_compares_its_options(stage):
    stage.open(A, "semaphore", "s")
    shown = stage.open(A, "semaphore", "s", value=1, bounded=False, on_disconnect="keep")
    assert (shown["value"], shown["initial"], shown["held"]) == (1, 1, 0)
    assert (shown["bounded"], shown["on_disconnect"]) == (False, "keep")
    for options in ({"value": 2}, {"bounded": True}, {"on_disconnect": "release"}):
        stage.refuses_open("MISMATCH", A, "semaphore", "s", **options)
    shown = stage.open(A, "semaphore", "b", bounded=True, value=0)
    assert (shown["value"], shown["bounded"], shown["on_disconnect"]) == (0, True, "release")
    assert stage.open(A, "semaphore", "k", bounded=True, on_disconnect="keep")["on_disconnect"] == "keep"
    assert stage.open(A, "semaphore", "r", on_disconnect="release")["on_disconnect"] == "release"
    assert stage.open(A, "semaphore", "m", value=MOST)["initial"] == MOST
    stage.open(B, "semaphore", "m", value=MOST)
    stage.refuses_open("MISMATCH", A, "semaphore", "m", value=MOST - 1)


def test_permits_are_taken_and_given_back(stage):
    stage.open(A, "semaphore", "s", value=3)
    assert [acquire(stage, A), acquire(stage, A, 2)] == [2, 0]
    stage.refuses("TIMEOUT", A, "semaphore.acquire", "s", 0, None)
    assert [release(stage, A, 2), release(stage, A), release(stage, A, 4)] == [2, 3, 7]
    assert stage.refuses("VALUE", A, "semaphore.acquire", "s", 0, 0) == \
        "semaphore.acquire: param n must be 1 or more, not 0"
    stage.refuses("VALUE", A, "semaphore.release", "s", 0)
    assert stage.refuses("RANGE", A, "semaphore.release", "s", MOST) == \
        "semaphore.release: 9223372036854775807 more permits are more than an int64"
    assert release(stage, A, 9223372036854775800) == MOST
    assert acquire(stage, A) == MOST - 1
    assert release(stage, A) == MOST
    stage.refuses("RANGE", A, "semaphore.release", "s", None)
    assert stage.call(A, "semaphore.value", "s") == MOST


@pytest.mark.parametrize("value", [2**53 - 1, 2**53, 10**15 - 1, 10**15, 2**62, MOST])
def test_large_numbers_are_exact(stage, value):
    stage.open(A, "semaphore", "s", value=value, bounded=True)
    assert acquire(stage, A) == value - 1
    assert acquire(stage, B, value - 1) == 0
    stage.shows("s", value=0, held=value)
    assert [(hold["session"], hold["permits"]) for hold in stage.holds("s")] == [
        ("alpha:1", 1), ("beta:2", value - 1)]
    assert release(stage, B, value - 2) == value - 2
    stage.refuses("VALUE", B, "semaphore.release", "s", 3)
    stage.end(A)
    stage.end(B)
    stage.shows("s", value=value, held=0)


def test_that_is_bounded_is_not_released_too_often(stage):
    stage.open(A, "semaphore", "s", value=2, bounded=True)
    assert stage.refuses("VALUE", A, "semaphore.release", "s", None) == \
        'semaphore.release: "{t}s" was released too many times: it is bounded, and has 2 of 2 permits'
    acquire(stage, A)
    stage.refuses("VALUE", A, "semaphore.release", "s", 2)
    assert stage.refuses("VALUE", A, "semaphore.acquire", "s", None, 3) == \
        'semaphore.acquire: "{t}s" never has more than 2 permits, and 3 were asked for'
    assert release(stage, A) == 2


def test_serves_those_who_wait_in_their_order(stage):
    stage.open(A, "semaphore", "s", value=1)
    many, few, later = acquire(stage, A, 3), acquire(stage, B), acquire(stage, A, 2)
    stage.refuses("TIMEOUT", B, "semaphore.acquire", "s", 0, None)
    assert release(stage, B) == 2
    assert stage.answer(few) == WAITS
    assert release(stage, B, 3) == 5
    assert [stage.answer(many), stage.answer(few), stage.answer(later)] == [2, 1, WAITS]
    assert release(stage, B) == 2
    assert stage.answer(later) == 0


def test_waiter_that_goes_lets_those_behind_it_pass(stage):
    stage.open(A, "semaphore", "s", value=1)
    acquire(stage, A, 9)
    late, cancelled, few = acquire(stage, B, 8, 5), acquire(stage, B, 7), acquire(stage, C)
    stage.end(A)
    assert stage.answer(few) == WAITS
    with pytest.raises(harness.EngineError, match="TIMEOUT"):
        stage.time_out(late)
    assert stage.answer(few) == WAITS
    stage.cancel(cancelled)
    assert stage.answer(few) == 0


def test_permits_of_a_session_that_ends_come_back_or_are_kept(stage):
    stage.open(A, "semaphore", "s", value=3, bounded=True)
    acquire(stage, A, 2)
    wait = acquire(stage, B, 3)
    stage.events()
    stage.end(A)
    assert stage.events() == [("s", "release", {"value": 3, "count": 2, "abandoned": True}),
                              ("s", "acquire", {"value": 0, "count": 3})]
    assert stage.answer(wait) == 0
    stage.open(C, "semaphore", "k", value=3)
    stage.call(C, "semaphore.acquire", "k", None, 2)
    stage.end(C)
    stage.shows("k", value=1, held=0)


def test_released_by_another_session_is_not_given_back_twice(stage):
    stage.open(A, "semaphore", "s", value=3, bounded=True)
    acquire(stage, A, 2)
    acquire(stage, B)
    assert release(stage, B, 2) == 2
    assert [(hold["session"], hold["permits"]) for hold in stage.holds("s")] == [("alpha:1", 1)]
    assert release(stage, B) == 3
    stage.end(A)
    stage.shows("s", value=3, held=0)


def test_released_by_others_comes_off_those_who_opened_it_first(stage):
    for session in (A, B, C):
        stage.open(session, "semaphore", "s", value=3, bounded=True)
    stage.engine.close_object(B, "{t}s")
    for session in (C, B, A):
        acquire(stage, session)
    holds = [hold["session"] for hold in stage.holds("s")]
    assert holds == ["alpha:1", "alpha:3", "beta:2"]
    for left in (["alpha:3", "beta:2"], ["beta:2"], []):
        release(stage, D)
        assert [hold["session"] for hold in stage.holds("s")] == left


def test_that_is_not_bounded_takes_a_foreign_release_as_a_new_permit(stage):
    stage.open(A, "semaphore", "s", value=1, on_disconnect="release")
    acquire(stage, A)
    assert release(stage, B) == 1
    stage.end(A)
    assert stage.call(B, "semaphore.value", "s") == 2


@pytest.mark.parametrize("bounded", [False, True])
def test_knows_nothing_more_of_sessions_that_have_ended(stage, bounded):
    stage.open(A, "semaphore", "s", value=3, bounded=bounded)
    stage.open(B, "semaphore", "s")
    acquire(stage, A)
    acquire(stage, C, 2)
    stage.engine.close_object(B, "{t}s")
    stage.end(A)
    stage.end(C)
    assert not [key for key in stage.engine.engine.keys() if ":ties:" in key or ":s:" in key]


def test_that_is_deleted_is_held_by_nobody(stage):
    stage.open(A, "semaphore", "s", value=2)
    acquire(stage, A, 2)
    wait = acquire(stage, B)
    stage.delete("s")
    assert stage.refused(wait) == "DELETED"
    assert stage.engine.records() == (set(), set())


@pytest.mark.parametrize("make, sizes", [
    (MAKE, (1, 1, 1, 2, 3, 0)), (LARGE, EXTREMES + (1, 2, 3)), (MAKE + LARGE, (1, 1, 2, 3, 0) + EXTREMES)])
def test_agrees_with_the_model(server, make, sizes):
    run_model(server, make, range(5 * ROUNDS), 300, sizes)


@pytest.mark.parametrize("fault", [
    ('if semaphore.compare(n, obj.meta.value) > 0 or ipcd.is_behind(call, semaphore.channel) then',
     'if semaphore.compare(n, obj.meta.value) > 0 then'),
    ('return a == b and 0 or ipcd.number.compare_text(a, b)', 'return 0'),
    ('local own = tie and semaphore.least(tie.permits, n) or "0"', 'local own = "0"'),
    ('obj:set("held", held, "value", semaphore.add(obj.meta.value, permits))', 'obj:set("held", held)'),
    ('held = take_off_others(obj, value, held)', ''),
    ('return a.order < b.order', 'return a.order > b.order'),
    ('tell(obj, "release", n, false)\nipcd.changed(obj)', 'tell(obj, "release", n, false)'),
    ('if tie.permits == "0" then\nipcd.unclaim(obj, sid)', 'if false then\nipcd.unclaim(obj, sid)'),
    ('ipcd.claim(obj, call.sid)\nend\ntie.permits', 'end\ntie.permits'),
    ('tie.is_open = true\ntie_save(obj, sid, tie)', ''),
    ('if tie.permits == "0" and not tie.is_open then', 'if tie.permits == "0" then'),
    ('local all = semaphore.add(semaphore.add(meta.value, meta.held), semaphore.subtract(n, own))',
     'local all = semaphore.add(meta.value, meta.held)'),
    ('hi, lo = hi + 1, lo - semaphore.word', 'hi, lo = hi, lo - semaphore.word'),
    ('hi, lo = hi - 1, lo + semaphore.word', 'hi, lo = hi - 1, lo'),
    ('exact = 15', 'exact = 19'),
])
def test_faults_are_found(server, monkeypatch, fault):
    check_finds(server, monkeypatch, fault, MAKE + LARGE, (1, 1, 2, 3, 0) + EXTREMES)
