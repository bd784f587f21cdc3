"""What the objects of this package have in common: the process's client, anonymity, references.

An object is anonymous and lives as long as a process has it open, or it stands in a queue, a dict or
a list. Pickled, it is a reference: its class, the daemon's address, its name. A process that is being
started gets its arguments so; its `Popen` keeps them open until it has ended (`keep`), since the
program may drop them before the new process has come to open them.

A process has one client for each daemon, made at first use; the first one is also that in which new
objects are made.
"""
from __future__ import annotations

import os
import sys
import threading
from multiprocessing import util
from multiprocessing.context import get_spawning_popen
from multiprocessing.reduction import ForkingPickler
from typing import Any, Optional

from .. import client as clients
from .. import errors
from ..proxy import Opened, Proxy
from ..values import Map


WINDOW = 1000
"""How many calls that nobody waits for can be on their way before one waits for the answers."""


class Client(clients.Client):
    """A client whose references come back as the objects of a manager, and which sees to what has
    been put when the process ends."""

    def __init__(self, address: Optional[str] = None) -> None:
        self._finishes_in = -1
        self._joinable: set[str] = set()
        super().__init__(address, embedded=address is None, dumps=ForkingPickler.dumps,
                         loads=ForkingPickler.loads)

    def _referred(self, name: bytes) -> Any:
        from .proxies import proxy_class
        try:
            description = self.describe(name.decode())
            cls = proxy_class(description)
            return super()._referred(name) if cls is None else reopen(cls, self, name.decode())
        except (errors.NotFound, errors.Denied):
            return super()._referred(name)

    def opened(self) -> list[Opened]:
        """All that it has open, kept open by what is returned, too."""
        with self._lock:
            return [self._register(has.kind, name, has.scoped)
                    for name, has in self._open_objects.items() if has.scoped]

    # ---- the end of a process -------------------------------------------------------------------

    def finish_at_exit(self) -> None:
        """Sees to it that `finish` is called when this process ends normally."""
        if self._finishes_in != self._epoch:  # a fork begins a new one, without what was registered
            self._finishes_in = self._epoch
            util.Finalize(self, Client._at_exit, args=(self,), exitpriority=-5)

    def has_taken_from(self, queue: str) -> None:
        """An item of a joinable queue has been taken."""
        self._joinable.add(queue)
        self.finish_at_exit()

    def _renew(self) -> None:
        self._joinable.clear()
        super()._renew()

    def check_posted(self) -> int:
        """Raises the error of a put that was not waited for; how many are not answered yet."""
        waiting, error = self._connection.posted()
        if error is not None:
            raise errors.fail(*error, None)
        return waiting

    def flush(self) -> None:
        """Waits until all that was put has arrived. What could not be put raises now."""
        if self.check_posted() > 0:
            self.ping()
            self.check_posted()

    def finish(self) -> None:
        """What has been put arrives. What has been taken of joinable queues is done, as nobody is
        left to say so; but for an exception it goes back."""
        self.flush()
        raised = sys.exc_info()[1] or getattr(sys, "last_value", None)
        if raised is not None and not isinstance(raised, SystemExit):
            return
        for name in self._joinable:
            try:
                for _ in range(self._taken(name)):
                    self.call("queue.task_done", name)  # of its own as long as it has any
            except errors.NotFound:
                pass

    def _taken(self, queue: str) -> int:
        """How many items this session has taken of a queue, which are not done."""
        own = self.describe_session()["session"]  # with an engine its name, not its number
        return sum(claim["tickets"] for claim in self.describe(queue, True)["holds"]
                   if claim["session"] == own)

    def _at_exit(self) -> None:
        try:
            self.finish()
        except ConnectionError:
            pass
        except errors.Error as error:
            print(f"ipcd: when the process ended: {error}", file=sys.stderr)


class _Clients:
    """The clients of this process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._first: Optional[Client] = None
        self._others: dict[str, Client] = {}
        os.register_at_fork(after_in_child=self._unlock)

    def _unlock(self) -> None:
        self._lock = threading.RLock()

    def first(self) -> Client:
        """The one in which objects are made."""
        with self._lock:
            if self._first is None:
                self._first = Client()
            return self._first

    def at(self, address: str) -> Client:
        """The one for a daemon."""
        with self._lock:
            if self._first is None:
                self._first = Client(address)
            if self._first.address == address:
                return self._first
            client = self._others.get(address)
            if client is None:
                client = self._others[address] = Client(address)
            return client

    def opened(self) -> list[Opened]:
        """All that this process has open."""
        with self._lock:
            clients = [*self._others.values()]
            if self._first is not None:
                clients.append(self._first)
        return [opened for client in clients for opened in client.opened()]


_clients = _Clients()


def client() -> Client:
    """The client of this process. ConnectionError: there is no daemon, and none could be started; the
    message says where it was looked for."""
    return _clients.first()


def all_opened() -> list[Opened]:
    """All that this process has open: what a child of a fork inherits."""
    return _clients.opened()


def keep(popen: Any, opened: list[Opened]) -> None:
    """Keeps objects open for as long as a process lives that is being started."""
    popen.__dict__.setdefault("kept", []).extend(opened)


class Anonymous(Proxy):
    """An object that nobody has named. The classes that inherit it call `_make` to make one."""

    def _make(self, **options: Any) -> None:
        here = client()
        given = Map((key, value) for key, value in options.items() if value is not None)
        method = f"{type(self).kind}.open".encode()
        self._begin(here, here._open_object(method, None, given))

    def _begin(self, client: clients.Client, description: dict[str, Any]) -> None:
        Proxy.__init__(self, client, description)

    def _state(self) -> Any:
        """What a reference carries besides, or None."""
        return None

    def _set_state(self, state: Any) -> None:
        """Takes that."""

    def __reduce__(self) -> Any:
        popen = get_spawning_popen()
        if popen is not None:
            keep(popen, [self._opened])
        name = self._name.decode()
        return _rebuild, (type(self), self._client.address, name, self._state())


def reopen(cls: type[Any], client: clients.Client, name: str, state: Any = None) -> Any:
    """An object that is there, as one of a class."""
    made = cls.__new__(cls)
    method = f"{cls.kind}.open".encode()
    made._begin(client, client._open_object(method, name, {"create": False}))
    if state is not None:
        made._set_state(state)
    return made


def _rebuild(cls: type[Any], address: str, name: str, state: Any) -> Any:
    return reopen(cls, _clients.at(address), name, state)
