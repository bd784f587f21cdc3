"""Queues, plain and joinable."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Optional, Sequence

from . import _core, errors
from .proxy import Proxy, wait_ms
from .values import Raw, Values, seconds_to_ms

if TYPE_CHECKING:
    from .client import Client

_PUT = b"queue.put"
_GET = b"queue.get"
_NIL = b"\xc0"


def _wait(block: bool, timeout: Optional[float]) -> Optional[int]:
    if block and timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
    return wait_ms(block, timeout)


class Ticket:
    """An item that was taken from a queue, with what is needed to say what became of it.

    As a context manager it is done at the end of the block, and given back if that ends with an
    exception:

        with queue.take() as job:
            work(job.value)
    """

    __slots__ = ("queue", "value", "number", "deliveries", "_open")

    def __init__(self, queue: Queue, value: Any, number: Optional[int], deliveries: int) -> None:
        self.queue = queue
        self.value = value
        self.number = number
        self.deliveries = deliveries
        self._open = number is not None

    def done(self) -> None:
        """Says that the item is done. ValueError: it is no longer this session's, as its lease is
        over. Nothing happens for an item of a plain queue, or if it has been done or given back."""
        if self._open:
            self._open = False
            self.queue.task_done(self)

    def give_back(self, delay: float = 0) -> None:
        """Puts the item back at the head of its queue, after `delay` seconds. ValueError as `done`,
        and for an item of a plain queue."""
        if self.number is None:
            raise ValueError("an item of a plain queue cannot be given back")
        if self._open:
            self._open = False
            self.queue._call(b"queue.give_back", self.number, seconds_to_ms(delay))

    def touch(self) -> None:
        """Starts the item's lease again. ValueError as `done`."""
        if self._open:
            self.queue._call(b"queue.touch", self.number)

    def __enter__(self) -> Ticket:
        return self

    def __exit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        if kind is None or self.number is None:
            self.done()
            return
        try:
            self.give_back()
        except (errors.NotPossible, ConnectionError):
            pass  # its lease is over, or the session: it has gone back by itself

    def __repr__(self) -> str:
        return f"<ipcd ticket {self.number} of {self.queue.name!r}: {self.value!r}>"


