"""Namespaces: attributes that processes share."""
from __future__ import annotations

from typing import Any, Optional

from . import _core, errors
from .dict import MISSING
from .proxy import REPR_ITEMS, Proxy, wait_ms
from .values import Map, Raw, Values


class Namespace(Proxy):
    """A namespace, as that of a `multiprocessing.Manager`: setting, getting and deleting attributes.

    All attributes whose names do not begin with "_" are shared, but for those that proxies have
    themselves: client, describe, delete, chmod, watch, name, kind. `namespace["name"]` reaches these,
    too. The rest of what the protocol has is in methods that begin with "_": `_incr`, `_cas`,
    `_wait`, `_copy`, `_setdefault`, `_pop`, `_popitem`, `_update`, `_clear`; they are as those of `Dict`.
    """

    kind = "namespace"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._call(b"namespace.get", name)
        except errors.KeyNotFound:
            raise AttributeError(f"namespace {self.name!r} has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._call(b"namespace.set", name, value)

    def __delattr__(self, name: str) -> None:
        if name.startswith("_"):
            object.__delattr__(self, name)
            return
        try:
            self._call(b"namespace.delete", name)
        except errors.KeyNotFound:
            raise AttributeError(f"namespace {self.name!r} has no attribute {name!r}") from None

    def __getitem__(self, name: str) -> Any:
        return self._call(b"namespace.get", name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._call(b"namespace.set", name, value)

    def __delitem__(self, name: str) -> None:
        self._call(b"namespace.delete", name)

    def __contains__(self, name: str) -> bool:
        return self._call(b"namespace.contains", name)

    def __len__(self) -> int:
        return self._call(b"namespace.len")

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(self._call(b"namespace.keys"))

    def _copy(self) -> dict[str, Any]:
        """All attributes, at one moment."""
        return self._call(b"namespace.copy")

    def _update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several attributes in one call."""
        self._call(b"namespace.update", Map(*args, **kwargs))

    def _setdefault(self, name: str, default: Any = None) -> Any:
        """The value of an attribute, set to the default first if it is missing."""
        return self._call(b"namespace.setdefault", name, default)

    def _pop(self, name: str) -> Any:
        """Removes an attribute and returns its value. KeyError."""
        return self._call(b"namespace.pop", name)

    def _popitem(self) -> tuple[str, Any]:
        """Removes the attribute that was set last of all; its name and value. KeyError."""
        return self._pair(b"namespace.popitem")

    def _clear(self) -> None:
        """Removes all attributes."""
        self._call(b"namespace.clear")

    def _incr(self, name: str, delta: Any = 1, initial: Any = 0) -> Any:
        """Adds to the number of an attribute, atomically; the new value."""
        return self._call(b"namespace.incr", name, delta, initial)

    def _cas(self, name: str, expected: Any, value: Any) -> bool:
        """Compare and set: see `Dict.cas`."""
        return self._call(b"namespace.cas", name, Values(() if expected is MISSING else (expected,)),
                          Values(() if value is MISSING else (value,)))

    def _wait(self, name: str, timeout: Optional[float] = None) -> Any:
        """Waits until the attribute is there; its value. `Timeout`."""
        return self._call(b"namespace.wait", name, wait_ms(True, timeout))

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method == b"namespace.pop":
            self._call(b"namespace.cas", params[0], Values(), Values((Raw(raw),)))
        elif method == b"namespace.popitem":
            name, value = _core.elements(raw)
            self._call(b"namespace.cas", Raw(name), Values(), Values((Raw(value),)))

    def __repr__(self) -> str:
        try:
            cursor, pairs = self._scan(b"namespace.scan", 0, REPR_ITEMS)
        except errors.Error as error:
            return f"<ipcd namespace {self.name!r}: {error}>"
        shown = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"Namespace({shown}{', …' if cursor else ''})"
