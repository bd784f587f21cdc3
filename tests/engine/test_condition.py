"""condition.*: its lock, who sleeps and who is woken, and what becomes of a notification whose
receiver goes."""

import pytest

import harness
from sync_stage import A, B, C, D, ROUNDS, WAITS, check_finds, run_model, stage  # noqa: F401

FIRST = {"depth": 1, "abandoned": False}

MAKE = [("lock", "l", {"recursive": True}), ("condition", "c", {"lock": "l"}), ("condition", "d", {"lock": "l"}),
        ("condition", "own", {}), ("lock", "k", {"on_disconnect": "keep"}), ("condition", "e", {"lock": "k"})]


def acquire(stage, session, timeout=None, owner=None, name="c"):
    return stage.call(session, "condition.acquire", name, timeout, owner)


def release(stage, session, owner=None, name="c"):
    return stage.call(session, "condition.release", name, owner)


def sleep(stage, session, timeout=None, owner=None, name="c"):
    """A call that sleeps, having acquired its lock."""
    assert acquire(stage, session, 0, owner, name) == FIRST
    wait = stage.call(session, "condition.wait", name, timeout, owner)
    assert stage.answer(wait) == WAITS
    return wait


def notify(stage, session, n=None, name="c"):
    return stage.call(session, "condition.notify", name, n, None)


def notify_all(stage, session, name="c"):
    return stage.call(session, "condition.notify_all", name, None)


def open_with_lock(stage):
    """The lock 'l' and its conditions 'c' and 'd'."""
    stage.open(A, "lock", "l")
    for name in ("c", "d"):
        assert stage.open(A, "condition", name, lock="l")["lock"] == "{t}l"


def test_open_finds_its_lock_and_compares_it(stage):
    open_with_lock(stage)
    stage.open(A, "condition", "c")
    stage.open(A, "condition", "c", lock="l")
    stage.open(A, "lock", "m")
    stage.refuses_open("MISMATCH", A, "condition", "c", lock="m")
    assert stage.refuses_open("NOT_FOUND", A, "condition", "x", lock="none") == \
        'condition.open: there is no object "{t}none"; option lock must be the name of a lock'
    assert stage.refuses_open("WRONG_TYPE", A, "condition", "x", lock="c") == \
        'condition.open: "{t}c" is a condition; option lock must be the name of a lock'
    stage.open(A, "event", "e")
    assert '"{t}e" is an event' in stage.refuses_open("WRONG_TYPE", A, "condition", "x", lock="e")
    assert stage.open(A, "condition", "own")["lock"] is None
    stage.refuses_open("MISMATCH", A, "condition", "own", lock="l")
    stage.refuses("NOT_FOUND", A, "condition.wait", "x", None, None)


def test_acquires_its_own_lock_recursively(stage):
    stage.open(A, "condition", "c")
    assert acquire(stage, A, owner=1) == FIRST
    assert acquire(stage, A, owner=1) == {"depth": 2, "abandoned": False}
    stage.refuses("TIMEOUT", A, "condition.acquire", "c", 0, 2)
    stage.shows("c", holder={"session": "alpha:1", "owner": 1}, depth=2)
    assert [(hold["depth"], hold["owner"]) for hold in stage.holds("c")] == [(2, 1)]
    wait = acquire(stage, B)
    assert stage.refuses("NOT_OWNER", B, "condition.release", "c", None) == \
        'condition.release: session alpha:1 holds the lock of "{t}c", not the caller\'s, which is beta:2'
    assert [release(stage, A, 1), release(stage, A, 1)] == [1, 0]
    assert stage.answer(wait) == FIRST


def test_acquires_the_lock_that_it_was_given(stage):
    open_with_lock(stage)
    assert acquire(stage, A) == FIRST
    stage.refuses("TIMEOUT", B, "lock.acquire", "l", 0, None)
    stage.shows("d", holder={"session": "alpha:1", "owner": None}, depth=1)
    first = stage.call(B, "lock.acquire", "l", None, None)
    second = acquire(stage, A, name="d")
    assert release(stage, A, name="d") == 0
    assert [stage.answer(first), stage.answer(second)] == [FIRST, WAITS]
    assert stage.call(B, "lock.release", "l", None) == 0
    assert stage.answer(second) == FIRST
    assert stage.engine.records()[0] == {(A, "{t}l")}


