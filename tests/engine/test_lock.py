"""lock.*: owners, the queue of those who wait, and what becomes of a lock whose holder goes."""

import pytest

from sync_stage import A, B, C, ROUNDS, WAITS, check_finds, run_model, stage  # noqa: F401

FIRST = {"depth": 1, "abandoned": False}

MAKE = [("lock", "l", {}), ("lock", "r", {"recursive": True}),
        ("lock", "k", {"on_disconnect": "keep", "release_by": "anyone"})]


def acquire(stage, session, name="l", timeout=None, owner=None):
    return stage.call(session, "lock.acquire", name, timeout, owner)


def release(stage, session, name="l", owner=None):
    return stage.call(session, "lock.release", name, owner)


def test_open_shows_and_compares_its_options(stage):
    shown = stage.open(A, "lock", "l")
    assert (shown["recursive"], shown["on_disconnect"], shown["release_by"]) == (False, "release", "owner")
    assert (shown["holder"], shown["depth"], shown["held_since"], shown["abandoned"]) == (None, 0, None, False)
    stage.open(A, "lock", "l", recursive=False, on_disconnect="release", release_by="owner")
    for options in ({"recursive": True}, {"on_disconnect": "keep"}, {"release_by": "anyone"}):
        assert next(iter(options)) in stage.refuses_open("MISMATCH", A, "lock", "l", **options)
    shown = stage.open(A, "lock", "m", recursive=True, on_disconnect="keep", release_by="anyone")
    assert (shown["recursive"], shown["on_disconnect"], shown["release_by"]) == (True, "keep", "anyone")
    stage.open(A, "lock", "m")
    stage.refuses("NOT_FOUND", A, "lock.locked", "n")


def test_is_held_by_one_and_released(stage):
    stage.open(A, "lock", "l")
    assert stage.call(A, "lock.locked", "l") is False
    assert acquire(stage, A) == FIRST
    assert stage.call(B, "lock.locked", "l") is True
    stage.shows("l", holder={"session": "alpha:1", "owner": None}, depth=1, waiting=0)
    stage.refuses("TIMEOUT", B, "lock.acquire", "l", 0, None)
    assert stage.refuses("NOT_OWNER", B, "lock.release", "l", None) == \
        'lock.release: session alpha:1 holds the lock "{t}l", not the caller\'s, which is beta:2'
    assert release(stage, A) == 0
    assert stage.refuses("NOT_OWNER", A, "lock.release", "l", None) == 'lock.release: nobody holds the lock "{t}l"'
    assert acquire(stage, B, timeout=0) == FIRST


def test_tells_owners_of_a_session_apart(stage):
    stage.open(A, "lock", "l", recursive=True)
    assert acquire(stage, A, owner=7) == FIRST
    for session, owner in ((A, None), (A, 8), (A, "7"), (B, 7)):
        stage.refuses("TIMEOUT", session, "lock.acquire", "l", 0, owner)
        stage.refuses("NOT_OWNER", session, "lock.release", "l", owner)
    assert "with another owner" in stage.refuses("NOT_OWNER", A, "lock.release", "l", None)
    assert acquire(stage, A, owner=7) == {"depth": 2, "abandoned": False}
    assert [release(stage, A, owner=7), release(stage, A, owner=7)] == [1, 0]
    for owner in (2**64 - 1, -2**63, "", "x" * 255):
        assert acquire(stage, B, owner=owner) == FIRST
        stage.shows("l", holder={"session": "beta:2", "owner": owner})
        stage.refuses("NOT_OWNER", B, "lock.release", "l", None)
        assert release(stage, B, owner=owner) == 0
    assert stage.refuses("BAD_REQUEST", A, "lock.acquire", "l", 0, "x" * 256) == \
        "lock.acquire: param owner must have at most 255 bytes, not 256"
    assert "not 70000" in stage.refuses("BAD_REQUEST", A, "lock.release", "l", "x" * 70000)


