"""Values: what goes over the socket for Python's objects that MessagePack has not, and back.

None, bool, int, float, str, bytes, list, tuple and dict (of exactly these types) are MessagePack, in
C. Here is the rest:

- a `datetime` in UTC is a MessagePack timestamp;
- a proxy is a reference to its object, which it keeps alive, and comes back as a proxy;
- an open file, a socket, or a `Descriptor` is the file descriptor itself, and comes back as a file
  object, with the descriptor's own mode, in binary, or as a socket;
- an `Ext` is what another program's ext type was;
- everything else goes by pickle.
"""
from __future__ import annotations

import datetime
import fcntl
import io
import os
import pickle
import socket
import stat
import struct
import weakref
from typing import Any, Callable, Optional

from . import _core, errors

TIMESTAMP = -1
RAW = 0  # for the extension: the payload is MessagePack already


class Ext:
    """A value of a MessagePack ext type that this package has no use for: its code and its bytes."""

    __slots__ = ("code", "data")

    def __init__(self, code: int, data: bytes) -> None:
        self.code = code
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ext) and (self.code, self.data) == (other.code, other.data)

    def __hash__(self) -> int:
        return hash((self.code, self.data))

    def __repr__(self) -> str:
        return f"Ext({self.code}, {self.data!r})"


class Descriptor:
    """A file descriptor, to be sent as it is: that of a memfd, a directory, a pidfd.

    It belongs to this object and is closed with it, unless `closefd` is false.
    """

    def __init__(self, fd: int, closefd: bool = True) -> None:
        self._fd = fd
        self._closefd = closefd

    def fileno(self) -> int:
        """The descriptor's number. ValueError if it is closed."""
        if self._fd < 0:
            raise ValueError("the descriptor is closed")
        return self._fd

    def detach(self) -> int:
        """The descriptor's number; it is the caller's to close from now on."""
        fd, self._fd = self.fileno(), -1
        return fd

    def close(self) -> None:
        """Closes it."""
        fd, self._fd = self._fd, -1
        if fd >= 0 and self._closefd:
            os.close(fd)

    def __enter__(self) -> Descriptor:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Descriptor({self._fd})"


class Raw:
    """A value that is encoded already, to be sent byte for byte; for this package."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class Values(list):  # type: ignore[type-arg]
    """An array of values that a method takes, which is no value itself; for this package."""


class Map(dict):  # type: ignore[type-arg]
    """A map that a method takes, which is no value itself; for this package."""


# ---- timestamps ----------------------------------------------------------------------------------

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _is_timestamp(value: Any) -> bool:
    return (type(value) is datetime.datetime and value.tzinfo is datetime.timezone.utc
            and value.fold == 0)


def _encode_timestamp(value: datetime.datetime) -> bytes:
    since = value - _EPOCH
    seconds = since.days * 86400 + since.seconds
    if 0 <= seconds < 1 << 34:
        return struct.pack(">Q", since.microseconds * 1000 << 34 | seconds)
    return struct.pack(">Iq", since.microseconds * 1000, seconds)


def _decode_timestamp(data: bytes) -> Any:
    if len(data) == 4:
        seconds, nanoseconds = struct.unpack(">I", data)[0], 0
    elif len(data) == 8:
        both = struct.unpack(">Q", data)[0]
        seconds, nanoseconds = both & (1 << 34) - 1, both >> 34
    elif len(data) == 12:
        nanoseconds, seconds = struct.unpack(">Iq", data)
    else:
        return Ext(TIMESTAMP, data)
    try:
        return _EPOCH + datetime.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
    except OverflowError:
        return Ext(TIMESTAMP, data)


# ---- descriptors ---------------------------------------------------------------------------------

def _fileno_of(value: Any) -> int:
    """The descriptor of an open file, where what was read and written so far is."""
    if isinstance(value, io.IOBase) and not value.closed:
        fd = value.fileno()
        if value.writable():
            value.flush()
        elif isinstance(value, io.BufferedReader) and value.seekable():
            at = value.tell()
            value.seek(0, os.SEEK_END)  # away with what has been read ahead
            value.seek(at)
        return fd
    fd = value.fileno()
    if fd < 0:
        raise ValueError("it is closed")
    return fd


def open_descriptor(fd: int) -> Any:
    """What a descriptor that was received is to Python: a socket, a file object, or else a
    `Descriptor`. It has the descriptor, which is closed with it."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISSOCK(mode):
        return socket.socket(fileno=fd)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    if stat.S_ISDIR(mode) or flags & os.O_PATH:
        return Descriptor(fd)
    access = {os.O_RDONLY: "rb", os.O_WRONLY: "wb"}.get(flags & os.O_ACCMODE, "r+b")
    if access == "r+b" and not stat.S_ISREG(mode):
        return open(fd, access, buffering=0)
    return open(fd, access)


