"""What tests of queues in an engine call."""
import msgpack
import pytest

from harness import EngineError, Op, Waiting, stored


def refused(host, verb, name, *args, **how):
    """The error of a call."""
    with pytest.raises(EngineError) as caught:
        host.call(verb, name, *args, **how)
    return caught.value


def put(host, name, *values):
    """Puts values."""
    for value in values:
        assert host.call("queue.put", name, stored(value), "") is None


def get(host, name, session=1):
    """A get that need not wait."""
    answer = host.call("queue.get", name, "0", session=session)
    assert not isinstance(answer, Waiting)
    return answer


def array(*values):
    """Values as an ARRAY."""
    return msgpack.packb([stored(value) for value in values])


def get_any(host, *names, timeout="", session=1):
    """queue.get_any of queues of one tag."""
    versions = msgpack.packb([host.versions[name] for name in names])
    op = Op("queue.get_any", names[0], msgpack.packb(names), timeout, version=versions,
            session=session, wait=0 if timeout == "0" else host.op("", "").wait)
    prefix = host.prefix(names[0])
    return host.decode(op, prefix, host.batch(prefix, [op])[0])


def atomic(host, *calls):
    """The replies of an atomic batch; all names have one tag."""
    ops = [host.op(*call) for call in calls]
    for op in ops:
        if op.verb == "queue.get_any":
            op.version = msgpack.packb([op.version])
    return host.batch(host.prefix(ops[0].name), ops, "atomic")
