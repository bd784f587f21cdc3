"""The objects of the daemon's for asyncio.

Each class here has a blocking one as its base, and its methods are that one's, awaited: a method that
makes one call and returns its result, or nothing, is the coroutine of that call (`awaited`). Those that
do more with the answer, or make several calls, are written out.
"""
from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import os
import select
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Optional

from .. import _core, array, barrier, dict as dicts, errors, event, list as lists, lock, namespace
from .. import pipe, proxy, queue, semaphore, value
from ..dict import MISSING
from ..values import Values
from .loop import Call

if TYPE_CHECKING:
    from .client import Client


def awaited(blocking: Callable[..., Any], loop_of: Callable[[Any], Any]) -> Callable[..., Any]:
    """The coroutine of a method that makes one call at most."""

    @functools.wraps(blocking)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        loop = loop_of(self)
        loop.check()
        loop.begun = None
        result = blocking(self, *args, **kwargs)
        call = loop.begun
        if call is None:
            return result
        answer = await call
        return answer if result is call else result

    method.__signature__ = inspect.signature(blocking)  # type: ignore[attr-defined]
    return method


def refusal(name: str) -> Callable[..., Any]:
    """For an operator that cannot be awaited."""

    def operator(self: Any, *args: Any) -> Any:
        raise TypeError(f"{name} cannot be awaited: the methods of {type(self).__name__} can, which "
                        "help() shows")
    return operator


OPERATORS = ("__len__", "__contains__", "__iter__", "__reversed__", "__setitem__", "__delitem__",
             "__enter__", "__exit__", "__add__", "__radd__", "__iadd__", "__mul__", "__rmul__",
             "__imul__", "__or__", "__ror__", "__ior__")


def _same(result: Any) -> Any:
    return result


def _first(result: Any) -> Any:
    return result[0]


class Proxy(proxy.Proxy):
    """An object of the daemon's, in an event loop. Made by the methods of `Client`."""

    _client: Client
    _blocking: type[proxy.Proxy]

    def __init_subclass__(cls, blocking: Optional[type[proxy.Proxy]] = None) -> None:
        """`blocking`: the class whose methods are awaited here, but for those that `cls` has."""
        if blocking is None:
            return
        cls._blocking = blocking
        written = {name for base in cls.__mro__ if issubclass(base, Proxy) for name in vars(base)}
        for base in blocking.__mro__:
            if not issubclass(base, _core.Handle):
                continue
            for name, method in vars(base).items():
                if name in written:
                    continue
                if name in OPERATORS:
                    setattr(cls, name, refusal(name))
                elif inspect.isfunction(method) and _is_public(name):
                    setattr(cls, name, awaited(method, _loop_of))

    def _looked_up(self) -> dict[str, Any]:
        return self._client._aside().describe(self.name)

    # ---- calls: as those of _core.Handle, but to be awaited --------------------------------------

    def _call(self, method: bytes, *params: Any) -> Call:
        return self._client._loop.call_of(self, False, _core.RESULT_VALUE, _same, method, params)

    def _first(self, method: bytes, *params: Any) -> Call:
        return self._client._loop.call_of(self, False, _core.RESULT_VALUE, _first, method, params)

    _get = _first  # nothing is reserved: who waits for several items has as many tasks

    def _call_key(self, method: bytes, key: Any, *params: Any) -> Call:
        return self._client._loop.call_of(self, True, _core.RESULT_VALUE, _same, method,
                                          (key, *params))

    def _keys(self, method: bytes, *params: Any) -> Call:
        return self._client._loop.call_of(self, False, _core.RESULT_KEYS, _same, method, params)

    def _pair(self, method: bytes, *params: Any) -> Call:
        return self._client._loop.call_of(self, False, _core.RESULT_PAIR, _same, method, params)

    def _pairs(self, method: bytes, *params: Any) -> Call:
        return self._client._loop.call_of(self, False, _core.RESULT_PAIRS, _same, method, params)

    def _scan(self, method: bytes, *params: Any) -> Call:
        return self._client._loop.call_of(self, False, _core.RESULT_SCAN, _same, method, params)

    # ---- what is the same for all ----------------------------------------------------------------

    def watch(self, events: Optional[Iterable[str]] = None) -> Any:
        """An asynchronous iterator over what happens to the object: see `Watch`."""
        return self._client.watch(self, events)

    async def describe(self) -> dict[str, Any]:
        """What the daemon tells of it: type, owner, mode, lifetime, options and figures."""
        return await self._call(b"object.describe")

    async def delete(self) -> None:
        """Deletes the object, for all; who waits on it gets `Deleted`. For its owner."""
        await self._call(b"object.delete")

    async def chmod(self, mode: int) -> None:
        """Sets the read and write bits for owner, group and others: 0o640. For its owner."""
        await self._call(b"object.chmod", mode)

    async def chown(self, uid: Optional[int] = None, gid: Optional[int] = None) -> None:
        """Gives it to another user, or another group."""
        await self._call(b"object.chown", uid, gid)

    async def rename(self, new_name: str) -> Any:
        """Gives it another name; a proxy for that. `Exists`. For its owner."""
        await self._call(b"object.rename", new_name)
        return await self._client.open(new_name, self._allow_pickle)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Proxy):
            return self._client is other._client and self._name == other._name
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"<ipcd.aio {self.kind} {self.name!r}>"


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name in ("__getitem__",) or name in NAMESPACE_METHODS


