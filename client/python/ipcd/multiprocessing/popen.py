"""Processes as multiprocessing starts them, for which objects are kept open until they have ended.

Under fork that is all that the parent has open: the child has copies of its references, and opens
the objects in a session of its own. Under spawn and forkserver it is what stands in the arguments.
"""
from __future__ import annotations

import os
from multiprocessing import popen_fork, popen_forkserver, popen_spawn_posix
from typing import Any, Optional

from .objects import all_opened, keep


class _Keeping:
    kept: Any

    def poll(self, flag: int = os.WNOHANG) -> Optional[int]:
        """As multiprocessing's; of a process that has ended nothing is kept."""
        code: Optional[int] = super().poll(flag)  # type: ignore[misc]
        if code is not None:
            self.kept = []
        return code


class ForkPopen(_Keeping, popen_fork.Popen):
    """Forked."""

    def __init__(self, process: Any) -> None:
        keep(self, all_opened())
        super().__init__(process)


class SpawnPopen(_Keeping, popen_spawn_posix.Popen):
    """A new interpreter."""


class ForkServerPopen(_Keeping, popen_forkserver.Popen):
    """Forked by the server that multiprocessing has for it."""
