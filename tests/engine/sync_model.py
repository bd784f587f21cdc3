"""Models of lock, semaphore, condition, event and barrier, and of those who wait on them.

They are written after daemon/objects/ and daemon/call/waiting.c, not after the functions that they
are compared with: one object is a Python object, who waits stands in plain lists, and waking is
running the handler again. A reply is a tuple: ("=", result), ("!", code) or ("~", ms or None); a
session is named (host, number). What the model tells to those who were waiting is appended to
`served` of its host, and events to `events`, in their order.
"""

WAIT = object()
INT64_MAX = 2**63 - 1


class Refused(Exception):
    """An operation answers an error code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Call:
    """A call that is run, perhaps once more after it has waited."""

    def __init__(self, session, wait, verb, obj, args):
        self.session = session
        self.wait = wait
        self.verb = verb
        self.obj = obj
        self.args = args
        self.place = None
        self.timeout = None
        self.progress = None
        self.waited = False
        self.timed_out = False


class Mutex:
    """daemon/objects/mutex.c"""

    def __init__(self, obj, recursive, keep, anyone):
        self.obj = obj
        self.recursive = recursive
        self.keep = keep
        self.anyone = anyone
        self.depth = 0
        self.holder = None
        self.since = None
        self.claimed = False
        self.abandoned = False

    def tell(self, event, **more):
        self.obj.tell(event, session=shown(self.holder[0]), depth=self.depth, **more)

    def take(self, call, owner, depth):
        if self.depth == 0:
            self.holder = (call.session, owner)
            self.claimed = True
            self.since = self.obj.model.now
        self.depth = depth
        self.tell("acquire")

    def release(self, levels, abandoned=False):
        self.depth -= levels
        self.tell("release", abandoned=abandoned)
        if self.depth == 0:
            self.claimed = False
            self.obj.changed()

    def break_(self):
        self.abandoned = True
        self.release(self.depth, True)

    def held_by(self, session, owner):
        return self.depth > 0 and self.holder == (session, owner)

    def holds(self, session):
        return self.depth > 0 and self.claimed and self.holder[0] == session

    def abandon(self, session):
        if self.keep:
            self.claimed = False
        else:
            self.break_()

    def describe(self):
        holder = None
        if self.depth:
            holder = {"session": shown(self.holder[0]), "owner": self.holder[1]}
        return {"depth": self.depth, "holder": holder}

    # The methods.

    def acquire(self, call, timeout=None, owner=None):
        model = self.obj.model
        own = self.held_by(call.session, owner)
        is_open = self.depth == 0 or (self.recursive and own)
        if not is_open or (not own and model.is_behind(call, self.obj, "mutex")):
            return model.wait(call, self.obj, "mutex", timeout, "TIMEOUT")
        result = {"depth": self.depth + 1, "abandoned": self.abandoned}
        self.take(call, owner, self.depth + 1)
        self.abandoned = False
        return result

    def answer_release(self, call, owner=None):
        if not (self.depth > 0 if self.anyone else self.held_by(call.session, owner)):
            raise Refused("NOT_OWNER")
        self.release(1)
        return self.depth

    def answer_break(self, call):
        if self.depth == 0:
            return None
        result = {"session": shown(self.holder[0]), "owner": self.holder[1], "depth": self.depth}
        self.break_()
        return result


class Object:
    """What all types have."""

    channels = ()

    def __init__(self, model, name):
        self.model = model
        self.name = name
        self.waits = {channel: [] for channel in self.channels}
        self.deleted = False

    def tell(self, event, **detail):
        if not self.deleted:
            self.model.events.append((self.name, event, detail))

    def changed(self):
        if self not in self.model.ready and not self.deleted:
            self.model.ready.append(self)

    def waiting(self):
        return sum(len(waits) for waits in self.waits.values())

    def wait_ended(self, call):
        pass

    def holds(self, session):
        return False

    def abandon(self, session):
        pass

    def opened(self, session):
        pass

    def closed(self, session):
        pass

    def dependents(self):
        return []

    def elsewhere(self):
        return None

    def clear(self):
        pass


class Lock(Object):
    type = "lock"
    channels = ("mutex",)

    def __init__(self, model, name, recursive=False, on_disconnect="release", release_by="owner"):
        super().__init__(model, name)
        self.mutex = Mutex(self, recursive, on_disconnect == "keep", release_by == "anyone")
        self.conditions = []

    def holds(self, session):
        return self.mutex.holds(session)

    def abandon(self, session):
        self.mutex.abandon(session)

    def dependents(self):
        return self.conditions

    def describe(self):
        return {**self.mutex.describe(), "abandoned": self.mutex.abandoned}

    def acquire(self, call, *args):
        return self.mutex.acquire(call, *args)

    def release(self, call, *args):
        return self.mutex.answer_release(call, *args)

    def break_(self, call):
        return self.mutex.answer_break(call)

    def locked(self, call):
        return self.mutex.depth > 0


class Condition(Object):
    type = "condition"
    channels = ("mutex", "sleepers")

    def __init__(self, model, name, lock=None):
        super().__init__(model, name)
        self.own = Mutex(self, True, False, False)
        self.lock = lock
        self.mutex = self.own
        self.sleepers = 0
        self.notified = 0
        self.orphaned = False
        if lock:
            self.mutex = lock.mutex
            lock.conditions.append(self)

    def clear(self):
        if self.lock and not self.orphaned:
            self.lock.conditions.remove(self)

    def holds(self, session):
        return self.own.holds(session)

    def abandon(self, session):
        self.own.abandon(session)

    def elsewhere(self):
        return self.lock

    def describe(self):
        lock = self.lock.name if self.lock else None
        return {**self.mutex.describe(), "lock": lock, "sleepers": self.sleepers}

    def wait_ended(self, call):
        state = call.progress and call.progress[0]
        if state == "asleep":
            self.expire()
        elif state == "notified":
            self.wake(1)

    def expire(self):
        self.sleepers -= 1
        self.notified = min(self.notified, self.sleepers)

    def wake(self, n):
        woken = min(n, self.sleepers - self.notified)
        self.notified += woken
        if woken:
            self.tell("notify", woken=woken)
            self.changed()
        return woken

    def find(self):
        if self.orphaned:
            raise Refused("NOT_FOUND")
        return self.mutex

    def find_held(self, call, owner):
        mutex = self.find()
        if not mutex.held_by(call.session, owner):
            raise Refused("NOT_OWNER")
        return mutex

    def acquire(self, call, *args):
        return self.find().acquire(call, *args)

    def release(self, call, *args):
        return self.find().answer_release(call, *args)

    def wait(self, call, timeout=None, owner=None):
        if not call.waited:
            mutex = self.find_held(call, owner)
            try:
                waits = self.model.wait(call, self, "sleepers", timeout, "TIMEOUT")
            except Refused:
                return False
            call.progress = ("asleep", mutex.depth)
            self.sleepers += 1
            self.tell("wait", sleepers=self.sleepers)
            mutex.release(mutex.depth)
            return waits
        state, depth = call.progress
        if state == "asleep":
            if self.notified:
                self.notified -= 1
                self.sleepers -= 1
                call.progress = ("notified", depth)
            elif call.timed_out:
                self.expire()
                call.progress = ("expired", depth)
            else:
                return WAIT
            return self.model.move(call, self.mutex.obj, "mutex")
        if self.mutex.depth:
            return WAIT
        self.mutex.take(call, owner, depth)
        return state == "notified"

    def notify(self, call, n=1, owner=None):
        self.find_held(call, owner)
        return self.wake(n)

    def notify_all(self, call, owner=None):
        self.find_held(call, owner)
        return self.wake(INT64_MAX)


class Semaphore(Object):
    type = "semaphore"
    channels = ("permits",)

    def __init__(self, model, name, value=1, bounded=False, on_disconnect=None):
        super().__init__(model, name)
        self.initial = value
        self.value = value
        self.bounded = bounded
        self.keep = (on_disconnect or ("release" if bounded else "keep")) == "keep"
        self.held = {}  # in the order in which they came to hold some or to have it open
        self.opens = set()

    def holds(self, session):
        return self.held.get(session, 0) > 0

    def opened(self, session):
        self.opens.add(session)
        self.held.setdefault(session, 0)

    def closed(self, session):
        self.opens.discard(session)
        self.drop(session, 0)

    def abandon(self, session):
        n = self.held[session]
        self.drop(session, n)
        if not self.keep:
            self.value += n
            self.tell("release", value=self.value, count=n, abandoned=True)
            self.changed()

    def describe(self):
        return {"value": self.value, "initial": self.initial, "held": sum(self.held.values())}

    def drop(self, session, n):
        self.held[session] = self.held.get(session, 0) - n
        if self.held[session] == 0 and session not in self.opens:
            del self.held[session]

    def acquire(self, call, timeout=None, n=1):
        if n == 0 or (self.bounded and n > self.initial):
            raise Refused("VALUE")
        if n > self.value or self.model.is_behind(call, self, "permits"):
            return self.model.wait(call, self, "permits", timeout, "TIMEOUT")
        self.value -= n
        self.held[call.session] = self.held.get(call.session, 0) + n
        self.tell("acquire", value=self.value, count=n)
        return self.value

    def release(self, call, n=1):
        if n == 0:
            raise Refused("VALUE")
        own = min(n, self.held.get(call.session, 0))
        if self.bounded and self.value + n > self.initial:
            raise Refused("VALUE")
        if not self.bounded and self.value + sum(self.held.values()) + n - own > INT64_MAX:
            raise Refused("RANGE")
        if own:
            self.drop(call.session, own)
        self.value += n
        self.tell("release", value=self.value, count=n, abandoned=False)
        self.changed()
        while self.bounded and self.value + sum(self.held.values()) > self.initial:
            excess = self.value + sum(self.held.values()) - self.initial
            first = next(session for session in self.held if self.holds(session))
            self.drop(first, min(excess, self.held[first]))
        return self.value

    def get_value(self, call):
        return self.value


class Event(Object):
    type = "event"
    channels = ("waiters",)

    def __init__(self, model, name):
        super().__init__(model, name)
        self.flag = False
        self.sets = 0

    def describe(self):
        return {"set": self.flag}

    def set(self, call):
        if not self.flag:
            self.flag = True
            self.sets += 1
            self.tell("set")
            self.changed()

    def clear_flag(self, call):
        if self.flag:
            self.flag = False
            self.tell("clear")

    def is_set(self, call):
        return self.flag

    def wait(self, call, timeout=None):
        if not call.waited:
            call.progress = self.sets
        if self.flag or self.sets != call.progress:
            return True
        try:
            return self.model.wait(call, self, "waiters", timeout, "TIMEOUT")
        except Refused:
            return False


class Barrier(Object):
    type = "barrier"
    channels = ("parties",)

    def __init__(self, model, name, parties=None, timeout=None):
        super().__init__(model, name)
        self.parties = parties
        self.timeout = timeout
        self.arrived = 0
        self.generation = 1
        self.failed = 0
        self.broken = False

    def describe(self):
        return {"parties": self.parties, "broken": self.broken, "timeout": self.timeout}

    def wait_ended(self, call):
        if call.progress and call.progress[0] == self.generation:
            self.fail(True)

    def fail(self, broken):
        waiting = self.arrived
        changed = waiting > 0 or broken != self.broken
        if waiting:
            self.failed = self.generation
            self.generation += 1
            self.arrived = 0
        self.broken = broken
        if changed:
            self.tell("break" if broken else "reset", waiting=waiting)
            self.changed()

    def wait(self, call, timeout=None):
        if call.waited:
            generation, index = call.progress
            if generation == self.failed:
                raise Refused("BROKEN")
            if generation != self.generation:
                return index
            if call.timed_out:
                raise Refused("BROKEN")
            return WAIT
        if self.broken:
            raise Refused("BROKEN")
        if self.arrived + 1 == self.parties:
            index = self.arrived
            self.generation += 1
            self.arrived = 0
            self.tell("pass", parties=self.parties)
            self.changed()
            return index
        try:
            waits = self.model.wait(call, self, "parties", self.timeout if timeout is None else timeout, "BROKEN")
        except Refused:
            self.fail(True)
            raise
        call.progress = (self.generation, self.arrived)
        self.arrived += 1
        self.tell("wait", waiting=self.arrived)
        return waits

    def reset(self, call):
        self.fail(False)

    def abort(self, call):
        self.fail(True)

    def state(self, call):
        return {"parties": self.parties, "waiting": self.arrived, "broken": self.broken}


TYPES = {kind.type: kind for kind in (Lock, Condition, Semaphore, Event, Barrier)}

# Where the model's method is called otherwise than the protocol's.
NAMES = {"lock.break": "break_", "semaphore.value": "get_value", "event.clear": "clear_flag"}


def shown(session):
    """A session as people see it."""
    return "%s:%d" % session


class Model:
    """All objects, and all who wait."""

    def __init__(self):
        self.now = 0
        self.objects = {}
        self.ready = []
        self.calls = {}  # (host, wait): those that wait, in the order in which they came
        self.served = {}  # host: [(wait, reply)]
        self.events = []
        self.in_batch = False

    # What a handler does.

    def is_behind(self, call, obj, channel):
        return not call.waited and bool(obj.waits[channel])

    def wait(self, call, obj, channel, timeout, code):
        if call.waited and not call.timed_out:
            return WAIT
        if call.timed_out or timeout == 0 or call.wait == 0 or self.in_batch:
            raise Refused(code)
        call.timeout = timeout
        self.enter(call, obj, channel)
        self.calls[call.session[0], call.wait] = call
        return WAIT

    def enter(self, call, obj, channel):
        call.place = (obj, channel)
        obj.waits[channel].append(call)

    def leave(self, call):
        obj, channel = call.place
        obj.waits[channel].remove(call)
        del self.calls[call.session[0], call.wait]

    def move(self, call, obj, channel):
        old, old_channel = call.place
        old.waits[old_channel].remove(call)
        self.enter(call, obj, channel)
        call.timeout = None
        call.timed_out = False
        obj.changed()
        return WAIT

    # What the runner does.

    def attempt(self, call):
        method = getattr(call.obj, NAMES.get(call.verb, call.verb.split(".")[1]))
        try:
            result = method(call, *call.args)
        except Refused as refused:
            return ("!", refused.code)
        return ("~", call.timeout) if result is WAIT else ("=", result)

    def tell(self, call, reply):
        self.served.setdefault(call.session[0], []).append((call.wait, reply))

    def retry(self, call):
        """True if it has left the place at which it stood."""
        place = call.place
        call.waited = True
        reply = self.attempt(call)
        if reply[0] == "~":
            return call.place != place
        if reply[0] == "!":
            call.obj.wait_ended(call)
        self.leave(call)
        self.tell(call, reply)
        return True

    def serve(self):
        while self.ready:
            obj = self.ready.pop(0)
            served = True
            while served:
                served = False
                for waits in obj.waits.values():
                    while waits and self.retry(waits[0]):
                        served = True

    # What is asked of it.

    def open(self, session, type_name, name, **options):
        if name not in self.objects:
            self.make(type_name, name, **options)
        self.objects[name].opened(session)

    def close(self, session, name):
        if name in self.objects:
            self.objects[name].closed(session)

    def make(self, type_name, name, **options):
        lock = options.pop("lock", None)
        if lock:
            options["lock"] = self.objects[lock]
        self.objects[name] = TYPES[type_name](self, name, **options)

    def run(self, session, wait, verb, name, *args):
        obj = self.objects.get(name)
        if obj is None:
            return ("!", "NOT_FOUND")
        reply = self.attempt(Call(session, wait, verb, obj, args))
        if not self.in_batch:
            self.serve()
        return reply

    def batch(self, calls):
        """As atomic: [(session, verb, name, arg…)…]; stops at the first error."""
        replies = []
        self.in_batch = True
        for session, verb, name, *args in calls:
            replies.append(self.run(session, 0, verb, name, *args))
            if replies[-1][0] == "!":
                break
        self.in_batch = False
        self.serve()
        return replies

    def drop(self, call):
        call.place[0].changed()
        call.obj.wait_ended(call)
        self.leave(call)

    def cancel(self, host, wait):
        call = self.calls.get((host, wait))
        if call is None:
            return ("!", "NOT_FOUND")
        self.drop(call)
        self.serve()
        return ("=", None)

    def time_out(self, host, wait):
        call = self.calls.get((host, wait))
        if call is None:
            return ("!", "NOT_FOUND")
        call.place[0].changed()
        call.waited = call.timed_out = True
        reply = self.attempt(call)
        if reply[0] != "~":
            if reply[0] == "!":
                call.obj.wait_ended(call)
            self.leave(call)
        self.serve()
        return reply

    def end_session(self, session):
        for call in [call for call in self.calls.values() if call.session == session]:
            if self.calls.get((session[0], call.wait)) is call:
                self.drop(call)
        for obj in self.objects.values():
            if obj.holds(session):
                obj.abandon(session)
        self.serve()
        for obj in self.objects.values():
            obj.closed(session)

    def end_waits(self, obj, of=None):
        for waits in obj.waits.values():
            for call in [call for call in waits if of is None or call.obj is of]:
                call.place[0].changed()
                if not call.obj.deleted:
                    call.obj.wait_ended(call)
                self.leave(call)
                self.tell(call, ("!", "DELETED"))

    def delete(self, name):
        obj = self.objects.pop(name, None)
        if obj is None:
            return ("!", "NOT_FOUND")
        obj.deleted = True
        if obj in self.ready:
            self.ready.remove(obj)
        dependents = obj.dependents()
        while dependents:
            other = dependents.pop(0)
            other.orphaned = True
            self.end_waits(other)
        self.end_waits(obj)
        if obj.elsewhere():
            self.end_waits(obj.elsewhere(), obj)
        if obj.type in ("lock", "condition"):  # nobody is told, and nobody holds it
            mutex = obj.mutex if obj.type == "lock" else obj.own
            mutex.depth = 0
        obj.clear()
        self.serve()
        return ("=", None)
