"""Gets take items that the daemon has reserved, without a call; nobody can tell, but by the time."""
import os
import re
import subprocess
import threading

import pytest

import ipcd

WARM = 20  # gets after which items are reserved


def calls(client):
    return client.stats()["calls"]["queue.get"]


def warm(queue):
    for number in range(WARM):
        queue.put(number)
        assert queue.get() == number


@pytest.mark.parametrize("joinable", [False, True], ids=["plain", "joinable"])
def test_items_come_in_order_with_few_calls(client, other, joinable):
    queue = client.queue("ahead" + str(os.getpid()), joinable=joinable, lifetime="scoped")
    warm(queue)
    queue.put_many(range(1000))
    before = calls(client)
    for number in range(1000):
        assert queue.get() == number
        if number % 100 == 50:
            assert other.queue(queue.name).qsize() == 999 - number == queue.qsize()
    assert calls(client) - before < 100
    with pytest.raises(ipcd.Empty):
        queue.get_nowait()
    assert client.describe_session()["holding"] == (WARM + 1000 if joinable else 0)


def test_whoever_comes_gets_the_next_one(client, other):
    queue = client.queue()
    theirs = other.open(queue.name)
    warm(queue)
    queue.put_many(range(300))
    for number in range(300):
        assert (theirs if number % 10 == 7 else queue).get() == number


def test_what_else_a_program_does_comes_after_what_it_got(client):
    queue = client.queue()
    warm(queue)
    for get in (queue.qsize, queue.peek, queue.describe, lambda: queue.get_many(3), queue.take,
                lambda: client.get_any([queue]), queue.clear):
        queue.put_many(range(30))
        got = [queue.get() for _ in range(9)]
        assert got == list(range(9))
        get()
        left = queue.get_many(100) if queue.qsize() else []
        assert left == list(range(30 - len(left), 30))


class Runs:
    def __reduce__(self):
        return print, ()


def test_what_is_refused_keeps_its_place(client, name):
    queue = client.queue(name, mode=0o622)
    warm(queue)
    queue.put_many([0, 1, 2, Runs(), 4, 5])
    assert [queue.get() for _ in range(3)] == [0, 1, 2]
    for _ in range(3):
        with pytest.raises(ipcd.UntrustedPickle):
            queue.get()
    assert queue.qsize() == 3
    trusting = client.queue(name, allow_pickle=True)
    assert [trusting.get(), queue.get(), queue.get()] == [None, 4, 5]


def test_a_fork_has_nothing_of_what_is_reserved(client, other):
    queue = client.queue()
    warm(queue)
    queue.put_many(range(100))
    assert [queue.get() for _ in range(10)] == list(range(10))
    child = os.fork()
    if child == 0:
        os._exit(0 if [queue.get() for _ in range(30)] == list(range(10, 40)) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [queue.get() for _ in range(60)] == list(range(40, 100))


def test_threads_share_what_is_reserved(client):
    queue, got = client.queue(), [[] for _ in range(4)]
    warm(queue)
    queue.put_many(range(4000))
    threads = [threading.Thread(target=lambda mine=mine: mine.extend(queue.get() for _ in range(1000)))
               for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sum(got, [])) == list(range(4000))
    assert all(mine == sorted(mine) for mine in got)


def test_a_lost_connection_ends_it(client):
    queue = client.queue()
    warm(queue)
    queue.put_many(range(100))
    assert queue.get() == 0
    client.close()
    with pytest.raises(ConnectionError):
        queue.get()


def test_ipcctl_shows_for_whom_items_are_reserved(client, name):
    ipcctl = os.path.join(os.path.dirname(os.environ["IPCD_DAEMON"]), "..", "tools", "ipcctl")
    queue = client.queue(name)
    warm(queue)

    def shown():
        return subprocess.run([ipcctl, "describe", name], stdout=subprocess.PIPE, text=True, check=True,
                              env={**os.environ, "IPCD_SOCKET": client.address}).stdout

    queue.put_many(range(9))
    assert "Reserved" not in shown()
    assert [queue.get(), queue.get()] == [0, 1]
    assert re.search(rf"^Reserved items \(\d\):\n.*\n +{client.session} +{os.getpid()} ", shown(), re.M)
    assert "size           7" in shown()
