"""queue.get_any of queues that are at several places of a cluster: one item or none, whatever else
happens at the others."""
import os
import signal
import subprocess
import sys

import pytest

import ipcd
from hosts import wait_until

NAMES = ["a", "b", "c", "{t}1", "{t}2"]


@pytest.fixture
def pair(scene):
    """Two hosts and a client at each; queues of four tags."""
    cluster = scene.cluster(primaries=2, replicas=0)
    one, two = (scene.host(cluster.url, name) for name in ("one", "two"))
    a, b = scene.connect(one), scene.connect(two)
    for name in NAMES:
        a.queue(name)
    a.queue("j", joinable=True)
    return scene, one, two, a, b


def get_any(client, names, *timeout):
    return client.call("queue.get_any", list(names), *timeout)


def waiting(client, names, count):
    for name in names:
        wait_until(lambda name=name: client.describe(name)["waiting"] == count,
                   f"{count} waiters on {name}")


def sizes(client, names):
    return [client.describe(name)["size"] for name in names]


def test_it_takes_from_the_first_that_has_an_item(pair):
    *_, a, b = pair
    b.queue("{t}2").put("t")
    b.queue("c").put("c")
    b.queue("j").put("j")
    assert get_any(a, ["a", "j", "c"]) == ["j", "j", 1, 1]
    assert get_any(a, NAMES, 0) == ["c", "c", None, 1]
    assert get_any(a, NAMES) == ["{t}2", "t", None, 1]
    with pytest.raises(ipcd.Empty, match="none of the queues has an item"):
        get_any(a, NAMES, 0)
    with pytest.raises(ipcd.Empty, match="none of the queues has an item"):
        get_any(a, NAMES, 20)
    waiting(a, NAMES, 0)


def test_what_it_may_not_get_from_is_refused(pair):
    *_, a, b = pair
    b.list("l")
    b.queue("c").put(1)
    with pytest.raises(ipcd.NotFound, match='there is no object "none"'):
        get_any(a, ["c", "none"])
    with pytest.raises(ipcd.WrongType, match='"l" is a list; queue.get_any needs a queue'):
        get_any(a, ["c", "l"])
    b.call("object.delete", "b")
    with pytest.raises(ipcd.NotFound):
        get_any(a, ["c", "b"])
    assert sizes(a, ["c"]) == [1]


