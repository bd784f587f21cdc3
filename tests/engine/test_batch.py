"""Batches: versions, replies, what comes again, and atomic ones."""
import itertools

import pytest
import redis

from containers import values
from harness import (EngineError, Host, Op, header_of, replies_in, stored, strings_of,
                     unpack)


def get_op(host, name="box", wait=0):
    """A sample.get with the version that is known."""
    return Op("sample.get", name, "0" if not wait else "", version=host.versions[name], wait=wait)


def put_op(host, value, name="box"):
    """A sample.put with the version that is known."""
    return Op("sample.put", name, stored(value), "0", version=host.versions[name])


def test_ops_run_in_order_and_each_is_answered(host):
    host.open("sample", "box")
    results = host.calls(("sample.put", "box", stored(1), ""), ("sample.get", "box", ""),
                         ("sample.get", "box", "0"), ("sample.count", "box"))
    assert results[:2] == [None, 1] and results[3] == 0
    assert results[2].code == "EMPTY"


def test_an_object_that_is_not_there(host):
    with pytest.raises(EngineError) as error:
        host.call("sample.get", "nothing", "0")
    assert error.value.code == "NOT_FOUND"


def test_an_unknown_verb(host):
    host.open("sample", "box")
    with pytest.raises(EngineError) as error:
        host.call("sample.no", "box")
    assert error.value.code == "UNKNOWN_METHOD"


def test_a_version_that_is_not_known_is_answered_by_what_the_object_is(host, other):
    host.open("sample", "box", uid=7, gid=8, mode=0o640)
    op = Op("sample.put", "box", stored(1), "")
    reply = other.batch(other.prefix("box"), [op])[0]
    assert reply.startswith(b"?")
    assert unpack(reply[1:]) == ["sample", 7, 8, 0o640, host.versions["box"], "daemon"]
    assert host.call("sample.count", "box") == 0


def test_a_fault_is_the_answer_of_its_op_alone(host):
    host.open("sample", "box")
    results = host.calls(("sample.put", "box", stored(1), ""), ("sample.fault", "box"),
                         ("sample.get", "box", ""))
    assert results[1].code == "INTERNAL"
    assert results[0] is None and results[2] == 1