NAMESPACE_METHODS = ("_copy", "_update", "_setdefault", "_pop", "_popitem", "_clear", "_incr", "_cas",
                     "_wait")


def _loop_of(self: Any) -> Any:
    return self._client._loop


# ---- queues --------------------------------------------------------------------------------------

class Ticket(queue.Ticket):
    """An item that was taken from a queue, with what is needed to say what became of it. Await
    `done`, `give_back` and `touch`; as an asynchronous context manager it is done at the end of the
    block, and given back if that ends with an exception."""

    __slots__ = ()

    async def done(self) -> None:  # type: ignore[override]
        """Says that the item is done. ValueError: it is no longer this session's."""
        if self._open:
            self._open = False
            await self.queue.task_done(self)  # type: ignore[misc]

    async def give_back(self, delay: float = 0) -> None:  # type: ignore[override]
        """Puts the item back at the head of its queue, after `delay` seconds. ValueError."""
        call = super().give_back(delay)
        if call is not None:
            await call

    async def touch(self) -> None:  # type: ignore[override]
        """Starts the item's lease again. ValueError."""
        call = super().touch()
        if call is not None:
            await call

    def __enter__(self) -> Ticket:
        raise TypeError("a ticket of ipcd.aio needs `async with`")

    async def __aenter__(self) -> Ticket:
        return self

    async def __aexit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        if kind is None or self.number is None:
            await self.done()
            return
        try:
            await self.give_back()
        except (errors.NotPossible, ConnectionError):
            pass  # its lease is over, or the session: it has gone back by itself


class Taking:
    """What `take` returns: awaited it gives a `Ticket`, and so does `async with`."""

    def __init__(self, coroutine: Any) -> None:
        self._coroutine = coroutine
        self._ticket: Optional[Ticket] = None

    def __await__(self) -> Any:
        return self._coroutine.__await__()

    async def __aenter__(self) -> Ticket:
        self._ticket = await self._coroutine
        return self._ticket

    async def __aexit__(self, *exception: Any) -> None:
        assert self._ticket is not None
        await self._ticket.__aexit__(*exception)


class Queue(Proxy, queue.Queue, blocking=queue.Queue):
    """A queue: see `ipcd.Queue`. A `get` that is cancelled has taken nothing."""

    def take(self, block: bool = True, timeout: Optional[float] = None) -> Taking:  # type: ignore[override]
        """Takes the next item as a `Ticket`: `ticket = await q.take()`, or `async with q.take() as
        ticket`. `Empty`, `ShutDown`."""
        return Taking(self._take(block, timeout))

    async def _take(self, block: bool, timeout: Optional[float]) -> Ticket:
        self._client._loop.check()
        return Ticket(self, *await self._call(b"queue.get", queue._wait(block, timeout)))

    async def get_many(self, max: int, block: bool = True, timeout: Optional[float] = None
                       ) -> list[Any]:  # type: ignore[override]
        """Takes up to `max` items in one call; waits for the first one only. `Empty`, `ShutDown`."""
        return [ticket.value for ticket in await self.take_many(max, block, timeout)]

    async def take_many(self, max: int, block: bool = True, timeout: Optional[float] = None
                        ) -> list[Ticket]:  # type: ignore[override]
        """`get_many` with tickets."""
        self._client._loop.check()
        items = await self._call(b"queue.get_many", max, queue._wait(block, timeout))
        return [Ticket(self, *item) for item in items]


# ---- what tasks hold -----------------------------------------------------------------------------

_numbers = itertools.count(1)
_tasks: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


