"""Pipes: two ends that exchange values without the daemon."""
from __future__ import annotations

import select
import time
from typing import Any, Optional

from . import _core
from .proxy import Proxy

_NOTHING = object()
_DIRECTIONS = {None: 0, "receive": 1, "send": 2}


def part_of(buffer: Any, offset: int, size: Optional[int]) -> bytes:
    """What `End.send_bytes` is to send."""
    view = memoryview(buffer).cast("B")
    if offset < 0:
        raise ValueError("offset is negative")
    if len(view) < offset:
        raise ValueError("buffer length < offset")
    if size is None:
        size = len(view) - offset
    elif size < 0:
        raise ValueError("size is negative")
    elif offset + size > len(view):
        raise ValueError("buffer length < offset + size")
    return bytes(view[offset:offset + size])


def checked(value: Any, maxlength: Optional[int]) -> bytes:
    """What `End.recv_bytes` makes of a value."""
    if not isinstance(value, bytes):
        raise OSError(f"a value of type {type(value).__name__!r} came where bytes were expected")
    if maxlength is not None and len(value) > maxlength:
        raise OSError("bad message length")
    return value


def room_in(buffer: Any, offset: int) -> memoryview:
    """Where `End.recv_bytes_into` is to write."""
    view = memoryview(buffer).cast("B")
    if offset < 0:
        raise ValueError("negative offset")
    if offset > len(view):
        raise ValueError("offset too large")
    return view[offset:]


def copied(value: bytes, room: memoryview) -> int:
    """Writes it there; how much it is."""
    from multiprocessing import BufferTooShort
    if len(value) > len(room):
        raise BufferTooShort(value)
    room[:len(value)] = value
    return len(value)


def check_length(maxlength: Optional[int]) -> None:
    """ValueError: it is negative."""
    if maxlength is not None and maxlength < 0:
        raise ValueError("negative maxlength")


class End(_core.PipeEnd):
    """One end of a pipe, as Python's `multiprocessing.connection.Connection`.

    An end may be used by many threads at once, and by a child of a fork. What is sent by `send` are
    values; by `send_bytes`, bytes. EOFError (`PipeEnded`): the other end is closed.
    """

    readable: bool
    writable: bool
    _trusted: bool

    @classmethod
    def _of(cls, hooks: Any, fd: int, direction: Optional[str], trusted: bool,
            max_message: int = 0) -> End:
        end = cls(hooks, fd, _DIRECTIONS[direction], max_message)
        end.readable = direction != "send"
        end.writable = direction != "receive"
        end._trusted = trusted
        return end

    def _may_unpickle(self) -> bool:
        return self._trusted

    def send(self, obj: Any) -> None:
        """Sends a value, waiting while the socket is full. `PipeEnded`: the other end is
        closed. TypeError: the value cannot be sent; open files
        cannot go over a pipe."""
        while not self._send(obj):
            self._wait_for(select.POLLOUT, None)

    def recv(self) -> Any:
        """Receives the next value. EOFError (`PipeEnded`)."""
        while True:
            value = self._receive(_NOTHING)
            if value is not _NOTHING:
                return value
            self._wait_for(select.POLLIN, None)

    def send_bytes(self, buffer: Any, offset: int = 0, size: Optional[int] = None) -> None:
        """Sends bytes, or a part of an object that has a buffer."""
        self.send(part_of(buffer, offset, size))

    def recv_bytes(self, maxlength: Optional[int] = None) -> bytes:
        """Receives bytes. OSError: what came is longer than `maxlength`, or no bytes; it is lost."""
        check_length(maxlength)
        return checked(self.recv(), maxlength)

    def recv_bytes_into(self, buffer: Any, offset: int = 0) -> int:
        """Receives bytes into a writable buffer; how many. BufferTooShort has them in args[0]."""
        room = room_in(buffer, offset)
        return copied(self.recv_bytes(), room)

    def poll(self, timeout: Optional[float] = 0.0) -> bool:
        """Whether there is something to receive, or the end of all: now, or within `timeout`
        seconds; None: waits without limit."""
        end = None if timeout is None else time.monotonic() + max(timeout, 0)
        while not self._ready():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._wait_for(select.POLLIN, left)
        return True

    def _wait_for(self, events: int, timeout: Optional[float]) -> None:
        poll = select.poll()
        poll.register(self.fileno(), events)
        poll.poll(None if timeout is None else -int(-timeout * 1000 // 1))

    def __enter__(self) -> End:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ipcd pipe end: {'closed' if self.closed else self.fileno()}>"


class Pipe(Proxy):
    """A pipe: `connect` takes an end of it. Each of the two is handed out once; when both are closed
    the pipe starts anew."""

    kind = "pipe"
    duplex: bool

    def _take_description(self, description: dict[str, Any]) -> None:
        self.duplex = description["duplex"]

    def connect(self, end: Optional[int] = None) -> End:
        """Takes an end: 0 or 1, or the first that is free. If the pipe is not duplex, end 0 only
        receives and end 1 only sends. `Exists`: it is taken, or both are."""
        socket, number = self._call(b"pipe.connect", end)
        direction = None if self.duplex else ("receive", "send")[number]
        return End._of(self._client._hooks, socket.detach(), direction, self._may_unpickle())

    def ends(self) -> tuple[End, End]:
        """Takes both ends."""
        return self.connect(0), self.connect(1)


