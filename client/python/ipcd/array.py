"""Arrays: numbers in shared memory."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Optional

from . import _core
from .proxy import REPR_ITEMS, Proxy
from .shared import SharedLock, map_numbers

_OMIT = -(1 << 63)


class Array(Proxy):
    """Numbers in memory that processes share, as `multiprocessing.Array`. Their count never changes.

    Getting, setting and `add` of one number are atomic; what takes more than one operation needs the
    lock, `get_lock()`. `view()` is the memory as a memoryview, so that numpy and the like work on it
    without copying: `numpy.asarray(array)` or `numpy.frombuffer(array.view(), ...)`.
    """

    kind = "array"
    typecode: str
    itemsize: int
    _view: Optional[memoryview] = None

    def _take_description(self, description: dict[str, Any]) -> None:
        self.typecode = description["typecode"]
        self.itemsize = description["itemsize"]
        self._size = description["size"]
        self._shared = _core.SharedArray(self._connection, self._name)
        self._lock = SharedLock(self._shared)

    def __len__(self) -> int:
        return self._size

    def __bool__(self) -> bool:
        return self._size > 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._size)
            if step == 1:
                return self._shared.slice(start, max(start, stop))
            return self._shared.slice(_OMIT, _OMIT)[index]
        return self._shared.get(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, slice):
            self._shared.set(index, value)
            return
        numbers = tuple(value)
        positions = range(*index.indices(self._size))
        if len(numbers) != len(positions):
            raise ValueError(f"{len(numbers)} numbers for {len(positions)} places: the size of an "
                             "array never changes")
        if positions.step == 1:
            self._shared.set_slice(positions.start, numbers)
        else:
            for position, number in zip(positions, numbers):
                self._shared.set(position, number)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._shared.slice(_OMIT, _OMIT))

    def __contains__(self, number: object) -> bool:
        return number in self._shared.slice(_OMIT, _OMIT)

    def add(self, index: int, delta: Any) -> Any:
        """Adds to one number, atomically; what it then is. IndexError, OverflowError."""
        return self._shared.add(index, delta)

    def tolist(self) -> list[Any]:
        """All numbers."""
        return self._shared.slice(_OMIT, _OMIT)

    def view(self) -> memoryview:
        """The memory itself, read-only without the write bit. It stays good as long as anybody has
        it, whatever becomes of the object and the daemon."""
        if self._view is None:
            self._view = map_numbers(self, b"array.map")
        return self._view

    @property
    def __array_interface__(self) -> dict[str, Any]:
        view = self.view()
        kind = "b" if self.typecode == "?" else "f" if self.typecode in "fd" else (
            "i" if self.typecode.islower() else "u")
        order = "|" if self.itemsize == 1 else "<" if sys.byteorder == "little" else ">"
        return {"version": 3, "shape": (self._size,), "data": view,
                "typestr": f"{order}{kind}{self.itemsize}"}

    def __buffer__(self, flags: int) -> memoryview:
        return self.view()

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
        shown = ", ".join(map(repr, self[:REPR_ITEMS]))
        more = ", …" if self._size > REPR_ITEMS else ""
        return f"<ipcd array {self.name!r}: {self.typecode!r}, [{shown}{more}]>"
