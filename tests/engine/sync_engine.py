"""The functions of lock, semaphore, condition, event and barrier, with the face of sync_model.Model."""

import struct

import msgpack

import harness

ORDER = {  # of the options of TYPE.open
    "lock": ("recursive", "on_disconnect", "release_by"),
    "semaphore": ("value", "bounded", "on_disconnect"),
    "condition": ("lock",),
    "event": (),
    "barrier": ("parties", "timeout"),
}

OWNED = ("acquire", "release", "wait", "notify", "notify_all")

WATCHER = "watcher"  # a host that is told of everything, and does nothing


def option(value):
    """An option, or a param that is no owner, as it is sent."""
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"1" if value else b"0"
    return str(value).encode()


def params(verb, args):
    """The params of a method as they are sent: the last of lock and condition is an owner."""
    type_name, name = verb.split(".")
    sent = [option(arg) for arg in args]
    if type_name in ("lock", "condition") and name in OWNED and args:
        sent[-1] = b"" if args[-1] is None else msgpack.packb(args[-1])
    return sent


class Engine:
    """One tag, that of all names here, and the daemons that use it. Its hosts are made when they are
    named; a session is (host, number)."""

    def __init__(self, server, *more):
        self.engine = harness.Engine(server, *more)
        self.hosts = {}
        self.versions = {}
        self.start = self.engine.now
        self.subscription = self.host(WATCHER).listen("{t}")
        self.text = ""  # of the last error

    def host(self, name):
        """The host of that name."""
        if name not in self.hosts:
            self.hosts[name] = harness.Host(self.engine, name)
            self.hosts[name].versions = self.versions
        return self.hosts[name]

    def close(self):
        """Ends the subscription."""
        self.subscription.close()

    def set_time(self, now):
        """Milliseconds from the beginning."""
        self.engine.now = self.start + now

    # The wire.

    def reply(self, data, verb=""):
        """A reply as the model has it."""
        kind, rest = data[:1], data[1:]
        if kind == b"!":
            code, self.text = rest.decode().split(" ", 1)
            return ("!", code)
        if kind == b"~":
            return ("~", int(rest) if rest else None)
        assert kind == b"=", data
        if verb.endswith(".open") or verb == "object.describe":
            rest = rest[4 + struct.unpack(">I", rest[:4])[0]:]
        return ("=", harness.unpack(rest))

    def ask(self, session, wait, verb, name, args):
        """Runs one op, again if the object's version was not known."""
        host, number = self.host(session[0]), session[1]
        op = harness.Op(verb, name, *args, version=self.versions.get(name, ""), session=number, wait=wait)
        return self.reply(host.run([op], host.prefix("{t}"))[0], verb)

    def run(self, session, wait, verb, name, *args):
        return self.ask(session, wait, verb, name, params(verb, args))

    def open(self, session, type_name, name, **options):
        args = [b"0", b"0", b"", b"", b"", b"1", b"0", b""]
        args += [option(options.get(key)) for key in ORDER[type_name]]
        reply = self.ask(session, 0, type_name + ".open", name, args)
        if reply[0] == "=":
            self.ask((WATCHER, 0), 0, "object.watch", name, [])
        return reply

    def close_object(self, session, name):
        return self.ask(session, 0, "object.close", name, [])

    def batch(self, calls):
        """As atomic."""
        host = self.host(calls[0][0][0])
        while True:
            ops = [harness.Op(verb, name, *params(verb, args), version=self.versions.get(name, ""),
                              session=session[1], wait=0) for session, verb, name, *args in calls]
            replies = host.batch(host.prefix("{t}"), ops, "atomic")
            asked = [(op, data) for op, data in zip(ops, replies) if data[:1] == b"?"]
            if not asked:
                return [self.reply(data) for data in replies]
            for op, data in asked:
                host.learn(op, data)

    def bare(self, host, verb, *args):
        """An op of the daemon's own."""
        host = self.host(host)
        return self.reply(host.batch(host.prefix("{t}"), [harness.Op(verb, "", *args)])[0])

    def cancel(self, host, wait):
        return self.bare(host, "wait.cancel", wait)

    def time_out(self, host, wait):
        return self.bare(host, "wait.timeout", wait)

    def end_session(self, session, reaper=None):
        """It ends; or its daemon is dead, and another one gives back for it."""
        if reaper is None:
            return self.bare(session[0], "session.end", session[1])
        return self.bare(reaper, "reap.session", self.host(session[0]).sid(session[1]), self.engine.now - 1)

    def delete(self, name):
        reply = self.ask((WATCHER, 0), 0, "object.delete", name, [])
        self.versions.pop(name, None)
        return reply

    def take_served(self, host):
        """What is new in the outbox of a host."""
        return [(wait, self.reply(reply)) for _, wait, reply, _ in self.host(host).fetch("{t}")]

    def take_events(self):
        """The events since the last time, but for those that all types have."""
        return [event for event in self.subscription.events() if event[1] != "deleted"]

    def describe(self, name):
        return self.ask((WATCHER, 0), 0, "object.describe", name, [b""])[1]

    def records(self):
        """What is noted for sessions: claims, as (session, object), and waits, as (host, wait)."""
        claims, waits = set(), set()
        for key in self.engine.redis.keys("ipcd:*:s:*"):
            host, _, number = key.decode().split(":s:")[1].partition("/1:")
            for field, value in self.engine.redis.hgetall(key).items():
                if field[:1] == b"c":
                    claims.add(((host, int(number)), value.decode()))
                elif field[:1] == b"w":
                    waits.add((host, int(field[1:])))
        return claims, waits
