#!/usr/bin/python3
"""differential: the same random calls to a daemon that has its objects in memory, and to one that
has them in an engine.

    IPCD_SOCKET=ENGINE-SOCKET differential.py PLAIN-SOCKET [SEEDS [FIRST [STEPS]]]

For each seed three sessions of each daemon send the same calls of all methods, with params that
mostly fit and numbers at their ends. What both answer must be the same: the same calls wait, and
those that are answered have the same code or the same result, but for what cannot be the same (times,
sizes, sessions' names, cursors). Prints each difference with its seed; exits with 1 if there are any.
"""
import os
import random
import re
import socket
import sys

import msgpack

SESSIONS = 3
TYPES = ["queue", "dict", "list", "namespace", "lock", "semaphore", "event", "condition", "barrier"]
ENDS = [0, 1, -1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, -2**53 - 1,
        2**63 - 1, -2**63, 2**63, 2**64 - 1]
LONG_MS = [600000, 2**31, 2**53 - 1, 2**53 + 1, 2**63 - 1]
PATIENCE = 20


class Broken(Exception):
    """A daemon did not answer, or ended the connection."""


class Raw(bytes):
    """MessagePack bytes, packed as they are."""


def pack(value):
    """MessagePack of a value of which parts may be Raw."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return msgpack.Packer().pack_array_header(len(value)) + b"".join(map(pack, value))
    if isinstance(value, dict):
        return msgpack.Packer().pack_map_header(len(value)) + \
            b"".join(pack(k) + pack(v) for k, v in value.items())
    return msgpack.packb(value, use_bin_type=True)


class Session:
    """A connection to a daemon."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=2**30,
                                         unicode_errors="surrogateescape", object_pairs_hook=Pairs)
        self.answers = {}
        self.events = []

    def send(self, number, method, params):
        self.socket.sendall(pack([0, number, method, params]))

    def take(self):
        """Reads some bytes, and the answers in them."""
        try:
            some = self.socket.recv(1 << 20)
        except socket.timeout:
            raise Broken("no answer for %d s" % PATIENCE) from None
        if not some:
            raise Broken("the daemon closed the connection")
        self.unpacker.feed(some)
        for message in self.unpacker:
            if message[0] == 1:
                self.answers[message[1]] = message[2:]
            else:
                self.events.append(message[1:])

    def answer(self, number):
        while number not in self.answers:
            self.take()
        return self.answers[number]

    def call(self, number, method, *params):
        self.send(number, method, params)
        return self.answer(number)

    def close(self):
        self.socket.close()


class Pairs(list):
    """A map, its pairs in their order."""


