"""Dicts: keys with values, in the order of insertion."""
from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import Any, Optional

from . import _core, errors
from .proxy import REPR_ITEMS, Proxy, wait_ms
from .values import Map, Raw, Values

_GET = b"dict.get"
_SET = b"dict.set"
_SCAN = 1000
"""How many pairs an iterator fetches at a time."""


class _Missing:
    """That a key is not there."""

    def __repr__(self) -> str:
        return "ipcd.MISSING"


MISSING = _Missing()
"""For `Dict.cas`: that the key is not there."""


class _Keys(KeysView):
    def __repr__(self) -> str:
        return f"dict_keys({list(self)!r})"


class _Values(ValuesView):
    _mapping: Dict

    def __iter__(self) -> Iterator[Any]:
        for _, value in self._mapping.scan():
            yield value

    def __contains__(self, value: object) -> bool:
        return any(value is other or value == other for other in self)

    def __repr__(self) -> str:
        return f"dict_values({list(self)!r})"


class _Items(ItemsView):
    _mapping: Dict

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return self._mapping.scan()

    def __repr__(self) -> str:
        return f"dict_items({list(self)!r})"


class Dict(Proxy, MutableMapping):  # type: ignore[type-arg]
    """A dict that processes share, with the methods of Python's dict.

    Each operation is atomic. `d[key] += 1` is two, between which others may come: `incr` is one.
    A value is a copy: what is changed in it is not changed in the dict until it is set again.

    Keys may be None, bools, ints, floats, strs, bytes and tuples of these, and whatever else is
    hashable by its pickle. They are equal if they are of one kind: 1, 1.0 and True are three keys.

    Iterating, and the views that keys(), values() and items() give, fetch a thousand pairs at a time:
    a key that stays throughout is seen once, whatever others do.
    """

    kind = "dict"

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._call_key(_GET, key)
        except errors.KeyNotFound as error:
            error.args = (key,)
            raise

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or the default."""
        if default is None:
            return self._call_key(_GET, key, None)
        try:
            return self._call_key(_GET, key)
        except errors.KeyNotFound:
            return default

    def __setitem__(self, key: Any, value: Any) -> None:
        self._call_key(_SET, key, value)

    def __delitem__(self, key: Any) -> None:
        try:
            self._call_key(b"dict.delete", key)
        except errors.KeyNotFound as error:
            error.args = (key,)
            raise

    def __contains__(self, key: object) -> bool:
        return self._call_key(b"dict.contains", key)

    def __len__(self) -> int:
        return self._call(b"dict.len")

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Any]:
        for key, _ in self.scan():
            yield key

    def scan(self, count: int = _SCAN) -> Iterator[tuple[Any, Any]]:
        """Iterates over the pairs, fetching `count` at a time."""
        cursor, pairs = self._scan(b"dict.scan", 0, count)
        yield from pairs
        while cursor:
            cursor, pairs = self._scan(b"dict.scan", cursor, count)
            yield from pairs

    def keys(self) -> KeysView:  # type: ignore[type-arg]
        """A view of the keys."""
        return _Keys(self)

    def values(self) -> ValuesView:  # type: ignore[type-arg]
        """A view of the values."""
        return _Values(self)

    def items(self) -> ItemsView:  # type: ignore[type-arg]
        """A view of the pairs."""
        return _Items(self)

    def copy(self) -> dict[Any, Any]:
        """All of it as a Python dict, at one moment."""
        return self._call(b"dict.copy")

    def pop(self, key: Any, default: Any = MISSING) -> Any:
        """Removes a key and returns its value, or the default. KeyError."""
        try:
            return self._call_key(b"dict.pop", key)
        except errors.KeyNotFound as error:
            if default is not MISSING:
                return default
            error.args = (key,)
            raise

    def popitem(self) -> tuple[Any, Any]:
        """Removes and returns the pair that was inserted last. KeyError: it is empty."""
        return self._pair(b"dict.popitem")

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The value of a key, set to the default first if it is missing."""
        return self._call_key(b"dict.setdefault", key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets each key of a mapping, or of pairs, in one call."""
        self._call(b"dict.update", Map(*args, **kwargs))

    def clear(self) -> None:
        """Removes all keys."""
        self._call(b"dict.clear")

    # ---- what Python's dict has not -------------------------------------------------------------

    def incr(self, key: Any, delta: Any = 1, initial: Any = 0) -> Any:
        """Adds to the number of a key, which starts at `initial` if it is missing; the new value.
        Atomic. TypeError: it is no number; OverflowError."""
        return self._call_key(b"dict.incr", key, delta, initial)

    def cas(self, key: Any, expected: Any, value: Any) -> bool:
        """Sets the key to `value` if it is `expected` now (compare and set); whether it did.
        `MISSING` as either: that the key is not there, or is to be removed."""
        return self._call_key(b"dict.cas", key, Values(() if expected is MISSING else (expected,)),
                              Values(() if value is MISSING else (value,)))

    def wait(self, key: Any, timeout: Optional[float] = None) -> Any:
        """Waits until the key is there; its value. `Timeout`."""
        return self._call_key(b"dict.wait", key, wait_ms(True, timeout))

    # ---- operators ------------------------------------------------------------------------------

    def __or__(self, other: Any) -> dict[Any, Any]:
        return self.copy() | dict(other) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Any) -> dict[Any, Any]:
        return dict(other) | self.copy() if isinstance(other, Mapping) else NotImplemented

    def __ior__(self, other: Any) -> Dict:
        self.update(other)
        return self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dict):
            return self.name == other.name or self.copy() == other.copy()
        return self.copy() == other if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        try:
            shown = _shown(self._pairs_shown())
        except errors.Error as error:
            shown = str(error)
        return f"<ipcd dict {self.name!r}: {shown}>"

    def _pairs_shown(self) -> tuple[list[tuple[Any, Any]], bool]:
        cursor, pairs = self._scan(b"dict.scan", 0, REPR_ITEMS)
        return pairs, cursor != 0

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method == b"dict.pop":
            self._call_key(b"dict.cas", params[0], Values(), Values((Raw(raw),)))
        elif method == b"dict.popitem":
            key, value = _core.elements(raw)
            self._call(b"dict.cas", Raw(key), Values(), Values((Raw(value),)))


def _shown(what: tuple[Iterable[tuple[Any, Any]], bool]) -> str:
    pairs, more = what
    inside = ", ".join(f"{key!r}: {value!r}" for key, value in pairs)
    return "{" + inside + (", …}" if more else "}")
