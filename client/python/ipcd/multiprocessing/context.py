"""Contexts: multiprocessing's own, whose factories make objects of the daemon's.

Which start method is set is kept where multiprocessing keeps it, so that both modules agree, in
children too.
"""
from __future__ import annotations

from multiprocessing import context as python
from typing import Any, Optional

AuthenticationError = python.AuthenticationError
BufferTooShort = python.BufferTooShort
ProcessError = python.ProcessError
TimeoutError = python.TimeoutError


class ForkProcess(python.ForkProcess):
    """A process that is forked."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        from .popen import ForkPopen
        return ForkPopen(process_obj)


class SpawnProcess(python.SpawnProcess):
    """A process with a new interpreter."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        from .popen import SpawnPopen
        return SpawnPopen(process_obj)


class ForkServerProcess(python.ForkServerProcess):
    """A process that a server forks."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        from .popen import ForkServerPopen
        return ForkServerPopen(process_obj)


class Process(python.Process):
    """A process that is started as the start method says."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        return _default_context.get_context().Process._Popen(process_obj)


class BaseContext(python.BaseContext):
    """What a context makes. Everything that is not here is multiprocessing's own."""

    def get_context(self, method: Optional[str] = None) -> Any:
        """The context of a start method; this one, if none is named. ValueError: no such method."""
        if method is None:
            return self
        try:
            context = _contexts[method]
        except KeyError:
            raise ValueError(f"cannot find context for {method!r}") from None
        context._check_available()
        return context

    def _of_python(self) -> python.BaseContext:
        """multiprocessing's own context of this start method."""
        return python._default_context.get_context(self.get_context()._name)

    def Manager(self) -> Any:
        """A manager, which makes proxies for objects that need not be inherited. It has no process:
        its objects are the daemon's."""
        from .managers import SyncManager
        manager = SyncManager(ctx=self.get_context())
        manager.start()
        return manager

    def Pipe(self, duplex: bool = True) -> Any:
        """Two connections, each the other's end; unless it is duplex, the first only receives and
        the second only sends."""
        from .connection import Pipe
        return Pipe(duplex)

    def Lock(self) -> Any:
        """A lock. Anybody may release it."""
        from .synchronize import Lock
        return Lock(ctx=self.get_context())

    def RLock(self) -> Any:
        """A recursive lock, held by a thread of a process."""
        from .synchronize import RLock
        return RLock(ctx=self.get_context())

    def Condition(self, lock: Any = None) -> Any:
        """A condition; `lock`: a Lock or RLock that it goes by."""
        from .synchronize import Condition
        return Condition(lock, ctx=self.get_context())

    def Semaphore(self, value: int = 1) -> Any:
        """A semaphore with so many permits."""
        from .synchronize import Semaphore
        return Semaphore(value, ctx=self.get_context())

    def BoundedSemaphore(self, value: int = 1) -> Any:
        """A semaphore that never has more permits than to begin with."""
        from .synchronize import BoundedSemaphore
        return BoundedSemaphore(value, ctx=self.get_context())

    def Event(self) -> Any:
        """An event, clear."""
        from .synchronize import Event
        return Event(ctx=self.get_context())

    def Barrier(self, parties: int, action: Any = None, timeout: Optional[float] = None) -> Any:
        """A barrier; `timeout`: seconds, of waits that give none."""
        from .synchronize import Barrier
        return Barrier(parties, action, timeout, ctx=self.get_context())

    def Queue(self, maxsize: int = 0) -> Any:
        """A queue of at most so many items; 0 or less: no limit."""
        from .queues import Queue
        return Queue(maxsize, ctx=self.get_context())

    def JoinableQueue(self, maxsize: int = 0) -> Any:
        """A queue with task_done and join."""
        from .queues import JoinableQueue
        return JoinableQueue(maxsize, ctx=self.get_context())

    def SimpleQueue(self) -> Any:
        """A queue with get, put and empty."""
        from .queues import SimpleQueue
        return SimpleQueue(ctx=self.get_context())

    def Pool(self, processes: Optional[int] = None, initializer: Any = None, initargs: Any = (),
             maxtasksperchild: Optional[int] = None) -> Any:
        """multiprocessing's pool of processes, with its own pipes."""
        from multiprocessing.pool import Pool
        return Pool(processes, initializer, initargs, maxtasksperchild,
                    context=self._of_python())

    def RawValue(self, typecode_or_type: Any, *args: Any) -> Any:
        """A ctypes object in shared memory."""
        from .sharedctypes import RawValue
        return RawValue(typecode_or_type, *args)

    def RawArray(self, typecode_or_type: Any, size_or_initializer: Any) -> Any:
        """A ctypes array in shared memory."""
        from .sharedctypes import RawArray
        return RawArray(typecode_or_type, size_or_initializer)

    def Value(self, typecode_or_type: Any, *args: Any, lock: Any = True) -> Any:
        """A number in shared memory, or another ctypes object, with a lock."""
        from .sharedctypes import Value
        return Value(typecode_or_type, *args, lock=lock, ctx=self.get_context())

    def Array(self, typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True) -> Any:
        """An array in shared memory, with a lock."""
        from .sharedctypes import Array
        return Array(typecode_or_type, size_or_initializer, lock=lock, ctx=self.get_context())


class DefaultContext(BaseContext, python.DefaultContext):
    """The context of the start method that is set."""

    Process = Process

    def __init__(self) -> None:
        pass

    def get_context(self, method: Optional[str] = None) -> Any:
        """The context of a start method; of the one that is set, if none is named."""
        return super().get_context(self.get_start_method() if method is None else method)

    def set_start_method(self, method: Optional[str], force: bool = False) -> None:
        """Sets it: "fork", "spawn" or "forkserver". RuntimeError: it is set already."""
        python._default_context.set_start_method(method, force)

    def get_start_method(self, allow_none: bool = False) -> Any:
        """Its name; None if it is not set and `allow_none`."""
        return python._default_context.get_start_method(allow_none)


class ForkContext(BaseContext, python.ForkContext):
    """Processes are forked."""

    Process = ForkProcess


class SpawnContext(BaseContext, python.SpawnContext):
    """Processes have a new interpreter."""

    Process = SpawnProcess


class ForkServerContext(BaseContext, python.ForkServerContext):
    """Processes are forked by a server."""

    Process = ForkServerProcess


_contexts = {"fork": ForkContext(), "spawn": SpawnContext(), "forkserver": ForkServerContext()}
_default_context = DefaultContext()
