"""Locks, conditions, semaphores, events and barriers behave as Python's do."""
import threading

import pytest

import ipcd


def test_locks(client, other):
    lock = client.lock()
    theirs = other.lock(lock.name)
    with lock as held:
        assert held and lock.locked() and not theirs.acquire(block=False)
        assert not theirs.acquire(timeout=0.001) and not lock.acquire(timeout=0)
    assert theirs.acquire(timeout=1) and not theirs.abandoned
    with pytest.raises(RuntimeError):
        lock.release()
    other.close()
    assert lock.acquire(timeout=5) and lock.abandoned
    lock.release()
    recursive = client.lock(recursive=True)
    assert recursive.recursive and recursive.acquire() and recursive.acquire()
    recursive.release()
    assert recursive.locked()
    recursive.release()
    assert not recursive.locked()
    lock.acquire()
    assert lock.break_()["session"] == client.describe_session()["session"] and lock.break_() is None


def test_what_is_given_to_acquire(client, other):
    lock = client.lock()
    theirs = other.lock(lock.name)
    assert lock.acquire(True, None) is True and theirs.acquire(False) is False
    assert theirs.acquire(True, -1) is False and theirs.acquire(timeout=0.001) is False
    assert lock.release() is None
    for wrong in ({"blocking": True}, {"timeout": "soon"}):
        with pytest.raises(TypeError):
            lock.acquire(**wrong)
    with pytest.raises(TypeError):
        lock.acquire(True, None, 1)
    assert not lock.locked() and lock.abandoned is False
    with pytest.raises(KeyError):
        with lock:
            raise KeyError
    assert not lock.locked()
    unopened = ipcd.Lock.__new__(ipcd.Lock)
    for use in (unopened.acquire, unopened.release, unopened.__enter__):
        with pytest.raises(ValueError):
            use()


def test_how_often_each_thread_holds_a_condition(client):
    condition = client.condition()
    for depth in (1, 2):
        assert condition.acquire() and list(condition._depths.values()) == [depth]
    condition.release()
    assert list(condition._depths.values()) == [1]
    condition.release()
    assert condition._depths == {}
    with condition:
        assert condition._depths == {ipcd._core.thread(): 1}
    with pytest.raises(TypeError):
        condition._depths = None


def test_conditions(client, until):
    lock = client.lock()
    for condition in (client.condition(), client.condition(None, lock)):
        woken = []

        def wait():
            with condition:
                woken.append(condition.wait_for(lambda: len(woken) > 0 or None, timeout=20))
                condition.notify_all()
        with pytest.raises(RuntimeError):
            condition.wait(0)
        with pytest.raises(RuntimeError):
            condition.notify()
        thread = threading.Thread(target=wait)
        thread.start()
        until(lambda: condition.describe()["sleepers"] == 1)
        with condition:
            assert condition.wait(timeout=0.001) is False
            woken.append(1)
            assert condition.notify() == 1
            assert condition.wait(timeout=20)
        thread.join()
        assert woken == [1, True]


def test_semaphores(client):
    semaphore = client.semaphore(None, 3)
    assert semaphore.acquire() and semaphore.acquire(n=2) and semaphore.get_value() == 0
    assert not semaphore.acquire(block=False) and not semaphore.acquire(timeout=0.001)
    semaphore.release(5)
    with semaphore:
        assert semaphore.get_value() == 4
    bounded = client.semaphore(None, 1, bounded=True)
    with pytest.raises(ValueError):
        bounded.release()
    assert bounded.bounded and not semaphore.bounded


def test_events(client, until):
    event = client.event()
    assert not event.is_set() and not event.wait(0) and not event.wait(timeout=0.001)
    results = []
    thread = threading.Thread(target=lambda: results.append(event.wait()))
    thread.start()
    until(lambda: event.describe()["waiting"] == 1)
    event.set()
    thread.join()
    assert results == [True] and event.is_set() and event.wait()
    event.clear()
    assert not event.is_set()


def test_barriers(client, until):
    acted = []
    barrier = client.barrier(None, 3, action=lambda: acted.append(1))
    indices = []
    threads = [threading.Thread(target=lambda: indices.append(barrier.wait(20))) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: barrier.n_waiting == 2)
    indices.append(barrier.wait(20))
    for thread in threads:
        thread.join()
    assert sorted(indices) == [0, 1, 2] and acted == [1] and barrier.parties == 3
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait(timeout=0.001)
    assert barrier.broken
    barrier.reset()
    assert not barrier.broken
    barrier.abort()
    with pytest.raises(ipcd.BrokenBarrier):
        barrier.wait()
