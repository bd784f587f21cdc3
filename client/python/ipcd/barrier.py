"""Barriers, where a number of parties wait until all have come."""
from __future__ import annotations

from typing import Any, Callable, Optional

from .proxy import Proxy, wait_ms


class Barrier(Proxy):
    """A barrier, as Python's `threading.Barrier`.

    `action`, if it is set, is called by one of the parties when all have come, before any of them
    goes on. It belongs to the proxy: all parties must have one, or none.
    """

    kind = "barrier"
    parties: int
    action: Optional[Callable[[], Any]] = None

    def _take_description(self, description: dict[str, Any]) -> None:
        self.parties = description["parties"]

    def wait(self, timeout: Optional[float] = None) -> int:
        """Waits until all parties have come; how many had come before: 0 to parties - 1, another
        one for each. threading.BrokenBarrierError (`BrokenBarrier`): it is broken, or breaks
        meanwhile, as one of those who wait runs out of time or dies, or by `abort` or `reset`."""
        index = self._call(b"barrier.wait", wait_ms(True, timeout))
        if self.action is not None:
            if index == 0:
                try:
                    self.action()
                except BaseException:
                    self.abort()
                    raise
            self._call(b"barrier.wait", wait_ms(True, timeout))
        return index

    def reset(self) -> None:
        """Makes it as new; those who wait get BrokenBarrierError."""
        self._call(b"barrier.reset")

    def abort(self) -> None:
        """Breaks it: all who wait, or will wait before a reset, get BrokenBarrierError."""
        self._call(b"barrier.abort")

    @property
    def n_waiting(self) -> int:
        """How many have come."""
        return self._call(b"barrier.state")["waiting"]

    @property
    def broken(self) -> bool:
        """Whether it is broken."""
        return self._call(b"barrier.state")["broken"]