def test_needs_its_lock_to_be_held(stage):
    stage.open(A, "condition", "c")
    stage.refuses("NOT_OWNER", A, "condition.wait", "c", 0, None)
    stage.refuses("NOT_OWNER", A, "condition.notify", "c", None, None)
    stage.refuses("NOT_OWNER", A, "condition.notify_all", "c", None)
    acquire(stage, A, owner=1)
    stage.refuses("NOT_OWNER", A, "condition.wait", "c", None, None)
    stage.refuses("NOT_OWNER", A, "condition.notify", "c", 1, 2)
    stage.refuses("NOT_OWNER", B, "condition.notify_all", "c", 1)
    assert stage.call(A, "condition.notify", "c", 2**63 - 1, 1) == 0
    stage.refuses("BAD_REQUEST", A, "condition.wait", "c", None, "x" * 256)


def test_wait_gives_the_lock_up_and_gets_it_back_as_deep(stage):
    stage.open(A, "condition", "c")
    acquire(stage, A, owner="me")
    acquire(stage, A, owner="me")
    wait = stage.call(A, "condition.wait", "c", None, "me")
    stage.shows("c", holder=None, depth=0, sleepers=1, waiting=1)
    assert acquire(stage, B, 0) == FIRST
    assert notify(stage, B) == 1
    assert stage.answer(wait) == WAITS
    assert notify(stage, B) == 0
    stage.shows("c", sleepers=0, waiting=1)
    assert release(stage, B) == 0
    assert stage.answer(wait) is True
    stage.shows("c", holder={"session": "alpha:1", "owner": "me"}, depth=2, waiting=0)
    assert [release(stage, A, "me"), release(stage, A, "me")] == [1, 0]


def test_notify_wakes_those_who_have_slept_longest(stage):
    open_with_lock(stage)
    first, second, third = sleep(stage, A), sleep(stage, B), sleep(stage, C)
    stage.call(D, "lock.acquire", "l", 0, None)
    assert [notify(stage, D, 9, "d"), notify(stage, D, 0), notify(stage, D, 2)] == [0, 0, 2]
    acquirer = stage.call(D, "lock.acquire", "l", None, None)
    assert notify_all(stage, D) == 1
    for holder, woken in ((D, first), (A, second), (B, acquirer), (D, third)):
        stage.call(holder, "lock.release", "l", None)
        assert stage.answer(woken) in (True, FIRST)


def test_wait_that_runs_out_of_time_holds_the_lock_again(stage):
    open_with_lock(stage)
    wait = sleep(stage, A, 5)
    assert acquire(stage, B, 0) == FIRST
    assert stage.time_out(wait) == wait
    assert stage.time_out(wait) == wait
    assert notify_all(stage, B) == 0
    stage.call(B, "lock.release", "l", None)
    assert stage.answer(wait) is False
    stage.shows("l", holder={"session": "alpha:1", "owner": None}, depth=1)
    assert stage.call(A, "condition.wait", "c", 0, None) is False
    stage.shows("l", depth=1)
    wait = stage.call(A, "condition.wait", "c", 5, None)
    stage.time_out(wait)
    assert stage.answer(wait) is False  # the lock was free
    stage.shows("l", depth=1)


def test_wait_that_was_notified_in_time_is_true_however_long_the_lock_takes(stage):
    stage.open(A, "condition", "c")
    wait = sleep(stage, A, 5)
    acquire(stage, B)
    notify(stage, B)
    assert stage.time_out(wait) == wait
    release(stage, B)
    assert stage.answer(wait) is True


@pytest.mark.parametrize("goes", ["end", "cancel"])
def test_notification_of_one_who_goes_is_passed_on(stage, goes):
    stage.open(A, "condition", "c")
    first, second = sleep(stage, B), sleep(stage, A)
    acquire(stage, C, 0)
    notify(stage, C)
    if goes == "end":
        stage.end(B)
    else:
        stage.cancel(first)
    release(stage, C)
    assert stage.answer(second) is True


def test_sleeper_that_goes_is_not_notified(stage):
    stage.open(A, "condition", "c")
    sleep(stage, B)
    stage.end(B)
    acquire(stage, A, 0)
    stage.shows("c", sleepers=0, waiting=0)
    assert notify_all(stage, A) == 0


def test_notification_is_not_kept_for_those_who_come_later(stage):
    stage.open(A, "condition", "c")
    sleep(stage, B, owner=1)
    sleep(stage, B, owner=2)
    acquire(stage, C, 0)
    notify(stage, C)
    stage.end(B)  # which passes it on to itself, and goes
    release(stage, C)
    waits = [sleep(stage, A), sleep(stage, C)]
    assert [stage.answer(wait) for wait in waits] == [WAITS, WAITS]


