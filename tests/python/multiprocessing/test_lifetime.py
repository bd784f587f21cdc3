"""How long objects live: as long as a process refers to them, also between the moment when an object is
handed to a process that is being started and the one when that opens it; and what has been put when a
process ends."""
import gc
import os
import pickle
import warnings

import pytest

from conftest import names, wait_until
from ipcd import multiprocessing as mp
from ipcd.multiprocessing import queues
from ipcd.multiprocessing.objects import client


def put_in(jobs):
    jobs.put("from the child")


def put_when_told(told, jobs):
    assert told.get() == "go"
    jobs.put("from the child")


def put_a_new_one(answers):
    inner = mp.Queue()
    inner.put("inside")
    answers.put(inner)


def put_numbers(jobs, count):
    for number in range(count):
        jobs.put(number)


def put_and_start(context, jobs):
    process = context.Process(target=put_in, args=(jobs,))
    process.start()
    process.join()


def add_to(shared, numbers):
    shared.value += 1
    numbers[0] += 1


def set_bytes(text):
    text.value = b"child"


def look_at(lock, condition, results):
    with condition:
        results.put((lock.acquire(False), condition.abandoned))


# ---- handing over --------------------------------------------------------------------------------

def test_an_object_may_be_dropped_right_after_start(context):
    told, jobs = context.Queue(), context.Queue()
    process = context.Process(target=put_when_told, args=(told, jobs))
    process.start()
    name = jobs.name
    del jobs
    assert name in names()
    told.put("go")
    process.join()
    assert process.exitcode == 0
    wait_until(lambda: name not in names())


def test_an_object_that_nobody_has_is_gone_when_its_process_has_ended(context):
    jobs = context.Queue()
    name = jobs.name
    process = context.Process(target=put_in, args=(jobs,))
    del jobs
    process.start()
    process.join()
    assert process.exitcode == 0
    wait_until(lambda: name not in names())


def test_an_object_in_a_queue_is_kept_by_it(context):
    answers = context.Queue()
    process = context.Process(target=put_a_new_one, args=(answers,))
    process.start()
    process.join()
    inner = answers.get(timeout=30)
    assert inner.get(timeout=30) == "inside"


def test_a_grandchild_has_what_it_is_given(context):
    jobs = context.Queue()
    process = context.Process(target=put_and_start, args=(context, jobs))
    process.start()
    assert jobs.get(timeout=60) == "from the child"
    process.join()


def test_a_condition_goes_by_the_lock_it_was_given_in_a_child_too(context):
    lock, results = context.Lock(), context.Queue()
    process = context.Process(target=look_at, args=(lock, context.Condition(lock), results))
    process.start()
    assert results.get(timeout=60) == (False, False)
    process.join()


def test_memory_is_the_same_in_a_child(context):
    shared, numbers = context.Value("q", 1), context.Array("i", [1, 2])
    process = context.Process(target=add_to, args=(shared, numbers))
    process.start()
    process.join()
    assert (shared.value, numbers[:]) == (2, [2, 2])


def test_raw_memory_is_the_same_in_a_child(context):
    text = context.RawArray("c", 10)
    process = context.Process(target=set_bytes, args=(text,))
    process.start()
    process.join()
    assert text.value == b"child"


def test_a_pickle_is_a_reference():
    jobs = mp.Queue()
    again = pickle.loads(pickle.dumps(jobs))
    again.put(1)
    assert type(again) is type(jobs) and again.name == jobs.name
    assert jobs.get() == 1


def test_objects_go_with_their_references():
    before = names()
    jobs, lock, shared = mp.Queue(), mp.Lock(), mp.Value("i")
    assert len(names() - before) == 3
    del jobs, lock, shared
    wait_until(lambda: names() == before)


def test_the_objects_of_a_manager_go_when_it_is_shut_down():
    with mp.Manager() as manager:
        shared = manager.dict(a=1)
        name = shared.name
        assert name in names()
    assert name not in names()
    with pytest.raises(AssertionError, match="not yet started"):
        manager.list()


# ---- puts that nobody waits for ------------------------------------------------------------------

def test_what_was_put_before_a_process_ended_has_arrived(context):
    jobs = context.Queue()
    count = 3 * queues.WINDOW
    process = context.Process(target=put_numbers, args=(jobs, count))
    process.start()
    process.join()
    assert [jobs.get_nowait() for _ in range(count)] == list(range(count))


def put_and_stay(jobs, item, done):
    for _ in range(20):
        jobs.put(item)
    done.recv()


def put_in_vain(jobs):
    jobs.delete()
    jobs.put(1)


@pytest.mark.parametrize("item", [b"one", b"x" * 1_000_000], ids=["small", "large"])
def test_puts_arrive_without_another_call(context, item):
    jobs = context.Queue()
    here, there = context.Pipe()
    process = context.Process(target=put_and_stay, args=(jobs, item, there))
    process.start()
    assert all(jobs.get(timeout=60) == item for _ in range(20))
    here.send("done")
    process.join()
    here.close()
    there.close()


def test_puts_and_other_calls_keep_their_order():
    jobs, lock = mp.Queue(), mp.Lock()
    for number in range(100):
        jobs.put(number)
        assert jobs.qsize() == number + 1
        lock.acquire()
        lock.release()


def test_the_error_of_a_put_comes_with_flush_and_close():
    jobs, other = mp.Queue(), mp.Queue()
    jobs.delete()
    jobs.put(1)
    with pytest.raises(FileNotFoundError):
        jobs.flush()
    jobs.put(2)
    with pytest.raises(FileNotFoundError):
        jobs.close()
    jobs2 = mp.Queue()
    jobs2.delete()
    jobs2.put(3)
    client().ping()
    with pytest.raises(FileNotFoundError):
        other.put(4)
    other.put(5)
    assert other.get() == 5


def test_the_error_of_the_last_put_is_told_when_the_process_ends(capfd):
    process = mp.get_context("fork").Process(target=put_in_vain, args=(mp.Queue(),))
    process.start()
    process.join()
    assert "when the process ended: there is no object" in capfd.readouterr().err


def test_what_cannot_be_sent_is_a_type_error_and_nothing_is_sent():
    jobs = mp.Queue()
    with pytest.raises(TypeError, match="function"):
        jobs.put(lambda: 0)
    jobs.put(1)
    assert jobs.get() == 1 and jobs.empty()


# ---- leaks ---------------------------------------------------------------------------------------

def test_making_and_dropping_leaves_no_descriptors():
    def everything():
        made = [mp.Queue(), mp.JoinableQueue(), mp.Lock(), mp.Value("d"), mp.Array("i", 3),
                mp.RawArray("c", 10), mp.Condition(mp.Lock()), mp.Barrier(2), mp.Pipe()]
        for connection in made[-1]:
            connection.close()

    everything()
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        everything()
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_warns_of_resources():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        mp.Pipe(), mp.Array("i", 3), mp.RawValue("i")
        gc.collect()
