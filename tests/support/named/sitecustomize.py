"""Gives anonymous objects names, so that they live in an engine: in front on PYTHONPATH of tests that
are to be run against one, in all Python processes that they start. What has to stay where it is (shared
numbers, pipes) does.
"""
import os
import uuid

import ipcd.client
from ipcd.values import Map

LOCAL = (b"value.open", b"array.open", b"pipe.open")
_open_object = ipcd.client.Client._open_object


def _open_named(self, method, name, given):
    if name is None and method not in LOCAL:
        name = f"{{anonymous}}/{os.getpid()}.{uuid.uuid4().hex}" # one tag: as if all were in one daemon
        given = Map(given, lifetime=given.get("lifetime", "scoped"))
    return _open_object(self, method, name, given)


ipcd.client.Client._open_object = _open_named
