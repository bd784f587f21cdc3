"""The fixtures: one redis-server for all tests, emptied before each."""
import pathlib
import re
import subprocess

import pytest

import harness

SAMPLE = pathlib.Path(__file__).resolve().parent / "sample.lua"


def server_version():
    """The major version of the redis-server that is installed; 0: there is none."""
    try:
        text = subprocess.run(["redis-server", "--version"], check=True, stdout=subprocess.PIPE,
                              text=True).stdout
    except OSError:
        return 0
    return int(re.search(r"v=(\d+)", text).group(1))


@pytest.fixture(scope="session")
def server():
    """A redis-server."""
    if server_version() < 7:
        pytest.skip("redis-server 7.0 or newer is not installed (package redis-server)")
    started = harness.Server()
    yield started
    started.stop()


@pytest.fixture
def engine(server):
    """An empty engine with the functions, and the type `sample` of sample.lua besides."""
    return harness.Engine(server, SAMPLE)


@pytest.fixture
def host(engine):
    """A daemon."""
    return harness.Host(engine)


@pytest.fixture
def other(engine):
    """A second one."""
    return harness.Host(engine, "b", 7)
