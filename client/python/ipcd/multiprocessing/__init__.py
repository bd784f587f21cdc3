"""multiprocessing, with queues, locks, shared numbers and managers of the daemon ipcd.

    from ipcd.multiprocessing import Process, Queue

Everything that `multiprocessing` has is here, its modules too. Processes and pools are its own. What
processes share is the daemon's: Queue, SimpleQueue, JoinableQueue, Lock, RLock, Semaphore,
BoundedSemaphore, Condition, Event, Barrier, Value, Array, RawValue, RawArray, Pipe, and the objects of
a Manager. Nobody has to start a daemon: unless $IPCD_SOCKET names one, or one answers on the usual
path, a private one is started at first use, and ends with the last process that uses it.

Objects live as long as a process refers to them. `ipcctl ls` shows them.

Where they differ from multiprocessing's:

- When a process is killed, nobody hangs: its Lock, RLock, BoundedSemaphore or Condition is released
  (`lock.abandoned` says so to the next holder), a barrier at which it waited breaks, and items that
  it has taken of a JoinableQueue are got by others. So they are when it ends by an exception; when it
  ends normally they count as done. A lock that a process holds at its end is released, too.
- `put` of an unbounded queue does not wait for the daemon, until a thousand are on their way. It
  raises TypeError itself if the item cannot be sent; another error comes with the next put, get, close
  or join_thread of the process. What was put before a process ends normally has arrived.
- Queues, locks and the rest can be sent through queues, and stand in dicts and lists.
- `queue.Queue`'s shutdown is there, under every version of Python.
- Value and Array check what they are given: OverflowError for a number that does not fit.
- When the daemon has gone, every use raises ConnectionError, in threads that wait, too.
- A queue has no `_reader` to wait for. concurrent.futures.ProcessPoolExecutor needs one: it takes
  multiprocessing's own contexts, and queues of this package can be among what it is given.
- A dict or list of a Manager may change while it is iterated over, which is no error; its Pool is in
  the process that made it; types cannot be registered.
"""
from multiprocessing import SUBDEBUG, SUBWARNING

from . import context, process, reduction

__all__ = [name for name in dir(context._default_context) if not name.startswith("_")]
globals().update((name, getattr(context._default_context, name)) for name in __all__)
