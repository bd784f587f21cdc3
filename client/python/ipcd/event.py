"""Events: flags that can be waited for."""
from __future__ import annotations

from typing import Optional

from .proxy import Proxy, wait_ms


class Event(Proxy):
    """An event, as Python's `threading.Event`. A new one is clear."""

    kind = "event"

    def set(self) -> None:
        """Sets it: all who wait at that moment go on, also if it is cleared right after."""
        self._call(b"event.set")

    def clear(self) -> None:
        """Clears it."""
        self._call(b"event.clear")

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._call(b"event.is_set")

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits until it is set, at most `timeout` seconds; whether it is."""
        return self._call(b"event.wait", wait_ms(True, timeout))
