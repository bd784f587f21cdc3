"""Proxies: objects of the daemon's as objects of Python, and what those of every type can do."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterable, Optional

from . import _core
from .values import seconds_to_ms

if TYPE_CHECKING:
    from .client import Client
    from .watch import Watch

REPR_ITEMS = 20
"""How many items a proxy's repr shows at most."""


def wait_ms(block: bool, timeout: Optional[float]) -> Optional[int]:
    """The timeout of a call, in milliseconds, from what Python's locks take: seconds; None for no
    limit; negative as 0."""
    if not block:
        return 0
    if timeout is None:
        return None
    return 0 if timeout < 0 else seconds_to_ms(timeout)


class Opened:
    """That a proxy has its object open. The session closes the object when the last of its proxies
    has gone."""

    __slots__ = ("client", "name")

    def __init__(self, client: Client, name: bytes) -> None:
        self.client = client
        self.name = name

    def __del__(self) -> None:
        try:
            self.client._unregister(self.name)
        except Exception:  # the session has ended, and the object is closed
            pass


class Proxy(_core.Handle):
    """An object of the daemon's. Made by the methods of `Client`.

    A proxy may be used by many threads at once, and by children of a fork, which use it on a session
    of their own. Pickling it gives a reference, which opens the same object where it is unpickled.
    Put into a queue, a dict or a list of the same daemon, it keeps the object alive there.

    Every method can raise `ConnectionError` when the daemon has gone, `NotFound` when the object has
    been deleted, and `Denied` without the right to read or to write it.
    """

    kind = ""
    """The object's type, as the protocol has it."""

    _client: Client

    def __init__(self, client: Client, description: dict[str, Any], allow_pickle: bool = False
                 ) -> None:
        name = description["name"].encode()
        super().__init__(client._connection, name)
        self._client = client
        self._opened = client._register(type(self).kind, name, description["lifetime"] == "scoped")
        self._allow_pickle = allow_pickle
        self._created = description["created"]
        self._trusted_in = client._epoch if _is_trusted(description) else None
        self._take_description(description)

    def _take_description(self, description: dict[str, Any]) -> None:
        """Keeps what never changes of it."""

    @property
    def client(self) -> Client:
        """The client that it belongs to."""
        return self._client

    @property
    def name(self) -> str:
        """The object's name; that of an anonymous one begins with "#"."""
        return self._name.decode()

    def describe(self) -> dict[str, Any]:
        """What the daemon tells of it: type, owner, mode, lifetime, options and figures."""
        return self._call(b"object.describe")

    def delete(self) -> None:
        """Deletes the object, for all; who waits on it gets `Deleted`. For its owner."""
        self._call(b"object.delete")

    def chmod(self, mode: int) -> None:
        """Sets the read and write bits for owner, group and others: 0o640. For its owner."""
        self._call(b"object.chmod", mode)

    def chown(self, uid: Optional[int] = None, gid: Optional[int] = None) -> None:
        """Gives it to another user, or another group. The owner may give it a group that he is in;
        all else is for root and the daemon's user."""
        self._call(b"object.chown", uid, gid)

    def rename(self, new_name: str) -> Any:
        """Gives it another name; a proxy for that. Those for the old name, this one included, find
        nothing any more. `Exists`: there is such a name. For its owner."""
        self._call(b"object.rename", new_name)
        return self._client.open(new_name, self._allow_pickle)

    def watch(self, events: Optional[Iterable[str]] = None) -> Watch:
        """An iterator over what happens to the object from now on: see `Watch`."""
        return self._client.watch(self, events)

    # ---- pickles -----------------------------------------------------------------------------

    def _may_unpickle(self) -> bool:
        """Whether pickles in this object can be trusted, as only this user and root can write it.

        A name may be that of another object by now, or the object may have been opened to others: so
        it is looked up each time, and is the same object if it is as old. An anonymous object's
        name is never used again in the life of a daemon, and only its owner and root, who are
        trusted, can open it to others; it is looked up once.
        """
        if self._allow_pickle or self._client.allow_pickle:
            return True
        client = self._client
        if self._name.startswith(b"#") and self._trusted_in == client._epoch:
            return not client.reconnect or self._is_as_it_was()
        return self._is_as_it_was()

    def _looked_up(self) -> dict[str, Any]:
        return self.describe()

    def _is_as_it_was(self) -> bool:
        description = self._looked_up()
        same = description["created"] == self._created and _is_trusted(description)
        self._trusted_in = self._client._epoch if same else None
        return same

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        """Gives back what a call has taken, when its result is not for the program: called by the
        extension with the encoded result."""

    # ---- Python's own -------------------------------------------------------------------------

    def __reduce__(self) -> Any:
        from .client import _reopen
        return _reopen, (self._client.address, self.kind, self.name, self._allow_pickle)

    def __repr__(self) -> str:
        return f"<ipcd {self.kind} {self.name!r}>"


def _is_trusted(description: dict[str, Any]) -> bool:
    """Whether nobody but this user and root can write an object."""
    return description["owner"] in (0, os.geteuid()) and not description["mode"] & 0o022


