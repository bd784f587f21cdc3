"""Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier.

Threads of processes hold locks. When the holder's process ends, a lock is released; the next one to
acquire it finds `abandoned` true. Timeouts are seconds; a negative one is 0.
"""
from __future__ import annotations

from typing import Any, Callable, Optional

from .. import barrier, errors, event, lock, semaphore
from ..values import seconds_to_ms
from .objects import WINDOW, Anonymous


class Released(lock._Held):
    """`release` by a thread that has acquired it returns as soon as that is on its way. The order of
    what a process does is kept, whichever objects it does it with. An error, which only those can
    cause who release or delete what others hold, raises at a later call."""

    _held_in = -1  # the client's epoch: a child of a fork holds nothing

    def acquire(self, block: bool = True, timeout: Optional[float] = None) -> bool:
        """Waits until this thread holds it, at most `timeout` seconds; whether it does."""
        held = super().acquire(block, timeout)
        if held:
            self._held_in = self._client._epoch
        return held

    def release(self) -> None:
        """Holds it once less. RuntimeError: this thread does not hold it."""
        client: Any = self._client
        owner = self._owner()
        depth = self._depths.get(owner, 0)
        if depth == 0 or self._held_in != client._epoch:
            super().release()
            return
        try:
            waiting = self._post(self._release, owner)
        except errors.Error:  # of an earlier call; this one is not on its way
            super().release()
            raise
        if depth == 1:
            del self._depths[owner]
        else:
            self._depths[owner] = depth - 1
        if not 0 <= waiting < WINDOW:
            client.flush()


class Lock(Anonymous, Released, lock.Lock):
    """A lock. Anybody may release it, whoever has acquired it."""

    def __init__(self, *, ctx: Any = None) -> None:
        self._make(release_by="anyone")

    def __repr__(self) -> str:
        return _repr_of(self, "locked" if self.locked() else "unlocked")


class RLock(Anonymous, Released, lock.Lock):
    """A lock that its holder, a thread of a process, may acquire again, and releases as often."""

    def __init__(self, *, ctx: Any = None) -> None:
        self._make(recursive=True)

    def __repr__(self) -> str:
        return _repr_of(self, "locked" if self.locked() else "unlocked")


class Semaphore(Anonymous, semaphore.Semaphore):
    """A number of permits. Those that a process has when it ends stay taken, as it may be another's
    part to give them back."""

    _bounded = False

    def __init__(self, value: int = 1, *, ctx: Any = None) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._make(value=value, bounded=self._bounded)

    def __repr__(self) -> str:
        return _repr_of(self, f"value={self.get_value()}")


class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits than to begin with. Those that a process has when it
    ends come back."""

    _bounded = True


class Condition(Anonymous, Released, lock.Condition):
    """A condition. It goes by a lock of its own, recursive, or by the Lock or RLock given."""

    def __init__(self, lock: Any = None, *, ctx: Any = None) -> None:
        self._lock = lock  # must live as long
        self._make(lock=None if lock is None else _name_of(lock))

    def _state(self) -> Any:
        return self._lock

    def _set_state(self, state: Any) -> None:
        self._lock = state

    def _begin(self, client: Any, description: dict[str, Any]) -> None:
        if "_lock" not in self.__dict__:
            self._lock = None
        super()._begin(client, description)

    def __repr__(self) -> str:
        return _repr_of(self, f"{self.describe()['sleepers']} waiting")


class Event(Anonymous, event.Event):
    """A flag that can be waited for. A new one is clear."""

    def __init__(self, *, ctx: Any = None) -> None:
        self._make()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x} {'set' if self.is_set() else 'unset'}>"


class Barrier(Anonymous, barrier.Barrier):
    """A barrier, where so many parties wait until all have come. `action` is called by one of them
    before any goes on; `timeout`: seconds, of waits that give none."""

    def __init__(self, parties: int, action: Optional[Callable[[], Any]] = None,
                 timeout: Optional[float] = None, *, ctx: Any = None) -> None:
        self._make(parties=parties,
                   timeout=None if timeout is None else seconds_to_ms(timeout))
        self.action = action

    def _state(self) -> Any:
        return self.action

    def _set_state(self, state: Any) -> None:
        self.action = state

    def __repr__(self) -> str:
        return _repr_of(self, f"{self.n_waiting} of {self.parties}")


def _name_of(held: Any) -> str:
    if isinstance(held, lock.Lock):
        return held.name
    raise TypeError(f"a Condition needs a Lock or an RLock of ipcd.multiprocessing, not "
                    f"{type(held).__name__}")


def _repr_of(made: Any, state: str) -> str:
    return f"<{type(made).__name__} {made.name!r}: {state}>"
