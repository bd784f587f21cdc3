"""Watching: being told what happens to objects."""
from __future__ import annotations

import collections
import select
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from . import errors
from .proxy import Proxy

if TYPE_CHECKING:
    from .client import Client


class Happening(NamedTuple):
    """What has happened to an object: its name; the event, as "put" or "set"; and a dict of details.
    The protocol has the events of each type. Three are for all: "deleted", "denied", and "lost", for
    a program that reads more slowly than things happen: its detail has the `count`."""

    name: str
    event: str
    detail: dict[str, Any]


class Watch(Iterator[Happening]):
    """An iterator over what happens to objects. It has a session of its own, and ends when it is
    closed, or when all objects that it watches are deleted.

        with client.watch("jobs", ["put"]) as happenings:
            for happening in happenings:
                print(happening.event, happening.detail)
    """

    def __init__(self, client: Client, objects: Iterable[Union[str, Proxy]],
                 events: Optional[Iterable[str]]) -> None:
        self._happened: collections.deque[Happening] = collections.deque()
        self._client = client
        self._connection = client._new_connection(client.address)
        self._connection.on_event(_teller(self._happened))
        self._watched: set[str] = set()
        events = None if events is None else list(events)
        for watched in objects:
            self.add(watched, events)

    def add(self, watched: Union[str, Proxy], events: Optional[Iterable[str]] = None) -> None:
        """Watches one more object, or the same one for other events. `BadRequest`: its type has no
        such event."""
        name = watched.name if isinstance(watched, Proxy) else watched
        self._connection.call(None, b"object.watch", name,
                              None if events is None else list(events))
        self._watched.add(name)

    def remove(self, watched: Union[str, Proxy]) -> None:
        """Watches it no more. Events that have been told still come."""
        name = watched.name if isinstance(watched, Proxy) else watched
        self._connection.call(None, b"object.unwatch", name)
        self._watched.discard(name)

    def next(self, timeout: Optional[float] = None) -> Happening:
        """The next event, waiting at most `timeout` seconds for it. `Timeout`; StopIteration: there
        is nothing to come."""
        end = None if timeout is None else time.monotonic() + timeout
        poll = select.poll()
        while not self._happened:
            if not self._watched:
                raise StopIteration
            left = None if end is None else end - time.monotonic()
            if left is not None and left < 0:
                raise errors.Timeout("nothing has happened in this time")
            fd = self._connection.fileno()
            poll.register(fd, select.POLLIN)
            ready = poll.poll(None if left is None else -int(-left * 1000 // 1))
            self._connection.process(ready[0][1] if ready else 0)
        happening = self._happened.popleft()
        if happening.event in ("deleted", "denied"):
            self._watched.discard(happening.name)
        return happening

    def __next__(self) -> Happening:
        return self.next()

    def close(self) -> None:
        """Ends the session."""
        self._watched.clear()
        self._connection.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


def _teller(happened: collections.deque[Happening]) -> Callable[[str, str, dict[str, Any]], None]:
    """What the connection calls. It knows the events only, as a connection keeps what it calls."""

    def tell(name: str, event: str, detail: dict[str, Any]) -> None:
        happened.append(Happening(name, event, detail))
    return tell