def test_goes_to_those_who_wait_in_their_order(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    waits = [acquire(stage, session) for session in (B, C, A)]
    for holder, wait, later in zip((A, B, C), waits, waits[1:] + [None]):
        assert release(stage, holder) == 0
        assert stage.answer(wait) == FIRST
        assert later is None or stage.answer(later) == WAITS
        stage.refuses("TIMEOUT", B, "lock.acquire", "l", 0, None)


def test_is_not_for_those_who_come_after_the_waiters(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    wait = acquire(stage, B)
    batch = [(A, "lock.release", "{t}l", None), (A, "lock.acquire", "{t}l", None, None)]
    assert stage.engine.batch(batch) == [("=", 0), ("!", "TIMEOUT")]
    assert stage.answer(wait) == FIRST


def test_that_is_recursive_goes_ahead_of_those_who_wait(stage):
    stage.open(A, "lock", "l", recursive=True)
    acquire(stage, A)
    wait = acquire(stage, B)
    assert acquire(stage, A)["depth"] == 2
    assert release(stage, A) == 1
    assert stage.answer(wait) == WAITS
    assert release(stage, A) == 0
    assert stage.answer(wait) == FIRST


def test_of_a_session_that_ends_goes_to_the_next_who_is_told(stage):
    stage.open(A, "lock", "l", recursive=True)
    acquire(stage, A, owner=1)
    acquire(stage, A, owner=1)
    second, third = acquire(stage, B), acquire(stage, C)
    assert [(hold["session"], hold["depth"], hold["owner"]) for hold in stage.holds("l")] == [("alpha:1", 2, 1)]
    stage.events()
    stage.end(A)
    assert stage.events() == [
        ("l", "release", {"session": "alpha:1", "depth": 0, "abandoned": True}),
        ("l", "acquire", {"session": "beta:2", "depth": 1})]
    assert stage.answer(second) == {"depth": 1, "abandoned": True}
    assert acquire(stage, B) == {"depth": 2, "abandoned": False}
    assert [release(stage, B), release(stage, B)] == [1, 0]
    assert stage.answer(third) == FIRST


def test_of_a_daemon_that_is_dead_is_given_back_by_another_one(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    acquire(stage, C)  # of the same daemon
    wait = acquire(stage, B)
    for session in (C, A):
        stage.end(session, "beta")
    assert stage.answer(wait) == {"depth": 1, "abandoned": True}
    assert stage.engine.records() == ({(B, "{t}l")}, set())


def test_is_never_given_to_a_waiter_that_is_gone(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    acquire(stage, B)
    wait = acquire(stage, C)
    stage.end(B)
    release(stage, A)
    assert stage.answer(wait) == FIRST


def test_granted_to_a_session_that_ends_before_it_hears_of_it_goes_on(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    acquire(stage, B)
    wait = acquire(stage, C)
    release(stage, A)
    stage.end(B)
    assert stage.answer(wait) == {"depth": 1, "abandoned": True}


def test_that_is_kept_outlives_its_holder(stage):
    stage.open(A, "lock", "l", on_disconnect="keep", release_by="anyone")
    acquire(stage, A, owner="child")
    stage.end(A)
    stage.shows("l", holder={"session": "alpha:1", "owner": "child"}, depth=1, abandoned=False)
    assert stage.holds("l") == []
    wait = acquire(stage, B)
    assert stage.answer(wait) == WAITS
    assert release(stage, C) == 0
    assert stage.answer(wait) == FIRST


def test_break_takes_it_at_any_depth_and_tells_of_whom(stage):
    stage.open(A, "lock", "l", recursive=True)
    assert stage.call(B, "lock.break", "l") is None
    acquire(stage, A, owner="thread")
    acquire(stage, A, owner="thread")
    wait = acquire(stage, B)
    assert stage.call(C, "lock.break", "l") == {"session": "alpha:1", "owner": "thread", "depth": 2}
    assert stage.answer(wait) == {"depth": 1, "abandoned": True}
    stage.refuses("NOT_OWNER", A, "lock.release", "l", "thread")
    stage.end(A)
    stage.shows("l", holder={"session": "beta:2", "owner": None}, abandoned=False)


def test_wait_ends_by_time_cancel_and_deletion(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    late, cancelled, deleted = acquire(stage, B, timeout=5), acquire(stage, B), acquire(stage, B)
    with pytest.raises(Exception, match="TIMEOUT"):
        stage.time_out(late)
    stage.cancel(cancelled)
    stage.shows("l", waiting=1, depth=1)
    stage.delete("l")
    assert stage.refused(deleted) == "DELETED"
    assert stage.open(A, "lock", "l")["holder"] is None
    acquire(stage, B)
    stage.end(A)  # which held the one that was deleted
    stage.shows("l", depth=1)


def test_keeps_its_waiters_and_its_holder_when_it_is_renamed(stage):
    stage.open(A, "lock", "l")
    acquire(stage, A)
    wait = acquire(stage, B)
    stage.rename("l", "m")
    stage.open(C, "lock", "l")
    assert acquire(stage, C) == FIRST
    stage.end(A)
    assert stage.answer(wait) == {"depth": 1, "abandoned": True}
    stage.shows("l", depth=1)


def test_agrees_with_the_model(server):
    run_model(server, MAKE, range(6 * ROUNDS), 300)


@pytest.mark.parametrize("fault", [
    ('return mutex.depth(obj) > 0 and meta.holder == sid and meta.owner == owner',
     'return mutex.depth(obj) > 0 and meta.holder == sid'),
    ('return mutex.depth(obj) > 0 and meta.holder == sid and meta.owner == owner',
     'return mutex.depth(obj) > 0 and meta.owner == owner'),
    ('if not is_open or (not is_own and ipcd.is_behind(call, mutex.channel, obj)) then', 'if not is_open then'),
    ('if not is_open or (not is_own and ipcd.is_behind(call, mutex.channel, obj)) then',
     'if not is_open or ipcd.is_behind(call, mutex.channel, obj) then'),
    ('local is_open = depth == 0 or (is_own and has_flag(obj, "r"))', 'local is_open = depth == 0 or is_own'),
    ('ipcd.unclaim(obj, obj.meta.holder)\nipcd.changed(obj)', 'ipcd.unclaim(obj, obj.meta.holder)'),
    ('ipcd.unclaim(obj, obj.meta.holder)\nipcd.changed(obj)', 'ipcd.changed(obj)'),
    ('obj:set("depth", depth, "abandoned", "1")', 'obj:set("depth", depth)'),
    ('mutex.take(call, obj, owner, depth + 1, "")', 'mutex.take(call, obj, owner, depth + 1)'),
    ('if has_flag(obj, "k") then\nipcd.unclaim(obj, sid)', 'if has_flag(obj, "K") then\nipcd.unclaim(obj, sid)'),
    ('"abandoned", told)\nipcd.claim(obj, call.sid)', '"abandoned", told)'),
    ('may = mutex.depth(obj) > 0', 'may = true'),
    ('release(obj, mutex.depth(obj), true)\nreturn result', 'release(obj, 1, true)\nreturn result'),
])
def test_faults_are_found(server, monkeypatch, fault):
    check_finds(server, monkeypatch, fault, MAKE)
