"""What the tests of the package share. $IPCD_SOCKET names a daemon of this run's own."""
import itertools
import os
import signal
import subprocess
import sys
import time

import pytest

import ipcd

_numbers = itertools.count()


@pytest.fixture
def client():
    with ipcd.connect() as connected:
        yield connected


@pytest.fixture
def other():
    """Another session of the same process."""
    with ipcd.connect() as connected:
        yield connected


@pytest.fixture
def name():
    """A name that no other test has."""
    return f"test.{os.getpid()}.{next(_numbers)}"


def wait_until(condition, seconds=20):
    """Waits for what another process or thread is about to do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come to that in time"
        time.sleep(0)


class Child:
    """A Python program of its own, with the package, that is told and tells line by line."""

    def __init__(self, program, *arguments, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})

    def line(self):
        return self.process.stdout.readline().strip()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        rest = self.process.communicate(timeout=20)[0]
        return self.process.returncode, rest


@pytest.fixture
def start():
    """Starts children, and sees that none is left."""
    children = []

    def start_child(program, *arguments, **environment):
        children.append(Child(program, *arguments, **environment))
        return children[-1]

    yield start_child
    for child in children:
        if child.process.poll() is None:
            child.process.kill()
        child.process.communicate()


@pytest.fixture
def until():
    return wait_until
