"""harness: a Redis of a test's own, the engine's functions in it, and hosts that call them.

    def test_put(host):                      # fixtures: conftest.py
        host.open("queue", "q", maxsize=2)
        wait = host.call("queue.get", "q", "", "")       # Waiting, as it has to wait
        host.call("queue.put", "q", stored(1), "", "", "", "", "")
        host.served(wait)                                # its result, from the outbox

A Host is a daemon in one realm: it numbers its batches in each tag, knows the versions of objects
that it has seen (a "?" is answered by sending the op again), gives waits numbers and reads its
outboxes. Time is by hand: host.engine.now, in milliseconds.
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import msgpack
import redis

ROOT = pathlib.Path(__file__).resolve().parents[2]
REALM = "test"


class EngineError(Exception):
    """A call's error."""

    def __init__(self, code, text):
        super().__init__(code + ": " + text)
        self.code = code
        self.text = text


class Waiting:
    """What a call that waits is known by."""

    def __init__(self, host, prefix, number, limit):
        self.host, self.prefix, self.number, self.limit = host, prefix, number, limit


class Op:
    """One operation of a batch."""

    def __init__(self, verb, name, *args, version="", session=1, wait=0):
        self.verb, self.name, self.args = verb, name, args
        self.version, self.session, self.wait = version, session, wait

    def given(self):
        """The args, as bytes, without those that are not given at the end."""
        args = [arg if isinstance(arg, bytes) else str(arg).encode() for arg in self.args]
        while args and not args[-1]:
            args.pop()
        return args

    def what(self):
        """WHAT of a run of such calls."""
        name, version = (text if isinstance(text, bytes) else text.encode()
                         for text in (self.name, self.version))
        return b"%s %d %d %s%s" % (self.verb.encode(), len(self.given()), len(name), name, version)

    def who(self):
        """Its part of a WHO."""
        return struct.pack(">QQ", self.session, self.wait)


def header_of(host, seq, until=0, ack=0, now=0, mode="-"):
    """HEADER; `host` is "HOST/EPOCH"."""
    return struct.pack(">QQQQ", seq, ack, until, now) + mode.encode() + host.encode()


def runs_of(ops, alone=False):
    """The runs that ops make: (WHAT, how many of the ops). With `alone` each is one."""
    runs = []
    for op in ops:
        what = op.what()
        if not alone and runs and runs[-1][0] == what and runs[-1][1] < 256:
            runs[-1] = (what, runs[-1][1] + 1)
        else:
            runs.append((what, 1))
    return runs


def strings_of(ops, alone=False):
    """The strings of ops in FCALL."""
    strings, at = [], 0
    for what, count in runs_of(ops, alone):
        strings += [what, b"".join(op.who() for op in ops[at:at + count])]
        for op in ops[at:at + count]:
            strings += op.given()
        at += count
    return strings


def replies_in(reply, ops, alone=False):
    """The status, and the replies, in what FCALL has answered."""
    if reply[:1] == b"\n":
        return b"", [reply[1:]]
    status, *parts = msgpack.unpackb(reply, raw=True)
    replies = []
    for part, (_, count) in zip(parts, runs_of(ops, alone)):
        if count == 1:
            replies.append(part)
        elif len(part) == 1:
            replies += part * count
        elif len(part) == count:
            replies += part
        else:
            before, behind, *values = part
            assert len(values) == count
            replies += [before + value + behind for value in values]
    return status, replies


def stored(value):
    """A value in its stored form; what msgpack packs here is canonical."""
    return msgpack.packb(value)


def stored_as(canonical, raw):
    """A value that came in bytes that are not canonical."""
    return b"\xc1" + struct.pack(">I", len(canonical)) + canonical + raw


def unpack(data):
    """What MessagePack bytes hold: one value."""
    return msgpack.unpackb(data, timestamp=0, strict_map_key=False)


def tag_of(name):
    """The hash tag of an object's name."""
    at = name.find("{")
    end = name.find("}", at + 1)
    if at >= 0 and end > at + 1 and name[at + 1] != "%":
        return name[at + 1:end]
    return name.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")


def option_names(kind):
    """The options of a type's open, in order."""
    if kind == "sample":
        return ["size"]
    rows = (ROOT / "proto" / "options.def").read_text(encoding="utf-8")
    return re.findall(r"^OPTION\(" + kind + r", open, (\w+),", rows, re.MULTILINE)


