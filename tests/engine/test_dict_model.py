"""dict beside Python's own: random operations, each answer and the order compared."""
import random

import msgpack
import pytest

from containers import NOTHING, Dict, array, pairs
from harness import EngineError, Waiting, stored, stored_as

LEAST, MOST = -2**63, 2**64 - 1
KEYS = [0, 1, -1, MOST, LEAST, 1.5, -0.0, "", "a", "key" * 30, b"", b"a", None, True, (1, "a"), ()]
VALUES = [0, 1, 2, -7, MOST, LEAST, 0.5, "x", b"y", None, [1, [2]], {"k": 1}, "long" * 200]


def key_of(key):
    """A key as it is given to the functions."""
    return msgpack.packb(key)


class Model:
    """Does each operation to the dict and to Python's, and compares."""

    def __init__(self, host, dice):
        self.host, self.dice = host, dice
        self.real = Dict(host)
        self.keys = {}     # encoded key -> encoded value, in order
        self.waits = []    # (encoded key, Waiting)

    def key(self):
        return key_of(self.dice.choice(KEYS))

    def value(self):
        """The stored form and the bytes that come back."""
        encoded = msgpack.packb(self.dice.choice(VALUES))
        if encoded[0] < 0x80 and self.dice.random() < 0.5:
            raw = b"\xcd\x00" + encoded
            return stored_as(encoded, raw), raw
        return encoded, encoded

    def call(self, verb, *args):
        """The bytes of the result, or the code of the error."""
        op = self.host.op("dict." + verb, "d", *args)
        reply = self.host.run([op])[0]
        if reply.startswith(b"!"):
            return reply[1:].split(b" ")[0].decode()
        assert reply.startswith(b"="), reply
        return reply[1:]

    def canon(self, key):
        """The canonical form of a key's value, or None."""
        raw = self.keys.get(key)
        return raw and msgpack.packb(msgpack.unpackb(raw, strict_map_key=False))

    def step_set(self):
        key, (given, raw) = self.key(), self.value()
        assert self.call("set", key, given) == msgpack.packb(key not in self.keys)
        self.keys[key] = raw

    def step_get(self):
        key, (given, raw) = self.key(), self.value()
        assert self.call("get", key, NOTHING) == self.keys.get(key, "KEY")
        assert self.call("get", key, given) == self.keys.get(key, raw)
        assert self.call("contains", key) == msgpack.packb(key in self.keys)

    def step_setdefault(self):
        key, (given, raw) = self.key(), self.value()
        assert self.call("setdefault", key, given) == self.keys.setdefault(key, raw)

    def step_delete(self):
        key = self.key()
        expected = b"\xc0" if key in self.keys else "KEY"
        assert self.call("delete", key) == expected
        self.keys.pop(key, None)

    def step_pop(self):
        key, (given, raw) = self.key(), self.value()
        if self.dice.random() < 0.5:
            assert self.call("pop", key, NOTHING) == self.keys.pop(key, "KEY")
        else:
            assert self.call("pop", key, given) == self.keys.pop(key, raw)

    def step_popitem(self):
        expected = "KEY"
        if self.keys:
            key, raw = self.keys.popitem()
            expected = b"\x92" + key + raw
        assert self.call("popitem") == expected

    def step_update(self):
        chosen = {}
        for _ in range(self.dice.randrange(6)):
            chosen[self.key()] = self.value()
        flat = [part for key, (given, _) in chosen.items() for part in (key, given)]
        new = len([key for key in chosen if key not in self.keys])
        assert self.call("update", array(*flat)) == msgpack.packb(new)
        self.keys.update({key: raw for key, (_, raw) in chosen.items()})

    def step_incr(self):
        key = self.key()
        delta = self.dice.choice([1, -1, 2**63, LEAST, MOST, 0.25])
        initial = self.dice.choice([0, 5, MOST, LEAST, -0.5])
        now = self.keys.get(key, msgpack.packb(initial))
        number = msgpack.unpackb(now, strict_map_key=False)
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            expected = "TYPE"
        elif isinstance(number + delta, float):
            expected = msgpack.packb(number + delta)
        else:
            fits = LEAST <= number + delta <= MOST
            expected = msgpack.packb(number + delta) if fits else "RANGE"
        assert self.call("incr", key, stored(delta), stored(initial)) == expected
        if isinstance(expected, bytes):
            self.keys[key] = expected

    def step_cas(self):
        key, (given, raw) = self.key(), self.value()
        now = self.canon(key)
        wanted = now if self.dice.random() < 0.6 else msgpack.packb(self.dice.choice(VALUES))
        deletes = self.dice.random() < 0.4
        done = wanted == now
        found = self.call("cas", key, array(*[wanted] if wanted else []),
                          array(*[] if deletes else [given]))
        assert found == msgpack.packb(done)
        if done and deletes:
            self.keys.pop(key, None)
        elif done:
            self.keys[key] = raw

    def step_clear(self):
        if self.dice.random() < 0.1:
            assert self.call("clear") == b"\xc0"
            self.keys.clear()

    def step_wait(self):
        key = self.key()
        op = self.host.op("dict.wait", "d", key, NOTHING)
        reply = self.host.run([op])[0]
        if key in self.keys:
            assert reply == b"=" + self.keys[key]
        else:
            assert reply == b"~"
            self.waits.append((key, Waiting(self.host, self.host.prefix("d"), int(op.wait), None)))

    def check_waits(self):
        """Those whose key is there have been served with its value, and no others."""
        for key, wait in self.waits:
            assert self.host.is_served(wait) == (key in self.keys)
            if key in self.keys:
                assert self.host.results[wait.prefix, wait.number] == b"=" + self.keys[key]
        self.waits = [(key, wait) for key, wait in self.waits if key not in self.keys]

    def check_all(self):
        """Everything that shows the whole."""
        assert self.call("len") == msgpack.packb(len(self.keys))
        head = bytes([0xdc, 0, len(self.keys)]) if len(self.keys) > 15 else \
            bytes([0x90 + len(self.keys)])
        assert self.call("keys") == head + b"".join(self.keys)
        assert self.call("values") == head + b"".join(self.keys.values())
        items = b"".join(b"\x92" + key + raw for key, raw in self.keys.items())
        assert self.call("items") == head + items
        assert self.host.call("object.describe", "d", "0")["waiting"] == len(self.waits)


