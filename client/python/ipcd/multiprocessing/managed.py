"""What all proxies of a manager have in common."""
from __future__ import annotations

from typing import Any

from .objects import Anonymous


class ManagedProxy(Anonymous):
    """What they have in common: repr names the proxy, str shows what it stands for, and copy.deepcopy
    copies that."""

    _typeid = ""

    def _getvalue(self) -> Any:
        """A copy of what it stands for."""
        raise TypeError(f"a {self._typeid} cannot be copied")

    def __deepcopy__(self, memo: Any) -> Any:
        return self._getvalue()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object, typeid {self._typeid!r} at {id(self):#x}>"

    def __str__(self) -> str:
        return repr(self)