def library(*more):
    """The name and the text of the library, with files more; and with a fault, if $IPCD_ENGINE_FAULT
    names one: see finds.py."""
    command = [sys.executable, str(ROOT / "tools" / "engine-library")]
    for file in [*more, *filter(None, [os.environ.get("IPCD_ENGINE_FAULT")])]:
        command += ["--with", str(file)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return text.splitlines()[0].split("name=")[1], text


class Server:
    """A redis-server of its own, on a Unix socket, which keeps nothing."""

    def __init__(self, *options):
        self.directory = tempfile.TemporaryDirectory(prefix="ipcd-engine-")
        self.path = self.directory.name + "/redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
             "--appendonly", "no", "--dir", self.directory.name, "--logfile",
             self.directory.name + "/log", *options])
        self.redis = redis.Redis(unix_socket_path=self.path)
        self.wait_until_there()

    def wait_until_there(self):
        """It answers from then on."""
        while self.process.poll() is None:
            try:
                self.redis.ping()
                return
            except redis.exceptions.ConnectionError:
                continue
        raise AssertionError("redis-server has ended: " +
                             pathlib.Path(self.directory.name + "/log").read_text("utf-8"))

    def stop(self):
        """Ends it."""
        self.redis.close()
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()


class Engine:
    """A server with the functions loaded, and the time."""

    def __init__(self, server, *more):
        self.server = server
        self.redis = server.redis
        self.function, text = library(*more)
        self.now = 1_000_000
        self.redis.flushall()
        self.redis.execute_command("FUNCTION", "FLUSH")
        self.redis.execute_command("FUNCTION", "LOAD", text)

    def changes(self):
        """How many changes of keys there were."""
        return self.redis.info("persistence")["rdb_changes_since_last_save"]

    def keys(self):
        """All keys, as text, in order."""
        return sorted(key.decode() for key in self.redis.keys("*"))




