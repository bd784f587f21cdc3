"""Connecting, and opening objects."""
from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable, Optional, Union

from . import _core, errors, queue
from .array import Array
from .atomic import Batch
from .barrier import Barrier
from .dict import Dict
from .event import Event
from .list import List
from .lock import Condition, Lock
from .namespace import Namespace
from .pipe import Pipe
from .proxy import Opened, Proxy
from .queue import Queue, Ticket
from .semaphore import Semaphore
from .value import Value
from .values import Dumps, Ext, Loads, Map, Values, dumps, make_hooks, seconds_to_ms
from .watch import Watch

import pickle

MODE = 0o600
"""The mode of objects that are made without one: what this user alone can read and write."""

Description = dict[str, Any]
"""What the daemon tells of something."""
Descriptions = list[Description]

_KINDS: dict[str, type[Proxy]] = {
    cls.kind: cls for cls in (Queue, Dict, List, Namespace, Lock, Semaphore, Condition, Event,
                              Barrier, Value, Array, Pipe)}


def _name_of(named: Union[str, Proxy]) -> str:
    return named.name if isinstance(named, Proxy) else named


class _Has:
    """What a client has open: of what type, and by how many proxies."""

    __slots__ = ("kind", "scoped", "proxies")

    def __init__(self, kind: str, scoped: bool) -> None:
        self.kind = kind
        self.scoped = scoped
        self.proxies = 0


_OpenObjects = dict[bytes, _Has]


