"""Exceptions: what the daemon and the library answer, as classes of Python's own kinds.

Each is an `Error`, and where Python has a class for the same thing, that as well: `Empty` is a
`queue.Empty`, `KeyNotFound` a `KeyError`. `code` is the protocol's name for it, `detail` what came
with it, or None.
"""
from __future__ import annotations

import queue
import threading
from typing import Any


class Error(Exception):
    """What all exceptions of this package have in common."""

    code: str = "OTHER"
    detail: Any = None

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class BadRequest(Error, ValueError):
    """A param that the method does not take; the message names it."""

    code = "BAD_REQUEST"


class UnknownMethod(Error, NotImplementedError):
    """The daemon has no such method: it is older than this package."""

    code = "UNKNOWN_METHOD"


class NotFound(Error, FileNotFoundError):
    """No object of that name."""

    code = "NOT_FOUND"


class Exists(Error, FileExistsError):
    """Opened with exclusive=True, but it is there; or the end of a pipe is taken."""

    code = "EXISTS"


class WrongType(Error, TypeError):
    """The object of that name has another type."""

    code = "WRONG_TYPE"


class Mismatch(Error, ValueError):
    """The object is there with other options than those that were given."""

    code = "MISMATCH"


class Full(Error, queue.Full):
    """The queue is full, also when the wait for room timed out."""

    code = "FULL"


class Empty(Error, queue.Empty):
    """The queue is empty, also when the wait for an item timed out."""

    code = "EMPTY"


if hasattr(queue, "ShutDown"):
    _shut_down: Any = queue.ShutDown
else:

    class _shut_down(Exception):
        """In place of queue.ShutDown, which Python has from 3.13 on."""


class ShutDown(Error, _shut_down):
    """The queue is shut down: nothing can be put, or nothing is left to get."""

    code = "SHUT_DOWN"


class Timeout(Error, TimeoutError):
    """A wait other than for putting and getting ran out of time."""

    code = "TIMEOUT"


class Cancelled(Error):
    """The wait was cancelled, or the daemon is stopping."""

    code = "CANCELLED"


class Deleted(Error):
    """The object was deleted during the wait."""

    code = "DELETED"


class KeyNotFound(Error, KeyError):
    """No such key. `args[0]` is the key, where it is known."""

    code = "KEY"


class IndexOutOfRange(Error, IndexError):
    """No such index."""

    code = "INDEX"


class NotPossible(Error, ValueError):
    """Not possible with this value: not in the list, nothing to be done, too many permits."""

    code = "VALUE"


class WrongKind(Error, TypeError):
    """Not possible with values of this kind."""

    code = "TYPE"


class OutOfRange(Error, OverflowError):
    """The number does not fit."""

    code = "RANGE"


class NotOwner(Error, RuntimeError):
    """The caller does not hold the lock."""

    code = "NOT_OWNER"


class BrokenBarrier(Error, threading.BrokenBarrierError):
    """The barrier is broken, or broke during the wait."""

    code = "BROKEN"


class TooLarge(Error, ValueError):
    """Over a size limit, as of one message. A request that is too large is not sent."""

    code = "TOO_LARGE"


class LimitReached(Error):
    """Over a quota, which the message names."""

    code = "LIMIT"


class Denied(Error, PermissionError):
    """No permission; the message says which bit was missing."""

    code = "DENIED"


class StorageFailed(Error, OSError):
    """The durable store refused, and nothing was changed; or the daemon has none."""

    code = "STORAGE"


class InternalError(Error):
    """A fault of the daemon's own."""

    code = "INTERNAL"


class Unsupported(Error, NotImplementedError):
    """The engine that the object lives in cannot do this."""

    code = "UNSUPPORTED"


class EngineFailed(Error):
    """The engine is away, or answered with an error."""

    code = "ENGINE"


class ConnectionLost(Error, ConnectionError):
    """The connection ended: the daemon has gone, or close() was called. Whether a call that was
    under way has been carried out is not known."""

    code = "LOST"


class NotConnected(Error, ConnectionError):
    """No connection could be made; the message has the path."""

    code = "CONNECT"


class ProtocolError(Error, ConnectionError):
    """What the other side sends is not as the protocol has it."""

    code = "PROTOCOL"


class Argument(Error, ValueError):
    """An argument that the library does not take; nothing was sent."""

    code = "ARGUMENT"


class Busy(Error, RuntimeError):
    """A call that waits, made where nothing may wait: in a callback of the same connection."""

    code = "BUSY"


class SystemFailed(Error, OSError):
    """A system call failed; the message has its error."""

    code = "SYSTEM"


class NoAnswer(Error, TimeoutError):
    """The daemon did not answer in time."""

    code = "NO_ANSWER"


class PipeEnded(Error, EOFError):
    """The other end of the pipe is closed, and all that was sent has been received."""

    code = "END"


class Interrupted(Error, InterruptedError):
    """The wait was ended by a signal; nothing was taken."""

    code = "INTERRUPTED"


class UntrustedPickle(Error):
    """The value holds a pickle, which can run any code when it is read, and is from an object that
    others than this user (and root) can write.

    The value was not lost: an item that was to be got is at the head of its queue again, what was to
    be popped is where it was. Read it with allow_pickle=True, given to `connect` or to the object's
    opening, if all who can write are trusted; or see to the object's owner and mode.
    """

    code = "UNTRUSTED_PICKLE"


def _classes() -> dict[str, type[Error]]:
    found = {}
    for cls in Error.__subclasses__():
        found[cls.code] = cls
    return found


CLASSES = _classes()


def fail(code: str, message: str, detail: Any) -> Error:
    """The exception for a code of the protocol or the library; for the extension."""
    error = CLASSES.get(code, Error)(message)
    error.code = code
    error.detail = detail
    return error
