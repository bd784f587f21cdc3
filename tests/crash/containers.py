"""containers: objects of one client's own, so that what is in them is known exactly.

Each has two states: `sure`, with all that has been answered, and `ahead`, with all that has been
called. As a client's calls are done in order, what is there after a crash must be `sure` and some
first part of what was not answered. A change is a function of a state that may be asked what the
daemon must answer.
"""
import copy

from wire import Refused

MOST = 60  # entries, about


class Holder:
    """What changes work on: the state, which is None if the object is not there."""

    def __init__(self, state):
        self.state = state


class Own:
    """What all have in common."""
    type = ""
    empty = None

    def __init__(self, client):
        self.name = f"{type(self).__name__.lower()}-{client}"
        self.sure = Holder(copy.deepcopy(self.empty))
        self.ahead = Holder(copy.deepcopy(self.empty))

    def choose(self, random):
        """(verb or whole method, the params behind the name, the change)."""
        raise NotImplementedError

    def method(self, verb):
        return verb if "." in verb else f"{self.type}.{verb}"

    def open(self, call):
        call(f"{self.type}.open", self.name, {"lifetime": "durable"})

    def read(self, call):
        """The state as the daemon has it."""
        raise NotImplementedError

    def after(self, changes):
        """The states after none of the changes, after the first, after the first two, …"""
        holder = Holder(copy.deepcopy(self.sure.state))
        yield holder.state
        for change in changes:
            change(holder)
            yield holder.state

    def found(self, state):
        """After a crash: this is what there is."""
        self.sure, self.ahead = Holder(state), Holder(copy.deepcopy(state))


def same(a, b):
    """Equal, and in the same order."""
    return a == b and (not isinstance(a, dict) or list(a) == list(b))


def put(state, key, value):
    new = key not in state
    state[key] = value
    return new


class Mapping(Own):
    """A dict, or a namespace, with the order of its keys."""
    empty = {}
    keys = ()

    def choose(self, random):
        key = random.choice(self.keys)
        value = random.choice([random.randrange(1 << 40), "x" * random.randrange(200)])
        state = self.ahead.state
        there = key in state
        verb = random.choice(["set", "set", "set", "incr", "delete", "pop", "popitem", "update",
                              "setdefault", "cas", "clear"])
        if (verb in ("delete", "pop") and not there or verb == "popitem" and not state or
                verb == "incr" and there and not isinstance(state[key], int) or
                verb == "clear" and random.randrange(20)):
            verb = "set"
        if verb == "incr":
            return verb, [key, 3], lambda own: incr(own.state, key)
        if verb == "delete":
            return verb, [key], lambda own: own.state.__delitem__(key)
        if verb == "pop":
            return verb, [key], lambda own: own.state.pop(key)
        if verb == "popitem":
            return verb, [], lambda own: list(own.state.popitem())
        if verb == "update":
            more = {random.choice(self.keys): value for _ in range(5)}
            return verb, [more], lambda own: sum(put(own.state, k, v) for k, v in more.items())
        if verb == "setdefault":
            return verb, [key, value], lambda own: own.state.setdefault(key, value)
        if verb == "clear":
            return verb, [], lambda own: own.state.clear()
        if verb == "cas":
            expected = [state[key]] if there else []
            return verb, [key, expected, [value]], lambda own: put(own.state, key, value) or True
        return "set", [key, value], lambda own: put(own.state, key, value)

    def read(self, call):
        return dict(call(f"{self.type}.items", self.name))


def incr(state, key):
    state[key] = state.get(key, 0) + 3
    return state[key]


class Dict(Mapping):
    type = "dict"
    keys = [f"k{i}" for i in range(MOST)] + list(range(MOST)) + [-1, 1 << 63, 2.5, b"bytes"]


class Namespace(Mapping):
    type = "namespace"
    keys = [f"k{i}" for i in range(MOST)]


class List(Own):
    """A list of numbers."""
    type = "list"
    empty = []

    def choose(self, random):
        value = random.randrange(1 << 50)
        length = len(self.ahead.state)
        verb = random.choice(["append", "append", "append", "insert", "front", "extend", "set",
                              "delete", "pop", "first", "incr", "reverse", "sort", "set_slice",
                              "delete_slice", "repeat", "clear"])
        if length > MOST:
            verb = random.choice(["pop", "first", "delete", "delete_slice"])
        elif length == 0 or verb in ("sort", "reverse", "repeat", "clear") and random.randrange(8):
            verb = "append"
        return self.of(verb, random.randrange(length) if length else 0, value)

    @staticmethod
    def of(verb, at, value):
        """The change of a verb at an index."""
        part = [value, 7]
        return {
            "append": ("append", [value], lambda own: own.state.append(value) or len(own.state)),
            "extend": ("extend", [part], lambda own: own.state.extend(part) or len(own.state)),
            "insert": ("insert", [at, value], lambda own: own.state.insert(at, value)),
            "front": ("insert", [0, value], lambda own: own.state.insert(0, value)),
            "set": ("set", [at, value], lambda own: own.state.__setitem__(at, value)),
            "delete": ("delete", [at], lambda own: own.state.__delitem__(at)),
            "pop": ("pop", [], lambda own: own.state.pop()),
            "first": ("pop", [0], lambda own: own.state.pop(0)),
            "incr": ("incr", [at, 5], lambda own: own.state.__setitem__(at, own.state[at] + 5) or
                     own.state[at]),
            "reverse": ("reverse", [], lambda own: own.state.reverse()),
            "sort": ("sort", [], lambda own: own.state.sort()),
            "repeat": ("repeat", [2], lambda own: own.state.extend(own.state)),
            "set_slice": ("set_slice", [at, at + 3, 1, part],
                          lambda own: own.state.__setitem__(slice(at, at + 3), part)),
            "delete_slice": ("delete_slice", [at, at + 4],
                             lambda own: own.state.__delitem__(slice(at, at + 4))),
            "clear": ("clear", [], lambda own: own.state.clear()),
        }[verb]

    def read(self, call):
        return call("list.slice", self.name)


ANY = object()  # an answer that is not looked at


class Passing(Own):
    """A dict that comes and goes as a whole."""
    type = "dict"

    def open(self, call):
        pass

    def choose(self, random):
        value = random.randrange(1 << 20)
        if self.ahead.state is None:
            options = {"lifetime": "durable", "exclusive": True, "initial": {"a": value}}
            return "open", [options], lambda own: setattr(own, "state", {"a": value}) or ANY
        if random.randrange(3):
            return "set", ["b", value], lambda own: put(own.state, "b", value)
        return "object.delete", [], lambda own: setattr(own, "state", None)

    def read(self, call):
        try:
            return dict(call("dict.items", self.name))
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            return None


KINDS = (Dict, Namespace, List, Passing)
