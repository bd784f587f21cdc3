"""Random calls of three daemons on three boxes, beside a model in Python of what must happen."""
import random

import msgpack
import pytest

from harness import EngineError, Host, Waiting, stored

NAMES = ["{m}1", "{m}2", "{m}3"]
SIZE = 2


class Model:
    """Boxes, and those who wait on them in the order in which they came."""

    def __init__(self):
        self.values = {name: [] for name in NAMES}
        self.waits = []
        self.answers = {}

    def can(self, kind, name):
        """True if a call of that kind could go on now."""
        return len(self.values[name]) < SIZE if kind == "put" else bool(self.values[name])

    def is_behind(self, kind, names):
        """For each name, whether somebody of that kind waits there."""
        return {name: any(name in wait[2] and (wait[1] == "put") == (kind == "put")
                          for wait in self.waits) for name in names}

    def do(self, kind, name, value):
        """It goes on: what it answers."""
        if kind == "put":
            self.values[name].append(value)
            return None
        got = self.values[name].pop(0)
        return [name, got] if kind == "any" else got

    def call(self, key, kind, names, value):
        """A call that comes. Its answer; or "waits"."""
        behind = self.is_behind(kind, names)
        for name in names:
            if not behind[name] and self.can(kind, name):
                answer = self.do(kind, name, value)
                self.serve(name)
                return answer
        self.waits.append((key, kind, names, value))
        return "waits"

    def serve(self, name):
        """First come, first served: putters, then getters, until nobody can go on; then at the next
        box that has changed."""
        again = True
        while again:
            again = False
            for is_put in (True, False):
                while True:
                    first = next((wait for wait in self.waits if name in wait[2] and
                                  (wait[1] == "put") == is_put), None)
                    if first is None or not self.can(first[1], name):
                        break
                    self.waits.remove(first)
                    self.answers[first[0]] = self.do(first[1], name, first[3])
                    again = True

    def leave(self, key):
        """A wait ends without a result."""
        self.waits = [wait for wait in self.waits if wait[0] != key]


class Trial:
    """One run of random calls."""

    def __init__(self, engine, seed):
        self.random = random.Random(seed)
        self.engine = engine
        self.hosts = [Host(engine, name, 3) for name in "abc"]
        self.model = Model()
        self.open_waits = {}
        self.next_value = 0
        for host in self.hosts:
            for name in NAMES:
                host.open("sample", name, str(SIZE))

    def step(self):
        """A call, or the end of a wait."""
        choice = self.random.random()
        if choice < 0.1 and self.open_waits:
            self.give_up()
        else:
            self.call()
        self.check()

    def call(self):
        """A call of some daemon."""
        host = self.random.choice(self.hosts)
        kind = self.random.choice(["put", "put", "put", "get", "get", "any"])
        names = self.random.sample(NAMES, self.random.randint(1, 3)) if kind == "any" else [
            self.random.choice(NAMES)]
        self.next_value += 1
        args = {"put": (stored(self.next_value), "900"), "get": ("900",),
                "any": (msgpack.packb(names), "900")}[kind]
        verb = {"put": "sample.put", "get": "sample.get", "any": "sample.get_any"}[kind]
        op = host.op(verb, names[0], *args)
        if kind == "any":
            op.version = msgpack.packb([host.versions[name] for name in names])
        prefix = host.prefix(names[0])
        answer = host.decode(op, prefix, host.batch(prefix, [op])[0])
        key = (host.name, 1, op.wait)
        expected = self.model.call(key, kind, names, self.next_value)
        if expected == "waits":
            assert isinstance(answer, Waiting), (verb, answer)
            self.open_waits[key] = answer
        else:
            assert answer == expected, verb

    def give_up(self):
        """A wait is cancelled or its time over."""
        key = self.random.choice(list(self.open_waits))
        wait = self.open_waits.pop(key)
        if self.random.random() < 0.5:
            assert wait.host.cancel(wait)
        else:
            with pytest.raises(EngineError):
                wait.host.timeout(wait)
        self.model.leave(key)

    def check(self):
        """Those who should be served are, and nobody else."""
        for key in list(self.open_waits):
            wait = self.open_waits[key]
            assert wait.host.is_served(wait) == (key in self.model.answers), key
            if key in self.model.answers:
                assert wait.host.served(wait) == self.model.answers[key]
                del self.open_waits[key]
        if self.random.random() < 0.3:
            for host in self.hosts:
                host.acknowledge(NAMES[0])

    def end(self):
        """All sessions end: nothing of them is left."""
        for host in self.hosts:
            host.end_session(1, NAMES[0])
        for name in NAMES:
            description = self.hosts[0].call("object.describe", name, "")
            assert description["waiting"] == 0
            assert description["count"] == len(self.model.values[name])
        left = [key for key in self.engine.keys() if ":W" in key or ":wd" in key or ":s:" in key]
        assert left == []


@pytest.mark.parametrize("seed", range(8))
def test_random_calls_are_answered_as_the_model_says(engine, seed):
    trial = Trial(engine, seed)
    for _ in range(150):
        trial.step()
    trial.end()
