"""What a manager makes: proxies that behave as those of multiprocessing.managers.

They are what the daemon's objects are when they are found in a dict, a list or a queue.
"""
from __future__ import annotations

import threading
from typing import Any, Callable, Optional

from .. import barrier, errors, event, lock, queue, semaphore
from ..proxy import wait_ms
from ..values import seconds_to_ms
from .containers import (ArrayProxy, DictProxy, ListProxy, NamespaceProxy, ObjectValueProxy,
                         ValueProxy)
from .managed import ManagedProxy
from .queues import Joinable, Pipelined

__all__ = ["AcquirerProxy", "ArrayProxy", "BarrierProxy", "BoundedSemaphoreProxy", "ConditionProxy",
           "DictProxy", "EventProxy", "JoinableQueueProxy", "ListProxy", "LockProxy", "ManagedProxy",
           "NamespaceProxy", "ObjectValueProxy", "QueueProxy", "RLockProxy", "SemaphoreProxy",
           "ValueProxy", "proxy_class"]


# ---- queues --------------------------------------------------------------------------------------

class QueueProxy(ManagedProxy, Pipelined):
    """A queue, as queue.Queue. What a process gets is its own, whatever becomes of it.

    `task_done` and `join` are there, though nothing is kept of items that have been got: a semaphore
    has a permit for every `task_done`, and `join` waits for as many as there were puts. A queue that
    is found in a dict, a list or another queue has neither.
    """

    _typeid = "Queue"
    _done: Any = None

    def __init__(self, maxsize: int = 0) -> None:
        self._make(maxsize=max(0, maxsize))
        self._done = SemaphoreProxy.__new__(SemaphoreProxy)
        self._done._make(value=0, on_disconnect="release")

    def _state(self) -> Any:
        return self._done

    def _set_state(self, state: Any) -> None:
        self._done = state

    def _tasks(self) -> Any:
        if self._done is None:
            raise errors.WrongType("a queue that was found in a container does not count what is "
                                   "done: a JoinableQueue does")
        return self._done

    def task_done(self, ticket: Optional[queue.Ticket] = None) -> int:
        """Counts one item as done; how many are left. ValueError: more than have been put."""
        left: int = self.describe()["puts"] - self._tasks().get_value() - 1
        if left < 0:
            raise errors.NotPossible("task_done() called too many times")
        self._tasks().release()
        return left

    def join(self, timeout: Optional[float] = None) -> None:
        """Waits until as many are done as have been put. `Timeout`."""
        tasks = self._tasks()
        puts = 0
        while puts < self.describe()["puts"]:
            puts = self.describe()["puts"]
            if not semaphore.Semaphore.acquire(tasks, True, timeout, puts):
                raise errors.Timeout("the items were not done in time")
            tasks.release(puts)


class JoinableQueueProxy(Joinable, ManagedProxy, Pipelined):
    """A queue with task_done and join: see JoinableQueue."""

    _typeid = "JoinableQueue"

    def __init__(self, maxsize: int = 0) -> None:
        self._make(maxsize=max(0, maxsize), joinable=True)


# ---- what threads hold ---------------------------------------------------------------------------

def _timeout(blocking: bool, timeout: Optional[float]) -> Optional[float]:
    """The timeout that threading's locks mean."""
    if timeout is None or timeout == -1:
        return None
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return timeout


class AcquirerProxy(ManagedProxy):
    """What can be acquired and released, with the timeouts of threading's locks."""

    _hold_for: Callable[[Optional[int]], bool]  # of the class beside it

    def _acquire_within(self, blocking: bool = True, timeout: Optional[float] = None) -> bool:
        """Waits at most `timeout` seconds; None or -1: without limit. Whether it was acquired."""
        return self._hold_for(wait_ms(blocking, _timeout(blocking, timeout)))


class LockProxy(AcquirerProxy, lock.Lock):
    """A lock. Anybody may release it."""

    _typeid = "Lock"

    def __init__(self) -> None:
        self._make(release_by="anyone")


class RLockProxy(AcquirerProxy, lock.Lock):
    """A recursive lock."""

    _typeid = "RLock"

    def __init__(self) -> None:
        self._make(recursive=True)


class SemaphoreProxy(AcquirerProxy, semaphore.Semaphore):
    """A semaphore."""

    _typeid = "Semaphore"
    acquire = AcquirerProxy._acquire_within

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._make(value=value, bounded=self._typeid == "BoundedSemaphore")


class BoundedSemaphoreProxy(SemaphoreProxy):
    """A semaphore that never has more permits than to begin with."""

    _typeid = "BoundedSemaphore"


class ConditionProxy(AcquirerProxy, lock.Condition):
    """A condition. `lock`: that of the manager by which it goes; else it has one of its own."""

    _typeid = "Condition"

    def __init__(self, lock: Any = None) -> None:
        self._make(lock=None if lock is None else lock.name)


class EventProxy(ManagedProxy, event.Event):
    """An event."""

    _typeid = "Event"

    def __init__(self) -> None:
        self._make()


class BarrierProxy(ManagedProxy, barrier.Barrier):
    """A barrier. `action` is called by one of the parties, in its process."""

    _typeid = "Barrier"

    def __init__(self, parties: int, action: Optional[Callable[[], Any]] = None,
                 timeout: Optional[float] = None) -> None:
        self._make(parties=parties, timeout=None if timeout is None else seconds_to_ms(timeout))
        self.action = action

    def _state(self) -> Any:
        return self.action

    def _set_state(self, state: Any) -> None:
        self.action = state


def proxy_class(description: dict[str, Any]) -> Any:
    """The class for an object that is there; None if there is none."""
    kind = description["type"]
    if kind == "queue":
        return JoinableQueueProxy if description["joinable"] else QueueProxy
    if kind == "lock":
        return RLockProxy if description["recursive"] else LockProxy
    if kind == "semaphore":
        return BoundedSemaphoreProxy if description["bounded"] else SemaphoreProxy
    return {"condition": ConditionProxy, "event": EventProxy, "barrier": BarrierProxy,
            "dict": DictProxy, "list": ListProxy, "namespace": NamespaceProxy, "value": ValueProxy,
            "array": ArrayProxy}.get(kind)
