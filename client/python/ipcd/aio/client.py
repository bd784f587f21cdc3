"""Connecting, and opening objects, in an event loop."""
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Callable, Optional, Union

from .. import atomic, client, errors, proxy, queue
from ..values import Ext, Map, Values, seconds_to_ms
from . import proxies
from .loop import Call, Loop
from .watch import Watch

_KINDS: dict[str, type[proxies.Proxy]] = {
    cls.kind: cls for cls in (proxies.Queue, proxies.Dict, proxies.List, proxies.Namespace,
                              proxies.Lock, proxies.Semaphore, proxies.Condition, proxies.Event,
                              proxies.Barrier, proxies.Value, proxies.Array, proxies.Pipe)}


class Batch(atomic.Batch):
    """Calls, collected in an `async with` block and run together at its end: see `ipcd.Batch`. What is
    collected is not awaited.

        async with client.atomic() as batch:
            job = batch(todo).get()
            batch(figures).incr("taken")
    """

    def __call__(self, proxy: Any) -> Any:
        self._sources.append(proxy)
        return atomic._collector(proxy._blocking)(self, proxy)

    async def run(self) -> list[Any]:  # type: ignore[override]
        """Runs what has been collected; the results, in order."""
        if not self._calls:
            return []
        calls = Values(Values((method, Values(params))) for method, params in self._calls)
        try:
            values = await self._client._call(self, b"atomic", calls)
        except errors.Error as error:
            self._failed(error)
            raise
        self._done(values)
        return [result.value for result in self._results]

    def __enter__(self) -> Batch:
        raise TypeError("a batch of ipcd.aio needs `async with`")

    async def __aenter__(self) -> Batch:
        return self

    async def __aexit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        if kind is None:
            await self.run()


