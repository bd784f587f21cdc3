"""manager: what multiprocessing.Manager() gives, with ipcd behind it.

Objects are anonymous and live as long as somebody has them open or a container refers to them.
Each thread is an owner of its own. Locks are opened as Python has them: they stay locked when their
holder ends (on_disconnect "keep"), and anybody may release a plain one (release_by "anyone").
"""
import os
import socket
import threading
import time
import weakref

from client import Client, Missing


def milliseconds(timeout):
    if timeout is None:
        return None
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return max(0, int(timeout * 1000 + 0.5))


def wait_time(block, timeout):
    """The wait that acquire(block, timeout), put and get mean."""
    if not block:
        return 0
    if timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
    return milliseconds(timeout)


class Opened:
    """How many proxies of a name this process has: the last one closes it."""

    def __init__(self):
        self.counts = {}
        self.lock = threading.RLock()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self):
        self.counts = {}
        self.lock = threading.RLock()

    def add(self, name):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1

    def drop(self, name, pid):
        with self.lock:
            if pid != os.getpid() or name not in self.counts:
                return
            self.counts[name] -= 1
            if self.counts[name] > 0:
                return
            del self.counts[name]
        try:
            client.call("object.close", name)
        except Exception:  # it has been deleted, or the daemon is gone
            pass


opened = Opened()
TYPES = {}


def of_reference(name):
    kind = client.call("object.describe", name)["type"]
    return TYPES[kind](_existing=name)


client = Client(os.environ.get("IPCD_SOCKET", "/run/ipcd/ipcd.sock"), of_reference)


class Proxy:
    _ipcd_type = None

    def __init_subclass__(cls):
        TYPES.setdefault(cls._ipcd_type, cls)

    def _open(self, name, options):
        """Takes a new object, or (name given) one that is there."""
        if name is None:
            self.__dict__["_ipcd_name"] = client.call(f"{self._ipcd_type}.open", None, options)["name"]
        else:
            client.call(f"{self._ipcd_type}.open", name, {"create": False})
            self.__dict__["_ipcd_name"] = name
        opened.add(self._ipcd_name)
        weakref.finalize(self, opened.drop, self._ipcd_name, os.getpid())

    def _call(self, verb, *params):
        return client.call(f"{self._ipcd_type}.{verb}", self._ipcd_name, *params)

    def __reduce__(self):
        return of_reference, (self._ipcd_name,)


class Queue(Proxy):
    _ipcd_type = "queue"
    _options = {}

    def __init__(self, maxsize=0, _existing=None):
        self._open(_existing, {"maxsize": max(0, maxsize), **self._options})
        self.maxsize = maxsize

    def put(self, value, block=True, timeout=None):
        self._call("put", value, wait_time(block, timeout))

    def put_nowait(self, value):
        self.put(value, False)

    def get(self, block=True, timeout=None):
        return self._call("get", wait_time(block, timeout))[0]

    def get_nowait(self):
        return self.get(False)

    def qsize(self):
        return self._call("qsize")

    def empty(self):
        return self._call("empty")

    def full(self):
        return self._call("full")


class LifoQueue(Queue):
    _ipcd_type = "queue"
    _options = {"order": "lifo"}


class PriorityQueue(Queue):
    _ipcd_type = "queue"
    _options = {"order": "priority"}

    def put(self, value, block=True, timeout=None):
        self._call("put", value, wait_time(block, timeout), {"priority": value})


class JoinableQueue(Queue):
    _ipcd_type = "queue"
    _options = {"joinable": True}

    def task_done(self):
        self._call("task_done")

    def join(self):
        self._call("join")