def test_notify_wakes_no_sleeper_twice_in_one_batch(stage):
    stage.open(A, "condition", "c")
    wait = sleep(stage, B)
    acquire(stage, A)
    batch = [(A, "condition.notify", "{t}c", 1, None)] * 2 + [(A, "condition.notify_all", "{t}c", None)]
    assert stage.engine.batch(batch) == [("=", 1), ("=", 0), ("=", 0)]
    release(stage, A)
    assert stage.answer(wait) is True
    release(stage, B)
    assert stage.answer(sleep(stage, A)) == WAITS


def test_lock_of_a_holder_that_goes_is_told_to_who_acquires_next(stage):
    stage.open(A, "condition", "c")
    wait = sleep(stage, A)
    acquire(stage, B)
    notify(stage, B)
    stage.end(B)
    assert stage.answer(wait) is True
    release(stage, A)
    assert acquire(stage, C) == {"depth": 1, "abandoned": True}


def test_that_is_deleted_wakes_all_its_waiters_and_no_others(stage):
    open_with_lock(stage)
    notified, asleep = sleep(stage, A), sleep(stage, B)
    stage.call(C, "lock.acquire", "l", 0, None)
    notify(stage, C)
    acquirer = acquire(stage, B)
    other = stage.call(B, "lock.acquire", "l", None, None)
    stage.delete("c")
    assert [stage.refused(wait) for wait in (notified, asleep, acquirer)] == ["DELETED"] * 3
    stage.call(C, "lock.release", "l", None)
    assert stage.answer(other) == FIRST


def test_whose_lock_is_deleted_wakes_all_and_is_of_no_more_use(stage):
    open_with_lock(stage)
    notified, asleep = sleep(stage, A), sleep(stage, B)
    stage.call(C, "lock.acquire", "l", 0, None)
    notify(stage, C)
    stage.delete("l")
    assert [stage.refused(wait) for wait in (notified, asleep)] == ["DELETED"] * 2
    assert stage.refuses("NOT_FOUND", C, "condition.acquire", "c", None, None) == \
        'condition.acquire: the lock "{t}l" of the condition "{t}c" has been deleted'
    for verb, *args in (("wait", None, None), ("notify", None, None), ("notify_all", None), ("release", None)):
        stage.refuses("NOT_FOUND", C, "condition." + verb, "d", *args)
    stage.shows("c", lock="{t}l", holder=None, sleepers=0)
    stage.open(C, "lock", "l")
    stage.refuses("NOT_FOUND", C, "condition.acquire", "c", None, None)
    stage.delete("c")
    stage.open(C, "condition", "c", lock="l")
    assert acquire(stage, C) == FIRST
    assert stage.engine.records() == ({(C, "{t}l")}, set())


def test_and_lock_find_each_other_when_they_are_renamed(stage):
    open_with_lock(stage)
    wait = sleep(stage, A)
    stage.rename("l", "m")
    stage.rename("c", "e")
    stage.open(B, "lock", "l")
    stage.shows("e", lock="{t}m", sleepers=1)
    stage.open(B, "condition", "e", lock="m")
    assert acquire(stage, B, name="e") == FIRST
    stage.shows("m", depth=1)
    assert notify(stage, B, name="e") == 1
    release(stage, B, name="e")
    assert stage.answer(wait) is True
    stage.delete("m")
    stage.refuses("NOT_FOUND", A, "condition.release", "e", None)
    stage.shows("e", lock="{t}m")


def test_tells_the_daemon_whose_lock_it_goes_by(stage):
    host = stage.engine.host("alpha")
    host.open("lock", "l{t}", "", "", "", uid=7, gid=8, mode=0o664)
    opened = host.call("condition.open", "c{t}", 1, 2, "", "", "", "1", "0", "", "l{t}")
    assert opened["lock"] == "l{t}"
    lock = host.metas["l{t}"]
    before = host.metas["c{t}"]
    assert before[:4] == ["condition", 1, 2, 0o660]
    assert before[4].endswith("+" + lock[4])
    assert before[6:] == ["l{t}", 7, 8, 0o664]
    assert host.call("condition.acquire", "c{t}", "", "") == FIRST
    host.call("object.chmod", "l{t}", 0o666)
    op = harness.Op("condition.release", "c{t}", "", version=before[4])
    reply = host.batch(host.prefix("c{t}"), [op])[0]
    assert reply[:1] == b"?"
    assert harness.unpack(reply[1:])[6:] == ["l{t}", 7, 8, 0o666]
    host.call("object.delete", "l{t}")
    host.call("condition.open", "c{t}", 1, 2, "", "", "", "1", "0", "", "")
    assert host.metas["c{t}"][:4] == before[:4] and len(host.metas["c{t}"]) == 6


