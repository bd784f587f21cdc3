"""test_cpython_locks: CPython's own tests of locks and queues, run against what ipcd.multiprocessing's Manager
makes, which has the timeouts and the errors of threading and queue.

The files are the installed ones (Debian: libpython3.11-testsuite): lock_tests, which threading's types
are tested with, and test_queue. What is left out stands in LEFT_OUT, with its reason. The orders of
queue.LifoQueue and queue.PriorityQueue no Manager has; they are tested with ipcd's own queues.
"""
import queue
import unittest

from test import lock_tests, test_queue

import ipcd.multiprocessing
from ipcd.multiprocessing import proxies

manager = ipcd.multiprocessing.Manager()

OF_PYTHON = "about Python's own locks, not about what they do"

LEFT_OUT = {
    "test_weakref_exists": OF_PYTHON,
    "test_weakref_deleted": OF_PYTHON,
    "test_at_fork_reinit": OF_PYTHON,
    "test_reset_internal_locks": OF_PYTHON,
    "test__is_owned": OF_PYTHON,
    "test_release_save_unacquired": OF_PYTHON,
    "test_repr": OF_PYTHON + ": a proxy's repr is a manager's",
    "test_locked_repr": OF_PYTHON + ": a proxy's repr is a manager's",
    "test_constructor": OF_PYTHON,
    "ConditionTests.test_acquire": "with a lock of threading's",
    "test_shrinking_queue": "reads queue.Queue's deque",
}


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


class ProcessEvents(lock_tests.EventTests):
    eventtype = staticmethod(ipcd.multiprocessing.Event)


class ProcessConditions(lock_tests.ConditionTests):
    condtype = staticmethod(ipcd.multiprocessing.Condition)
    locktype = staticmethod(ipcd.multiprocessing.Lock)


class ProcessBarriers(lock_tests.BarrierTests):
    barriertype = staticmethod(ipcd.multiprocessing.Barrier)


class Queue(proxies.JoinableQueueProxy):
    """queue.Queue: every queue there has task_done and join."""


class LifoQueue(proxies.JoinableQueueProxy):
    def __init__(self, maxsize=0):
        self._make(maxsize=maxsize, joinable=True, order="lifo")


class PriorityQueue(proxies.JoinableQueueProxy):
    """An item is its own priority."""

    def __init__(self, maxsize=0):
        self._make(maxsize=maxsize, joinable=True, order="priority")

    def put(self, item, block=True, timeout=None):
        super().put(item, block, timeout, priority=item)

    def put_nowait(self, item):
        self.put(item, False)


class QueueModule:
    """In place of the module queue."""
    Full, Empty = queue.Full, queue.Empty


def queue_tests():
    for kind in (Queue, LifoQueue, PriorityQueue):
        yield type(kind.__name__, (test_queue.BaseQueueTestMixin, unittest.TestCase),
                   {"queue": QueueModule, "type2test": kind})


def is_left_out(case, name):
    return name in LEFT_OUT or f"{case.__base__.__name__}.{name}" in LEFT_OUT


def load_tests(loader, _tests, _pattern):
    cases = [case for case in globals().values()
             if isinstance(case, type) and issubclass(case, unittest.TestCase)]
    suite = unittest.TestSuite()
    for case in cases + list(queue_tests()):
        suite.addTests(case(name) for name in loader.getTestCaseNames(case)
                       if not is_left_out(case, name))
    return suite


if __name__ == "__main__":
    unittest.main(verbosity=2)
