"""Values: numbers in shared memory."""
from __future__ import annotations

from typing import Any, Optional

from . import _core
from .proxy import Proxy
from .shared import SharedLock, map_numbers


class Value(Proxy):
    """A number in memory that processes share, as `multiprocessing.Value`.

    `value` and `add` work on the memory itself and take less than a microsecond; each is atomic.
    `v.value += 1` is two operations, and needs the lock:

        with v.get_lock():
            v.value += 1

    It goes on working when the daemon has gone, and in the children of a fork.
    """

    kind = "value"
    typecode: str
    _view: Optional[memoryview] = None

    def _take_description(self, description: dict[str, Any]) -> None:
        self.typecode = description["typecode"]
        self._shared = _core.SharedValue(self._connection, self._name)
        self._lock = SharedLock(self._shared)

    @property
    def value(self) -> Any:
        """The number. Setting it: OverflowError, TypeError if it does not fit the typecode."""
        return self._shared.get()

    @value.setter
    def value(self, number: Any) -> None:
        self._shared.set(number)

    def get(self) -> Any:
        """The number."""
        return self._shared.get()

    def set(self, number: Any) -> None:
        """Sets it."""
        self._shared.set(number)

    def add(self, delta: Any) -> Any:
        """Adds to it, atomically; what it then is. OverflowError: the sum does not fit."""
        return self._shared.add(delta)

    def view(self) -> memoryview:
        """The memory itself, as an array of one number: see `Array.view`."""
        if self._view is None:
            self._view = map_numbers(self, b"value.map")
        return self._view

    def get_lock(self) -> SharedLock:
        """The lock, a context manager."""
        return self._lock

    def acquire(self, block: bool = True, timeout: Optional[float] = None) -> bool:
        """Takes the lock: `SharedLock.acquire`."""
        return self._lock.acquire(block, timeout)

    def release(self) -> None:
        """Lets go of it."""
        self._lock.release()

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, *exception: Any) -> None:
        self._lock.release()

    def __repr__(self) -> str:
        return f"<ipcd value {self.name!r}: {self.typecode!r}, {self.value!r}>"
