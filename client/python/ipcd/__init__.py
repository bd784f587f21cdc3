"""Queues, dicts, lists, locks and more that processes share, from the daemon ipcd.

    import ipcd

    with ipcd.connect() as client:
        jobs = client.queue("jobs", joinable=True)
        jobs.put({"sweep": "floor"})
        with jobs.take() as job:            # done at the end, given back on an exception
            print(job.value)

        counts = client.dict("counts")
        counts.incr("swept")

`connect` gives a `Client`, whose methods open objects by their names, or make new ones: `queue`,
`dict`, `list`, `namespace`, `lock`, `semaphore`, `condition`, `event`, `barrier`, `value`, `array`,
`pipe`. They behave as Python's types do. Other programs, in C or with ipcctl, see the same objects.

Values are MessagePack where every language can read it: None, bool, int, float, str, bytes, list,
dict, aware datetimes in UTC, and tuples, as arrays with a mark in front. Everything else goes by
pickle, which is read only from objects that nobody but this user and root can write
(`UntrustedPickle`). Open files and sockets go as they are.

Timeouts are seconds. Errors are Python's own: queue.Empty, queue.Full, KeyError, IndexError,
ValueError, TimeoutError, PermissionError, ConnectionError and so on, each an `Error` as well, with
`code` and `detail`.

A client is shared by all threads of its process; a child of a fork gets a session of its own.
"""
from ._core import version as library_version
from .array import Array
from .atomic import Batch, Result
from .barrier import Barrier
from .client import Client, connect
from .dict import MISSING, Dict
from .errors import (Argument, BadRequest, BrokenBarrier, Busy, Cancelled, ConnectionLost, Deleted,
                     Denied, Empty, EngineFailed, Error, Exists, Full, IndexOutOfRange, InternalError,
                     Interrupted, KeyNotFound, LimitReached, Mismatch, NoAnswer, NotConnected,
                     NotFound, NotOwner, NotPossible, OutOfRange, PipeEnded, ProtocolError, ShutDown,
                     StorageFailed, SystemFailed, Timeout, TooLarge, UnknownMethod, Unsupported,
                     UntrustedPickle, WrongKind, WrongType)
from .event import Event
from .list import List
from .lock import Condition, Lock
from .namespace import Namespace
from .pipe import End, Pipe
from .proxy import Proxy
from .queue import Queue, Ticket
from .semaphore import Semaphore
from .shared import SharedLock
from .value import Value
from .values import Descriptor, Ext
from .watch import Happening, Watch

__version__ = library_version

__all__ = [
    "Argument", "Array", "BadRequest", "Barrier", "Batch", "BrokenBarrier", "Busy", "Cancelled",
    "Client", "Condition", "ConnectionLost", "Deleted", "Denied", "Descriptor", "Dict", "Empty", "End",
    "EngineFailed", "Error", "Event", "Exists", "Ext", "Full", "Happening", "IndexOutOfRange",
    "InternalError", "Interrupted", "KeyNotFound", "LimitReached", "List", "Lock", "MISSING",
    "Mismatch", "Namespace", "NoAnswer", "NotConnected", "NotFound", "NotOwner", "NotPossible",
    "OutOfRange", "Pipe", "PipeEnded", "ProtocolError", "Proxy", "Queue", "Result", "Semaphore",
    "SharedLock", "ShutDown", "StorageFailed", "SystemFailed", "Ticket", "Timeout", "TooLarge",
    "UnknownMethod", "Unsupported", "UntrustedPickle", "Value", "Watch", "WrongKind", "WrongType",
    "connect",
]