class Queue(Proxy):
    """A queue, as Python's `queue.Queue` and `multiprocessing.Queue`, with `task_done` and `join` if
    it is joinable.

    Timeouts are seconds, None for no limit. `put` raises `Full` and `get` `Empty` (Python's own
    queue.Full and queue.Empty) when the time is up; both raise `ShutDown` after `shutdown`. A wait
    that ends by Ctrl-C has taken nothing.
    """

    kind = "queue"
    maxsize: int
    joinable: bool

    def _take_description(self, description: dict[str, Any]) -> None:
        self.maxsize = description["maxsize"]
        self.joinable = description["joinable"]

    def put(self, item: Any, block: bool = True, timeout: Optional[float] = None, *,
            priority: Any = None, delay: float = 0, ttl: float = 0) -> None:
        """Puts an item, waiting while the queue is full.

        `priority` (of a queue of order "priority"): a number, a str or bytes; lower ones come first.
        `delay`: seconds before which it cannot be got. `ttl`: seconds after which it expires; 0:
        never. `Full`, `ShutDown`; TypeError: the item cannot be sent.
        """
        if block and timeout is None and priority is None and not delay and not ttl:
            self._call(_PUT, item)
            return
        options: dict[str, Any] = {}
        if priority is not None:
            options["priority"] = priority
        if delay:
            options["delay_ms"] = seconds_to_ms(delay)
        if ttl:
            options["ttl_ms"] = seconds_to_ms(ttl)
        self._call(_PUT, item, _wait(block, timeout), options or None)

    def put_nowait(self, item: Any) -> None:
        """`put` without waiting."""
        self._call(_PUT, item, 0)

    def put_many(self, items: Iterable[Any], block: bool = True, timeout: Optional[float] = None
                 ) -> int:
        """Puts several items in order, in one call; how many were put. Fewer than all only if the
        time ran out or the queue was shut down meanwhile; `Full` or `ShutDown` if none was."""
        return self._call(b"queue.put_many", Values(items), _wait(block, timeout))

    def get(self, block: bool = True, timeout: Optional[float] = None) -> Any:
        """Takes the next item, waiting for one. `Empty`, `ShutDown`. Of a joinable queue `task_done`
        is to follow."""
        if block and timeout is None:
            return self._get(_GET)
        return self._get(_GET, _wait(block, timeout))

    def get_nowait(self) -> Any:
        """`get` without waiting."""
        return self._get(_GET, 0)

    def take(self, block: bool = True, timeout: Optional[float] = None) -> Ticket:
        """Takes the next item as a `Ticket`. `Empty`, `ShutDown`."""
        value, number, deliveries = self._call(_GET, _wait(block, timeout))
        return Ticket(self, value, number, deliveries)

    def get_many(self, max: int, block: bool = True, timeout: Optional[float] = None) -> list[Any]:
        """Takes up to `max` items in one call; waits for the first one only. `Empty`, `ShutDown`."""
        return [item[0] for item in self._call(b"queue.get_many", max, _wait(block, timeout))]

    def take_many(self, max: int, block: bool = True, timeout: Optional[float] = None
                  ) -> list[Ticket]:
        """`get_many` with tickets."""
        return [Ticket(self, *item)
                for item in self._call(b"queue.get_many", max, _wait(block, timeout))]

    def task_done(self, ticket: Optional[Ticket] = None) -> int:
        """Counts an item as done: that of a ticket, else the oldest one that this session has taken.
        How many are left unfinished. ValueError: there is none."""
        if ticket is None:
            return self._call(b"queue.task_done")
        ticket._open = False
        return self._call(b"queue.task_done", ticket.number)

    def join(self, timeout: Optional[float] = None) -> None:
        """Waits until nothing is unfinished: queued, delayed or taken. `Timeout`."""
        self._call(b"queue.join", wait_ms(True, timeout))

    def taken(self, start: int = 0, count: int = 100) -> list[dict[str, Any]]:
        """What is taken and by whom, longest taken first."""
        return self._call(b"queue.taken", start, count)

    def qsize(self) -> int:
        """How many items a get could return now."""
        return self._call(b"queue.qsize")

    def empty(self) -> bool:
        """Whether a get would find nothing now."""
        return self._call(b"queue.empty")

    def full(self) -> bool:
        """Whether a put would find no room now."""
        return self._call(b"queue.full")

    def peek(self, start: int = 0, count: int = 1) -> list[Any]:
        """Looks at items in the order in which get would return them; takes none."""
        return self._call(b"queue.peek", start, count)

    def clear(self) -> int:
        """Removes all items that nobody has taken; how many they were."""
        return self._call(b"queue.clear")

    def shutdown(self, immediate: bool = False, drain: Optional[bool] = None) -> Optional[int]:
        """As Python 3.13: puts raise `ShutDown`, and so do gets once the queue is empty; with
        `immediate` the items are dropped. With `drain` given: see the protocol's queue.shutdown;
        returns how many items are taken."""
        if drain is None:
            return self._call(b"queue.shutdown", immediate)
        return self._call(b"queue.shutdown", immediate, {"drain": drain})

    def pause(self, seconds: Optional[float] = None) -> None:
        """Lets no get find anything for so many seconds, or until `resume`."""
        self._call(b"queue.pause", seconds_to_ms(seconds))

    def resume(self) -> None:
        """Lets gets go on."""
        self._call(b"queue.resume")

    # ---- items that the program does not get ----------------------------------------------------

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method == _GET:
            self._return_items([raw])
        elif method == b"queue.get_many":
            self._return_items(_core.elements(raw))

    def _return_items(self, items: Sequence[bytes]) -> None:
        """Puts items back at the head, in their order; the last one first."""
        for item in reversed(items):
            value, ticket = _core.elements(item)[:2]
            if ticket == _NIL:
                self._call(_PUT, Raw(value), 0, {"head": True})
            else:
                self._call(b"queue.give_back", Raw(ticket), 0, {"uncounted": True})

    def __repr__(self) -> str:
        try:
            size = self.qsize()
        except errors.Error as error:
            return f"<ipcd queue {self.name!r}: {error}>"
        return f"<ipcd queue {self.name!r} of {size} items>"


class _Together:
    """Several queues as the source of one answer."""

    def __init__(self, queues: Sequence[Queue]) -> None:
        self.queues = queues

    def _may_unpickle(self) -> bool:
        return all(queue._may_unpickle() for queue in self.queues)

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        from_queue, value, ticket, deliveries = _core.elements(raw)
        for queue in self.queues:
            if _core.pack(queue._client._hooks, queue.name) == from_queue:
                queue._return_items([b"\x93" + value + ticket + deliveries])
                return


def get_any(client: Client, queues: Sequence[Queue], block: bool, timeout: Optional[float]
            ) -> Ticket:
    """See `Client.get_any`."""
    names = [queue.name for queue in queues]
    name, value, number, deliveries = client._connection.call(
        _Together(queues), b"queue.get_any", names, _wait(block, timeout))
    return Ticket(queues[names.index(name)], value, number, deliveries)
