"""containers: dicts and lists of a host, called by the names of their methods."""
import msgpack
import pytest

from harness import EngineError, stored

NOTHING = ""  # a param that is not given


def array(*parts):
    """Byte strings as the functions are given them."""
    return msgpack.packb(parts, use_bin_type=False)


def values(*some):
    """An array as the functions are given it."""
    return array(*map(stored, some))


def pairs(mapping):
    """A map as the functions are given it."""
    return array(*(part for item in mapping.items() for part in map(stored, item)))


def some(*values):
    """[value] or [], as dict.cas is given it."""
    return array(*map(stored, values))


class Container:
    """An object of a host."""

    def __init__(self, host, name, kind):
        self.host, self.name, self.kind = host, name, kind

    def __call__(self, verb, *args):
        return self.host.call(self.kind + "." + verb, self.name, *args)

    def refusal(self, verb, *args):
        """The code and the sentence of a call that is refused."""
        with pytest.raises(EngineError) as error:
            self(verb, *args)
        return error.value.code, error.value.text


class Dict(Container):
    """A dict, or a namespace."""

    def __init__(self, host, name="d", kind="dict"):
        super().__init__(host, name, kind)

    def items(self):
        """All pairs."""
        return [tuple(item) for item in self("items")]


class List(Container):
    """A list."""

    def __init__(self, host, name="l"):
        super().__init__(host, name, "list")

    def all(self):
        """All values."""
        return self("slice", NOTHING, NOTHING, NOTHING)


def commands(engine, run):
    """The commands that a call made, by name, without the function's own."""
    engine.redis.config_resetstat()
    run()
    stats = engine.redis.info("commandstats")
    names = {name.split("_", 1)[1]: figures["calls"] for name, figures in stats.items()}
    return {name: calls for name, calls in names.items()
            if name not in ("fcall", "info", "config|resetstat", "time")}