class Client(client.Client):
    """A connection to the daemon: one session, which all tasks of an event loop share. Made by
    `connect`. As an asynchronous context manager it is closed at the end of the block.

    Its methods are those of `ipcd.Client`, awaited.
    """

    _loop: Loop
    _blocking: Optional[client.Client] = None

    def _publish(self) -> None:
        """References in this process are opened by blocking clients."""

    def _begin(self) -> Client:
        self._loop = Loop(self._connection, self._hooks)
        return self

    def _aside(self) -> client.Client:
        """A session for what must be known in the middle of an answer: whether a pickle in an object
        that has a name can be trusted, and of what type a reference is."""
        if self._blocking is None:
            name, version, timeout, _ = self._settings
            self._blocking = client.Client(self.address, client=name, version=version,
                                           timeout=timeout, reconnect=True)
        return self._blocking

    # ---- opening ------------------------------------------------------------------------------

    async def _open(self, cls: Any, name: Optional[str], common: dict[str, Any], **options: Any
                    ) -> Any:  # type: ignore[override]
        self._loop.check()
        allow_pickle = common.pop("allow_pickle", False)
        given = self._given(cls, common, options)
        description = await self._open_object(f"{cls.kind}.open".encode(), name, given)
        return _KINDS[cls.kind](self, description, allow_pickle)

    async def _open_object(self, method: bytes, name: Optional[str], given: dict[str, Any]
                           ) -> Any:  # type: ignore[override]
        if "mode" in given or given.get("create") is False:
            return await self._call(None, method, name, given)
        if name is None or given.get("exclusive"):
            return await self._call(None, method, name, Map(given, mode=client.MODE))
        while True:
            try:
                return await self._call(None, method, name, Map(given, create=False))
            except errors.NotFound:
                pass
            try:
                return await self._call(None, method, name,
                                        Map(given, mode=client.MODE, exclusive=True))
            except errors.Exists:
                pass

    async def barrier(self, name: Optional[str] = None, parties: Optional[int] = None,
                      action: Optional[Callable[[], Any]] = None, timeout: Optional[float] = None,
                      **common: Any) -> proxies.Barrier:  # type: ignore[override]
        """A barrier. `parties`: how many must come; needed for a new one. `action`: a function, or a
        coroutine function. `timeout`: of waits that give none, in seconds."""
        barrier: proxies.Barrier = await self._open(
            proxies.Barrier, name, common, parties=parties,
            timeout=None if timeout is None else seconds_to_ms(timeout))
        barrier.action = action
        return barrier

    async def open(self, name: str, allow_pickle: bool = False) -> Any:
        """The object of that name, of whatever type, as a proxy. NotFound."""
        self._loop.check()
        description = await self._call(None, b"object.describe", name)
        kind = _KINDS.get(description["type"])
        if kind is None:
            raise errors.Unsupported(f"{name!r} is of type {description['type']!r}, which this "
                                     "version does not know")
        return await self._open(kind, name, {"create": False, "allow_pickle": allow_pickle})

    def _referred(self, name: bytes) -> Any:
        """The proxy for a reference. The session has the object open, by the answer that the reference
        came with."""
        try:
            description = self._aside().describe(name.decode())
        except (errors.NotFound, errors.Denied):
            return Ext(1, name)
        return _KINDS[description["type"]](self, description)

    # ---- calls --------------------------------------------------------------------------------

    def _call(self, source: Any, method: bytes, *params: Any) -> Call:
        return self._loop.call(source, method, *params)

    def atomic(self) -> Batch:
        """Collects calls that are run as one: see `Batch`."""
        return Batch(self)

    async def get_any(self, queues: Sequence[Any], block: bool = True,
                      timeout: Optional[float] = None) -> proxies.Ticket:  # type: ignore[override]
        """Takes one item of several queues: of the first that has one, else of the first to get one.
        `Empty`; `ShutDown`: all of them are."""
        self._loop.check()
        names = [each.name for each in queues]
        name, value, number, deliveries = await self._call(
            queue._Together(queues), b"queue.get_any", names, queue._wait(block, timeout))
        return proxies.Ticket(queues[names.index(name)], value, number, deliveries)

    def watch(self, objects: Union[str, proxy.Proxy, Iterable[Union[str, proxy.Proxy]]],
              events: Optional[Iterable[str]] = None) -> Watch:  # type: ignore[override]
        """An asynchronous iterator over what happens to one or several objects: see `Watch`."""
        if isinstance(objects, (str, proxy.Proxy)):
            objects = [objects]
        return Watch(self, objects, events)

    async def objects(self, glob: Optional[str] = None, kind: Optional[str] = None,
                      waiting: bool = False) -> AsyncIterator[client.Description]:  # type: ignore[override]
        """Iterates over the descriptions of all objects, or of those whose names match, or of one
        type, or on which calls wait."""
        options: client.Description = {"cursor": 0, "glob": glob, "type": kind, "waiting": waiting or None}
        options = {key: value for key, value in options.items() if value is not None}
        while True:
            answer = await self._call(None, b"object.list", options)
            for description in answer["objects"]:
                yield description
            options["cursor"] = answer["cursor"]
            if not options["cursor"]:
                return

    async def close(self) -> None:  # type: ignore[override]
        """Ends the session: the daemon gives back what it held. Tasks that wait get ConnectionError,
        and so does every use of the client and its proxies."""
        client._clients.discard(self)
        self._loop.close()
        if self._blocking is not None:
            self._blocking.close()

    def __enter__(self) -> Client:
        raise TypeError("a client of ipcd.aio needs `async with`")

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<ipcd.aio client of {self.address!r}>"


def _loop_of(self: Any) -> Loop:
    return self._loop


for _name in ("call", "ping", "server", "stats", "methods", "describe", "delete", "sessions",
              "describe_session", "kill_session"):
    setattr(Client, _name, proxies.awaited(getattr(client.Client, _name), _loop_of))


async def connect(address: Optional[str] = None, **options: Any) -> Client:
    """Connects to the daemon; the parameters are those of `ipcd.connect`. ConnectionError
    (`NotConnected`): nobody is there; the message has the path."""
    connected = await asyncio.to_thread(lambda: Client(address, **options))
    return connected._begin()