def task_number() -> int:
    """The number by which the daemon knows the task that runs, as a thread's in the blocking package."""
    task = asyncio.current_task()
    number = _tasks.get(task)
    if number is None:
        number = _tasks[task] = next(_numbers)
    return number


class _Held(Proxy):
    """What a task can hold: `async with`, or `acquire` and `release`."""

    _owner = staticmethod(task_number)
    _depths: Any
    _note_depth: Callable[[int, int], None]
    _acquire: bytes
    _release: bytes

    async def acquire(self, block: bool = True, timeout: Optional[float] = None) -> bool:
        """Waits until this task holds it, at most `timeout` seconds; whether it does. Look at
        `abandoned` then. A lock that is not recursive makes its own holder wait, too."""
        self._client._loop.check()
        owner = self._owner()
        try:
            held = await self._call(self._acquire, proxy.wait_ms(block, timeout), owner)
        except errors.Timeout:
            return False
        self.abandoned = held["abandoned"]
        self._note_depth(owner, held["depth"])
        return True

    async def release(self) -> None:
        """Holds it once less. RuntimeError: this task does not hold it."""
        self._client._loop.check()
        owner = self._owner()
        depth = await self._call(self._release, owner)
        self._note_depth(owner, depth)

    async def __aenter__(self) -> bool:
        return await self.acquire()

    async def __aexit__(self, *exception: Any) -> None:
        await self.release()


class Lock(_Held, lock.Lock, blocking=lock.Lock):
    """A lock, which a task holds: see `ipcd.Lock`. `async with await client.lock("name"):`."""


class Condition(_Held, lock.Condition, blocking=lock.Condition):
    """A condition, whose lock a task holds: see `ipcd.Condition`."""

    async def wait(self, timeout: Optional[float] = None) -> bool:  # type: ignore[override]
        """Gives up the lock, waits to be notified, and holds the lock again; a task that is cancelled
        does, too. False: the time ran out first. RuntimeError: this task does not hold the lock."""
        self._client._loop.check()
        owner = self._owner()
        try:
            return await self._call(b"condition.wait", proxy.wait_ms(True, timeout), owner)
        except asyncio.CancelledError:
            await self._hold_again(owner)
            raise

    async def _hold_again(self, owner: int) -> None:
        """After a wait that was cancelled: the lock is held as before it."""
        depth = self._depths.get(owner, 1)
        held = 0
        while held < depth:
            held = (await self._call(self._acquire, None, owner).insist())["depth"]

    async def wait_for(self, predicate: Callable[[], Any], timeout: Optional[float] = None) -> Any:
        """Waits until `predicate()` is true, or what it returns is, if that is to be awaited; what it
        was last. The lock is held whenever it is called."""
        end = None if timeout is None else time.monotonic() + timeout
        result = await _value_of(predicate)
        while not result:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            await self.wait(left)
            result = await _value_of(predicate)
        return result


async def _value_of(predicate: Callable[[], Any]) -> Any:
    result = predicate()
    return await result if inspect.isawaitable(result) else result


class Semaphore(Proxy, semaphore.Semaphore, blocking=semaphore.Semaphore):
    """A semaphore: see `ipcd.Semaphore`. Permits are the session's, not a task's."""

    async def acquire(self, block: bool = True, timeout: Optional[float] = None, n: int = 1
                      ) -> bool:  # type: ignore[override]
        """Takes n permits, waiting at most `timeout` seconds for them; whether it did."""
        self._client._loop.check()
        try:
            await self._call(b"semaphore.acquire", proxy.wait_ms(block, timeout), n)
        except errors.Timeout:
            return False
        return True

    async def __aenter__(self) -> bool:
        return await self.acquire()

    async def __aexit__(self, *exception: Any) -> None:
        await self.release()  # type: ignore[func-returns-value]


class Event(Proxy, event.Event, blocking=event.Event):
    """An event: see `ipcd.Event`."""


class Barrier(Proxy, barrier.Barrier, blocking=barrier.Barrier):
    """A barrier: see `ipcd.Barrier`. `action` may be a coroutine function."""

    async def wait(self, timeout: Optional[float] = None) -> int:  # type: ignore[override]
        """Waits until all parties have come; how many had come before. BrokenBarrierError."""
        self._client._loop.check()
        index = await self._call(b"barrier.wait", proxy.wait_ms(True, timeout))
        if self.action is not None:
            if index == 0:
                try:
                    await _value_of(self.action)
                except BaseException:
                    await self._call(b"barrier.abort")
                    raise
            await self._call(b"barrier.wait", proxy.wait_ms(True, timeout))
        return index

    async def state(self) -> dict[str, Any]:
        """How many are waiting, and whether it is broken: {"waiting": …, "broken": …}."""
        return await self._call(b"barrier.state")

    n_waiting = property(refusal("n_waiting"))  # type: ignore[assignment]
    broken = property(refusal("broken"))  # type: ignore[assignment]