class Client:
    """A connection to the daemon: one session, which all threads of the process share. Made by
    `connect`. As a context manager it is closed at the end of the block.

    The methods `queue`, `dict`, … open an object, or make it if it is not there. `name` None makes
    a new anonymous object, which lives as long as somebody has it open or it stands in a value. These
    parameters are common to all of them:

    create=False     NotFound if it is not there
    exclusive=True   Exists if it is
    lifetime         "daemon" (for named ones): until it is deleted or the daemon ends; "scoped" (for
                     anonymous ones): until nobody has it open; "durable" (queues, dicts, lists and
                     namespaces): until it is deleted, on disk: what a method that has returned has
                     done or shown is there again when the daemon is, even one that was killed.
                     StorageFailed if the daemon keeps nothing, or there is no space
    mode             who may read and write it, as for files. 0o600 unless given
group            the group that the mode's bits for the group are for: gid or name
    allow_pickle     read pickles in it although others can write it: see `UntrustedPickle`

    All others are options of the object: if it is there, they must agree with it (`Mismatch`);
    those that are not given are not compared.

    A child of a fork gets a session of its own, at its first use, and has the same objects open; what
    the parent holds stays the parent's.
    """

    def __init__(self, address: Optional[str] = None, *, client: Optional[str] = None,
                 version: str = "", timeout: Optional[float] = 10.0, reconnect: bool = False,
                 embedded: bool = False, allow_pickle: bool = False, dumps: Dumps = dumps,
                 loads: Loads = pickle.loads) -> None:
        self.reconnect = reconnect
        self.allow_pickle = allow_pickle
        self._settings = (client or _program(), version, timeout, embedded)
        self._epoch = 0
        self._lock = threading.RLock()
        self._open_objects: _OpenObjects = {}
        self._hooks = make_hooks(weakref.ref(self), dumps, loads)
        self._connection = self._new_connection(address)
        self.address = os.fsdecode(self._connection.address())
        if embedded and os.environ.get("IPCD_SOCKET", "embedded") == "embedded":
            os.environ["IPCD_SOCKET"] = self.address  # as the library has set it, for children
        _clients.add(self)
        self._publish()

    def _publish(self) -> None:
        """Makes it the one that references are opened in, unless there is one."""
        _by_address.setdefault(self.address, self)

    def _new_connection(self, address: Optional[str]) -> _core.Connection:
        client, version, timeout, embedded = self._settings
        ms = seconds_to_ms(timeout)
        return _core.Connection(self._hooks, None if address is None else os.fsencode(address), client.encode(), version.encode(),
                                -1 if ms is None else ms, self.reconnect, embedded)

    # ---- objects ------------------------------------------------------------------------------

    def queue(self, name: Optional[str] = None, maxsize: Optional[int] = None, *,
              joinable: Optional[bool] = None, order: Optional[str] = None,
              on_disconnect: Optional[str] = None, lease: Optional[float] = None,
              max_deliveries: Optional[int] = None,
              dead_letter: Union[str, Queue, None] = None, **common: Any) -> Queue:
        """A queue. `maxsize`: items at most; 0: no limit. `order`: "fifo", "lifo" or "priority".

        `joinable`: items are taken with a ticket, and are done when task_done says so. The rest is
        for these. `on_disconnect`: what becomes of what a session has taken when it ends: "requeue",
        or "discard". `lease`: seconds after which a taken item goes back by itself.
        `max_deliveries`: after so many it goes to the queue `dead_letter`, or is dropped."""
        return self._open(Queue, name, common, maxsize=maxsize, joinable=joinable, order=order,
                          on_disconnect=on_disconnect,
                          lease_ms=None if lease is None else seconds_to_ms(lease),
                          max_deliveries=max_deliveries,
                          dead_letter=None if dead_letter is None else _name_of(dead_letter))

    def joinable_queue(self, name: Optional[str] = None, maxsize: Optional[int] = None,
                       **options: Any) -> Queue:
        """`queue` with joinable=True."""
        return self.queue(name, maxsize, joinable=True, **options)

    def dict(self, name: Optional[str] = None, initial: Any = None, **common: Any) -> Dict:
        """A dict. `initial`: what it holds to begin with, if it is made."""
        return self._open(Dict, name, common, initial=None if initial is None else Map(initial))

    def list(self, name: Optional[str] = None, initial: Optional[Iterable[Any]] = None,
             **common: Any) -> List:
        """A list. `initial`: what it holds to begin with, if it is made."""
        return self._open(List, name, common, initial=None if initial is None else Values(initial))

    def namespace(self, name: Optional[str] = None, initial: Any = None, **common: Any
                  ) -> Namespace:
        """A namespace. `initial`: a dict of attributes, if it is made."""
        return self._open(Namespace, name, common,
                          initial=None if initial is None else Map(initial))

    def lock(self, name: Optional[str] = None, *, recursive: Optional[bool] = None,
             on_disconnect: Optional[str] = None, release_by: Optional[str] = None, **common: Any
             ) -> Lock:
        """A lock. `recursive`: its holder may acquire it again, and releases it as often.
        `on_disconnect`: "release" or "keep". `release_by`: "owner", or "anyone" as with Python's
        Lock."""
        return self._open(Lock, name, common, recursive=recursive, on_disconnect=on_disconnect,
                          release_by=release_by)

    def semaphore(self, name: Optional[str] = None, value: Optional[int] = None, *,
                  bounded: Optional[bool] = None, on_disconnect: Optional[str] = None,
                  **common: Any) -> Semaphore:
        """A semaphore. `value`: permits to begin with, 1 if it is not given. `bounded`: there are
        never more. `on_disconnect`: "release" (if bounded) or "keep"."""
        return self._open(Semaphore, name, common, value=value, bounded=bounded,
                          on_disconnect=on_disconnect)

    def condition(self, name: Optional[str] = None, lock: Union[str, Lock, None] = None,
                  **common: Any) -> Condition:
        """A condition. `lock`: the lock that it goes by; else a recursive one of its own."""
        return self._open(Condition, name, common,
                          lock=None if lock is None else _name_of(lock))

    def event(self, name: Optional[str] = None, **common: Any) -> Event:
        """An event."""
        return self._open(Event, name, common)

    def barrier(self, name: Optional[str] = None, parties: Optional[int] = None,
                action: Optional[Callable[[], Any]] = None, timeout: Optional[float] = None,
                **common: Any) -> Barrier:
        """A barrier. `parties`: how many must come; needed for a new one. `action`: see `Barrier`.
        `timeout`: of waits that give none, in seconds."""
        barrier = self._open(Barrier, name, common, parties=parties,
                             timeout=None if timeout is None else seconds_to_ms(timeout))
        barrier.action = action
        return barrier

    def value(self, name: Optional[str] = None, typecode: Optional[str] = None,
              initial: Any = None, **common: Any) -> Value:
        """A number in shared memory. `typecode`: one of b B h H i I l L q Q f d ?, as of the module
        struct; needed for a new one. `initial`: the number to begin with."""
        return self._open(Value, name, common, typecode=typecode, initial=initial)

    def array(self, name: Optional[str] = None, typecode: Optional[str] = None,
              size_or_initial: Union[int, Iterable[Any], None] = None, **common: Any) -> Array:
        """Numbers in shared memory. `typecode`: as of `value`. `size_or_initial`: how many, all 0,
        or what they are to begin with; needed for a new one."""
        if size_or_initial is None or isinstance(size_or_initial, int):
            return self._open(Array, name, common, typecode=typecode, size=size_or_initial)
        return self._open(Array, name, common, typecode=typecode, initial=[*size_or_initial])

    def pipe(self, name: Optional[str] = None, duplex: Optional[bool] = None, **common: Any
             ) -> Pipe:
        """A pipe. `duplex` False: end 0 only receives, end 1 only sends."""
        return self._open(Pipe, name, common, duplex=duplex)

    def open(self, name: str, allow_pickle: bool = False) -> Any:
        """The object of that name, of whatever type, as a proxy. NotFound."""
        description = self._call(None, b"object.describe", name)
        kind = _KINDS.get(description["type"])
        if kind is None:
            raise errors.Unsupported(f"{name!r} is of type {description['type']!r}, which this "
                                     "version does not know")
        return self._open(kind, name, {"create": False, "allow_pickle": allow_pickle})

    # ---- opening ------------------------------------------------------------------------------

    def _open(self, cls: Any, name: Optional[str], common: Description, **options: Any) -> Any:
        allow_pickle = common.pop("allow_pickle", False)
        given = self._given(cls, common, options)
        description = self._open_object(f"{cls.kind}.open".encode(), name, given)
        return cls(self, description, allow_pickle)

    def _given(self, cls: Any, common: Description, options: Description) -> Map:
        """The options for the daemon, from what a program gave. TypeError: there is no such one."""
        given = Map((key, value) for key, value in options.items() if value is not None)
        for key in ("create", "exclusive", "lifetime", "mode", "group"):
            if common.get(key) is not None:
                given[key] = common.pop(key)
        unknown = [key for key in common if common[key] is not None]
        if unknown:
            raise TypeError(f"{cls.kind}() got an unexpected keyword argument {unknown[0]!r}")
        return given

    def _open_object(self, method: bytes, name: Optional[str], given: Description
                     ) -> Description:
        """Opens it. The mode of a new one is this package's; one that is there may have another."""
        call = self._call
        if "mode" in given or given.get("create") is False:
            return call(None, method, name, given)
        if name is None or given.get("exclusive"):
            return call(None, method, name, Map(given, mode=MODE))
        while True:
            try:
                return call(None, method, name, Map(given, create=False))
            except errors.NotFound:
                pass
            try:
                return call(None, method, name, Map(given, mode=MODE, exclusive=True))
            except errors.Exists:
                pass

    def _register(self, kind: str, name: bytes, scoped: bool) -> Opened:
        with self._lock:
            has = self._open_objects.setdefault(name, _Has(kind, scoped))
            has.proxies += 1
        return Opened(self, name)

    def _unregister(self, name: bytes) -> None:
        """A proxy has gone. If it was the object's last, the object is closed; what is sent is in
        the order of what is registered, so that this cannot close what another thread opens."""
        with self._lock:
            has = self._open_objects[name]
            has.proxies -= 1
            if has.proxies > 0:
                return
            del self._open_objects[name]
            self._connection.start(_nothing, None, _core.RESULT_VALUE, b"object.close", name.decode())
        self._connection.flush()

    def _referred(self, name: bytes) -> Any:
        """The proxy for a reference; the bare name, if the object has gone."""
        try:
            return self.open(name.decode())
        except (errors.NotFound, errors.Denied):
            return Ext(_core.EXT_REFERENCE, name)

    def _renew(self) -> None:
        """In a child of a fork: a session of its own that has the same objects open. If there is no
        daemon, the next call says so."""
        self._epoch += 1
        self._lock = threading.RLock()
        scoped = [(name, has) for name, has in self._open_objects.items() if has.scoped]
        if not scoped:
            return
        try:
            self._connection.renew()
            for name, has in scoped:
                self._connection.start(_nothing, None, _core.RESULT_VALUE, f"{has.kind}.open".encode(),
                                       name.decode(), {"create": False})
            self._connection.flush()
        except errors.Error:
            pass

    # ---- calls --------------------------------------------------------------------------------

    def _call(self, source: Any, method: bytes, *params: Any) -> Any:
        return self._connection.call(source, method, *params)

    def call(self, method: str, *params: Any) -> Any:
        """Calls any method of the protocol by its name, and waits for its result: for methods that
        this package does not know."""
        return self._call(None, method.encode(), *params)

    def atomic(self) -> Batch:
        """Collects calls that are run as one: see `Batch`."""
        return Batch(self)

    def get_any(self, queues: Sequence[Queue], block: bool = True,
                timeout: Optional[float] = None) -> Ticket:
        """Takes one item of several queues: of the first that has one, else of the first to get one.
        `Empty`; `ShutDown`: all of them are."""
        return queue.get_any(self, queues, block, timeout)

    def watch(self, objects: Union[str, Proxy, Iterable[Union[str, Proxy]]],
              events: Optional[Iterable[str]] = None) -> Watch:
        """An iterator over what happens to one or several objects: see `Watch`. `events`: the names
        of those that are wanted; all, if it is not given."""
        if isinstance(objects, (str, Proxy)):
            objects = [objects]
        return Watch(self, objects, events)

    # ---- the daemon ---------------------------------------------------------------------------

    def ping(self, value: Any = None) -> Any:
        """Sends a value to the daemon and back."""
        return self._call(None, b"server.ping", value)

    def server(self) -> Description:
        """The daemon's greeting: its version, this session's number, the limits."""
        return self._call(None, b"server.hello")

    def stats(self) -> Description:
        """The daemon's figures."""
        return self._call(None, b"server.stats")

    def methods(self) -> Descriptions:
        """The methods there are."""
        return self._call(None, b"server.methods")

    def objects(self, glob: Optional[str] = None, kind: Optional[str] = None,
                waiting: bool = False) -> Iterator[Description]:
        """Iterates over the descriptions of all objects, or of those whose names match, or of one
        type, or on which calls wait."""
        options: Description = {"cursor": 0}
        if waiting:
            options["waiting"] = True
        if glob is not None:
            options["glob"] = glob
        if kind is not None:
            options["type"] = kind
        while True:
            answer = self._call(None, b"object.list", options)
            yield from answer["objects"]
            options["cursor"] = answer["cursor"]
            if not options["cursor"]:
                return

    def describe(self, name: str, claims: bool = False) -> Description:
        """An object's description; with `claims` also who waits on it and who holds it."""
        return self._call(None, b"object.describe", name, claims)

    def delete(self, name: str) -> None:
        """Deletes an object, for its owner."""
        self._call(None, b"object.delete", name)

    def sessions(self) -> Descriptions:
        """The sessions at the daemon; if it shares an engine with other hosts, those of all hosts, each
        named "HOST:NUMBER"."""
        return self._call(None, b"session.list")

    @property
    def session(self) -> int:
        """This session's number, at this host's daemon."""
        return self._connection.session()

    def describe_session(self, session: Union[int, str, None] = None) -> Description:
        """One session, this one unless another is named, with what it waits for and holds. A number
        is one of this host's; where several hosts share an engine, "HOST:NUMBER" is any."""
        return self._call(None, b"session.describe", session)

    def kill_session(self, session: Union[int, str]) -> None:
        """Ends a session, as root, as the daemon's user, or as the session's own. It is named as in
        describe_session."""
        self._call(None, b"session.kill", session)

    def close(self) -> None:
        """Ends the session: the daemon gives back what it held. Threads that wait get
        ConnectionError, and so does every use of the client and its proxies."""
        _clients.discard(self)
        if _by_address.get(self.address) is self:
            del _by_address[self.address]
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ipcd client of {self.address!r}>"


