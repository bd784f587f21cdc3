"""Watching, in an event loop."""
from __future__ import annotations

import asyncio
import collections
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Optional, Union

from .. import errors
from ..proxy import Proxy
from ..watch import Happening
from .loop import Loop

if TYPE_CHECKING:
    from .client import Client


class Watch(AsyncIterator[Happening]):
    """An asynchronous iterator over what happens to objects: see `ipcd.Watch`. It begins with `async
    with`, `add`, or the first event that is waited for. It has a session of its own, which ends by
    `close` or at the end of the block."""

    def __init__(self, client: Client, objects: Iterable[Union[str, Proxy]],
                 events: Optional[Iterable[str]]) -> None:
        self._client = client
        self._objects = list(objects)
        self._events = None if events is None else list(events)
        self._happened: collections.deque[Happening] = collections.deque()
        self._watched: set[str] = set()
        self._loop: Optional[Loop] = None
        self._waiter: Optional[asyncio.Future[None]] = None

    async def _begun(self) -> Loop:
        if self._loop is None:
            client = self._client
            connection = await asyncio.to_thread(client._new_connection, client.address)
            if self._loop is None:
                self._loop = Loop(connection, client._hooks)
                connection.on_event(_teller(weakref.ref(self)))
                objects, self._objects = self._objects, []
                for watched in objects:
                    await self.add(watched, self._events)
        return self._loop

    def _tell(self, name: str, event: str, detail: dict[str, Any]) -> None:
        self._happened.append(Happening(name, event, detail))
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def add(self, watched: Union[str, Proxy], events: Optional[Iterable[str]] = None) -> None:
        """Watches one more object, or the same one for other events. `BadRequest`: its type has no
        such event."""
        loop = await self._begun()
        name = watched.name if isinstance(watched, Proxy) else watched
        await loop.call(None, b"object.watch", name, None if events is None else list(events))
        self._watched.add(name)

    async def remove(self, watched: Union[str, Proxy]) -> None:
        """Watches it no more. Events that have been told still come."""
        loop = await self._begun()
        name = watched.name if isinstance(watched, Proxy) else watched
        await loop.call(None, b"object.unwatch", name)
        self._watched.discard(name)
        self._wake()

    async def next(self) -> Happening:
        """The next event. StopAsyncIteration: there is nothing to come. ConnectionError: the daemon
        has gone."""
        loop = await self._begun()
        while not self._happened:
            if not self._watched:
                raise StopAsyncIteration
            if loop.ended:
                raise errors.ConnectionLost("the connection to the daemon has ended")
            self._waiter = loop.loop.create_future()
            loop.on_end = self._wake
            await self._waiter
        happening = self._happened.popleft()
        if happening.event in ("deleted", "denied"):
            self._watched.discard(happening.name)
        return happening

    async def __anext__(self) -> Happening:
        return await self.next()

    async def close(self) -> None:
        """Ends the session."""
        self._watched.clear()
        self._wake()
        if self._loop is not None:
            self._loop.close()

    async def __aenter__(self) -> Watch:
        await self._begun()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self.close()


def _teller(watch: weakref.ref[Watch]) -> Callable[[str, str, dict[str, Any]], None]:
    """What the connection calls. A connection keeps it, so it does not keep the watch."""

    def tell(name: str, event: str, detail: dict[str, Any]) -> None:
        here = watch()
        if here is not None:
            here._tell(name, event, detail)
    return tell
