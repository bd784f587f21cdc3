"""Leases of daemons, and giving back for those that are dead."""
import pytest
from redis.exceptions import ResponseError

from harness import EngineError, Host, Op, stored, unpack
from test_open import refused

LEASE = 10_000


def hosts(daemon, verb, *args):
    """An op in the tag of the hosts."""
    prefix = "ipcd:test:{%hosts}"
    op = Op(verb, "", *args)
    return daemon.decode(op, prefix, daemon.batch(prefix, [op])[0])


def join(engine, name):
    """A daemon that has joined."""
    daemon = Host(engine, name, 0)
    daemon.epoch, daemon.until = hosts(daemon, "host.join", LEASE, "info of " + name)
    daemon.seqs.clear()
    return daemon


def renew(daemon):
    """Renews; the dead for which it is to give back."""
    daemon.until, dead = hosts(daemon, "host.renew", LEASE)
    return dead


def test_a_daemon_joins_and_is_listed(engine):
    first = join(engine, "a")
    assert first.until == engine.now + LEASE
    engine.now += 5
    second = join(engine, "b")
    assert second.epoch != first.epoch
    assert hosts(first, "host.list") == [
        ["a", first.epoch, first.until, "info of a", engine.now - 5],
        ["b", second.epoch, second.until, "info of b", engine.now]]


def test_epochs_are_never_given_twice(engine):
    epochs = [join(engine, "a").epoch for _ in range(3)]
    engine.redis.flushall()
    engine.now += 100
    epochs.append(join(engine, "a").epoch)
    assert sorted(set(epochs)) == epochs


def test_a_lease_is_renewed_in_time_or_lost(engine):
    daemon = join(engine, "a")
    engine.now += LEASE
    assert renew(daemon) == []
    assert daemon.until == engine.now + LEASE
    engine.now += LEASE + 1
    daemon.until = 0
    refused("LOST", hosts, daemon, "host.renew", LEASE)


def test_one_that_has_left_is_no_longer_there(engine):
    daemon, other = join(engine, "a"), join(engine, "b")
    hosts(daemon, "host.leave")
    refused("LOST", hosts, daemon, "host.renew", LEASE)
    assert renew(other) == []
    engine.now += LEASE
    assert renew(other) == []
    engine.now += 1
    assert renew(other) == [["a", daemon.epoch, daemon.until]]


def test_the_dead_are_given_to_one_at_a_time(engine):
    dead, first, second = (join(engine, name) for name in "abc")
    engine.now += LEASE
    renew(first), renew(second)
    engine.now += 1
    assert renew(first) == [["a", dead.epoch, dead.until]]
    assert renew(second) == []
    assert renew(first) == [["a", dead.epoch, dead.until]]
    engine.now += LEASE
    assert renew(second) == []
    engine.now += 1
    third = join(engine, "d")
    assert [entry[0] for entry in renew(third)] == ["a", "b"]
    hosts(third, "host.reaped", "a", dead.epoch)
    assert [entry[0] for entry in renew(third)] == ["b"]


def test_a_realm_of_a_newer_form_is_not_joined(engine):
    join(engine, "a")
    engine.redis.set("ipcd:test:{%hosts}:format", "2")
    with pytest.raises(EngineError) as error:
        join(engine, "b")
    assert error.value.code == "VERSION"


# Giving back.

def dead_host(engine, until):
    """A daemon with all that a dead one can leave, and the one that gives back."""
    dead, reaper = Host(engine, "dead", 5), Host(engine, "reaper", 6)
    dead.until = until
    reaper.open("sample", "box")
    dead.open("sample", "box", session=1)
    dead.open("sample", "{box}mine", lifetime="scoped", session=2)
    reaper.calls(("sample.put", "box", stored("held"), ""))
    dead.call("sample.hold", "box", "", session=2)
    for session in (1, 2, 3, 3):
        dead.call("sample.get", "box", "", session=session)
    dead.call("object.watch", "box")
    reaper.calls(*(("sample.put", "box", stored(value), "") for value in range(3)))
    return dead, reaper


def reap(reaper, dead, until):
    """As a daemon does it in one tag."""
    found = reaper.engine.redis.keys("ipcd:test:{*}:s:" + dead.key + ":*")
    for key in found:
        reaper.tell("reap.session", key.decode().split(":s:")[1], until, near="box")
    reaper.tell("reap.host", dead.key, until, near="box")


def test_all_that_a_dead_host_had_comes_back_in_order(engine):
    dead, reaper = dead_host(engine, engine.now)
    engine.now += 1
    reap(reaper, dead, engine.now - 1)
    values = [reaper.call("sample.get", "box", "0") for _ in range(4)]
    assert sorted(map(str, values)) == ["0", "1", "2", "held"]
    assert [value for value in values if value != "held"] == [0, 1, 2]
    refused("NOT_FOUND", reaper.call, "sample.count", "{box}mine")
    assert [key for key in engine.keys() if dead.key in key] == []
    assert reaper.call("object.describe", "box", "")["waiting"] == 0
    assert unpack(engine.redis.get(reaper.prefix("box") + ":m:box"))[5:7] == [0, 0]


def test_nothing_is_given_back_while_the_lease_holds(engine):
    dead, reaper = dead_host(engine, engine.now)
    refused("NOT_YET", reaper.tell, "reap.session", dead.sid(2), engine.now, near="box")
    refused("NOT_YET", reaper.tell, "reap.host", dead.key, engine.now, near="box")
    assert reaper.call("sample.count", "box") == 0


def test_what_was_acknowledged_is_not_given_back(engine):
    dead, reaper = dead_host(engine, engine.now)
    dead.fetch("box")
    dead.acks[dead.prefix("box")] = 2
    dead.call("sample.get", "box", "", session=9)
    engine.now += 1
    reap(reaper, dead, engine.now - 1)
    assert sorted(str(reaper.call("sample.get", "box", "0")) for _ in range(2)) == ["2", "held"]
    assert reaper.call("sample.count", "box") == 0


def test_reaping_a_host_first_takes_its_waits_away(engine):
    """So that nothing is served to it after its outbox has been put back."""
    dead, reaper = Host(engine, "dead", 5), Host(engine, "reaper", 6)
    reaper.open("sample", "box")
    dead.call("sample.get", "box", "", session=1)
    reaper.tell("reap.host", dead.key, 5, near="box")
    reaper.call("sample.put", "box", stored(1), "")
    assert reaper.call("sample.count", "box") == 1
    reaper.tell("reap.session", dead.sid(1), 5, near="box")
    assert [key for key in engine.keys() if dead.key in key] == []


def test_giving_back_twice_gives_back_once(engine):
    dead, reaper = dead_host(engine, engine.now)
    engine.now += 1
    for _ in range(2):
        reap(reaper, dead, engine.now - 1)
    assert reaper.call("sample.count", "box") == 4


def test_those_who_wait_get_what_comes_back(engine, other):
    dead, reaper = dead_host(engine, engine.now)
    waits = [other.call("sample.get", "box", "") for _ in range(4)]
    engine.now += 1
    reap(reaper, dead, engine.now - 1)
    assert sorted(str(other.served(wait)) for wait in waits) == ["0", "1", "2", "held"]


def test_a_dead_host_that_wakes_up_changes_nothing(engine):
    dead, reaper = dead_host(engine, engine.now)
    engine.now += 1
    reap(reaper, dead, engine.now - 1)
    with pytest.raises(ResponseError, match="FENCED"):
        dead.call("sample.put", "box", stored("late"), "")
    assert reaper.call("sample.count", "box") == 4