def test_is_not_made_before_the_right_to_its_lock_has_been_looked_at(stage):
    host = stage.engine.host("alpha")
    host.open("lock", "l{t}", "", "", "", uid=7, gid=8)
    args = [1, 2, "", "", "", "1", "0", "", "l{t}"]
    for mode in ("", "atomic"):
        reply = host.batch(host.prefix("l{t}"), [harness.Op("condition.open", "c{t}", *args)], mode)[0]
        meta = harness.unpack(reply[1:])
        assert (reply[:1], meta[0], meta[4][:4], meta[6:]) == (b"?", "condition", "new+", ["l{t}", 7, 8, 0o660])
        stage.engine.host("beta").call("object.chmod", "l{t}", 0o660)
    op = harness.Op("condition.open", "c{t}", *args, version=meta[4])
    assert host.batch(host.prefix("l{t}"), [op])[0][:1] == b"?"
    meta = harness.unpack(host.batch(host.prefix("l{t}"), [op])[0][1:])
    op.version = meta[4]
    assert host.batch(host.prefix("l{t}"), [op], "atomic")[0][:1] == b"="


def test_keeps_a_scoped_lock_alive(stage):
    host, run = stage.engine.host("alpha"), stage.engine.ask
    host.open("lock", "l{t}", "", "", "", lifetime="scoped")
    host.open("condition", "c{t}", "l{t}", lifetime="scoped")
    run(A, 0, "object.close", "l{t}", [])
    assert run(A, 0, "condition.acquire", "c{t}", [b"", b""]) == ("=", FIRST)
    assert run(A, 0, "lock.release", "l{t}", [b""]) == ("=", 0)
    run(A, 0, "object.close", "c{t}", [])
    assert run(A, 0, "lock.locked", "l{t}", []) == ("!", "NOT_FOUND")
    assert run(A, 0, "object.describe", "c{t}", [b""]) == ("!", "NOT_FOUND")


def test_wait_takes_its_turn_for_a_lock_that_is_broken(stage):
    open_with_lock(stage)
    asleep = sleep(stage, A)
    still = sleep(stage, D)
    acquire(stage, B, 0)
    notify(stage, B)
    assert stage.call(C, "lock.break", "l") == {"session": "beta:2", "owner": None, "depth": 1}
    assert [stage.answer(asleep), stage.answer(still)] == [True, WAITS]
    stage.refuses("NOT_OWNER", B, "condition.wait", "c", 0, None)
    release(stage, A)
    assert stage.call(C, "lock.acquire", "l", 0, None) == {"depth": 1, "abandoned": True}
    stage.shows("c", sleepers=1)


def test_wait_that_may_not_wait_has_not_given_the_lock_up(stage):
    stage.open(A, "condition", "c")
    acquire(stage, A)
    assert stage.engine.run(A, 0, "condition.wait", "{t}c", None, None) == ("=", False)
    stage.shows("c", depth=1, sleepers=0, waiting=0)


def test_agrees_with_the_model(server):
    run_model(server, MAKE, range(8 * ROUNDS), 400)


@pytest.mark.parametrize("fault", [
    ('mutex.give_up(found, depth)', ''),
    ('mutex.give_up(found, depth)', 'mutex.give_up(found, 1)'),
    ('elseif state == "N" then\nnotify(obj, 1)', 'elseif state == "N" then'),
    ('if state == "A" then\nexpire(obj)', 'if state == "A" then'),
    ('return pack.bool(state == "N")', 'return pack.bool(true)'),
    ('if mutex.depth(found) > 0 then', 'if false then'),
    ('mutex.take(call, found, owner or "", depth)', 'mutex.take(call, found, owner or "", 1)'),
    ('mutex.take(call, found, owner or "", depth)', 'mutex.take(call, found, owner or "", depth, "")'),
    ('if not wake(obj) then\nif not call.timed_out then', 'if not wake(obj) then\nif true then'),
    ('expire(obj)\nstate = "E"', 'expire(obj)'),
    ('tell(obj, "notify", "woken", woken)\nipcd.changed(obj)', 'tell(obj, "notify", "woken", woken)'),
    ('ipcd.end_waits_elsewhere(lock, obj)', ''),
    ('return ipcd.move(call, mutex_object(obj), mutex.channel)',
     'return ipcd.wait(call, condition.sleepers, timeout, "TIMEOUT")'),
    ('ipcd.end_waits(obj)\nobj:set("lock"', 'obj:set("lock"'),
])
def test_faults_are_found(server, monkeypatch, fault):
    check_finds(server, monkeypatch, fault, MAKE)
