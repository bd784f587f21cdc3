#!/usr/bin/python3
"""cost: what Redis' process spends on a call, beside the plain command.

  cost.py [CALLS]

Unpipelined, one connection on loopback: microseconds of user and system time of the redis-server for
each command (INFO), and of the command itself (INFO commandstats); then batches of 100 calls, beside
pipelines of 100 commands. Each is the least of ten parts, which take turns.
"""
import socket
import sys

import harness
from conftest import SAMPLE
from test_cluster import free_port

PARTS = 10


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

    def run(self, command, requests, size):
        """Microseconds of the process for each request, and of the command; answers have `size`
        parts that begin lines."""
        self.engine.redis.config_resetstat()
        before = self.cpu()
        for data in requests:
            self.socket.sendall(data)
            answer = self.socket.recv(1 << 20)
            while size > 1 and answer.count(b"\r\n") < size:
                answer += self.socket.recv(1 << 20)
            assert not answer.startswith(b"-") and b"!" not in answer, answer
        process = (self.cpu() - before) / len(requests) * 1e6
        stats = self.engine.redis.info("commandstats")["cmdstat_" + command]
        return process, stats["usec_per_call"]


class Numbers:
    """Of batches."""

    def __init__(self):
        self.last = 100

    def next(self):
        """The next one."""
        self.last += 1
        return self.last


def fcall(engine, host, numbers, ops):
    """A batch."""
    header = harness.header_of(host.key, numbers.next(), 1 << 50)
    return request("FCALL", engine.function, 1, host.prefix(ops[0].name), header,
                   *harness.strings_of(ops))


def rows_of(engine, host, numbers, many):
    """What is measured: name, command, calls in one, a function that makes a request."""
    value, key = harness.stored("x" * 20), harness.stored("k")
    ops = [harness.Op(*call, version=host.versions[call[1]]) for call in
           (("queue.put", "q", value), ("queue.get", "q"), ("dict.set", "d", key, value),
            ("dict.get", "d", key))]
    plain = [("LPUSH", "list", value), ("RPOP", "list"), ("HSET", "hash", key, value),
             ("HGET", "hash", key)]
    for command, op in zip(plain, ops):
        yield command[0], command[0].lower(), many, lambda command=command: request(*command) * many
        yield op.verb, "fcall", many, lambda op=op: fcall(engine, host, numbers, [op] * many)


def main():
    """Measures, and prints a table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 50000
    server = harness.Server("--bind", "127.0.0.1", "--port", str(free_port()))
    try:
        engine = harness.Engine(server, SAMPLE)
        host = harness.Host(engine)
        host.open("queue", "q")
        host.open("dict", "d")
        meter = Meter(engine)
        numbers = Numbers()
        for many in (1, 100):
            rows = list(rows_of(engine, host, numbers, many))
            least = [(1e9, 1e9)] * len(rows)
            for _ in range(PARTS):
                for i, (_, command, size, make) in enumerate(rows):
                    made = [make() for _ in range(max(1, calls // many // PARTS))]
                    lines = size if command != "fcall" else 1
                    least[i] = tuple(map(min, least[i], meter.run(command, made, lines)))
            for i, (name, command, size, _) in enumerate(rows):
                process = least[i][0] / size
                own = least[i][1] / (size if command == "fcall" else 1)
                plain = process if command != "fcall" else plain
                print(f"{many:3} {name:10} {process:6.2f} us of the process "
                      f"({process / plain:4.2f}), {own:6.2f} us of the command")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
