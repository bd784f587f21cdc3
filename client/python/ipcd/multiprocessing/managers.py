"""Manager: it makes objects of the daemon's, and deletes them when it is shut down.

There is no process that would run code of the program's, so no types can be registered. A program
that needs that has multiprocessing's BaseManager here, with its proxies; all names of
multiprocessing.managers but SyncManager are its own.
"""
from __future__ import annotations

import os
import weakref
from multiprocessing import managers as python
from multiprocessing.managers import (ArrayProxy, BaseManager, BaseProxy, DictProxy, ListProxy,
                                      Namespace, NamespaceProxy, State, Token, ValueProxy)
from typing import Any, Optional

from .. import errors
from . import proxies
from .objects import client

__all__ = ["ArrayProxy", "BaseManager", "BaseProxy", "DictProxy", "ListProxy", "Namespace",
           "NamespaceProxy", "SyncManager", "Token", "ValueProxy"]

_NUMBERS = frozenset("bBhHiIlLqQfd?")


class SyncManager:
    """What `Manager()` gives. The address and the key are for multiprocessing's signature only."""

    def __init__(self, address: Any = None, authkey: Any = None, serializer: str = "pickle",
                 ctx: Any = None, *, shutdown_timeout: float = 1.0) -> None:
        self._context = ctx
        self._state = State.INITIAL
        self._pid = 0
        self._made: weakref.WeakSet[Any] = weakref.WeakSet()

    # ---- its life -------------------------------------------------------------------------------

    def start(self, initializer: Any = None, initargs: Any = ()) -> None:
        """Begins; `initializer` is called here, as there is no other process. ConnectionError: there
        is no daemon, and none could be started."""
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if self._state != State.INITIAL:
            raise python.ProcessError(
                "Manager has shut down" if self._state == State.SHUTDOWN
                else "Already started server")
        client()
        if initializer is not None:
            initializer(*initargs)
        self._state = State.STARTED
        self._pid = os.getpid()

    def connect(self) -> None:
        """Begins: all managers have the same daemon."""
        self.start()

    def shutdown(self) -> None:
        """Deletes what it has made. In a child of a fork it does nothing: the parent's it stays."""
        if self._pid != os.getpid() or self._state != State.STARTED:
            return
        self._state = State.SHUTDOWN
        for proxy in list(self._made):
            try:
                proxy._call(b"object.delete")
            except (errors.NotFound, ConnectionError):
                pass

    def join(self, timeout: Optional[float] = None) -> None:
        """There is no process to wait for."""

    @property
    def address(self) -> str:
        """The daemon's socket."""
        return client().address

    def __enter__(self) -> SyncManager:
        if self._state == State.INITIAL:
            self.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.shutdown()

    @classmethod
    def register(cls, typeid: str, *args: Any, **kwargs: Any) -> None:
        """Refuses: see this module."""
        raise NotImplementedError(
            f"{typeid!r} cannot be registered: the objects of this Manager are in the daemon ipcd, "
            "which runs no code of programs; a manager that has multiprocessing.managers.BaseManager "
            "as its base can have it")

    def _number_of_objects(self) -> int:
        return len(self._made)

    def _debug_info(self) -> str:
        return "\n".join(map(repr, self._made))

    # ---- what it makes --------------------------------------------------------------------------

    def _new(self, cls: Any, *args: Any, **kwargs: Any) -> Any:
        assert self._state == State.STARTED, "server not yet started"
        made = cls(*args, **kwargs)
        self._made.add(made)
        return made

    def Queue(self, maxsize: int = 0) -> proxies.QueueProxy:
        """A queue."""
        return self._new(proxies.QueueProxy, maxsize)

    def JoinableQueue(self, maxsize: int = 0) -> proxies.JoinableQueueProxy:
        """A queue with task_done and join."""
        return self._new(proxies.JoinableQueueProxy, maxsize)

    def Lock(self) -> proxies.LockProxy:
        """A lock."""
        return self._new(proxies.LockProxy)

    def RLock(self) -> proxies.RLockProxy:
        """A recursive lock."""
        return self._new(proxies.RLockProxy)

    def Semaphore(self, value: int = 1) -> proxies.SemaphoreProxy:
        """A semaphore."""
        return self._new(proxies.SemaphoreProxy, value)

    def BoundedSemaphore(self, value: int = 1) -> proxies.BoundedSemaphoreProxy:
        """A semaphore that never has more permits than to begin with."""
        return self._new(proxies.BoundedSemaphoreProxy, value)

    def Condition(self, lock: Any = None) -> proxies.ConditionProxy:
        """A condition."""
        return self._new(proxies.ConditionProxy, lock)

    def Event(self) -> proxies.EventProxy:
        """An event."""
        return self._new(proxies.EventProxy)

    def Barrier(self, parties: int, action: Any = None, timeout: Optional[float] = None
                ) -> proxies.BarrierProxy:
        """A barrier."""
        return self._new(proxies.BarrierProxy, parties, action, timeout)

    def list(self, *args: Any) -> proxies.ListProxy:
        """A list."""
        return self._new(proxies.ListProxy, *args)

    def dict(self, *args: Any, **kwargs: Any) -> proxies.DictProxy:
        """A dict."""
        return self._new(proxies.DictProxy, *args, **kwargs)

    def Namespace(self, **attributes: Any) -> proxies.NamespaceProxy:
        """A namespace."""
        return self._new(proxies.NamespaceProxy, **attributes)

    def Value(self, typecode: Any, value: Any, lock: bool = True) -> Any:
        """A number in shared memory; with a typecode that is none of struct's, any object."""
        cls = proxies.ValueProxy if typecode in _NUMBERS else proxies.ObjectValueProxy
        return self._new(cls, typecode, value)

    def Array(self, typecode: str, sequence: Any, lock: bool = True) -> proxies.ArrayProxy:
        """Numbers in shared memory."""
        return self._new(proxies.ArrayProxy, typecode, sequence)

    def Pool(self, *args: Any, **kwargs: Any) -> Any:
        """A pool of processes, in this process."""
        from .context import _default_context
        context = self._context if self._context is not None else _default_context
        return context.Pool(*args, **kwargs)


def __getattr__(name: str) -> Any:
    return getattr(python, name)