class Host:
    """A daemon, as the functions see it."""

    def __init__(self, engine, name="a", epoch=1):
        self.engine, self.name, self.epoch = engine, name, epoch
        self.until = 0
        self.seqs = {}
        self.acks = {}
        self.versions = {}
        self.metas = {}
        self.waits = 0
        self.due, self.due_name = 0, ""
        self.results = {}
        self.seen = {}
        self.pubsub = None

    @property
    def key(self):
        """As it is named in keys."""
        return f"{self.name}/{self.epoch}"

    def sid(self, session=1):
        """A session of its, as the engine names it."""
        return f"{self.key}:{session}"

    def prefix(self, name):
        """The prefix of the tag of a name."""
        return "ipcd:" + REALM + ":{" + tag_of(name) + "}"

    # Batches.

    def batch(self, prefix, ops, mode="", seq=None, until=None):
        """Runs a batch; returns the replies as bytes, without the first. An error of all of it is
        raised as redis.ResponseError."""
        if self.epoch == 0:
            seq = 0
        elif seq is None:
            seq = self.seqs[prefix] = self.seqs.get(prefix, 0) + 1
        is_atomic = mode == "atomic"
        header = header_of(self.key, seq, self.until if until is None else until,
                           self.acks.get(prefix, 0), self.engine.now, "a" if is_atomic else "-")
        reply = self.engine.redis.execute_command("FCALL", self.engine.function, 1, prefix, header,
                                                  *strings_of(ops, is_atomic))
        status, replies = replies_in(reply, ops, is_atomic)
        self.due, self.due_name = 0, ""
        self.put_off, status = status.startswith(b"+"), status.lstrip(b"+")
        if status:
            now, due, name = status.split(b" ", 2)
            assert int(now) == self.engine.now
            self.due, self.due_name = int(due), name.decode()
        return replies

    def learn(self, op, reply):
        """Notes the meta of "?"."""
        meta = unpack(reply[1:])
        self.metas[op.name] = meta
        self.versions[op.name] = meta[4]
        op.version = meta[4]

    def op(self, verb, name, *args, session=1, wait=True):
        """An op with the version that is known; it may wait unless told otherwise."""
        if wait:
            self.waits += 1
        return Op(verb, name, *args, version=self.versions.get(name, ""), session=session,
                  wait=self.waits if wait else 0)

    def run(self, ops, prefix=None):
        """Runs ops (of one tag) in one batch, and again those whose versions were not known.
        Returns the replies as bytes."""
        prefix = prefix or self.prefix(ops[0].name)
        replies = self.batch(prefix, ops)
        for i, op in enumerate(ops):
            if replies[i].startswith(b"?"):
                self.learn(op, replies[i])
                replies[i] = self.batch(prefix, [op])[0]
        return replies

    def decode(self, op, prefix, reply):
        """What a reply is in Python; errors are raised."""
        kind, rest = reply[:1], reply[1:]
        if kind == b"!":
            code, text = rest.decode().split(" ", 1)
            raise EngineError(code, text)
        if kind == b"~":
            return Waiting(self, prefix, int(op.wait), int(rest) if rest else None)
        assert kind == b"=", reply
        if op.verb.endswith(".open") or op.verb == "object.describe":
            size = struct.unpack(">I", rest[:4])[0]
            meta = unpack(rest[4:4 + size])
            self.metas[op.name] = meta
            self.versions[op.name] = meta[4]
            rest = rest[4 + size:]
        return unpack(rest)

    def call(self, verb, name, *args, session=1, wait=True):
        """Runs one call: its result, or Waiting."""
        op = self.op(verb, name, *args, session=session, wait=wait)
        prefix = self.prefix(name)
        return self.decode(op, prefix, self.run([op], prefix)[0])

    def calls(self, *calls, session=1):
        """Runs calls, each (verb, name, arg…), in one batch. Returns results; an error is there as
        the exception."""
        ops = [self.op(*call, session=session) for call in calls]
        prefix = self.prefix(ops[0].name)
        results = []
        for op, reply in zip(ops, self.run(ops, prefix)):
            try:
                results.append(self.decode(op, prefix, reply))
            except EngineError as error:
                results.append(error)
        return results

    def open(self, kind, name, *options, session=1, uid=1000, gid=1000, mode="", lifetime="",
             group="", create="1", exclusive="0", **named):
        """TYPE.open; `options` are those of the type, in their order or by name, as strings; what
        is not given is ""."""
        names = option_names(kind)
        given = list(options) + [""] * (len(names) - len(options))
        for option, value in named.items():
            given[names.index(option)] = value
        return self.call(kind + ".open", name, uid, gid, mode, lifetime, group, create, exclusive,
                         "rw", *given, session=session)

    def tell(self, verb, *args, near, session=1):
        """An op of the daemon's own in the tag of the name `near`."""
        op = Op(verb, near, *args, session=session, wait=0)
        prefix = self.prefix(near)
        return self.decode(op, prefix, self.batch(prefix, [op])[0])

    def end_session(self, session, near):
        """A session ends, as far as it has something in that tag."""
        return self.tell("session.end", session, near=near)

    # Waits.

    def fetch(self, near):
        """Reads the outbox of a tag: the entries not seen before."""
        prefix = near if near.startswith("ipcd:") else self.prefix(near)
        entries = []
        for entry in self.engine.redis.lrange(prefix + ":out:" + self.key, 0, -1):
            n, wait, reply, undo = msgpack.unpackb(entry, raw=True)
            if n > self.seen.get(prefix, 0):
                assert n == self.seen.get(prefix, 0) + 1, "entries of an outbox follow each other"
                self.seen[prefix] = n
                self.results[prefix, wait] = reply
                entries.append((n, wait, reply, undo))
        return entries

    def acknowledge(self, near):
        """What has been seen is acknowledged by the next batch."""
        prefix = self.prefix(near)
        self.acks[prefix] = self.seen.get(prefix, 0)

    def is_served(self, wait):
        """True if its result is there."""
        self.fetch(wait.prefix)
        return (wait.prefix, wait.number) in self.results

    def served(self, wait):
        """The result of a call that waited; its error is raised."""
        assert self.is_served(wait), "the call waits still"
        return self.decode(Op("", ""), wait.prefix, self.results[wait.prefix, wait.number])

    def cancel(self, wait):
        """True if it was waiting."""
        try:
            self.batch_one(wait, "wait.cancel")
        except EngineError as error:
            assert error.code == "NOT_FOUND"
            return False
        return True

    def timeout(self, wait):
        """The time of a call is over: its result."""
        return self.batch_one(wait, "wait.timeout")

    def batch_one(self, wait, verb):
        """Runs an op about a wait."""
        op = Op(verb, "", wait.number, wait=wait.number)
        return self.decode(op, wait.prefix, self.batch(wait.prefix, [op])[0])

    # Messages.

    def listen(self, near):
        """Subscribes to the messages of a tag; to be done before what sends them."""
        channel = self.prefix(near) + ":ch:" + self.key
        self.pubsub = Subscription(self.engine.server.path, channel)
        return self.pubsub


class Subscription:
    """A sharded subscription, which python3-redis does not know: read by hand."""

    def __init__(self, path, channel):
        self.connection = redis.connection.UnixDomainSocketConnection(path=path)
        self.connection.send_command("SSUBSCRIBE", channel)
        assert self.connection.read_response()[0] == b"ssubscribe"

    def messages(self):
        """All that have come, unpacked: entries of the outbox, and lists that begin with a word.
        What was sent before this call is among them."""
        self.connection.send_command("PING")
        found = []
        while True:
            answer = self.connection.read_response()
            if answer[0] == b"smessage":
                found.append(msgpack.unpackb(answer[2], raw=True))
            else:
                return found

    def events(self):
        """The events among the messages: (name, event, details)."""
        return [(name.decode(), event.decode(), unpack(details))
                for kind, name, event, details in
                (message for message in self.messages() if message[0] == b"e")]

    def close(self):
        """Ends it."""
        self.connection.disconnect()