class Generator:
    """Random calls."""

    def __init__(self, seed, methods):
        self.random = random.Random(seed)
        self.methods = [m for m in methods if m["name"].split(".")[0] in TYPES or
                        m["name"].split(".")[0] == "object" or m["name"] == "atomic"]
        self.prefix = "{%x}" % (seed * 1000003 % 2**48)
        self.prepared = {
            "queue": self.random.choice([{}, {"maxsize": 3}, {"order": "lifo"}]),
            "queue2": self.random.choice([{"joinable": True}, {"joinable": True, "order": "priority"},
                                          {"joinable": True, "max_deliveries": 2, "dead_letter": self.prefix + "queue"},
                                          {"order": "priority"}]),
            "lock": {"recursive": True},
            "lock2": self.random.choice([{}, {"on_disconnect": "keep", "release_by": "anyone"}]),
            "semaphore": {"value": 3, "bounded": True}, "condition2": {"lock": self.prefix + "lock"},
        }

    def name(self, of_type=None):
        """Mostly that of an object of the type; each type has two."""
        if of_type is None or self.random.random() < 0.03:
            of_type = self.random.choice(TYPES)
        return self.prefix + of_type + self.random.choice(["", "", "2"])

    def number(self):
        if self.random.random() < 0.15:
            return self.random.choice(ENDS)
        return self.random.randrange(-3, 12)

    def scalar(self):
        kind = self.random.randrange(12)
        if kind < 5:
            return self.random.randrange(-2, 8)
        return [self.number(),
                self.random.choice([0.5, 1.0, -0.0, 1e308, float("inf"), float("nan"), 2.0**63, 2.0**53]),
                self.random.choice(["", "a", "b", "\u00e9", "x" * 40, "k"]),
                self.random.choice([b"", b"a", b"\xc1", b"\xff" * 300]), None,
                self.random.random() < 0.5,
                Raw(self.random.choice([b"\xcd\x00\x01", b"\xd3" + b"\x00" * 7 + b"\x05", b"\xd9\x01a",
                                        b"\xca?\x80\x00\x00", b"\xc5\x00\x01a", b"\xcf" + b"\x00" * 7 + b"\x02", b"\xd2\xff\xff\xff\xff"])),
                ][kind - 5]

    def value(self, depth=2):
        kind = self.random.randrange(8)
        if depth and kind == 0:
            return [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        if depth and kind == 1:
            return {self.random.choice(["a", "b", 1, 2]): self.value(depth - 1)
                    for _ in range(self.random.randrange(3))}
        if kind == 2 and self.random.random() < 0.2:
            return msgpack.ExtType(self.random.choice([1, 5, 99]), b"e" * self.random.randrange(1, 5))
        return self.scalar()

    def key(self):
        return self.random.choice([self.scalar, lambda: self.random.randrange(4),
                                   lambda: self.random.choice("abc")])()

    def milliseconds(self):
        """A time that is over at once or not for the time of the test."""
        kind = self.random.randrange(12)
        if kind == 0:
            return self.random.choice([-1, -2**63, 2**63, 2**64 - 1, "x", 2**53])
        return 0 if kind < 7 else self.random.choice(LONG_MS)

    def timeout(self):
        return None if self.random.random() < 0.15 else self.milliseconds()

    def option(self, kind, words):
        if words and self.random.random() < 0.95:
            return self.random.choice(words)
        return self.param(kind, "option", "")

    def options(self, method):
        chosen = {}
        for option in self.random.sample(method["options"], min(len(method["options"]), self.random.randrange(3))):
            if option["name"] in ("cursor", "limit", "glob", "ahead", "group", "lifetime"):
                continue
            words = option.get("words")
            name = option["name"]
            if name == "lock":
                chosen[name] = self.name("lock")
            elif name == "dead_letter":
                chosen[name] = self.name("queue")
            elif name == "initial" and method["name"] == "namespace.open":
                chosen[name] = self.param("map", "namespace", None)
            elif name == "mode":
                chosen[name] = self.random.choice([0o660, 0o600, 0o666, 0o444])
            else:
                chosen[name] = self.option(option["type"], words)
        if self.random.random() < 0.01:
            chosen["nonsense"] = 1
        return chosen

    def calls(self):
        return [list(self.call(False)) for _ in range(self.random.randrange(5))]

    def param(self, kind, name, method):
        owner = method["name"].split(".")[0] if method else None
        if self.random.random() < 0.01:
            return self.random.choice([7, None, [], {}, 2.5, b"no"])
        if kind == "object" or kind == "name":
            return self.name(owner if owner in TYPES else None)
        if kind == "objects":
            return [self.name("queue") for _ in range(self.random.randrange(4))]
        if kind == "map":
            if method and method["options"]:
                return self.options(method)
            if name == "namespace":
                return {self.random.choice("abcd"): self.value() for _ in range(self.random.randrange(4))}
            return {self.random.choice(["a", "b", "c", "d", 1, 2.5]): self.value()
                    for _ in range(self.random.randrange(4))}
        if kind == "array":
            if method and method["name"] == "atomic":
                return self.calls()
            if name == "events":
                return ["put"]
            if name in ("expected", "value"):
                return [self.value() for _ in range(self.random.choice([0, 1, 1, 1, 1, 2]))]
            return [self.value(1) for _ in range(self.random.randrange(5))]
        if kind == "str":
            return self.random.choice(["a", "b", "", "c"])
        if kind == "value":
            return self.key() if name == "key" else self.value()
        if kind == "bool":
            return self.random.random() < 0.5
        if kind == "timeout":
            return self.timeout()
        if kind == "ms":
            return self.milliseconds()
        if kind == "optint":
            return None if self.random.random() < 0.4 else self.number()
        if kind == "number":
            return self.scalar()
        if name == "cursor":
            return self.random.choice([0, 0, 0, 2**64 - 1, -1])
        if kind == "uint" and name == "ticket":
            return self.random.choice([self.random.randrange(12), self.number()])
        if kind == "owner":
            return self.random.choice([0, 1, 1, 1, "a", self.number()])
        if kind == "group":
            return 0
        return self.number()

    def call(self, with_atomic=True):
        while True:
            method = self.random.choice(self.methods)
            name = method["name"]
            if name in ("object.list", "object.chown") or (name == "atomic" and not with_atomic):
                continue
            if name == "object.delete" and self.random.random() < 0.8:
                continue
            if name == "list.repeat":
                return name, [self.name("list"), self.random.choice([0, 1, 2, -1, -2**63])]
            break
        params = []
        for param in method["params"]:
            if param.get("optional") and self.random.random() < 0.4:
                break
            params.append(self.param(param["type"], param["name"], method))
        if name.endswith(".open") and not params:
            params = [self.name(name.split(".")[0])]
        if name == "object.chmod":
            params[1:] = [self.random.choice([0o660, 0o600, 0o777, 0o1000, -1, 2**63 - 1])]
        return name, params


DIFFERENT = {"created", "bytes", "overhead", "engine", "since", "held_since", "paused", "msgid", "ahead",
             "since_ms", "session", "cursor", "pid", "client", "uid",
             "lease_ms", "timeout_ms"}


def comparable(value):
    """A result without what cannot be the same."""
    if isinstance(value, Pairs):
        return {"map": [(comparable(k), comparable(v)) for k, v in value
                        if not (isinstance(k, str) and k in DIFFERENT)]}
    if isinstance(value, (list, tuple)):
        return [comparable(element) for element in value]
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool):
        return str(value)
    return value


