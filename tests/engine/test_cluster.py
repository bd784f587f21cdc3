"""A node of a cluster: the functions touch keys of the batch's own slot alone."""
import os
import socket
import time

import pytest

import harness
from conftest import SAMPLE
from harness import stored
from test_open import refused


def free_port():
    """A port whose bus, 10,000 above it, has a number too; both free just now."""
    for port in range(20000 + os.getpid() % 20000, 45000):
        try:
            for number in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue
    raise AssertionError("no port is free")


@pytest.fixture(scope="module")
def node(server):
    """A cluster of one node; `server` is there to skip where there is no Redis."""
    started = harness.Server("--cluster-enabled", "yes", "--bind", "127.0.0.1", "--port",
                             str(free_port()))
    started.redis.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    while started.redis.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
        time.sleep(0.05)
    yield started
    started.stop()


@pytest.fixture
def engine(node):
    """Its functions."""
    return harness.Engine(node, SAMPLE)


def test_calls_waits_and_messages(host, other):
    host.open("sample", "box")
    wait = other.call("sample.get", "box", "")
    heard = other.listen("box")
    host.call("sample.put", "box", stored(1), "")
    assert other.served(wait) == 1
    assert len(heard.messages()) == 1
    host.call("object.rename", "box", "{box}2")
    host.end_session(1, "box")


def test_an_object_of_another_slot_is_not_there(host):
    host.open("sample", "box")
    host.open("sample", "far")
    host.open("sample", "{box}near")
    refused("NOT_FOUND", host.call, "sample.pass", "box", "far", stored(1))
    assert host.call("sample.pass", "box", "{box}near", stored(1)) is None
    assert host.calls(("sample.count", "{box}near")) == [1]


@pytest.mark.parametrize("name", ["a b", "{", "}", "a{}b", "%", "{a}{b}", "x{y", "ä", "{{a}}"])
def test_names_of_every_kind_have_keys_in_one_slot(host, name):
    host.open("sample", name)
    host.call("sample.put", name, stored(1), "")
    assert host.call("sample.hold", name, "") == 1
    host.call("sample.get", name, "5")
    host.call("object.watch", name)
    host.end_session(1, name)
    assert host.call("sample.count", name) == 1