def test_a_batch_that_comes_again_is_answered_and_not_run(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    ops = [put_op(host, 1), put_op(host, 2), get_op(host), get_op(host), get_op(host)]
    first = host.batch(prefix, ops)
    assert first[2:4] == [b"=\x01", b"=\x02"]
    assert host.batch(prefix, ops, seq=host.seqs[prefix]) == first
    assert host.call("sample.count", "box") == 0


def test_one_that_comes_again_and_again(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    op = Op("sample.push", "box", stored(1), version=host.versions["box"])
    assert host.batch(prefix, [op]) == [b"=\xc0"]
    assert host.batch(prefix, [op], seq=host.seqs[prefix]) == [b"=\xc0"]
    assert host.batch(prefix, [op], seq=host.seqs[prefix]) == [b"=\xc0"]
    op.version = "none"
    refused = host.batch(prefix, [op])
    assert refused[0].startswith(b"?")
    assert host.batch(prefix, [op], seq=host.seqs[prefix]) == refused
    with pytest.raises(redis.exceptions.ResponseError, match="STALE"):
        host.batch(prefix, [op], seq=host.seqs[prefix] - 1)
    assert host.batch(prefix, [op], seq=host.seqs[prefix]) == refused
    assert host.call("sample.count", "box") == 1


def test_what_comes_late_leaves_the_last_one_noted(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    op = Op("sample.push", "box", stored(1), version=host.versions["box"])
    host.batch(prefix, [op])
    with pytest.raises(redis.exceptions.ResponseError, match="STALE"):
        host.batch(prefix, [op], seq=host.seqs[prefix] - 1)
    host.batch(prefix, [op], seq=host.seqs[prefix])
    assert host.call("sample.count", "box") == 1


def test_a_wait_that_comes_again_stands_in_line_once(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    op = get_op(host, wait=9)
    assert host.batch(prefix, [op]) == [b"~"]
    assert host.batch(prefix, [op], seq=host.seqs[prefix]) == [b"~"]
    host.calls(("sample.put", "box", stored(1), ""), ("sample.put", "box", stored(2), ""))
    assert len(host.fetch("box")) == 1
    assert host.call("sample.count", "box") == 1


def test_what_is_left_of_a_lost_connection_is_not_run(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    host.batch(prefix, [put_op(host, 1)])
    host.batch(prefix, [put_op(host, 2)])
    with pytest.raises(redis.exceptions.ResponseError, match="STALE"):
        host.batch(prefix, [put_op(host, 1)], seq=host.seqs[prefix] - 1)
    assert host.call("sample.count", "box") == 2


def test_batches_of_two_hosts_and_of_two_tags_are_numbered_apart(host, other):
    host.open("sample", "box")
    other.open("sample", "box")
    host.open("sample", "tin")
    host.batch(host.prefix("box"), [put_op(host, 1)], seq=20)
    other.batch(other.prefix("box"), [put_op(other, 2)], seq=3)
    host.batch(host.prefix("tin"), [put_op(host, 3, "tin")], seq=2)
    host.seqs.update({host.prefix("box"): 20, host.prefix("tin"): 2})
    assert host.calls(("sample.get", "box", "0"), ("sample.get", "box", "0")) == [1, 2]
    assert host.call("sample.get", "tin", "0") == 3


def test_one_that_changes_nothing_leaves_no_trace(host, engine):
    host.open("sample", "box")
    before = engine.redis.get(host.prefix("box") + ":h:" + host.key)
    changes = engine.changes()
    assert host.calls(("sample.count", "box"), ("object.describe", "box"))[0] == 0
    assert engine.redis.get(host.prefix("box") + ":h:" + host.key) == before
    assert engine.changes() == changes


def test_an_answer_of_many_bytes_comes_again_whole(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    host.batch(prefix, [put_op(host, bytes(range(256)) * 1000)])
    first = host.batch(prefix, [get_op(host)])
    assert len(first[0]) > 256000
    assert host.batch(prefix, [get_op(host)], seq=host.seqs[prefix]) == first


def test_a_mixture_of_answers_comes_again_as_it_was(host):
    host.open("sample", "box")
    prefix = host.prefix("box")
    ops = [put_op(host, 1), Op("sample.get", "box", "0", version="1"), Op("sample.no", "box"),
           get_op(host), get_op(host, wait=5)]
    first = host.batch(prefix, ops)
    assert [reply[:1] for reply in first] == [b"=", b"?", b"!", b"=", b"~"]
    assert host.batch(prefix, ops, seq=host.seqs[prefix]) == first


# Atomic.

def atomic(host, *ops):
    """Runs an atomic batch."""
    return host.batch(host.prefix("box"), list(ops), mode="atomic")


def test_an_atomic_batch_stops_at_the_first_error(host):
    host.open("sample", "box")
    replies = atomic(host, put_op(host, 1), get_op(host), get_op(host), put_op(host, 2))
    assert replies[:2] == [b"=\xc0", b"=\x01"]
    assert len(replies) == 3 and replies[2].startswith(b"!EMPTY ")
    assert host.call("sample.count", "box") == 0


def long_ops(host):
    """The first of them is as much as one batch may do."""
    host.open("list", "l", values(*range(100000)))
    version = host.versions["l"]
    return [Op("list.sort", "l", version=version), Op("list.append", "l", stored(1), version=version),
            Op("list.len", "l", version=version)]


def test_a_batch_that_has_much_to_do_puts_the_rest_off(host):
    ops = long_ops(host)
    assert host.batch(host.prefix("l"), ops) == [b"=\xc0", b"", b""]
    assert host.put_off
    assert host.call("list.len", "l") == 100000


def test_an_atomic_batch_that_has_much_to_do_is_refused_the_rest(host):
    ops = long_ops(host)
    replies = host.batch(host.prefix("l"), ops, mode="atomic")
    assert replies[0] == b"=\xc0" and replies[1].startswith(b"!TOO_LARGE ") and len(replies) == 2
    assert host.call("list.len", "l") == 100000


def test_nothing_of_it_waits(host):
    host.open("sample", "box")
    assert atomic(host, get_op(host, wait=3))[0].startswith(b"!EMPTY ")
    host.call("sample.put", "box", stored(1), "")
    assert host.call("sample.count", "box") == 1


def test_nothing_of_it_is_run_if_a_version_is_not_known(host, other):
    host.open("sample", "{box}")
    host.open("sample", "box")
    assert host.prefix("{box}") == host.prefix("box")
    replies = atomic(host, put_op(host, 1), Op("sample.put", "{box}", stored(1), "", version="5"),
                     put_op(host, 2))
    assert replies[0] == b"" and replies[2] == b""
    assert replies[1].startswith(b"?")
    assert host.calls(("sample.count", "box"), ("sample.count", "{box}")) == [0, 0]


def test_what_it_has_opened_itself_it_may_use(host):
    op = Op("sample.open", "box", 1, 1, "", "", "", "1", "0", "rw", "2")
    replies = atomic(host, op, Op("sample.put", "box", stored(3), ""),
                     Op("object.chmod", "box", "0"), Op("sample.count", "box"))
    assert [reply[:1] for reply in replies] == [b"=", b"=", b"=", b"="]
    assert replies[3] == b"=\x01"


def test_waiters_are_served_when_all_its_calls_are_done(host, other):
    host.open("sample", "box")
    wait = other.call("sample.get", "box", "")
    assert atomic(host, put_op(host, 1), put_op(host, 2), Op("sample.count", "box",
                  version=host.versions["box"]))[2] == b"=\x02"
    assert other.served(wait) == 1
    assert host.call("sample.count", "box") == 1


def test_nothing_of_it_overtakes_who_waits(host, other):
    host.open("sample", "box")
    wait = other.call("sample.get", "box", "")
    assert atomic(host, put_op(host, 1), get_op(host))[1].startswith(b"!EMPTY ")
    assert other.served(wait) == 1


def test_a_batch_of_nothing_acknowledges(host):
    host.open("sample", "box")
    host.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    host.fetch("box")
    host.acknowledge("box")
    assert host.batch(host.prefix("box"), []) == []
    assert host.engine.redis.exists(host.prefix("box") + ":out:" + host.key) == 0


def test_one_with_something_due_comes_again_with_what_is_due(host, engine):
    host.open("sample", "box")
    host.call("sample.later", "box", 500)
    prefix = host.prefix("box")
    for ops in ([put_op(host, 1)], [Op("sample.push", "box", stored(1),
                                       version=host.versions["box"])]):
        first = host.batch(prefix, ops)
        assert (host.due, host.due_name) == (engine.now + 500, "box")
        host.due = 0
        assert host.batch(prefix, ops, seq=host.seqs[prefix]) == first
        assert (host.due, host.due_name) == (engine.now + 500, "box")


def test_an_atomic_batch_that_comes_again(host):
    host.open("sample", "box")
    first = atomic(host, put_op(host, 1), get_op(host), get_op(host))
    again = host.batch(host.prefix("box"), [put_op(host, 1), get_op(host), get_op(host)],
                       mode="atomic", seq=host.seqs[host.prefix("box")])
    assert again == first


# The fence.

def test_a_daemon_whose_lease_is_over_changes_and_sees_nothing(host, engine):
    host.open("sample", "box")
    host.until = engine.now
    host.call("sample.put", "box", stored(1), "")
    engine.now += 1
    for call in (("sample.put", "box", stored(2), ""), ("sample.count", "box")):
        with pytest.raises(redis.exceptions.ResponseError, match="FENCED"):
            host.call(*call)
    host.until = 0
    assert host.call("sample.count", "box") == 1


def test_the_fence_is_before_what_comes_again(host, engine):
    host.open("sample", "box")
    prefix = host.prefix("box")
    host.batch(prefix, [put_op(host, 1)], until=engine.now)
    engine.now += 1
    with pytest.raises(redis.exceptions.ResponseError, match="FENCED"):
        host.batch(prefix, [put_op(host, 1)], seq=host.seqs[prefix], until=engine.now - 1)


def fcall(host, ops, seq, until):
    """A batch by the clock of Redis; its replies."""
    reply = host.engine.redis.execute_command(
        "FCALL", host.engine.function, 1, host.prefix(ops[0].name), header_of(host.key, seq, until),
        *strings_of(ops))
    return replies_in(reply, ops)[1]


def clock(engine):
    """Milliseconds by the clock of Redis."""
    seconds, microseconds = engine.redis.time()
    return seconds * 1000 + microseconds // 1000


def test_without_a_time_by_hand_it_is_the_clock_of_redis(host, engine):
    host.open("sample", "box")
    until = clock(engine) + 60000
    for seq in (50, 51):
        assert fcall(host, [put_op(host, 1)], seq, until) == [b"=\xc0"]
    with pytest.raises(redis.exceptions.ResponseError, match="FENCED"):
        fcall(host, [put_op(host, 1)], 52, until - 61000)


def usual(host, until, *call):
    """A batch of one call by the clock of Redis, twice: it is run once. Its reply."""
    prefix = host.prefix(call[1])
    host.seqs[prefix] = host.seqs.get(prefix, 0) + 1
    first, again = (fcall(host, [host.op(*call, wait=False)], host.seqs[prefix], until)
                    for _ in range(2))
    assert first == again
    return first[0]


def test_usual_calls_of_two_hosts_on_objects_that_change_meanwhile(host, other, engine):
    until = clock(engine) + 60000
    other.open("queue", "{box}q")
    other.open("dict", "{box}d")
    for daemon in (host, other):
        daemon.call("queue.put", "{box}q", stored(0), "")
        daemon.call("queue.get", "{box}q", "")
        daemon.call("dict.get", "{box}d", stored("k"), stored(1))
    expected = []
    for n in range(40):
        daemon = (host, other)[n // 3 % 2]
        assert usual(daemon, until, "queue.put", "{box}q", stored(n)) == b"=\xc0"
        expected.append(n)
        assert usual(daemon, until, "dict.set", "{box}d", stored("k%d" % (n // 2)), stored(n)) == \
            (b"=\xc3" if n % 2 == 0 else b"=\xc2")
        assert usual(daemon, until, "dict.get", "{box}d", stored("k%d" % (n // 2))) == \
            b"=" + stored(n)
        if n % 4 == 3:
            assert unpack(usual(daemon, until, "queue.get", "{box}q")[1:])[0] == expected.pop(0)
        if n == 20:
            other.call("object.chmod", "{box}q", "432")
            other.call("object.describe", "{box}q")
            assert usual(host, until, "queue.put", "{box}q", stored(n))[:1] == b"?"
            host.call("queue.put", "{box}q", stored(n), "")
            expected.append(n)
    described = host.call("object.describe", "{box}q")
    assert (described["size"], described["puts"], described["gets"]) == (len(expected), 43, 12)
    assert [host.call("queue.get", "{box}q", "")[0] for _ in expected] == expected
    assert host.call("dict.keys", "{box}d") == ["k%d" % n for n in range(20)]


def test_usual_calls_after_the_engine_has_lost_the_last_ones(host, engine):
    host.open("queue", "q")
    until = clock(engine) + 60000
    for n in range(3):
        usual(host, until, "queue.put", "q", stored(n))
    kept = {key: engine.redis.dump(key) for key in engine.redis.keys("*q*") if b":hl:" not in key}
    usual(host, until, "queue.put", "q", stored("lost"))
    usual(host, until, "queue.get", "q")
    for key, dump in kept.items():
        engine.redis.restore(key, 0, dump, replace=True)
    assert unpack(usual(host, until, "queue.get", "q")[1:])[0] == 0
    usual(host, until, "queue.put", "q", stored(3))
    described = host.call("object.describe", "q")
    assert (described["size"], described["puts"], described["gets"]) == (3, 4, 1)
    assert [host.call("queue.get", "q", "")[0] for _ in range(3)] == [1, 2, 3]


def test_a_lease_ends_for_usual_calls_too(host, engine):
    host.open("queue", "{box}q")
    until = clock(engine) + 1300
    with pytest.raises(redis.exceptions.ResponseError, match="FENCED"):
        for seq in itertools.count(50):
            fcall(host, [host.op("queue.put", "{box}q", stored(1), wait=False)], seq, until)
            assert clock(engine) < until + 10000
    assert until < clock(engine) < until + 10000


def test_the_proof_of_a_lease_is_gone_before_the_lease(host, engine):
    host.open("sample", "box")
    until = clock(engine) + 60000
    fcall(host, [put_op(host, 1)], 50, until)
    key = host.prefix("box") + ":hl:" + host.key
    assert engine.redis.execute_command("PEXPIRETIME", key) == until - 1000
    other = engine.redis.get(key)
    fcall(host, [put_op(host, 1)], 51, until + 1)
    assert engine.redis.get(key) != other, "a lease that has been renewed is another one"


def test_a_lease_that_is_nearly_over_has_no_proof(host, engine):
    host.open("sample", "box")
    fcall(host, [put_op(host, 1)], 50, clock(engine) + 900)
    assert not engine.redis.exists(host.prefix("box") + ":hl:" + host.key)


def test_what_another_process_has_left_is_no_proof(host, engine):
    host.open("sample", "box")
    until = clock(engine) - 1
    engine.redis.set(host.prefix("box") + ":hl:" + host.key, f"another {until}")
    with pytest.raises(redis.exceptions.ResponseError, match="FENCED"):
        fcall(host, [put_op(host, 1)], 50, until)


def test_who_gives_back_for_the_dead_takes_the_proof_away(host, other, engine):
    host.open("sample", "box")
    key = host.prefix("box") + ":hl:" + host.key
    for verb, name in (("reap.session", host.sid()), ("reap.host", host.key)):
        engine.redis.set(key, "proof")
        with pytest.raises(EngineError, match="NOT_YET"):
            other.tell(verb, name, engine.now, near="box")
        assert engine.redis.exists(key)
        other.tell(verb, name, engine.now - 1, near="box")
        assert not engine.redis.exists(key)


def test_the_host_of_a_name_may_have_dots(engine):
    host = Host(engine, "a.example-1.org", 12345678901234)
    host.open("sample", "box")
    wait = host.call("sample.get", "box", "")
    host.call("sample.put", "box", stored(1), "")
    assert host.served(wait) == 1


# Time.

def test_the_earliest_due_of_the_objects_is_told(host, engine):
    host.open("sample", "box")
    assert host.due == 0
    host.call("sample.later", "box", 500)
    assert host.due == engine.now + 500
    host.call("sample.count", "box")
    assert host.due == engine.now + 500


def test_time_passes_before_the_next_call(host, engine):
    host.open("sample", "box")
    host.call("sample.later", "box", 500)
    engine.now += 499
    assert host.call("sample.count", "box") == 0
    engine.now += 1
    assert host.call("sample.count", "box") == 1
    assert host.due == 0
    assert host.call("sample.get", "box", "") == "due"


def test_tick_lets_time_pass_and_serves(host, other, engine):
    host.open("sample", "box")
    host.call("sample.later", "box", 500)
    wait = other.call("sample.get", "box", "")
    assert other.due == engine.now + 500
    engine.now += 500
    host.tell("tick", near="box")
    assert other.served(wait) == "due"
    assert host.due == 0


def test_hosts_with_waits_hear_of_what_is_due_earlier(host, other, engine):
    host.open("sample", "box")
    other.call("sample.get", "box", "")
    heard = other.listen("box")
    host.call("sample.later", "box", 500)
    host.call("sample.later", "box", 700)
    host.call("sample.later", "box", 300)
    assert heard.messages() == [[b"d", engine.now + 500, b"box"],
                                [b"d", engine.now + 300, b"box"]]