def sorted_maps(value):
    if isinstance(value, dict):
        return {"map": sorted(((repr(sorted_maps(k)), sorted_maps(v)) for k, v in value["map"]), key=repr)}
    if isinstance(value, list):
        return [sorted_maps(element) for element in value]
    return value


def outcome(answer, method):
    error, result = answer
    if error is not None:
        detail = error[2] if len(error) > 2 else None
        return ["error", error[0], sorted_maps(comparable(detail))]
    shown = comparable(result)
    if method.endswith(".open") or method in ("object.describe", "atomic"):
        shown = sorted_maps(shown)
    return ["result", shown]


def sentence(answer):
    """Without the numbers of sessions."""
    return re.sub(r"(session|which is|of) (host[0-9]*:)?[0-9]+", r"\1 N", answer[0][1])


def is_other_order(plain, engine):
    """The daemon looks at params before it asks the engine whether there is such an object."""
    return plain[0] is not None and engine[0] is not None and \
        plain[0][0] in ("NOT_FOUND", "WRONG_TYPE", "DENIED") and \
        engine[0][0] in ("BAD_REQUEST", "TYPE", "VALUE", "UNSUPPORTED")


def is_mixed(answer):
    """An atomic of objects here and there, which no daemon without an engine refuses so."""
    return answer[0] is not None and answer[0][0] == "UNSUPPORTED"