# ---- the hooks -----------------------------------------------------------------------------------

Dumps = Callable[[Any], bytes]
Loads = Callable[[bytes], Any]


def dumps(value: Any) -> bytes:
    """Pickles, with the protocol that every Python from 3.8 on has."""
    return pickle.dumps(value, protocol=5)


def _pickle(value: Any, by: Dumps) -> tuple[int, bytes]:
    try:
        return _core.EXT_PICKLE, bytes(by(value))
    except RecursionError:
        raise
    except Exception as error:
        raise TypeError(f"a value of type {type(value).__name__!r} cannot be sent, neither as "
                        f"MessagePack nor by pickle: {error}") from error


Hooks = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], type, type, type]


def make_hooks(client: weakref.ref[Any], by: Dumps = dumps, loads: Loads = pickle.loads) -> Hooks:
    """What the extension has from a client: see struct hooks in _core.h."""

    def encode(value: Any, whole: bool) -> tuple[int, Any]:
        if whole:
            return _pickle(value, by)
        if isinstance(value, _core.Handle):
            here = client()
            if here is not None and here.address == value.client.address:
                return _core.EXT_REFERENCE, value._name
        elif isinstance(value, Raw):
            return RAW, value.data
        elif _is_timestamp(value):
            return TIMESTAMP, _encode_timestamp(value)
        elif isinstance(value, (io.IOBase, socket.socket, Descriptor)):
            try:
                return _core.EXT_DESCRIPTOR, _fileno_of(value)
            except (io.UnsupportedOperation, ValueError) as error:
                if isinstance(value, (io.BytesIO, io.StringIO)):
                    return _pickle(value, by)
                raise TypeError(f"{value!r} cannot be sent: {error}") from error
        elif isinstance(value, Ext):
            return value.code, value.data
        return _pickle(value, by)

    def decode(source: Any, code: int, payload: Any) -> Any:
        if code == _core.EXT_PICKLE:
            if source is None or not source._may_unpickle():
                raise errors.UntrustedPickle(
                    "the value holds a pickle, which can run any code, and others can write the "
                    "object that it is from; allow_pickle=True reads it all the same")
            return loads(payload)
        if code == _core.EXT_DESCRIPTOR:
            return open_descriptor(payload)
        if code == _core.EXT_REFERENCE:
            here = client()
            return here._referred(payload) if here is not None else Ext(code, payload)
        if code == TIMESTAMP:
            return _decode_timestamp(payload)
        return Ext(code, payload)

    return encode, decode, errors.fail, Values, Map, errors.UntrustedPickle


def seconds_to_ms(seconds: Optional[float]) -> Optional[int]:
    """A timeout as the daemon has it: whole milliseconds, never less than was asked for. None and
    infinity: without limit."""
    if seconds is None or seconds == float("inf"):
        return None
    if seconds != seconds:
        raise ValueError("a timeout must not be NaN")
    return min(-int(-seconds * 1000 // 1), (1 << 63) - 1)