def _nothing(result: Any, exception: Any) -> None:
    """For calls whose result makes no difference."""


def _program() -> str:
    return os.path.basename(sys.argv[0] if getattr(sys, "argv", None) else "") or "python"


def connect(address: Optional[str] = None, **options: Any) -> Client:
    """Connects to the daemon.

    address        its socket; "@name" is one in the abstract name space. None: $IPCD_SOCKET, or
                   $XDG_RUNTIME_DIR/ipcd/ipcd.sock if there is one, or /run/ipcd/ipcd.sock
    client, version  what `ipcctl sessions` shows; the program's name unless given
    timeout        seconds that connecting may take
    reconnect      connect again when the connection is lost, as a new session that holds nothing
    embedded       start a private daemon if no socket is named and none answers; it ends with the
                   last process that uses it
    allow_pickle   read pickles from all objects, whoever can write them: see `UntrustedPickle`
    dumps, loads   what pickles and unpickles, in place of Python's own

    ConnectionError (`NotConnected`): nobody is there; the message has the path.
    """
    return Client(address, **options)


# ---- one client for each address -----------------------------------------------------------------

_clients: weakref.WeakSet[Client] = weakref.WeakSet()
_by_address: weakref.WeakValueDictionary[str, Client] = weakref.WeakValueDictionary()


def client_of(address: str) -> Client:
    """The client of this process for an address: one that it has, or a new one."""
    client = _by_address.get(address)
    return client if client is not None else Client(address)


def _reopen(address: str, kind: str, name: str, allow_pickle: bool) -> Any:
    """A proxy from its pickle."""
    return client_of(address)._open(_KINDS[kind], name,
                                    {"create": False, "allow_pickle": allow_pickle})


def _after_fork() -> None:
    for client in list(_clients):
        client._renew()


os.register_at_fork(after_in_child=_after_fork)
