"""Lists: values by index, with slices."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from typing import Any, Callable, Optional, SupportsIndex

from . import errors
from .proxy import REPR_ITEMS, Proxy
from .values import Raw, Values

_GET = b"list.get"
_SLICE = 1000
"""How many values an iterator fetches at a time."""


def _bound(index: Optional[SupportsIndex]) -> Optional[int]:
    return None if index is None else index.__index__()


def _position(index: Any) -> int:
    try:
        return index.__index__()
    except AttributeError:
        raise TypeError("list indices must be integers or slices, not "
                        + type(index).__name__) from None


class List(Proxy, MutableSequence):  # type: ignore[type-arg]
    """A list that processes share, with the methods of Python's list.

    Each operation is atomic, but for `l[i] += 1` (`incr` is) and `sort` with a key. A value is a
    copy: what is changed in it is not changed in the list until it is set again. Values are compared
    by kind: 1, 1.0 and True are three. Iterating fetches a thousand values at a time.
    """

    kind = "list"

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._call(b"list.slice", _bound(index.start), _bound(index.stop),
                              _bound(index.step))
        return self._call(_GET, _position(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            self._call(b"list.set_slice", _bound(index.start), _bound(index.stop),
                       _bound(index.step), Values(value))
            return
        self._call(b"list.set", _position(index), value)

    def __delitem__(self, index: Any) -> None:
        if isinstance(index, slice):
            self._call(b"list.delete_slice", _bound(index.start), _bound(index.stop),
                       _bound(index.step))
            return
        self._call(b"list.delete", _position(index))

    def __len__(self) -> int:
        return self._call(b"list.len")

    def __bool__(self) -> bool:
        return len(self) > 0

    def __contains__(self, value: object) -> bool:
        return self._call(b"list.contains", value)

    def __iter__(self) -> Iterator[Any]:
        at = 0
        while True:
            values = self._call(b"list.slice", at, at + _SLICE)
            yield from values
            if len(values) < _SLICE:
                return
            at += _SLICE

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.copy())

    def append(self, value: Any) -> None:
        """Adds a value at the end."""
        self._call(b"list.append", value)

    def extend(self, values: Iterable[Any]) -> None:
        """Adds several values at the end, in one call."""
        self._call(b"list.extend", Values(values))

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Inserts a value before an index, which is clamped."""
        self._call(b"list.insert", _position(index), value)

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Removes a value and returns it. IndexError."""
        return self._call(b"list.pop", _position(index))

    def remove(self, value: Any) -> None:
        """Removes the first equal value. ValueError."""
        self._call(b"list.remove", value)

    def clear(self) -> None:
        """Removes all values."""
        self._call(b"list.clear")

    def index(self, value: Any, start: Optional[int] = None, stop: Optional[int] = None) -> int:
        """The index of the first equal value. ValueError."""
        return self._call(b"list.index", value, start, stop)

    def count(self, value: Any) -> int:
        """How many values are equal to it."""
        return self._call(b"list.count", value)

    def reverse(self) -> None:
        """Reverses it in place."""
        self._call(b"list.reverse")

    def sort(self, *, key: Optional[Callable[[Any], Any]] = None, reverse: bool = False) -> None:
        """Sorts it in place, stably: numbers, or strs, or bytes. TypeError: other values, or mixed.
        With a key it is fetched, sorted here, and set, and others should keep away meanwhile."""
        if key is None:
            self._call(b"list.sort", reverse)
        else:
            self[:] = sorted(self.copy(), key=key, reverse=reverse)

    def copy(self) -> list[Any]:
        """All of it as a Python list, at one moment."""
        return self._call(b"list.slice")

    def incr(self, index: SupportsIndex, delta: Any = 1) -> Any:
        """Adds to the number at an index, atomically; the new value. TypeError, OverflowError."""
        return self._call(b"list.incr", _position(index), delta)

    # ---- operators ------------------------------------------------------------------------------

    def __add__(self, other: Any) -> list[Any]:
        return self.copy() + list(other) if isinstance(other, (list, List)) else NotImplemented

    def __radd__(self, other: Any) -> list[Any]:
        return other + self.copy() if isinstance(other, list) else NotImplemented

    def __iadd__(self, values: Iterable[Any]) -> List:
        self.extend(values)
        return self

    def __mul__(self, times: SupportsIndex) -> list[Any]:
        return self.copy() * times

    __rmul__ = __mul__

    def __imul__(self, times: SupportsIndex) -> List:
        self._call(b"list.repeat", _position(times))
        return self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, List):
            return self.name == other.name or self.copy() == other.copy()
        return self.copy() == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        try:
            values = self._call(b"list.slice", 0, REPR_ITEMS + 1)
        except errors.Error as error:
            return f"<ipcd list {self.name!r}: {error}>"
        shown = ", ".join(map(repr, values[:REPR_ITEMS]))
        return f"<ipcd list {self.name!r}: [{shown}{', …' if len(values) > REPR_ITEMS else ''}]>"

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method != b"list.pop":
            return
        if params[0] == -1:
            self._call(b"list.append", Raw(raw))
        else:
            at = params[0] if params[0] >= 0 else params[0] + 1
            self._call(b"list.insert", at, Raw(raw))