class Lock(Proxy):
    _ipcd_type = "lock"
    _options = {"on_disconnect": "keep", "release_by": "anyone"}

    def __init__(self, _existing=None):
        self._open(_existing, self._options)

    def acquire(self, blocking=True, timeout=-1):
        if not blocking and timeout not in (-1, None):
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout == -1:
            timeout = None
        try:
            self._call("acquire", wait_time(blocking, timeout), threading.get_ident())
        except TimeoutError:
            return False
        return True

    def release(self):
        self._call("release", threading.get_ident())

    def locked(self):
        return self._call("locked")

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()

    def __repr__(self):
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} {type(self).__name__} object {self._ipcd_name} at {id(self):#x}>"


class RLock(Lock):
    _ipcd_type = "lock"
    _options = {"recursive": True, "on_disconnect": "keep"}


class Semaphore(Proxy):
    _ipcd_type = "semaphore"
    _bounded = False

    def __init__(self, value=1, _existing=None):
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._open(_existing, {"value": value, "bounded": self._bounded, "on_disconnect": "keep"})

    def acquire(self, blocking=True, timeout=None):
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        try:
            self._call("acquire", wait_time(blocking, timeout))
        except TimeoutError:
            return False
        return True

    def release(self, n=1):
        if n < 1:
            raise ValueError("n must be one or more")
        self._call("release", n)

    def get_value(self):
        return self._call("value")

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


class BoundedSemaphore(Semaphore):
    _ipcd_type = "semaphore"
    _bounded = True


class Condition(Proxy):
    _ipcd_type = "condition"

    def __init__(self, lock=None, _existing=None):
        self._open(_existing, {} if lock is None else {"lock": lock._ipcd_name})
        self._lock = lock  # lives at least as long

    def acquire(self, blocking=True, timeout=None):
        try:
            self._call("acquire", wait_time(blocking, timeout), threading.get_ident())
        except TimeoutError:
            return False
        return True

    def release(self):
        self._call("release", threading.get_ident())

    def wait(self, timeout=None):
        return self._call("wait", milliseconds(timeout), threading.get_ident())

    def wait_for(self, predicate, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        result = predicate()
        while not result:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n=1):
        self._call("notify", n, threading.get_ident())

    def notify_all(self):
        self._call("notify_all", threading.get_ident())

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


class Event(Proxy):
    _ipcd_type = "event"

    def __init__(self, _existing=None):
        self._open(_existing, {})

    def is_set(self):
        return self._call("is_set")

    def set(self):
        self._call("set")

    def clear(self):
        self._call("clear")

    def wait(self, timeout=None):
        return self._call("wait", milliseconds(timeout))

    def __repr__(self):
        return f"<EventProxy object, typeid 'Event' at {id(self):#x}>"


class Barrier(Proxy):
    """The action is run by the one who arrives last, while the others wait at a second barrier."""
    _ipcd_type = "barrier"

    def __init__(self, parties=None, action=None, timeout=None, _existing=None):
        self._open(_existing, {"parties": parties, "timeout": milliseconds(timeout)})
        self._action = action
        self._second = None if action is None else Barrier(parties)

    def wait(self, timeout=None):
        index = self._call("wait", milliseconds(timeout))
        if self._action is not None:
            if index == self.parties - 1:
                try:
                    self._action()
                except BaseException:
                    self._second.abort()
                    self.abort()
                    raise
            self._second.wait()
        return index

    def reset(self):
        self._call("reset")

    def abort(self):
        self._call("abort")

    parties = property(lambda self: self._call("state")["parties"])
    n_waiting = property(lambda self: self._call("state")["waiting"])
    broken = property(lambda self: self._call("state")["broken"])


class List(Proxy):
    _ipcd_type = "list"

    def __init__(self, values=(), _existing=None):
        self._open(_existing, {"initial": list(values)} if _existing is None else None)

    def __len__(self):
        return self._call("len")

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._call("slice", index.start, index.stop, index.step)
        return self._call("get", index)

    def __setitem__(self, index, value):
        if isinstance(index, slice):
            self._call("set_slice", index.start, index.stop, index.step, list(value))
        else:
            self._call("set", index, value)

    def __delitem__(self, index):
        if isinstance(index, slice):
            self._call("delete_slice", index.start, index.stop, index.step)
        else:
            self._call("delete", index)

    def __iter__(self):
        index = 0
        while True:
            try:
                value = self[index]
            except IndexError:
                return
            yield value
            index += 1

    def __contains__(self, value):
        return self._call("contains", value)

    def __add__(self, other):
        return self[:] + other

    def __mul__(self, n):
        return self[:] * n

    __rmul__ = __mul__

    def __iadd__(self, other):
        self.extend(other)
        return self

    def __imul__(self, n):
        self._call("repeat", n)
        return self

    def append(self, value):
        self._call("append", value)

    def extend(self, values):
        self._call("extend", list(values))

    def insert(self, index, value):
        self._call("insert", index, value)

    def pop(self, index=-1):
        return self._call("pop", index)

    def index(self, value, start=None, stop=None):
        return self._call("index", value, start, stop)

    def count(self, value):
        return self._call("count", value)

    def remove(self, value):
        self._call("remove", value)

    def reverse(self):
        self._call("reverse")

    def sort(self, reverse=False):
        self._call("sort", reverse)

    def clear(self):
        self._call("clear")


class Dict(Proxy):
    _ipcd_type = "dict"

    def __init__(self, *values, _existing=None, **named):
        self._open(_existing, {"initial": dict(*values, **named)} if _existing is None else None)

    def __len__(self):
        return self._call("len")

    def __getitem__(self, key):
        return self._call("get", key)

    def __setitem__(self, key, value):
        self._call("set", key, value)

    def __delitem__(self, key):
        self._call("delete", key)

    def __contains__(self, key):
        return self._call("contains", key)

    def __iter__(self):
        return self._iterate(self.keys())

    def _iterate(self, keys):
        for key in keys:
            if len(self) != len(keys):
                raise RuntimeError("dictionary changed size during iteration")
            yield key

    def get(self, key, default=None):
        return self._call("get", key, default)

    def setdefault(self, key, value=None):
        return self._call("setdefault", key, value)

    def pop(self, key, default=Missing):
        return self._call("pop", key, default)

    def popitem(self):
        return tuple(self._call("popitem"))

    def update(self, *values, **named):
        self._call("update", dict(*values, **named))

    def keys(self):
        return self._call("keys")

    def values(self):
        return self._call("values")

    def items(self):
        return [tuple(pair) for pair in self._call("items")]

    def copy(self):
        return self._call("copy")

    def clear(self):
        self._call("clear")


class Namespace(Proxy):
    _ipcd_type = "namespace"

    def __init__(self, _existing=None, **named):
        self._open(_existing, {"initial": named} if _existing is None else None)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._call("get", name)
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self._call("set", name, value)

    def __delattr__(self, name):
        try:
            self._call("delete", name)
        except KeyError:
            raise AttributeError(name) from None

    def __str__(self):
        pairs = sorted(pair for pair in self._call("items") if not pair[0].startswith("_"))
        return f"Namespace({', '.join(f'{name}={value!r}' for name, value in pairs)})"


class Value(Proxy):
    _ipcd_type = "value"

    def __init__(self, typecode=None, value=0, lock=True, _existing=None):
        options = {"typecode": typecode, "initial": value} if _existing is None else None
        self._open(_existing, options)

    def get(self):
        return self._call("get")

    def set(self, value):
        self._call("set", value)

    value = property(get, set)


class Array(Proxy):
    _ipcd_type = "array"

    def __init__(self, typecode=None, size_or_values=None, lock=True, _existing=None):
        options = None
        if _existing is None:
            kind = "size" if isinstance(size_or_values, int) else "initial"
            content = size_or_values if kind == "size" else list(size_or_values)
            options = {"typecode": typecode, kind: content}
        self._open(_existing, options)

    def __len__(self):
        return self._call("len")

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._call("slice", index.start, index.stop)
        return self._call("get", index)

    def __setitem__(self, index, value):
        if isinstance(index, slice):
            self._call("set_slice", index.start or 0, list(value))
        else:
            self._call("set", index, value)


class Pipe(Proxy):
    _ipcd_type = "pipe"

    def __init__(self, duplex=True, _existing=None):
        self._open(_existing, {"duplex": duplex})

    def connect(self, end):
        descriptor, _ = self._call("connect", end)
        return socket.socket(fileno=descriptor)


class Manager:
    """The factory that the tests call `manager`."""
    Queue, JoinableQueue = Queue, JoinableQueue
    Lock, RLock = Lock, RLock
    Semaphore, BoundedSemaphore = Semaphore, BoundedSemaphore
    Condition, Event, Barrier = Condition, Event, Barrier
    Value, Array = Value, Array
    list, dict, Namespace = List, Dict, Namespace

    @staticmethod
    def objects():
        """How many objects the daemon has."""
        return len(client.call("object.list", {"limit": 10000})["objects"])
