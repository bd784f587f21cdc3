"""What nobody waits for (puts of unbounded queues, task_done), and the order of what a process does."""
import pytest

from ipcd import multiprocessing as mp

LOCKS = ["Lock", "RLock", "Condition"]


def release_and_stay(lock, moment):
    lock.acquire()
    lock.release()
    moment.send("here")
    moment.recv()


@pytest.mark.parametrize("kind", LOCKS)
def test_a_release_arrives_without_another_call(start, kind):
    lock = getattr(mp, kind)()
    worker = start(release_and_stay, lock)
    worker.await_moment()
    assert lock.acquire(timeout=30)
    assert not lock.abandoned
    lock.release()
    worker.kill()
    assert lock.acquire() and not lock.abandoned


@pytest.mark.parametrize("kind", LOCKS)
@pytest.mark.parametrize("make", [lambda kind: getattr(mp, kind)(),
                                  lambda kind: getattr(mp.Manager(), kind)()], ids=["mp", "manager"])
def test_releases_and_other_calls_keep_their_order(kind, make):
    lock, jobs = make(kind), mp.Queue()
    for number in range(100):
        assert lock.acquire()
        assert lock.describe()["depth"]
        lock.release()
        assert not lock.describe()["depth"]
        jobs.put(number)
        assert jobs.get() == number


def test_a_lock_is_held_as_often_as_it_was_acquired():
    lock = mp.RLock()
    for _ in range(3):
        lock.acquire()
    for depth in (2, 1, 0):
        lock.release()
        assert lock.describe()["depth"] == depth
    with pytest.raises(RuntimeError):
        lock.release()


def test_what_is_not_held_is_refused_at_once():
    lock = mp.Lock()
    with pytest.raises(RuntimeError):
        lock.release()
    lock.acquire()
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()


def release(lock):
    lock.release()


def test_a_child_does_not_hold_what_its_parent_does(context):
    lock = mp.RLock()
    lock.acquire()
    process = context.Process(target=release, args=(lock,))
    process.start()
    process.join()
    assert process.exitcode == 1 and lock.describe()["depth"] == 1
    lock.release()


@pytest.mark.parametrize("joinable", [False, True])
def test_a_managers_queue_has_what_was_put(joinable):
    with mp.Manager() as manager:
        jobs = manager.JoinableQueue() if joinable else manager.Queue()
        for number in range(3000):
            jobs.put(number)
        assert jobs.qsize() == 3000
        for number in range(3000):
            assert jobs.get() == number
            jobs.task_done()
        jobs.join()
        with pytest.raises(ValueError):
            jobs.task_done()
