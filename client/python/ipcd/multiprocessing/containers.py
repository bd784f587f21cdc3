"""What a manager makes to hold values: dicts, lists, namespaces, numbers, arrays."""
from __future__ import annotations

import array as arrays
from multiprocessing.managers import Namespace
from typing import Any

from .. import array, dict as dicts, errors, list as lists, namespace, value
from ..values import Map, Values
from .managed import ManagedProxy


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
        return arrays.array(self.typecode, self.tolist())

    def __str__(self) -> str:
        return str(self._getvalue())
