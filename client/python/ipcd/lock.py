"""Locks and conditions, which a thread holds."""
from __future__ import annotations

import time
from typing import Any, Callable, Optional

from . import _core, errors
from .proxy import Proxy, wait_ms


class _Held(Proxy, _core.Held):
    """What can be acquired and released by a thread; `abandoned` says what the last acquire of this
    proxy was told: that the lock's last holder died, or ended its session, while it held it."""

    _owner = staticmethod(_core.thread)

    def _acquire_within(self, block: bool = True, timeout: Optional[float] = None) -> bool:
        return self._hold_for(wait_ms(block, timeout))

    def _hold_for(self, timeout_ms: Optional[int]) -> bool:
        try:
            return self._hold(timeout_ms)
        except errors.Timeout:
            return False

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method == self._acquire:
            self._call(self._release, params[1])


class Lock(_Held):
    """A lock, as Python's `threading.Lock`, or `RLock` if it is recursive.

    A thread holds it: within a process threads exclude each other. When the holder's session ends,
    however it does, the lock is released, unless it was made with on_disconnect="keep".
    """

    kind = "lock"
    recursive: bool
    _acquire = b"lock.acquire"
    _release = b"lock.release"

    def _take_description(self, description: dict[str, Any]) -> None:
        self.recursive = description["recursive"]

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return self._call(b"lock.locked")

    def break_(self) -> Optional[dict[str, Any]]:
        """Takes it from whoever holds it, for the lock's owner; who that was, or None."""
        return self._call(b"lock.break")


class Condition(_Held):
    """A condition, as Python's `threading.Condition`: a lock, and a place to wait under it until
    something has changed. Its lock is one of its own, recursive, or the one it was made with."""

    kind = "condition"
    _acquire = b"condition.acquire"
    _release = b"condition.release"

    def _take_description(self, description: dict[str, Any]) -> None:
        self._depths = {}

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Gives up the lock, waits to be notified, and holds the lock again. False: the time ran
        out first. RuntimeError: this thread does not hold the lock. Whoever waits looks again at
        what it waits for; `wait_for` does."""
        owner = self._owner()
        try:
            return self._call(b"condition.wait", wait_ms(True, timeout), owner)
        except errors.Error:
            raise
        except BaseException:
            self._acquire_again(owner)
            raise

    def _acquire_again(self, owner: int) -> None:
        """After a wait that was cancelled: the lock is held as before it."""
        depth = self._depths.get(owner, 1)
        held = {"depth": 0}
        while held["depth"] < depth:
            held = self._call(self._acquire, None, owner)

    def wait_for(self, predicate: Callable[[], Any], timeout: Optional[float] = None) -> Any:
        """Waits until `predicate()` is true, looking before the first wait and after each; what it
        returned last. The lock is held whenever it is called."""
        end = None if timeout is None else time.monotonic() + timeout
        result = predicate()
        while not result:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> int:
        """Wakes up to n of those who wait, the longest waiting first; how many. RuntimeError: this
        thread does not hold the lock."""
        return self._call(b"condition.notify", n, self._owner())

    def notify_all(self) -> int:
        """Wakes all who wait; how many. RuntimeError."""
        return self._call(b"condition.notify_all", self._owner())

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method == b"condition.wait":
            # The lock is held; _acquire_again finds it so.
            self._call(self._release, params[1])
            self._depths[params[1]] = self._depths.get(params[1], 1)
        else:
            super()._undo(method, params, raw)
