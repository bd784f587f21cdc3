"""Workers that are killed at every moment that has a name: nobody hangs, and nothing is lost that they
had not finished."""
import queue
import threading

import pytest

from conftest import names, wait_until, waits_on
from ipcd import multiprocessing as mp

STAY = threading.Event()


def hold(lock, tells):
    lock.acquire()
    tells.send("here")
    STAY.wait()


def take(jobs, tells):
    jobs.get()
    tells.send("here")
    STAY.wait()


def finish_and_stay(jobs, tells):
    jobs.get()
    jobs.task_done()
    tells.send("here")
    STAY.wait()


def get(jobs, tells):
    tells.send("here")
    jobs.get()


def put(jobs, tells):
    tells.send("here")
    jobs.put("of the killed one")


def wait(shared, tells):
    tells.send("here")
    shared.wait()


def acquire(lock, tells):
    tells.send("here")
    lock.acquire()


def join(jobs, tells):
    tells.send("here")
    jobs.join()


def wait_under(condition, tells):
    with condition:
        tells.send("here")
        condition.wait()


def put_many(jobs, tells):
    for number in range(10_000_000):
        jobs.put(number)
        if number == 100:
            tells.send("here")


def crash(jobs, raised, tells):
    jobs.get()
    tells.send("here")
    raise raised


def finish(jobs, tells):
    jobs.get()
    tells.send("here")
    raise SystemExit(0)


def killed(worker, shared=None):
    """Kills it at its moment; with an object: once it waits on that."""
    worker.await_moment()
    if shared is not None:
        wait_until(lambda: waits_on(shared) == 1)
    worker.kill()


# ---- holding -------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition"])
def test_a_lock_of_a_killed_holder_goes_to_the_next_who_is_told(start, kind):
    lock = getattr(mp, kind)()
    killed(start(hold, lock))
    assert lock.acquire(timeout=30)
    assert lock.abandoned
    lock.release()
    with lock:
        assert not lock.abandoned


@pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition", "BoundedSemaphore"])
def test_a_managers_lock_of_a_killed_holder_can_be_acquired(start, kind):
    with mp.Manager() as manager:
        lock = getattr(manager, kind)()
        killed(start(hold, lock))
        assert lock.acquire(timeout=30)
        lock.release()


def test_a_permit_of_a_killed_holder_comes_back(start):
    permits = mp.BoundedSemaphore(1)
    killed(start(hold, permits))
    assert permits.acquire(timeout=30)


@pytest.mark.parametrize("made", [lambda: mp.Value("i", 5), lambda: mp.Array("i", [5])])
def test_the_lock_of_memory_of_a_killed_holder_goes_to_the_next(start, made):
    shared = made()
    killed(start(hold, shared))
    lock = shared.get_lock()
    assert lock.acquire(timeout=30)
    assert lock.abandoned
    lock.release()


def test_who_waits_for_a_lock_gets_it_when_the_holder_is_killed(start):
    lock = mp.Lock()
    worker = start(hold, lock)
    worker.await_moment()
    got = []
    waiter = threading.Thread(target=lambda: got.append(lock.acquire()))
    waiter.start()
    wait_until(lambda: waits_on(lock) == 1)
    worker.kill()
    waiter.join(30)
    assert got == [True]


# ---- with an item --------------------------------------------------------------------------------

def test_an_item_of_a_killed_worker_is_got_by_another(start):
    jobs = mp.JoinableQueue()
    jobs.put("job")
    killed(start(take, jobs))
    assert jobs.get(timeout=30) == "job"
    jobs.task_done()
    jobs.join()


def test_what_a_killed_worker_had_finished_stays_finished(start):
    jobs = mp.JoinableQueue()
    jobs.put("job")
    killed(start(finish_and_stay, jobs))
    jobs.join()
    assert jobs.empty()


def test_an_item_can_be_finished_by_another_process_than_took_it(start):
    jobs = mp.JoinableQueue()
    jobs.put("job")
    start(take, jobs).await_moment()
    jobs.task_done()
    jobs.join()
    with pytest.raises(ValueError):
        jobs.task_done()


