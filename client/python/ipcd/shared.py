"""What values and arrays in shared memory have in common: their lock, and the memory itself."""
from __future__ import annotations

import mmap
from typing import Any, Optional, Union

from . import _core
from .proxy import Proxy, wait_ms


def map_numbers(proxy: Proxy, method: bytes) -> memoryview:
    """The memory of a value or an array, mapped; read-only without the write bit. It stays good as
    long as anybody has it."""
    file, layout = _core.Handle._call(proxy, method)
    access = mmap.ACCESS_WRITE if layout["writable"] else mmap.ACCESS_READ
    with file:
        memory = mmap.mmap(file.fileno(), layout["size"], access=access)
    end = layout["offset"] + layout["count"] * layout["itemsize"]
    return memoryview(memory)[layout["offset"]:end].cast(layout["typecode"])


class SharedLock:
    """The lock of a value or an array, in its memory: for what must happen as one. A thread holds
    it, and may take it again. `abandoned` says that its last holder died while it held it."""

    def __init__(self, shared: Union[_core.SharedValue, _core.SharedArray]) -> None:
        self._shared = shared
        self.abandoned = False

    def acquire(self, block: bool = True, timeout: Optional[float] = None) -> bool:
        """Waits until this thread holds it, at most `timeout` seconds; whether it does."""
        held = self._shared.lock(wait_ms(block, timeout))
        self.abandoned = held == 2
        return held > 0

    def release(self) -> None:
        """Holds it once less. RuntimeError: this thread does not hold it."""
        self._shared.unlock()

    def __enter__(self) -> bool:
        self._shared.lock(None)
        return True

    def __exit__(self, *exception: Any) -> None:
        self._shared.unlock()
