"""test_python: CPython's own tests of managers, locks and queues, run against ipcd.

They are the installed ones (Debian: libpython3.11-testsuite): the tests that multiprocessing has for
objects of a manager, those of the lock types that threading's share, and those of queue. Of each the
part is taken that says something about shared objects; what is about Python itself (pickling,
weak references, its own threads) is left out, each with its reason, in SKIPPED.
"""
import multiprocessing
import multiprocessing.connection
import operator
import queue
import unittest

from test import _test_multiprocessing as multi
from test import lock_tests, test_queue

import manager

MANAGER_TESTS = ["_TestQueue", "_TestLock", "_TestSemaphore", "_TestCondition", "_TestEvent",
                 "_TestBarrier", "_TestContainers"]
SHARED_MEMORY_TESTS = {"_TestValue": ["test_value"],
                       "_TestArray": ["test_array", "test_array_from_size"]}
PIPE_TESTS = {
    "_TestConnection": ["test_connection", "test_duplex_false", "test_spawn_close",
                        "test_sendbytes", "test_context"],
    "_TestPoll": ["test_empty_string", "test_strings", "test_boundaries", "test_dont_merge"],
}

SKIPPED = {
    "test_no_import_lock_contention": "about importing in a thread",
    "test_queue_feeder_donot_stop_onexc": "about the feeder thread of multiprocessing.Queue",
    "test_closed_queue_put_get_exceptions": "about close() of multiprocessing.Queue",
}


class IpcdMixin(multi.BaseMixin):
    """In place of the ManagerMixin of the tests, whose manager is a process of Python's."""
    TYPE = "manager"
    Process = multiprocessing.Process
    manager = manager.Manager
    for _name in ("Queue", "JoinableQueue", "Lock", "RLock", "Semaphore", "BoundedSemaphore",
                  "Condition", "Event", "Barrier", "Value", "Array", "list", "dict", "Namespace"):
        locals()[_name] = property(operator.attrgetter("manager." + _name))


class IpcdPipeMixin(multi.ProcessesMixin):
    """The pipe is ipcd's; what runs through it is Python's own framing."""

    @staticmethod
    def Pipe(duplex=True):
        pipe = manager.Pipe(duplex)
        receives, sends = (pipe.connect(end).detach() for end in (0, 1))
        connection = multiprocessing.connection.Connection
        return connection(receives, writable=duplex), connection(sends, readable=duplex)


def multiprocessing_tests(loader):
    for name in MANAGER_TESTS:
        base = getattr(multi, name)
        case = type("Ipcd" + name[1:], (base, IpcdMixin, unittest.TestCase), {})
        yield loader.loadTestsFromTestCase(case)
    for name, tests in SHARED_MEMORY_TESTS.items():
        base = getattr(multi, name)
        codes = {"codes_values": [row for row in getattr(base, "codes_values", []) if row[0] != "c"]}
        case = type("Ipcd" + name[1:], (base, IpcdMixin, unittest.TestCase), codes)
        yield unittest.TestSuite(case(test) for test in tests)
    for name, tests in PIPE_TESTS.items():
        case = type("Ipcd" + name[1:], (getattr(multi, name), IpcdPipeMixin, unittest.TestCase), {})
        yield unittest.TestSuite(case(test) for test in tests)


# About Python's own locks, not about what they do.
OF_PYTHON = {"test_thread_leak", "test_weakref_exists", "test_weakref_deleted",
             "test_at_fork_reinit", "test_reset_internal_locks", "test__is_owned",
             "test_release_save_unacquired", "test_repr", "test_locked_repr", "test_constructor"}
# With a lock of threading's own.
OF_THREADING = {(lock_tests.ConditionTests, "test_acquire")}


class Locks(lock_tests.LockTests):
    locktype = staticmethod(manager.Lock)


class RLocks(lock_tests.RLockTests):
    locktype = staticmethod(manager.RLock)


class Events(lock_tests.EventTests):
    eventtype = staticmethod(manager.Event)


class Conditions(lock_tests.ConditionTests):
    condtype = staticmethod(manager.Condition)
    locktype = staticmethod(manager.Lock)


class Semaphores(lock_tests.SemaphoreTests):
    semtype = staticmethod(manager.Semaphore)


class BoundedSemaphores(lock_tests.BoundedSemaphoreTests):
    semtype = staticmethod(manager.BoundedSemaphore)


class Barriers(lock_tests.BarrierTests):
    barriertype = staticmethod(manager.Barrier)


def lock_test_suites(loader):
    for case in (Locks, RLocks, Events, Conditions, Semaphores, BoundedSemaphores, Barriers):
        names = [name for name in loader.getTestCaseNames(case)
                 if name not in OF_PYTHON and (case.__base__, name) not in OF_THREADING]
        yield unittest.TestSuite(case(name) for name in names)


class TestedQueue(manager.JoinableQueue):
    """queue.Queue: every queue there has task_done and join."""
    _ipcd_type = "queue"


class QueueModule:
    Full, Empty = queue.Full, queue.Empty
    Queue = type("Queue", (TestedQueue,), {"_ipcd_type": "queue"})
    LifoQueue = type("LifoQueue", (TestedQueue,),
                     {"_ipcd_type": "queue", "_options": {"joinable": True, "order": "lifo"}})
    PriorityQueue = type("PriorityQueue", (TestedQueue,), {
        "_ipcd_type": "queue", "_options": {"joinable": True, "order": "priority"},
        "put": lambda self, value, block=True, timeout=None: self._call(
            "put", value, manager.wait_time(block, timeout), {"priority": value})})


def queue_tests(loader):
    for kind in ("Queue", "LifoQueue", "PriorityQueue"):
        case = type("Ipcd" + kind, (test_queue.BaseQueueTestMixin, unittest.TestCase), {
            "queue": QueueModule, "type2test": getattr(QueueModule, kind)})
        names = [name for name in loader.getTestCaseNames(case) if name != "test_shrinking_queue"]
        yield unittest.TestSuite(case(name) for name in names)


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for group in (multiprocessing_tests, lock_test_suites, queue_tests):
        suite.addTests(group(loader))
    for test in flat(suite):
        if test._testMethodName in SKIPPED:
            reason = SKIPPED[test._testMethodName]
            setattr(test, test._testMethodName, unittest.skip(reason)(lambda: None))
    return suite


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


if __name__ == "__main__":
    multiprocessing.set_start_method("fork", force=True)
    unittest.main(verbosity=2)
