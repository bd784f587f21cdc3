"""Value, Array, RawValue, RawArray: memory that processes share.

A number, or an array of them, is a value or an array of the daemon's, with the lock that is in its
memory. Every other ctypes type stands in an array of bytes, and multiprocessing's own wrappers with
an RLock go around it, as they do if a lock is given.
"""
from __future__ import annotations

import ctypes
from multiprocessing import sharedctypes as python
from multiprocessing.reduction import ForkingPickler
from multiprocessing.sharedctypes import synchronized, typecode_to_type
from typing import Any

from .. import array, value
from ..values import Values
from .objects import Anonymous

__all__ = ["Array", "RawArray", "RawValue", "Value", "copy", "synchronized"]

_TYPES: dict[str, Any] = {**typecode_to_type, "?": ctypes.c_bool}
_TYPECODES = {type_: code for code, type_ in _TYPES.items() if code not in "cu"}
"""The typecode of each type that the daemon has numbers of."""


def _type_of(typecode_or_type: Any) -> Any:
    return _TYPES.get(typecode_or_type, typecode_or_type)


# ---- ctypes objects in shared memory -------------------------------------------------------------

class Block(Anonymous, array.Array):
    """Bytes in shared memory, for a ctypes object to stand in."""

    def __init__(self, size: int) -> None:
        self._make(typecode="B", size=max(size, 1))


def _place(type_: Any, block: Block) -> Any:
    """A ctypes object that stands in a block."""
    placed = type_.from_buffer(block.view())
    placed._ipcd_block = block
    ForkingPickler.register(type_, _reduce)
    return placed


def _reduce(placed: Any) -> Any:
    block = getattr(placed, "_ipcd_block", None)
    if block is None:
        return python.reduce_ctype(placed)
    if isinstance(placed, ctypes.Array):
        return _place_array, (placed._type_, placed._length_, block)
    return _place, (type(placed), block)


def _place_array(type_: Any, length: int, block: Block) -> Any:
    return _place(type_ * length, block)


def _new(type_: Any) -> Any:
    return _place(type_, Block(ctypes.sizeof(type_)))


def RawValue(typecode_or_type: Any, *args: Any) -> Any:
    """A ctypes object in shared memory, without a lock."""
    made = _new(_type_of(typecode_or_type))
    made.__init__(*args)
    return made


def RawArray(typecode_or_type: Any, size_or_initializer: Any) -> Any:
    """A ctypes array in shared memory, without a lock."""
    type_ = _type_of(typecode_or_type)
    if isinstance(size_or_initializer, int):
        return _new(type_ * size_or_initializer)
    made = _new(type_ * len(size_or_initializer))
    made.__init__(*size_or_initializer)
    return made


def copy(obj: Any) -> Any:
    """A copy of a ctypes object, in shared memory."""
    made = _new(type(obj))
    ctypes.pointer(made)[0] = obj
    return made


# ---- numbers -------------------------------------------------------------------------------------

class Synchronized(Anonymous, value.Value):
    """A number in shared memory: see `ipcd.Value`. `v.value += 1` needs its lock, `v.add(1)` does
    not."""

    def __init__(self, typecode: str, initial: Any = 0) -> None:
        self._make(typecode=typecode, initial=initial)

    def get_obj(self) -> Any:
        """The number as a ctypes object, on the memory itself."""
        if "_obj" not in self.__dict__:
            self._obj = _TYPES[self.typecode].from_buffer(self.view())
        return self._obj


class SynchronizedArray(Anonymous, array.Array):
    """Numbers in shared memory: see `ipcd.Array`. What takes more than one of them needs the lock."""

    def __init__(self, typecode: str, size_or_initializer: Any) -> None:
        if isinstance(size_or_initializer, int):
            if size_or_initializer < 0:
                raise ValueError("Array length must be >= 0")
            self._make(typecode=typecode, size=size_or_initializer)
        else:
            self._make(typecode=typecode, initial=Values(size_or_initializer))

    def get_obj(self) -> Any:
        """The numbers as a ctypes array, on the memory itself."""
        if "_obj" not in self.__dict__:
            self._obj = (_TYPES[self.typecode] * len(self)).from_buffer(self.view())
        return self._obj


def _with_lock(raw: Any, lock: Any, ctx: Any) -> Any:
    """What goes by a lock other than that in the memory."""
    if lock is False:
        return raw
    if lock in (True, None):
        from .synchronize import RLock
        lock = RLock(ctx=ctx)
    if not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return synchronized(raw, lock, ctx)


def Value(typecode_or_type: Any, *args: Any, lock: Any = True, ctx: Any = None) -> Any:
    """A number in shared memory, or another ctypes object, with a lock. `lock` False: a RawValue; or
    the lock that it goes by. AttributeError: it is no lock."""
    typecode = _TYPECODES.get(_type_of(typecode_or_type))
    if typecode is None or (lock is not True and lock is not None):
        return _with_lock(RawValue(typecode_or_type, *args), lock, ctx)
    return Synchronized(typecode, *args)


def Array(typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True, ctx: Any = None
          ) -> Any:
    """An array in shared memory, with a lock; `lock` as of Value. ValueError: a negative size."""
    typecode = _TYPECODES.get(_type_of(typecode_or_type))
    if typecode is None or (lock is not True and lock is not None):
        return _with_lock(RawArray(typecode_or_type, size_or_initializer), lock, ctx)
    return SynchronizedArray(typecode, size_or_initializer)
