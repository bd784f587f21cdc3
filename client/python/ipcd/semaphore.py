"""Semaphores: permits that are taken and given back."""
from __future__ import annotations

from typing import Any, Optional

from . import errors
from .proxy import Proxy, wait_ms


class Semaphore(Proxy):
    """A semaphore, as Python's `threading.Semaphore`, or `BoundedSemaphore` if it is bounded.

    Permits are the session's, not a thread's. When the session ends, those of a bounded one come
    back, unless it was made otherwise (on_disconnect).
    """

    kind = "semaphore"
    bounded: bool

    def _take_description(self, description: dict[str, Any]) -> None:
        self.bounded = description["bounded"]

    def acquire(self, block: bool = True, timeout: Optional[float] = None, n: int = 1) -> bool:
        """Takes n permits, waiting at most `timeout` seconds for them; whether it did."""
        return self._hold_for(wait_ms(block, timeout), n)

    def _hold_for(self, timeout_ms: Optional[int], n: int = 1) -> bool:
        try:
            if timeout_ms is None and n == 1:
                self._call(b"semaphore.acquire")
            else:
                self._call(b"semaphore.acquire", timeout_ms, n)
        except errors.Timeout:
            return False
        return True

    def release(self, n: int = 1) -> None:
        """Gives n permits back, or adds them. ValueError: a bounded one would have too many."""
        if n == 1:
            self._call(b"semaphore.release")
        else:
            self._call(b"semaphore.release", n)

    def get_value(self) -> int:
        """How many permits can be had now."""
        return self._call(b"semaphore.value")

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: Any) -> None:
        self.release()

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        if method == b"semaphore.acquire":
            self._call(b"semaphore.release", params[1] if len(params) > 1 else 1)