# ---- containers ----------------------------------------------------------------------------------

class Dict(Proxy, dicts.Dict, blocking=dicts.Dict):
    """A dict: see `ipcd.Dict`. `await d[key]`, `await d.setitem(key, value)`, `async for key in d`."""

    async def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or the default."""
        try:
            return await self[key]
        except errors.KeyNotFound:
            return default

    async def pop(self, key: Any, default: Any = MISSING) -> Any:
        """Removes a key and returns its value, or the default. KeyError."""
        self._client._loop.check()
        try:
            return await self._call_key(b"dict.pop", key)
        except errors.KeyNotFound:
            if default is not MISSING:
                return default
            raise

    async def __getitem__(self, key: Any) -> Any:
        self._client._loop.check()
        return await self._call_key(b"dict.get", key)

    async def setitem(self, key: Any, value: Any) -> None:
        """Sets the value of a key."""
        self._client._loop.check()
        await self._call_key(b"dict.set", key, value)

    async def delitem(self, key: Any) -> None:
        """Removes a key. KeyError."""
        self._client._loop.check()
        await self._call_key(b"dict.delete", key)

    async def contains(self, key: Any) -> bool:
        """Whether the key is there."""
        self._client._loop.check()
        return await self._call_key(b"dict.contains", key)

    async def length(self) -> int:
        """How many keys there are."""
        self._client._loop.check()
        return await self._call(b"dict.len")

    async def scan(self, count: int = 1000) -> AsyncIterator[tuple[Any, Any]]:  # type: ignore[override]
        """Iterates over the pairs, fetching `count` at a time."""
        cursor = None
        while cursor != 0:
            cursor, pairs = await self._scan(b"dict.scan", cursor or 0, count)
            for pair in pairs:
                yield pair

    def items(self) -> AsyncIterator[tuple[Any, Any]]:  # type: ignore[override]
        """Iterates over the pairs."""
        return self.scan()

    async def keys(self) -> AsyncIterator[Any]:  # type: ignore[override]
        """Iterates over the keys."""
        async for key, _ in self.scan():
            yield key

    async def values(self) -> AsyncIterator[Any]:  # type: ignore[override]
        """Iterates over the values."""
        async for _, value in self.scan():
            yield value

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.keys()


class List(Proxy, lists.List, blocking=lists.List):
    """A list: see `ipcd.List`. `await l[i]`, `await l[1:3]`, `await l.setitem(i, value)`, `async for
    value in l`."""

    async def setitem(self, index: Any, value: Any) -> None:
        """Sets the value at an index, or a slice: setitem(slice(1, 3), values)."""
        self._client._loop.check()
        if isinstance(index, slice):
            await self._call(b"list.set_slice", *_bounds(index), Values(value))
        else:
            await self._call(b"list.set", lists._position(index), value)

    async def delitem(self, index: Any) -> None:
        """Removes the value at an index, or a slice."""
        self._client._loop.check()
        if isinstance(index, slice):
            await self._call(b"list.delete_slice", *_bounds(index))
        else:
            await self._call(b"list.delete", lists._position(index))

    async def contains(self, value: Any) -> bool:
        """Whether an equal value is there."""
        self._client._loop.check()
        return await self._call(b"list.contains", value)

    async def length(self) -> int:
        """How many values there are."""
        self._client._loop.check()
        return await self._call(b"list.len")

    async def sort(self, *, key: Optional[Callable[[Any], Any]] = None, reverse: bool = False
                   ) -> None:  # type: ignore[override]
        """Sorts it in place, stably; with a key it is fetched, sorted here, and set."""
        self._client._loop.check()
        if key is None:
            await self._call(b"list.sort", reverse)
        else:
            values = sorted(await self._call(b"list.slice"), key=key, reverse=reverse)
            await self.setitem(slice(None), values)

    async def __aiter__(self) -> AsyncIterator[Any]:
        at = 0
        values: list[Any] = []
        while at == 0 or len(values) == lists._SLICE:
            values = await self._call(b"list.slice", at, at + lists._SLICE)
            at += lists._SLICE
            for value in values:
                yield value


def _bounds(index: slice) -> tuple[Optional[int], ...]:
    return lists._bound(index.start), lists._bound(index.stop), lists._bound(index.step)


class Namespace(Proxy, namespace.Namespace, blocking=namespace.Namespace):
    """A namespace: see `ipcd.Namespace`. `await n.name`, `await n.setitem("name", value)`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise TypeError(f"setting an attribute cannot be awaited: setitem({name!r}, value) can")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise TypeError(f"deleting an attribute cannot be awaited: delitem({name!r}) can")

    async def setitem(self, name: str, value: Any) -> None:
        """Sets an attribute."""
        self._client._loop.check()
        await self._call(b"namespace.set", name, value)

    async def delitem(self, name: str) -> None:
        """Deletes an attribute. KeyError."""
        self._client._loop.check()
        await self._call(b"namespace.delete", name)

    async def contains(self, name: str) -> bool:
        """Whether there is such an attribute."""
        self._client._loop.check()
        return await self._call(b"namespace.contains", name)

    async def length(self) -> int:
        """How many attributes there are."""
        self._client._loop.check()
        return await self._call(b"namespace.len")

    async def __aiter__(self) -> AsyncIterator[str]:
        for name in await self._call(b"namespace.keys"):
            yield name