@pytest.mark.parametrize("raised", [ValueError("meant by the test"), KeyboardInterrupt()])
def test_an_item_of_a_worker_that_crashed_is_got_by_another(start, raised, capfd):
    jobs = mp.JoinableQueue()
    jobs.put("job")
    worker = start(crash, jobs, raised)
    worker.process.join()
    assert worker.process.exitcode == 1
    assert jobs.get(timeout=30) == "job"


def test_an_item_of_a_worker_that_ended_normally_is_done(start):
    jobs = mp.JoinableQueue()
    jobs.put("job")
    worker = start(finish, jobs)
    worker.process.join()
    assert worker.process.exitcode == 0
    jobs.join()
    assert jobs.empty()


def test_a_plain_queue_goes_on_without_a_killed_worker(start):
    jobs = mp.Queue()
    jobs.put(1)
    jobs.put(2)
    killed(start(take, jobs))
    assert jobs.get(timeout=30) == 2


# ---- waiting -------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["Queue", "JoinableQueue", "SimpleQueue"])
def test_who_is_killed_in_get_takes_nothing(start, kind):
    jobs = getattr(mp, kind)()
    killed(start(get, jobs), jobs)
    jobs.put("job")
    assert jobs.get() == "job"


def test_who_is_killed_in_put_has_put_nothing(start):
    jobs = mp.Queue(maxsize=1)
    jobs.put("first")
    killed(start(put, jobs), jobs)
    assert jobs.get() == "first"
    with pytest.raises(queue.Empty):
        jobs.get_nowait()


def test_who_is_killed_amid_puts_has_put_the_first_ones(start):
    jobs = mp.Queue()
    killed(start(put_many, jobs))
    count = jobs.qsize()
    assert count > 100
    assert all(jobs.get() == number for number in range(count))
    assert jobs.empty()


def test_who_is_killed_in_acquire_never_gets_the_lock(start):
    lock = mp.Lock()
    with lock:
        killed(start(acquire, lock), lock)
    assert lock.acquire(timeout=30)


def test_who_is_killed_in_acquire_takes_no_permit(start):
    permits = mp.Semaphore(0)
    killed(start(acquire, permits), permits)
    permits.release()
    assert permits.acquire(timeout=30)


def test_a_barrier_breaks_when_a_party_is_killed(start):
    barrier = mp.Barrier(3)
    worker = start(wait, barrier)
    worker.await_moment()
    broken = []

    def party():
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            broken.append(True)

    thread = threading.Thread(target=party)
    thread.start()
    wait_until(lambda: barrier.n_waiting == 2)
    worker.kill()
    thread.join(30)
    assert broken == [True]


def test_an_event_can_be_set_after_a_waiter_was_killed(start):
    event = mp.Event()
    killed(start(wait, event), event)
    event.set()
    assert event.wait(30)


def test_a_notification_is_not_lost_with_a_killed_waiter(start):
    condition = mp.Condition()
    workers = {}
    for expected in (1, 2):
        worker = start(wait_under, condition)
        workers[expected] = worker
        wait_until(lambda: condition.describe()["sleepers"] == expected)
    with condition:
        condition.notify()  # the first one waits for the lock now, and is killed before it has it
        assert condition.describe()["sleepers"] == 1
        workers[1].kill()
    workers[2].process.join(30)
    assert workers[2].process.exitcode == 0


def test_join_of_others_goes_on_when_a_joiner_is_killed(start):
    jobs = mp.JoinableQueue()
    jobs.put("job")
    killed(start(join, jobs), jobs)
    jobs.get()
    jobs.task_done()
    jobs.join()


# ---- all of them ---------------------------------------------------------------------------------

def test_objects_go_with_the_last_process_that_refers_to_them(start):
    jobs = mp.JoinableQueue()
    jobs.put(mp.Lock())
    name = jobs.name
    worker = start(take, jobs)
    worker.await_moment()
    del jobs
    assert name in names()
    worker.kill()
    wait_until(lambda: name not in names())