AS_NOBODY = """
import os, sys, ipcd
os.setgid(65534)
os.setuid(65534)
client = ipcd.connect(sys.argv[1])
try:
    print(client.call("queue.get_any", sys.argv[2:], 0))
except ipcd.Error as error:
    print(error.code, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_each_needs_the_write_bit(pair):
    scene, one, _, a, b = pair
    os.chmod(scene.directory, 0o755)

    def get(*names):
        return subprocess.run([sys.executable, "-c", AS_NOBODY, one.socket, *names], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    b.queue("c").put(1)
    for name in ("a", "c"):
        b.call("object.chmod", name, 0o666)
    assert get("c", "b").startswith("DENIED") and '"b"' in get("c", "b")
    assert sizes(a, ["c"]) == [1]
    assert get("a", "c") == "['c', 1, None, 1]\n"
    b.call("object.chmod", "b", 0o666)
    assert get("a", "b", "c").startswith("EMPTY")
    b.call("object.chmod", "a", 0o600)
    assert get("a", "b", "c").startswith("DENIED")


def test_it_waits_for_the_first_to_get_an_item(pair, doing):
    scene, one, *_, a, b = pair
    for turn, name in enumerate(NAMES):
        getter = doing(get_any, scene.connect(one), NAMES)
        waiting(a, NAMES, 1)
        b.queue(name).put(turn)
        assert getter.result() == [name, turn, None, 1]
        waiting(a, NAMES, 0)
    assert sizes(a, NAMES) == [0] * len(NAMES)


def test_of_several_that_serve_it_at_once_one_does(pair, doing):
    scene, one, two, a, b = pair
    getting = scene.connect(one)
    queues = [["a", "j"], ["b", "c"], ["a", "b", "c", "j"]]
    putters = {name: scene.connect((one, two)[i % 2]).queue(name)
               for i, name in enumerate(["a", "b", "c", "j"])}
    for turn in range(60):
        names = queues[turn % len(queues)]
        getter = doing(get_any, getting, names)
        if turn % 2 == 0:
            waiting(b, names, 1)
        puts = [doing(putters[name].put, turn) for name in names]
        for put in puts:
            put.result()
        name, value, ticket, deliveries = getter.result()
        assert (value, deliveries) == (turn, 1)
        left = [other for other in names if other != name]
        wait_until(lambda left=left: sizes(a, left) == [1] * len(left), "what goes back")
        if ticket is not None:
            getting.call("queue.task_done", name, ticket)
        for other in left:
            with b.queue(other).take() as job:
                assert (job.value, job.deliveries) == (turn, 1)
        assert sizes(a, names) == [0] * len(names)


def test_items_that_come_back_keep_their_place(pair, doing):
    scene, one, _, a, b = pair
    getter = doing(get_any, scene.connect(one), ["a", "b"])
    waiting(b, ["a", "b"], 1)
    one.signal(signal.SIGSTOP)  # what serves it is not seen before all has been put
    b.call("queue.put_many", "a", [1, 2, 3])
    b.call("queue.put_many", "b", [4, 5, 6])
    one.signal(signal.SIGCONT)
    name = getter.result()[0]
    other = "b" if name == "a" else "a"
    wait_until(lambda: sizes(a, [other]) == [3], "what goes back")
    assert b.call("queue.peek", other, 0, 9) == ([1, 2, 3] if other == "a" else [4, 5, 6])


def test_one_that_is_deleted_ends_it(pair, doing):
    scene, one, _, a, b = pair
    getter = doing(get_any, scene.connect(one), ["a", "b", "c"])
    waiting(b, ["a", "b", "c"], 1)
    b.call("object.delete", "b")
    with pytest.raises(ipcd.Deleted):
        getter.result()
    waiting(a, ["a", "c"], 0)


def test_queues_that_are_shut_down_are_passed_over(pair, doing):
    scene, one, _, a, b = pair
    names = ["a", "b", "{t}1"]
    getter = doing(get_any, scene.connect(one), names)
    waiting(b, names, 1)
    b.queue("a").shutdown()
    b.queue("{t}1").shutdown()
    b.queue("b").put(1)
    assert getter.result() == ["b", 1, None, 1]
    b.queue("b").put(2)
    assert get_any(a, names) == ["b", 2, None, 1]
    getter = doing(get_any, scene.connect(one), names)
    waiting(b, names, 1)
    b.queue("b").shutdown()
    with pytest.raises(ipcd.ShutDown, match="all of the queues are empty and shut down"):
        getter.result()
    with pytest.raises(ipcd.ShutDown):
        get_any(a, names)
    waiting(a, names, 0)


def test_one_is_shut_down_while_it_begins_to_wait(pair, doing):
    scene, one, two, a, _ = pair
    getting, other = scene.connect(one), scene.connect(two)
    for turn in range(60):
        names = [f"{name}{turn}" for name in "xyz"]
        queues = [other.queue(name) for name in names]
        getter = doing(get_any, getting, names)
        for queue in queues[turn % 3:] + queues[:turn % 3]:
            queue.shutdown()
        with pytest.raises(ipcd.ShutDown):
            getter.result()
        assert [a.describe(name)["waiting"] for name in names] == [0, 0, 0]


@pytest.mark.parametrize("before", [True, False])
def test_what_comes_back_to_one_that_is_shut_down_is_got(pair, doing, before):
    scene, one, _, a, b = pair
    b.queue("j").put(1)
    ticket = b.call("queue.get", "j")[1]
    if not before:
        b.queue("j").shutdown()
    getter = doing(get_any, scene.connect(one), ["a", "j"])
    waiting(b, ["a", "j"], 1)
    if before:
        b.queue("j").shutdown()
        waiting(b, ["a", "j"], 1)
    b.call("queue.give_back", "j", ticket)
    assert getter.result()[:2] == ["j", 1]
    waiting(a, ["a", "j"], 0)


def test_a_session_that_ends_waits_no_more_and_takes_nothing(pair, doing):
    scene, one, _, a, b = pair
    names = ["a", "b", "j"]
    for _ in range(10):
        gone = scene.connect(one)
        getter = doing(get_any, gone, names)
        waiting(b, names, 1)
        session = a.sessions()
        a.kill_session(gone.session)
        for name in names:
            b.queue(name).put(name)
        with pytest.raises(ipcd.Error):
            getter.result()
        assert session
        wait_until(lambda: sizes(b, names) == [1, 1, 1], "what goes back")
        waiting(b, names, 0)
        for name in names:
            with b.queue(name).take() as job:
                assert (job.value, job.deliveries) == (name, 1)


def test_a_lease_that_is_lost_ends_it(scene, doing):
    cluster = scene.cluster(primaries=2, replicas=0)
    one, two = (scene.host(cluster.url, name) for name in ("one", "two"))
    a, b = scene.connect(one), scene.connect(two)
    for name in ("a", "b"):
        a.queue(name)
    getter = doing(get_any, scene.connect(one), ["a", "b"])
    waiting(b, ["a", "b"], 1)
    one.signal(signal.SIGSTOP)
    waiting(b, ["a", "b"], 0)
    one.signal(signal.SIGCONT)
    with pytest.raises(ipcd.EngineFailed) as raised:
        getter.result()
    assert raised.value.detail == {"done": False}
    b.queue("a").put(1)
    wait_until(lambda: one.state() == "leased")
    assert get_any(scene.connect(one), ["b", "a"]) == ["a", 1, None, 1]