# ---- memory and pipes ----------------------------------------------------------------------------

class Value(Proxy, value.Value):
    """A number in shared memory: see `ipcd.Value`. Its methods are plain ones."""

    _blocking = value.Value


class Array(Proxy, array.Array):
    """Numbers in shared memory: see `ipcd.Array`. Its methods are plain ones."""

    _blocking = array.Array
    __hash__ = Proxy.__hash__


class End(pipe.End):
    """An end of a pipe: see `ipcd.End`."""

    async def send(self, obj: Any) -> None:  # type: ignore[override]
        """Sends a value, waiting while the socket is full. `PipeEnded`, TypeError."""
        while not self._send(obj):
            await self._until(select.POLLOUT)

    async def recv(self) -> Any:
        """Receives the next value. EOFError (`PipeEnded`)."""
        while True:
            value = self._receive(pipe._NOTHING)
            if value is not pipe._NOTHING:
                return value
            await self._until(select.POLLIN)

    async def send_bytes(self, buffer: Any, offset: int = 0, size: Optional[int] = None
                         ) -> None:  # type: ignore[override]
        """Sends bytes, or a part of an object that has a buffer."""
        await self.send(pipe.part_of(buffer, offset, size))

    async def recv_bytes(self, maxlength: Optional[int] = None) -> bytes:  # type: ignore[override]
        """Receives bytes. OSError: what came is longer than `maxlength`, or no bytes; it is lost."""
        pipe.check_length(maxlength)
        return pipe.checked(await self.recv(), maxlength)

    async def recv_bytes_into(self, buffer: Any, offset: int = 0) -> int:  # type: ignore[override]
        """Receives bytes into a writable buffer; how many. BufferTooShort has them in args[0]."""
        room = pipe.room_in(buffer, offset)
        return pipe.copied(await self.recv_bytes(), room)

    async def poll(self, timeout: Optional[float] = 0.0) -> bool:  # type: ignore[override]
        """Whether there is something to receive, or the end of all: now, or within `timeout`
        seconds; None: waits without limit."""
        while not self._ready():
            if timeout is not None and timeout <= 0:
                return False
            try:
                await asyncio.wait_for(self._until(select.POLLIN), timeout)
            except asyncio.TimeoutError:
                timeout = 0
        return True

    async def _until(self, events: int) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        # A descriptor of its own, as another task may wait on this end, too.
        descriptor = os.dup(self.fileno())
        add, remove = ((loop.add_reader, loop.remove_reader) if events == select.POLLIN
                       else (loop.add_writer, loop.remove_writer))
        add(descriptor, lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            remove(descriptor)
            os.close(descriptor)


class Pipe(Proxy, pipe.Pipe, blocking=pipe.Pipe):
    """A pipe: see `ipcd.Pipe`."""

    async def connect(self, end: Optional[int] = None) -> End:  # type: ignore[override]
        """Takes an end: 0 or 1, or the first that is free. If the pipe is not duplex, end 0 only
        receives and end 1 only sends. `Exists`: it is taken, or both are."""
        self._client._loop.check()
        socket, number = await self._call(b"pipe.connect", end)
        direction = None if self.duplex else ("receive", "send")[number]
        return End._of(self._client._hooks, socket.detach(), direction,  # type: ignore[return-value]
                       self._may_unpickle())

    async def ends(self) -> tuple[End, End]:  # type: ignore[override]
        """Takes both ends."""
        return await self.connect(0), await self.connect(1)
