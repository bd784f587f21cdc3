"""A stage for tests of lock, semaphore, condition, event and barrier: calls of sessions of two hosts,
random runs beside the model, and functions that are broken on purpose.

    def test_is_held(stage):
        stage.open(A, "lock", "l")
        assert stage.call(A, "lock.acquire", "l", None, None) == FIRST
        wait = stage.call(B, "lock.acquire", "l", None, None)      # it waits
        stage.call(A, "lock.release", "l", None)
        assert stage.answer(wait) == FIRST

Params of the methods that are not given are None; the last one of a lock's or condition's methods is
the owner. The names of objects are of one tag.
"""

import itertools
import os

import msgpack
import pytest

import harness
import sync_driver
import sync_engine

A, B, C, D = ("alpha", 1), ("beta", 2), ("alpha", 3), ("beta", 4)

WAITS = "it waits"

# More rounds of the random runs than the tests have need of.
ROUNDS = int(os.environ.get("IPCD_TEST_ROUNDS", "1"))


def named(name):
    """The name with the tag of all."""
    return "{t}" + name


class Stage:
    """An engine with two hosts whose sessions call."""

    def __init__(self, server, *more):
        self.engine = sync_engine.Engine(server, *more)
        self.waits = itertools.count(1)
        self.answers = {}

    def result(self, reply, wait):
        """What a reply is to a test: errors are raised."""
        kind, value = reply
        if kind == "!":
            raise harness.EngineError(value, self.engine.text)
        return wait if kind == "~" else value

    def call(self, session, verb, name, *args):
        """A call: its result; (host, number) of one that waits."""
        number = next(self.waits)
        reply = self.engine.run(session, number, verb, named(name), *args)
        return self.result(reply, (session[0], number))

    def refuses(self, code, session, verb, name, *args):
        """A call that is refused with that code: the sentence."""
        with pytest.raises(harness.EngineError) as error:
            self.call(session, verb, name, *args)
        assert error.value.code == code
        return error.value.text

    def open(self, session, type_name, name, **options):
        """TYPE.open: the description."""
        if options.get("lock"):
            options["lock"] = named(options["lock"])
        return self.result(self.engine.open(session, type_name, named(name), **options), None)

    def refuses_open(self, code, session, type_name, name, **options):
        """An open that is refused with that code: the sentence."""
        with pytest.raises(harness.EngineError) as error:
            self.open(session, type_name, name, **options)
        assert error.value.code == code
        return error.value.text

    def answer(self, wait):
        """What a call that waited has been answered, or WAITS; its error is raised."""
        for host in {host for host, _ in [wait, *self.answers]}:
            for number, reply in self.engine.take_served(host):
                self.answers[host, number] = reply
        return self.result(self.answers[wait], None) if wait in self.answers else WAITS

    def refused(self, wait):
        """The code with which a call that waited was refused."""
        with pytest.raises(harness.EngineError) as error:
            self.answer(wait)
        return error.value.code

    def time_out(self, wait):
        """Its time is over."""
        return self.result(self.engine.time_out(*wait), wait)

    def cancel(self, wait):
        """Its client asks no more."""
        return self.engine.cancel(*wait)

    def end(self, session, reaper=None):
        """The session ends; or another daemon gives back for its own, which is dead."""
        assert self.engine.end_session(session, reaper) == ("=", None)

    def delete(self, name):
        """Deletes an object."""
        self.engine.delete(named(name))

    def rename(self, name, new_name):
        """Renames an object."""
        self.engine.ask(A, 0, "object.rename", named(name), [named(new_name)])
        self.engine.versions.pop(named(name))

    def shows(self, name, **figures):
        """Asserts that the description has these figures."""
        description = self.engine.describe(named(name))
        assert {key: description[key] for key in figures} == figures

    def holds(self, name):
        """Who holds something of it: object.describe with claims."""
        return self.engine.ask(A, 0, "object.describe", named(name), [b"1"])[1]["holds"]

    def events(self):
        """The events since the last time: (name, event, details)."""
        return [(name.replace("{t}", ""), *rest) for name, *rest in self.engine.take_events()]


@pytest.fixture
def stage(server):
    """An empty engine."""
    made = Stage(server)
    yield made
    made.engine.close()


def run_model(server, make, seeds, count, sizes=(1, 1, 1, 2, 3, 0)):
    """Random runs of engine and model."""
    make = [(type_name, named(name), {key: named(value) if key == "lock" else value
                                      for key, value in options.items()})
            for type_name, name, options in make]
    for seed in seeds:
        engine = sync_engine.Engine(server)
        try:
            sync_driver.Driver(engine, seed, make, sizes).run(count)
        finally:
            engine.close()


def check_finds(server, monkeypatch, fault, make, sizes=(1, 1, 1, 2, 3, 0)):
    """Asserts that random runs find a fault: a piece of the functions, and what is to be there
    instead."""
    there, instead = fault
    name, text = harness.library()
    assert text.count(there) == 1, there
    monkeypatch.setattr(harness, "library", lambda *more: (name, text.replace(there, instead)))
    with pytest.raises((sync_driver.Differs, AssertionError, ValueError, msgpack.UnpackException)):
        run_model(server, make, range(60), 200, sizes)
