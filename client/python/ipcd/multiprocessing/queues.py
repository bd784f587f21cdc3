"""Queue, JoinableQueue, SimpleQueue."""
from __future__ import annotations

import queue
from typing import Any, Optional

from .. import queue as queues
from ..proxy import wait_ms
from .objects import WINDOW, Anonymous

Empty = queue.Empty
Full = queue.Full

_PUT = b"queue.put"
_GET = b"queue.get"
_DONE = b"queue.task_done"


class Pipelined(queues.Queue):
    """If it has no limit, `put` returns as soon as the item is on its way. The order of what a process
    does is kept, whichever objects it does it with. What could not be put raises at a later call."""

    def _take_description(self, description: dict[str, Any]) -> None:
        super()._take_description(description)
        self._unbounded = self.maxsize == 0

    def put(self, item: Any, block: bool = True, timeout: Optional[float] = None, **options: Any
            ) -> None:
        """Puts an item, waiting while the queue is full: see ipcd.Queue."""
        if options or not self._unbounded:
            super().put(item, block, timeout, **options)
        else:
            self._send(item)

    def put_nowait(self, item: Any) -> None:
        """`put` without waiting."""
        self.put(item, False)

    def _send(self, item: Any) -> None:
        client: Any = self._client
        if client._finishes_in != client._epoch:
            client.finish_at_exit()
        if not 0 <= self._post(_PUT, item) < WINDOW:
            client.flush()


class Queue(Anonymous, Pipelined):
    """A queue that processes share. Timeouts are seconds; a negative one is 0.

    If it has no limit, `put` returns as soon as the item is on its way. The order of what a process
    does is kept, whichever objects it does it with. `flush` waits until all has arrived, and so do
    `close` and the end of the process.
    """

    _closed = False

    def __init__(self, maxsize: int = 0, *, ctx: Any = None) -> None:
        self._make(maxsize=max(0, maxsize), **self._options())

    def _options(self) -> dict[str, Any]:
        return {}

    def put(self, obj: Any, block: bool = True, timeout: Optional[float] = None) -> None:  # type: ignore[override]
        """Puts an item, waiting while the queue is full. queue.Full; TypeError: it cannot be sent;
        ValueError: this process has closed the queue."""
        if self._closed:
            raise self._is_closed()
        if self._unbounded:
            self._send(obj)
        else:
            self._call(_PUT, obj, wait_ms(block, timeout))

    def get(self, block: bool = True, timeout: Optional[float] = None) -> Any:
        """Takes the next item, waiting for one. queue.Empty; ValueError: as put."""
        if self._closed:
            raise self._is_closed()
        if block and timeout is None:
            return self._get(_GET)
        return self._get(_GET, wait_ms(block, timeout))

    def get_nowait(self) -> Any:
        """`get` without waiting."""
        return self.get(False)

    def flush(self) -> None:
        """Waits until what this process has put has arrived. What could not be put raises now."""
        client: Any = self._client
        client.flush()

    def close(self) -> None:
        """Says that this process will not use it any more, and waits as `flush`."""
        if not self._closed:
            self._closed = True
            self.flush()

    def join_thread(self) -> None:
        """There is no thread: `close` has waited."""
        assert self._closed, f"{self!r} not closed"

    def cancel_join_thread(self) -> None:
        """There is no thread."""

    def _is_closed(self) -> Exception:
        return ValueError(f"queue {self.name!r} is closed")


class Joinable(queues.Queue):
    """What a process has taken, and not said to be done, is got by others when it is killed or ends by
    an exception, and counts as done when it ends normally."""

    _noted_in = -1  # the client's epoch
    _taken_here = 0

    def get(self, block: bool = True, timeout: Optional[float] = None) -> Any:
        """Takes the next item, waiting for one; `task_done` is to follow. queue.Empty."""
        item = super().get(block, timeout)
        client: Any = self._client
        if self._noted_in != client._epoch:
            self._noted_in = client._epoch
            self._taken_here = 0
            client.has_taken_from(self.name)
        self._taken_here += 1
        return item

    def task_done(self, ticket: Optional[queues.Ticket] = None) -> None:  # type: ignore[override]
        """Counts an item as done: the one that this process took first, else the one that anybody
        did. ValueError: nothing is taken."""
        client: Any = self._client
        if ticket is None and self._taken_here > 0 and self._noted_in == client._epoch:
            self._taken_here -= 1
            if not 0 <= self._post(_DONE) < WINDOW:  # it cannot be refused
                client.flush()
        else:
            super().task_done(ticket)


class JoinableQueue(Joinable, Queue):
    """A queue whose items are done when `task_done` says so: the one that this process took first,
    else the one that anybody did."""

    def _options(self) -> dict[str, Any]:
        return {"joinable": True}


class SimpleQueue(Queue):
    """A queue with get, put and empty."""

    def __init__(self, *, ctx: Any = None) -> None:
        super().__init__(ctx=ctx)

    def empty(self) -> bool:
        """Whether a get would find nothing now. OSError: this process has closed the queue."""
        if self._closed:
            raise self._is_closed()
        return super().empty()

    def _is_closed(self) -> Exception:
        return OSError(f"queue {self.name!r} is closed")