class Player:
    """The same calls to both daemons."""

    def __init__(self, paths, seed, methods):
        self.sides = [[Session(path) for _ in range(SESSIONS)] for path in paths]
        self.generator = Generator(seed, methods)
        self.number = 0
        self.open = [{} for _ in range(SESSIONS)]
        self.differences = []
        self.log = []
        self.texts = set()

    def ping(self):
        """Returns when whatever is answered in memory has been."""
        for session in self.sides[0]:
            self.number += 1
            session.call(self.number, "server.ping")

    def begin(self):
        for name in TYPES:
            for suffix in ("", "2"):
                for side in self.sides:
                    self.number += 1
                    options = {"parties": 2} if name == "barrier" else {}
                    side[0].call(self.number, name + ".open", self.generator.prefix + name + suffix,
                                 self.generator.prepared.get(name + suffix, options))

    def settle(self):
        """What the first daemon has answered the second must, too, and nothing else."""
        self.ping()
        for i in range(SESSIONS):
            for number in list(self.open[i]):
                if number in self.sides[0][i].answers:
                    self.compare(i, number)
        for i in range(SESSIONS):
            for number in self.open[i]:
                if number in self.sides[1][i].answers:
                    method, params = self.open[i][number]
                    self.differ("in memory it waits", i, method, params, "waits", self.sides[1][i].answers[number])
                    raise Broken("out of step")

    def compare(self, i, number):
        method, params = self.open[i].pop(number)
        plain = self.sides[0][i].answers.pop(number)
        try:
            engine = self.sides[1][i].answer(number)
        except Broken as broken:
            self.differ("with an engine: " + str(broken), i, method, params, plain, None)
            raise
        del self.sides[1][i].answers[number]
        if is_other_order(plain, engine) or is_mixed(engine):
            return
        if outcome(plain, method) != outcome(engine, method):
            self.differ("differs", i, method, params,
                        *first_difference(outcome(plain, method), outcome(engine, method)))
        elif plain[0] is not None and sentence(plain) != sentence(engine):
            self.texts.add((method, plain[0][0], plain[0][1], engine[0][1]))

    def differ(self, what, i, method, params, plain, engine):
        self.differences.append((what, i, method, params, plain, engine))

    def step(self):
        i = self.generator.random.randrange(SESSIONS)
        kind = self.generator.random.randrange(100)
        if kind == 0:
            self.end_session(i)
        else:
            self.number += 1
            method, params = self.generator.call()
            self.open[i][self.number] = (method, params)
            self.log.append((i, self.number, method, params))
            for side in self.sides:
                side[i].send(self.number, method, params)
        self.settle()

    def end_session(self, i):
        """Both end, when the first daemon knows it and the second has told the engine."""
        self.log.append((i, "ends"))
        for side in self.sides:
            path = side[i].socket.getpeername()
            side[i].close()
            side[i] = Session(path)
        self.open[i] = {}
        while True:
            self.number += 1
            stats = dict(self.sides[1][i].call(self.number, "server.stats")[1])
            engine = dict(stats["engine"])
            if stats["sessions"] == SESSIONS and engine["ending"] == 0:
                break
        while True:
            self.number += 1
            stats = dict(self.sides[0][i].call(self.number, "server.stats")[1])
            if stats["sessions"] == SESSIONS:
                return

    def finish(self):
        for name in TYPES:
            for suffix in ("", "2"):
                for side in self.sides:
                    self.number += 1
                    side[0].send(self.number, "object.delete", [self.generator.prefix + name + suffix])
        for side in self.sides:
            self.number += 1
            side[0].send(self.number, "server.ping", [])
            side[0].answer(self.number)
            for session in side:
                session.close()


def signature(text):
    """The params of "name:type [name:type]"."""
    params = []
    for word in text.split():
        name, kind = word.strip("[]").split(":")
        params.append({"name": name, "type": kind, "optional": word[0] == "["})
    return params


def play(paths, seed, steps, methods):
    player = Player(paths, seed, methods)
    try:
        player.begin()
        for _ in range(steps):
            player.step()
            if player.differences:
                break
        player.finish()
    except Broken as broken:
        player.differences.append((str(broken), 0, "", [], None, None))
        for side in player.sides:
            for session in side:
                session.close()
    return player


def first_difference(a, b):
    """The innermost parts that differ first."""
    if isinstance(a, dict) and isinstance(b, dict):
        return first_difference(a["map"], b["map"])
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        for x, y in zip(a, b):
            if x != y:
                return first_difference(x, y)
    return a, b


def shown(value):
    return re.sub(r"\s+", " ", repr(value))[:600]


def main():
    paths = [sys.argv[1], os.environ["IPCD_SOCKET"]]
    given = [int(number) for number in sys.argv[2:]]
    seeds, first, steps = given + [20, 1, 300][len(given):]
    session = Session(paths[0])
    methods = [dict(m) for m in session.call(1, "server.methods")[1]]
    for method in methods:
        method["params"] = signature(method["params"])
        method["options"] = [dict(p) for p in method["options"] or []]
    session.close()
    failed = 0
    texts = set()
    for seed in range(first, first + seeds):
        player = play(paths, seed, steps, methods)
        texts |= player.texts
        if player.differences:
            failed += 1
            print("seed %d, step %d:" % (seed, len(player.log)))
            for what, i, method, params, plain, engine in player.differences[:2]:
                print("  %s: session %d %s%s\n    in memory      %s\n    with an engine %s" % (
                    what, i, method, shown(params), shown(plain), shown(engine)))
            for entry in player.log[-8:]:
                print("      ", shown(entry)[:160])
            sys.stdout.flush()
    for text in sorted(texts)[:10]:
        print("note: other words of %s %s:\n    %r\n    %r" % text)
    print("%d of %d seeds differ" % (failed, seeds))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
