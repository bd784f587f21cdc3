"""What the package exports, and what its types do that multiprocessing's do not."""
import ctypes
import importlib
import multiprocessing as python
import pkgutil
import queue
import threading

import pytest

from ipcd import multiprocessing as mp
from ipcd.multiprocessing import queues


@pytest.fixture
def manager():
    with mp.Manager() as started:
        yield started


# ---- names ---------------------------------------------------------------------------------------

def test_everything_that_multiprocessing_exports_is_here():
    assert set(python.__all__) <= set(mp.__all__)
    for name in mp.__all__:
        assert getattr(mp, name) is not None


@pytest.mark.parametrize("name", [
    module.name for module in pkgutil.iter_modules(python.__path__)
    if not module.name.startswith("popen_") and module.name not in ("context", "resource_sharer")])
def test_every_module_of_multiprocessing_is_here(name):
    theirs = importlib.import_module(f"multiprocessing.{name}")
    ours = importlib.import_module(f"ipcd.multiprocessing.{name}")
    for exported in theirs.__all__:
        assert hasattr(ours, exported), exported


def test_what_both_have_is_the_same():
    assert issubclass(mp.Process, python.Process)
    assert mp.TimeoutError is python.TimeoutError
    assert mp.current_process() is python.current_process()
    assert mp.process is python.process
    assert mp.get_logger() is python.get_logger()


def test_a_context_makes_the_same_objects(context):
    assert isinstance(context, type(python.get_context(context.get_start_method())))
    assert type(context.Queue()) is queues.Queue
    assert mp.get_context(context.get_start_method()) is context


def test_an_unknown_start_method_is_refused():
    with pytest.raises(ValueError, match="cannot find context for 'spoon'"):
        mp.get_context("spoon")


def test_the_start_method_is_that_of_multiprocessing():
    before = python.get_start_method(allow_none=True)
    try:
        mp.set_start_method("spawn", force=True)
        assert python.get_start_method() == "spawn"
        assert mp.get_context().get_start_method() == "spawn"
    finally:
        mp.set_start_method(before, force=True)


# ---- queues --------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["Queue", "JoinableQueue"])
def test_a_queue_can_be_shut_down(kind):
    jobs = getattr(mp, kind)()
    jobs.put(1)
    jobs.shutdown()
    assert jobs.get() == 1
    with pytest.raises(Exception) as raised:
        jobs.get()
    assert type(raised.value).__name__ == "ShutDown"
    with pytest.raises(type(raised.value)):
        jobs.put(2)
        jobs.flush()


@pytest.mark.parametrize("kind", ["Queue", "JoinableQueue", "SimpleQueue"])
def test_a_closed_queue_is_refused_to_the_process_that_closed_it(kind):
    jobs = getattr(mp, kind)()
    jobs.close()
    jobs.close()
    for use in (lambda: jobs.put(1), jobs.get) + ((jobs.empty,) if kind == "SimpleQueue" else ()):
        with pytest.raises((ValueError, OSError), match="is closed"):
            use()


def test_a_wait_never_ends_early():
    import time
    jobs = mp.Queue()
    begun = time.monotonic()
    with pytest.raises(queue.Empty):
        jobs.get(timeout=0.0101)
    assert time.monotonic() - begun >= 0.0101


def test_a_negative_timeout_is_none_at_all():
    with pytest.raises(queue.Empty):
        mp.Queue().get(timeout=-1)


def test_the_queue_of_a_manager_counts_tasks(manager):
    jobs = manager.Queue()
    jobs.put(1)
    jobs.put(2)
    jobs.get()
    jobs.task_done()
    jobs.get()
    joined = threading.Thread(target=jobs.join)
    joined.start()
    jobs.task_done()
    joined.join(30)
    assert not joined.is_alive()
    with pytest.raises(ValueError):
        jobs.task_done()


# ---- memory --------------------------------------------------------------------------------------

def test_a_value_adds_atomically():
    shared = mp.Value("i", 5)
    assert shared.add(2) == 7
    with shared.get_lock():
        shared.value += 1
    assert shared.value == shared.get_obj().value == 8


def test_a_value_of_a_ctypes_type_is_one():
    assert mp.Value(ctypes.c_double, 1.5).value == 1.5
    assert mp.Value(ctypes.c_bool, True).value is True


def test_a_number_that_does_not_fit_is_refused():
    shared = mp.Value("B", 255)
    with pytest.raises(OverflowError):
        shared.value = 256
    with pytest.raises(OverflowError):
        shared.add(1)
    assert shared.value == 255
    assert mp.Value("Q", 2 ** 64 - 1).value == 2 ** 64 - 1


def test_whatever_is_a_float_fits_a_float():
    from decimal import Decimal
    shared = mp.Value("d", 0)
    shared.value = Decimal("1.5")
    assert shared.value == 1.5
    with pytest.raises(TypeError):
        shared.value = "1.5"


def test_an_array_is_a_memoryview():
    numbers = mp.Array("d", 3)
    numbers.view()[1] = 2.5
    assert numbers[:] == [0, 2.5, 0]
    memoryview(numbers.get_obj()).cast("B").cast("d")[2] = 1
    assert numbers[2] == 1


def test_a_lock_of_the_programs_own_is_used():
    lock = mp.Lock()
    assert mp.Value("i", 1, lock=lock).get_lock() is lock
    assert mp.Array("i", 1, lock=lock).get_lock() is lock


# ---- managers ------------------------------------------------------------------------------------

def test_a_manager_makes_its_types(manager):
    for made in (manager.Queue(), manager.JoinableQueue(), manager.Lock(), manager.RLock(),
                 manager.Semaphore(2), manager.BoundedSemaphore(2), manager.Condition(),
                 manager.Event(), manager.Barrier(2), manager.list([1]), manager.dict(a=1),
                 manager.Value("i", 1), manager.Array("i", [1]), manager.Namespace(a=1)):
        assert f"typeid '{made._typeid}'" in repr(made)


def test_a_manager_refuses_to_register():
    with pytest.raises(NotImplementedError, match="runs no code of programs"):
        mp.managers.SyncManager.register("mine", dict)


def test_str_of_a_proxy_shows_what_it_stands_for(manager):
    assert str(manager.dict(a=[1, (2,)])) == "{'a': [1, (2,)]}"
    assert str(manager.list([1])) == "[1]"
    assert str(manager.Namespace(b=1, a="x")) == "Namespace(a='x', b=1)"


def test_a_copy_of_a_proxy_is_a_plain_one(manager):
    import copy
    assert copy.deepcopy(manager.dict(a=1)) == {"a": 1}
    assert type(copy.deepcopy(manager.list([1]))) is list


def test_a_namespace_has_no_names_of_its_own(manager):
    shared = manager.Namespace()
    for name in ("name", "kind", "client", "describe", "delete", "watch", "get"):
        assert not hasattr(shared, name)
        setattr(shared, name, 1)
        assert getattr(shared, name) == 1
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        del shared.missing


def test_proxies_nest(manager):
    outer = manager.dict(inner=manager.list([1]))
    outer["inner"].append(2)
    assert outer["inner"][:] == [1, 2]
    assert type(outer["inner"]) is type(manager.list())


def test_a_value_can_be_any_object(manager):
    shared = manager.Value(str, "text")
    shared.value = {"a": (1,)}
    assert shared.get() == {"a": (1,)}


def test_a_manager_cannot_be_started_twice(manager):
    with pytest.raises(mp.ProcessError):
        manager.start()
