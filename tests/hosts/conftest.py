"""The fixtures of the tests of several hosts."""
import re
import subprocess
import threading

import pytest

import hosts


def server_version():
    """The major version of the redis-server that is installed; 0: there is none."""
    try:
        text = subprocess.run(["redis-server", "--version"], check=True, stdout=subprocess.PIPE,
                              text=True).stdout
    except OSError:
        return 0
    return int(re.search(r"v=(\d+)", text).group(1))


@pytest.fixture
def scene():
    if server_version() < 7:
        pytest.skip("redis-server 7.0 or newer is not installed (package redis-server)")
    made = hosts.Scene()
    yield made
    made.end()


class Doing:
    """A call in a thread of its own."""

    def __init__(self, call, *args, **more):
        self._result = None
        self._error = None
        self._thread = threading.Thread(target=self._run, args=(call, args, more), daemon=True)
        self._thread.start()

    def _run(self, call, args, more):
        try:
            self._result = call(*args, **more)
        except Exception as error:  # pylint: disable=broad-except
            self._error = error

    @property
    def is_over(self):
        return not self._thread.is_alive()

    def result(self):
        self._thread.join(hosts.LIMIT)
        assert self.is_over, "it still waits"
        if self._error is not None:
            raise self._error
        return self._result


@pytest.fixture
def doing():
    return Doing
