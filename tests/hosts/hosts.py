"""hosts: daemons that share their objects in an engine, and the engine, for tests that let parts of
them die: redis-server (one, or a cluster by tools/redis-cluster) and ipcd processes, all of a test's
own. $IPCD_BINARY names the daemon.
"""
import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import redis

import ipcd

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 60  # seconds, above all that is waited for
# Of the daemons: short, as tests wait until it is over; but a machine on which much else runs may let
# a daemon stand still for a second.
LEASE = "3s"
PR_SET_PDEATHSIG = 1


def wait_until(condition, what="it"):
    """Until it is so."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def end_with_parent():
    """In a child: it is killed when the process that started it ends, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment():
    """That of the tests, but for what is loaded into their interpreter only."""
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


class Process:
    """A program that is ended with the test."""

    def __init__(self, command, log, **more):
        self.command, self.log, self.more = command, log, more
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=environment(),
                                            preexec_fn=end_with_parent, **self.more)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """As SIGKILL does it, stopped or not."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def stop(self):
        """As a service manager does it. Its exit status."""
        self.process.terminate()
        return self.process.wait(LIMIT)


class Redis(Process):
    """One redis-server on a port of loopback."""

    def __init__(self, directory, *options):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        super().__init__(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save",
                          "", "--appendonly", "no", "--dir", directory, *options],
                         f"{directory}/redis-{self.port}.log")
        self.redis = redis.Redis(port=self.port)
        self.start()

    def start(self):
        super().start()
        wait_until(self.answers, "for redis-server")

    def answers(self):
        try:
            return self.redis.ping()
        except redis.exceptions.RedisError:
            return False


class Cluster:
    """A Redis Cluster."""

    def __init__(self, directory, primaries=3, replicas=3):
        self.directory = os.path.join(directory, "cluster")
        os.mkdir(self.directory)
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools" / "redis-cluster"), self.directory,
             f"--primaries={primaries}", f"--replicas={replicas}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=environment(), text=True)
        words = self.process.stdout.readline().split()
        if words[:1] != ["ready"]:
            self.end()
            raise AssertionError("the cluster did not come about")
        self.ports = [int(word) for word in words[1:]]
        self.primaries = self.ports[:primaries]
        self.url = "redis://" + ",".join(f"127.0.0.1:{port}" for port in self.ports[:2])

    def node(self, port):
        return redis.Redis(port=port)

    def pid(self, port):
        return int(pathlib.Path(self.directory, f"{port}.pid").read_text("ascii"))

    def signal(self, port, number):
        os.kill(self.pid(port), number)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Host(Process):
    """An ipcd whose named objects are in the engine."""

    def __init__(self, directory, url, name, inside=None, **settings):
        self.name = name
        self.socket = f"{directory}/{name}.sock"
        self.config = f"{directory}/{name}.conf"
        settings = {"url": url, "host": name, "lease": LEASE, "engine_timeout": "20s", **settings}
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("[engine]\n" + "".join(f"{key} = {value}\n"
                                              for key, value in settings.items()))
        within = [] if inside is None else ["ip", "netns", "exec", inside]
        super().__init__([*within, os.environ["IPCD_BINARY"], "--socket", self.socket, "--config",
                          self.config], f"{directory}/{name}.log")

    def start(self):
        super().start()
        wait_until(lambda: self.state() == "leased", f"for host {self.name}")

    def engine(self):
        """The map `engine` of server.stats."""
        with ipcd.connect(self.socket, timeout=LIMIT) as client:
            return client.stats()["engine"]

    def state(self):
        try:
            engine = self.engine()
            return "leased" if engine["leased"] else "joining"
        except (ipcd.Error, OSError, KeyError):
            assert self.process.poll() is None, pathlib.Path(self.log).read_text("utf-8")
            return ""

    def log_text(self):
        return pathlib.Path(self.log).read_text("utf-8")


class Scene:
    """What a test has, ended in order whatever happens."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self.directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ipcd-hosts-"))
        self._hosts = []

    def redis(self, *options):
        server = Redis(self.directory, *options)
        self._stack.callback(server.kill)
        return server

    def cluster(self, **how):
        cluster = Cluster(self.directory, **how)
        self._stack.callback(cluster.end)
        return cluster

    def host(self, url, name, **settings):
        host = Host(self.directory, url, name, **settings)
        self._stack.callback(host.kill)
        self._hosts.append(host)
        host.start()
        return host

    def connect(self, host, **how):
        client = ipcd.connect(host.socket, **how)
        self._stack.callback(client.close)
        return client

    def end(self):
        logs = "".join(f"--- {host.name}\n{host.log_text()}" for host in self._hosts
                       if os.path.exists(host.log))
        self._stack.close()
        for word in ("AddressSanitizer", "runtime error", "Assertion"):
            assert word not in logs, logs
