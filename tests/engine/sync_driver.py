"""Drives an engine and the model beside it at random, and compares them after each step.

An engine has the methods of the model (sync_model.Model): open, run, batch, cancel, time_out,
end_session, delete; take_served(host), take_events(), describe(name). What is compared: each reply;
what the calls that waited are answered, in their order; the events; how the objects are described.
"""

import random

from sync_model import INT64_MAX, Model

HOSTS = ("alpha", "beta", "gamma.example")
OWNERS = (None, None, None, 1, "x")
TIMEOUTS = (None, None, None, 0, 5, 70)


class Differs(AssertionError):
    """Engine and model disagree."""


class Driver:
    """One run. `make` says which objects there are: (type, name, options)…"""

    def __init__(self, engine, seed, make, sizes=(1, 1, 1, 2, 3, 0)):
        self.engine = engine
        self.model = Model()
        self.random = random.Random(seed)
        self.make = make
        self.sizes = sizes
        self.steps = []
        self.next_wait = 0
        self.next_session = 0
        self.gone = []  # waits that are over, to be cancelled all the same
        self.sessions = [self.new_session() for _ in range(5)]
        for type_name, name, options in make:
            self.open(type_name, name, options)

    def new_session(self):
        self.next_session += 1
        return (self.random.choice(HOSTS), self.next_session)

    def open(self, type_name, name, options):
        session = self.random.choice(self.sessions)
        self.same("open", self.engine.open(session, type_name, name, **options)[0], "=")
        self.model.open(session, type_name, name, **options)

    # Comparing.

    def fail(self, what, engine, model):
        tail = "\n".join("  %s" % (step,) for step in self.steps[-30:])
        raise Differs("%s: the engine has %r, the model %r, after\n%s" % (what, engine, model, tail))

    def same(self, what, engine, model):
        if engine != model:
            self.fail(what, engine, model)

    def compare(self, ordered=True):
        order = (lambda replies: replies) if ordered else (lambda replies: sorted(replies, key=repr))
        for host in HOSTS:
            served = self.model.served.pop(host, [])
            self.gone += [(host, wait) for wait, _ in served]
            self.same("answers to " + host, order(self.engine.take_served(host)), order(served))
        events, self.model.events = self.model.events, []
        self.same("events", order(self.engine.take_events()), order(events))
        if self.random.random() < 0.2:
            self.describe()

    def describe(self):
        for name, obj in self.model.objects.items():
            model = {**obj.describe(), "waiting": obj.waiting()}
            engine = self.engine.describe(name)
            self.same("object " + name, {key: engine[key] for key in model}, model)
        claims = {(session, name) for name, obj in self.model.objects.items()
                  for session in self.sessions if obj.holds(session)}
        self.same("claims and waits", self.engine.records(), (claims, set(self.model.calls)))

    # Steps.

    def choose_call(self, make=None):
        type_name, name, _ = self.random.choice(make or self.make)
        choose = self.random.choice
        owner = choose(OWNERS)
        timeout = choose(TIMEOUTS)
        n = choose(self.sizes)
        calls = {
            "lock": [("acquire", timeout, owner)] * 6 + [("release", owner)] * 6 + [("break",), ("locked",)],
            "semaphore": [("acquire", timeout, n)] * 6 + [("release", n)] * 6 + [("value",)],
            "event": [("wait", timeout)] * 6 + [("set",), ("clear",), ("clear",), ("is_set",)],
            "barrier": [("wait", timeout)] * 9 + [("reset",), ("reset",), ("abort",), ("state",)],
            "condition": [("acquire", timeout, owner)] * 6 + [("release", owner)] * 4
            + [("wait", timeout, owner)] * 8 + [("notify", n, owner)] * 4 + [("notify_all", owner)],
        }[type_name]
        verb, *args = choose(calls)
        return (self.likely_session(name, args), type_name + "." + verb, name, *args)

    def likely_session(self, name, args):
        """Mostly a session that can do it: who holds what a mutex guards; `args` gets its owner."""
        mutex = getattr(self.model.objects.get(name), "mutex", None)
        if mutex is not None and mutex.depth and mutex.holder[0] in self.sessions and self.random.random() < 0.7:
            if args:
                args[-1] = mutex.holder[1]
            return mutex.holder[0]
        return self.random.choice(self.sessions)

    def step_call(self):
        session, verb, name, *args = self.choose_call()
        self.next_wait += 1
        wait = self.next_wait if self.random.random() < 0.9 else 0
        self.steps.append((session, wait, verb, name, *args))
        self.same(verb, self.engine.run(session, wait, verb, name, *args),
                  self.model.run(session, wait, verb, name, *args))
        self.compare()

    def step_batch(self):
        make = [self.random.choice(self.make)] if self.random.random() < 0.7 else None
        calls = [self.choose_call(make) for _ in range(self.random.randint(1, 6))]
        session = calls[0][0]
        calls = [(session, *call[1:]) for call in calls]
        self.steps.append(("batch", calls))
        self.same("batch", self.engine.batch(calls), self.model.batch(calls))
        self.compare()

    def choose_wait(self):
        waits = list(self.model.calls)
        if self.gone and (not waits or self.random.random() < 0.1):
            return self.random.choice(self.gone)
        moved = [wait for wait in waits if self.is_notified(self.model.calls[wait])]
        if moved and self.random.random() < 0.5:
            return self.random.choice(moved)
        return self.random.choice(waits) if waits else None

    @staticmethod
    def is_notified(call):
        """It sleeps no longer and has not got its lock: rare, and where most can go wrong."""
        return bool(call.obj.type == "condition" and call.progress and call.progress[0] == "notified")

    def step_cancel(self):
        wait = self.choose_wait()
        if wait:
            self.steps.append(("cancel", wait))
            self.gone.append(wait)
            self.same("cancel", self.engine.cancel(*wait), self.model.cancel(*wait))
            self.compare()

    def step_time_out(self):
        wait = self.choose_wait()
        call = self.model.calls.get(wait)
        if wait and (call is None or call.timeout is not None):
            self.steps.append(("time out", wait))
            self.same("timeout", self.engine.time_out(*wait), self.model.time_out(*wait))
            self.compare()

    def step_end(self):
        session = self.random.choice(self.sessions)
        if self.random.random() < 0.5:  # the one that has most to leave
            waiting = [call.session for call in self.model.calls.values()]
            waiting += 5 * [call.session for call in self.model.calls.values() if self.is_notified(call)]
            session = max(self.sessions, key=waiting.count)
        reaper = self.random.choice((None, None, *HOSTS))
        self.steps.append(("end", session, reaper))
        self.sessions.remove(session)
        self.sessions.append(self.new_session())
        self.same("end", self.engine.end_session(session, reaper), ("=", None))
        self.model.end_session(session)
        self.compare()

    def step_delete(self):
        type_name, name, options = self.random.choice(self.make)
        self.steps.append(("delete", name))
        self.same("delete", self.engine.delete(name), self.model.delete(name))
        self.compare(ordered=False)
        lock = options.get("lock")
        if lock is None or lock in self.model.objects:
            self.steps.append(("open", type_name, name))
            self.open(type_name, name, options)
            self.compare()

    def step_open(self):
        """Opens an object that is there, or closes it."""
        type_name, name, _ = self.random.choice(self.make)
        session = self.random.choice(self.sessions)
        if name in self.model.objects and self.random.random() < 0.7:
            self.steps.append(("open", session, type_name, name))
            self.same("open", self.engine.open(session, type_name, name)[0], "=")
            self.model.open(session, type_name, name)
        else:
            self.steps.append(("close", session, name))
            self.engine.close_object(session, name)
            self.model.close(session, name)
        self.compare()

    def step_time(self):
        self.model.now += self.random.choice((1, 3, 1000))
        self.engine.set_time(self.model.now)

    def run(self, count):
        steps = ([self.step_call] * 40 + [self.step_batch] * 3 + [self.step_cancel] * 4 + [self.step_time_out] * 5
                 + [self.step_end] * 3 + [self.step_time] * 2 + [self.step_open] * 3 + [self.step_delete])
        for _ in range(count):
            self.random.choice(steps)()
        self.describe()


EXTREMES = (1, 2, 0, 2**53, 2**53 + 1, 2**62, INT64_MAX - 1, INT64_MAX)
