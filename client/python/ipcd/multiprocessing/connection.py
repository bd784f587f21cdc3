"""Pipe, and all of multiprocessing.connection.

The two sockets are a pipe of the daemon's, which hands them out; what runs through them is as
multiprocessing has it, so that `wait`, sending connections, and several processes at one end are, too.
"""
from __future__ import annotations

from multiprocessing import connection as python
from multiprocessing.connection import (Client, Connection, Listener, answer_challenge,
                                        deliver_challenge, wait)

from .. import pipe
from .objects import Anonymous

__all__ = ["Client", "Connection", "Listener", "Pipe", "answer_challenge", "deliver_challenge", "wait"]


class _Pipe(Anonymous, pipe.Pipe):
    def __init__(self, duplex: bool) -> None:
        self._make(duplex=duplex)

    def end(self, number: int) -> int:
        """The descriptor of an end, for the caller to close."""
        socket, _ = self._call(b"pipe.connect", number)
        socket.setblocking(True)  # in spite of socket.setdefaulttimeout
        return socket.detach()


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:
    """Two connections, each the other's end; unless it is duplex, the first only receives and the
    second only sends."""
    both = _Pipe(bool(duplex))
    return (Connection(both.end(0), writable=bool(duplex)),
            Connection(both.end(1), readable=bool(duplex)))


def __getattr__(name: str) -> object:
    return getattr(python, name)
