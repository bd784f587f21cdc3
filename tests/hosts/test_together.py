"""Several hosts and one Redis: one name space, one order of waiters, and what an end gives back."""
import signal

import pytest

import ipcd
from hosts import LIMIT, wait_until


@pytest.fixture
def pair(scene):
    """Two hosts and a client at each."""
    server = scene.redis()
    one, two = (scene.host(server.url, name) for name in ("one", "two"))
    return scene, server, one, two, scene.connect(one), scene.connect(two)


def waiting(client, name, count):
    wait_until(lambda: client.describe(name)["waiting"] == count, f"{count} waiters on {name}")


def test_what_one_host_puts_the_other_gets(pair):
    *_, a, b = pair
    a.queue("jobs").put({"n": 1})
    assert b.queue("jobs").get() == {"n": 1}
    a.dict("d")["key"] = [1, 2.5, None]
    assert b.dict("d") == {"key": [1, 2.5, None]}
    b.list("l").extend("xyz")
    assert a.list("l")[::-1] == ["z", "y", "x"]


def test_waiters_of_all_hosts_are_served_in_order(pair, doing):
    scene, _, one, two, a, _ = pair
    queue = a.queue("jobs")
    getters = []
    for i in range(6):
        client = scene.connect((one, two)[i % 2])
        getters.append(doing(client.queue("jobs").get))
        waiting(a, "jobs", i + 1)
    for i in range(6):
        queue.put(i)
    assert [getter.result() for getter in getters] == list(range(6))


def test_a_lock_is_held_once(pair, doing):
    *_, a, b = pair
    lock = a.lock("l")
    assert lock.acquire()
    assert not b.lock("l").acquire(timeout=0)
    other = doing(b.lock("l").acquire)
    waiting(a, "l", 1)
    assert a.describe("l")["holder"]["session"] == f"one:{a.session}"
    lock.release()
    assert other.result()
    assert a.describe("l")["holder"]["session"].startswith("two:")


def test_memory_and_pipes_stay_on_their_host(pair):
    *_, a, b = pair
    a.value("v", "i", 5)
    with pytest.raises(ipcd.NotFound):
        b.open("v")
    assert b.value("v", "i", 6).value == 6
    assert a.value("v").value == 5


def test_names_that_are_not_the_engines_stay_local(scene):
    server = scene.redis()
    one, two = (scene.host(server.url, name, names="shared/*") for name in ("one", "two"))
    a, b = scene.connect(one), scene.connect(two)
    a.queue("mine").put(1)
    a.queue("shared/q").put(2)
    assert b.queue("mine").empty()
    assert b.queue("shared/q").get() == 2


def test_the_end_of_a_session_gives_back(pair):
    scene, _, one, _, a, b = pair
    client = scene.connect(one)
    client.lock("l").acquire()
    client.semaphore("s", 2, bounded=True).acquire()
    queue = client.joinable_queue("q")
    for i in range(3):
        queue.put(i)
    queue.take()
    queue.take()
    client.close()
    assert b.lock("l").acquire(timeout=LIMIT)
    wait_until(lambda: b.describe("s")["value"] == 2)
    wait_until(lambda: b.queue("q").qsize() == 3)
    jobs = [b.queue("q").take() for _ in range(3)]
    assert [(job.value, job.deliveries) for job in jobs] == [(0, 2), (1, 2), (2, 1)]
    assert a.describe("q")["taken"] == 3


def test_the_sessions_of_all_hosts_are_listed_and_can_be_ended(pair):
    scene, _, one, _, a, b = pair
    victim = scene.connect(one)
    victim.lock("l").acquire()
    sessions = {session["session"]: session for session in b.sessions()}
    names = set(sessions)
    assert [sessions[f"one:{client.session}"]["engine_tags"] for client in (a, victim)] == [0, 1]
    assert {f"one:{a.session}", f"one:{victim.session}", f"two:{b.session}"} <= names
    held = b.describe_session(f"one:{victim.session}")
    assert [hold["object"] for hold in held["holds"]] == ["l"]
    b.kill_session(f"one:{victim.session}")
    assert b.lock("l").acquire(timeout=LIMIT)
    with pytest.raises(ipcd.NotFound):
        b.describe_session("nowhere:1")


def test_a_host_that_is_killed_gives_back_when_its_lease_is_over(pair):
    _, _, one, _, a, b = pair
    a.lock("l").acquire()
    queue = a.joinable_queue("q")
    queue.put("job")
    queue.take()
    one.kill()
    assert b.lock("l").acquire(timeout=LIMIT)
    assert b.queue("q").take(timeout=LIMIT).deliveries == 2
    assert b.describe("q")["taken"] == 1
    one.start()


def test_a_waiter_of_a_host_that_is_killed_takes_nothing(pair, doing):
    scene, _, one, two, a, b = pair
    doing(a.queue("q").get)
    waiting(b, "q", 1)
    live = doing(scene.connect(two).queue("q").get)
    waiting(b, "q", 2)
    one.kill()
    waiting(b, "q", 1)
    b.queue("q").put("item")
    assert live.result() == "item"


def test_a_host_that_was_stopped_has_lost_what_it_held_and_is_told_once(pair):
    _, _, one, _, a, b = pair
    lock = a.lock("l")
    lock.acquire()
    local = a.value("v", "i", 1)
    one.signal(signal.SIGSTOP)
    assert b.lock("l").acquire(timeout=LIMIT)
    one.signal(signal.SIGCONT)
    wait_until(lambda: one.state() == "leased")
    with pytest.raises(ipcd.Error) as raised:
        lock.release()
    assert raised.value.code == "ENGINE" and raised.value.detail == {"done": False}
    assert b.describe("l")["holder"]["session"].startswith("two:")
    with pytest.raises(ipcd.NotOwner):
        lock.release()
    assert local.value == 1
    b.lock("l").release()
    assert lock.acquire(timeout=LIMIT)


def test_a_message_that_is_missed_is_made_good(pair, doing):
    _, server, _, _, a, b = pair
    getter = doing(a.queue("q").get)
    waiting(b, "q", 1)
    server.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    b.queue("q").put(1)
    assert getter.result() == 1


def test_atomic_is_about_one_tag(pair):
    *_, a, b = pair
    q, d = a.queue("{t}q"), a.dict("{t}d")
    with a.atomic() as batch:
        batch.call("queue.put", "{t}q", 1)
        batch.call("dict.set", "{t}d", "n", 1)
    assert b.queue("{t}q").get() == 1 and b.dict("{t}d")["n"] == 1
    a.queue("elsewhere")
    with pytest.raises(ipcd.Unsupported):
        with a.atomic() as batch:
            batch.call("queue.put", "{t}q", 1)
            batch.call("queue.put", "elsewhere", 1)
    assert q.empty() and d == {"n": 1}


def test_events_of_other_hosts_are_told(pair):
    *_, a, b = pair
    queue = a.queue("q")
    with a.watch("q") as events:
        b.queue("q").put(1)
        assert next(events)[:2] == ("q", "put")
        queue.get()
        assert next(events)[:2] == ("q", "get")


def test_who_watches_is_told_that_events_may_have_been_missed(pair):
    _, server, one, _, a, b = pair
    queue = b.queue("q")
    b.queue("other")
    with a.watch("q") as events:
        queue.put(1)
        assert next(events)[:2] == ("q", "put")
        server.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        name, event, detail = next(events)[:3]
        assert (name, event, detail) == ("q", "lost", {"count": 1})
        queue.put(2)
        assert next(events)[:2] == ("q", "put")