@pytest.mark.parametrize("seed", range(6))
def test_random_operations_do_what_they_do_to_a_dict_of_python(host, seed):
    dice = random.Random(seed)
    host.open("dict", "d", NOTHING)
    model = Model(host, dice)
    steps = [getattr(model, name) for name in dir(Model) if name.startswith("step_")]
    for number in range(400):
        dice.choice(steps)()
        model.check_waits()
        if number % 10 == 0:
            model.check_all()
    model.check_all()


@pytest.mark.parametrize("seed", range(4))
def test_a_scan_sees_each_key_that_stays_throughout_once(host, seed):
    dice = random.Random(seed)
    host.open("dict", "d", pairs({i: i for i in range(200)}))
    real = Dict(host)
    stay = set(dice.sample(range(200), 100))
    seen, cursor = [], 0
    while True:
        answer = real("scan", cursor, dice.randrange(1, 20))
        seen += [key for key, _ in answer["items"]]
        cursor = answer["cursor"]
        if cursor == 0:
            break
        for _ in range(dice.randrange(12)):
            key = dice.randrange(300)
            if key not in stay and dice.random() < 0.6:
                real("pop", stored(key), stored(None))
            else:
                real("set", stored(key), stored(-key))
        if dice.random() < 0.3 and (last := real("popitem"))[0] in stay:
            real("set", stored(last[0]), stored(0))
            stay.discard(last[0])
    assert sorted(key for key in seen if key in stay) == sorted(stay)


def test_the_model_refuses_what_is_not_so(host):
    host.open("dict", "d", NOTHING)
    model = Model(host, random.Random(0))
    model.keys[b"\x01"] = b"\x02"
    with pytest.raises(AssertionError):
        model.check_all()
    with pytest.raises(EngineError):
        model.real("get", b"\x01", NOTHING)
