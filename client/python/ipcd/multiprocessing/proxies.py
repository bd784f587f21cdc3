"""What a manager makes: proxies that behave as those of multiprocessing.managers.

They are what the daemon's objects are when they are found in a dict, a list or a queue.
"""
from __future__ import annotations

import threading
from typing import Any, Callable, Optional

from .. import array, barrier, dict as dicts, errors, event, list as lists, lock, namespace, queue
from .. import semaphore, value
from ..values import Map, Values, seconds_to_ms
from .objects import Anonymous
from .queues import Joinable


class ManagedProxy(Anonymous):
    """What they have in common: repr names the proxy, str shows what it stands for, and copy.deepcopy
    copies that."""

    _typeid = ""

    def _getvalue(self) -> Any:
        """A copy of what it stands for."""
        raise TypeError(f"a {self._typeid} cannot be copied")

    def __deepcopy__(self, memo: Any) -> Any:
        return self._getvalue()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object, typeid {self._typeid!r} at {id(self):#x}>"

    def __str__(self) -> str:
        return repr(self)


# ---- queues --------------------------------------------------------------------------------------

class QueueProxy(ManagedProxy, queue.Queue):
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


class JoinableQueueProxy(Joinable, ManagedProxy, queue.Queue):
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

    def acquire(self, blocking: bool = True, timeout: Optional[float] = None) -> bool:
        """Waits at most `timeout` seconds; None or -1: without limit. Whether it was acquired."""
        return super().acquire(blocking, _timeout(blocking, timeout))  # type: ignore[misc,no-any-return]


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


# ---- containers ----------------------------------------------------------------------------------

class DictProxy(ManagedProxy, dicts.Dict):
    """A dict. keys(), values() and items() are lists, all of one moment."""

    _typeid = "dict"
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._make(initial=Map(*args, **kwargs))

    def _getvalue(self) -> dict[Any, Any]:
        return self.copy()

    def keys(self) -> list[Any]:  # type: ignore[override]
        """The keys."""
        return list(self.copy())

    def values(self) -> list[Any]:  # type: ignore[override]
        """The values."""
        return list(self.copy().values())

    def items(self) -> list[tuple[Any, Any]]:  # type: ignore[override]
        """The pairs."""
        return list(self.copy().items())

    def __str__(self) -> str:
        return str(self.copy())


class ListProxy(ManagedProxy, lists.List):
    """A list."""

    _typeid = "list"
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, values: Any = ()) -> None:
        self._make(initial=Values(values))

    def _getvalue(self) -> list[Any]:
        return self.copy()

    def __str__(self) -> str:
        return str(self.copy())


class NamespaceProxy(ManagedProxy, namespace.Namespace):
    """A namespace: every attribute whose name does not begin with "_" is shared."""

    _typeid = "Namespace"

    def __init__(self, **attributes: Any) -> None:
        self._make(initial=Map(attributes))

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        return self.__getattr__(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._call(b"namespace.get", name)
        except errors.KeyNotFound:
            raise AttributeError(f"the namespace has no attribute {name!r}") from None

    def _getvalue(self) -> Any:
        from multiprocessing.managers import Namespace
        return Namespace(**self._copy())

    def __str__(self) -> str:
        return str(self._getvalue())


# ---- numbers -------------------------------------------------------------------------------------

class ValueProxy(ManagedProxy, value.Value):
    """A number in shared memory."""

    _typeid = "Value"

    def __init__(self, typecode: str, value: Any, lock: bool = True) -> None:
        self._make(typecode=typecode, initial=value)

    def _getvalue(self) -> Any:
        return self.get()

    def __str__(self) -> str:
        return f"Value({self.typecode!r}, {self.value!r})"


class ObjectValueProxy(ManagedProxy, namespace.Namespace):
    """A value that is no number: any object, as the attribute `value`."""

    _typeid = "Value"

    def __init__(self, typecode: Any, value: Any, lock: bool = True) -> None:
        self._make(initial=Map(value=value))

    def get(self) -> Any:
        """The value."""
        return self.value

    def set(self, value: Any) -> None:
        """Sets it."""
        self.value = value

    def _getvalue(self) -> Any:
        return self.value

    def __str__(self) -> str:
        return f"Value({self.value!r})"


class ArrayProxy(ManagedProxy, array.Array):
    """Numbers in shared memory."""

    _typeid = "Array"

    def __init__(self, typecode: str, sequence: Any, lock: bool = True) -> None:
        self._make(typecode=typecode, initial=Values(sequence))

    def _getvalue(self) -> Any:
        import array
        return array.array(self.typecode, self.tolist())

    def __str__(self) -> str:
        return str(self._getvalue())


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
