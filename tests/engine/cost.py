#!/usr/bin/python3
"""cost: what Redis' process spends on a call, beside the plain command.

  cost.py [CALLS]

Unpipelined, one connection on loopback: microseconds of user and system time of the redis-server for each
command (INFO), and of the command itself (INFO commandstats); then batches of 100. Each is the
least of ten parts.
"""
import socket
import sys

import msgpack

import harness
from conftest import SAMPLE
from test_cluster import free_port

PARTS = 10
VALUE = harness.stored("x" * 20)


def request(*strings):
    """A command as bytes."""
    parts = [b"*%d\r\n" % len(strings)]
    for string in strings:
        data = string if isinstance(string, bytes) else str(string).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Meter:
    """Runs requests and reads what they cost."""

    def __init__(self, engine):
        self.engine = engine
        self.socket = socket.create_connection(("127.0.0.1", engine.redis.config_get("port")["port"]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def cpu(self):
        """Seconds that the server has used."""
        info = self.engine.redis.info("cpu")
        return info["used_cpu_user"] + info["used_cpu_sys"]

    def run_some(self, command, requests):
        """Microseconds of the process for each, and of the command."""
        self.engine.redis.config_resetstat()
        before = self.cpu()
        for data in requests:
            self.socket.sendall(data)
            answer = self.socket.recv(1 << 20)
            assert not answer.startswith(b"-") and b"!" not in answer, answer
        process = (self.cpu() - before) / len(requests) * 1e6
        stats = self.engine.redis.info("commandstats")["cmdstat_" + command]
        return process, stats["usec_per_call"]

    def run(self, command, requests):
        """The same, the least of several parts: others may be at work on the machine."""
        size = max(1, len(requests) // PARTS)
        parts = [self.run_some(command, requests[at:at + size])
                 for at in range(0, size * PARTS, size)]
        return min(part[0] for part in parts), min(part[1] for part in parts)


def batches(engine, host, calls, ops, first):
    """FCALLs, numbered from `first`."""
    prefix = host.prefix("box")
    strings = [string for op in ops for string in op.strings()]
    for i in range(calls):
        header = msgpack.packb(["a", 1, 1 << 50, first + i, 0, 0, "", ""])
        yield request("FCALL", engine.function, 1, prefix, header, *strings)


def main():
    """Measures, and prints a table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 50000
    server = harness.Server("--bind", "127.0.0.1", "--port", str(free_port()))
    try:
        engine = harness.Engine(server, SAMPLE)
        host = harness.Host(engine)
        host.open("sample", "box")
        meter = Meter(engine)
        version = host.versions["box"]
        push = harness.Op("sample.push", "box", VALUE, version=version)
        pop = harness.Op("sample.get", "box", "0", version=version)
        count = harness.Op("sample.count", "box", version=version)
        first = 100
        plain = None
        rows = [("LPUSH", "lpush", [request("LPUSH", "list", VALUE)] * calls, 1)]
        for name, ops, number in (("one push", [push], calls), ("one get", [pop], calls),
                                  ("one count", [count], calls),
                                  ("100 pushes", [push] * 100, calls // 100)):
            rows.append((name, "fcall", list(batches(engine, host, number, ops, first)), len(ops)))
            first += number
        rows.append(("LPUSH", "lpush", [request("LPUSH", "list", VALUE)] * calls, 1))
        for name, command, requests, size in rows:
            process, own = meter.run(command, requests)
            plain = plain or process
            print(f"{name:12} {process / size:7.2f} us of the process ({process / size / plain:4.2f}), "
                  f"{own / size:7.2f} us of the command")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
