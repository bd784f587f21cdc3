"""Nothing is left over: no object, no descriptor, no memory, whatever becomes of a call."""
import gc
import os
import sys

import pytest

import ipcd
from ipcd import _core


class Unsendable:
    def __reduce__(self):
        raise RuntimeError


def fails(error, function, *arguments):
    try:
        function(*arguments)
    except error:
        return
    raise AssertionError("it has not failed")


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def blocks_after(work, rounds):
    for _ in range(rounds):
        work()
    gc.collect()
    return sys.getallocatedblocks()


def check(work, rounds=300):
    """Runs it often, until Python's memory is what it was before and the process has not grown,
    which what is left over in each round would not let it come to."""
    blocks, pages = [blocks_after(work, 50)], [resident()]
    for _ in range(5):
        blocks.append(blocks_after(work, rounds))
        pages.append(resident())
    assert min(b - a for a, b in zip(blocks, blocks[1:])) < rounds // 10, "objects are left over"
    assert min(b - a for a, b in zip(pages, pages[1:])) < rounds * 100, "memory is left over"


def works(client):
    queue, table, numbers = client.queue(), client.dict(), client.list()
    full = client.queue(maxsize=1)
    full.put(0)
    value, array = client.value(None, "i"), client.array(None, "d", 4)
    lock, large = client.lock(), {"k": [b"x" * 5000] * 4}

    def values():
        for one in (None, 5, 2**64, 2**70, 1.5, "é", "\ud800", b"x", [1, (2, {"a": {3}})], large,
                    {(1, 2): [3]}, {frozenset((1,)): 2}):
            queue.put(one)
            queue.get()

    def deep():
        inner = []
        for _ in range(40):
            inner = [inner, {}]
        queue.put(inner)
        queue.get()

    def unsendable():
        fails(TypeError, queue.put, Unsendable())
        fails(TypeError, queue.put, [1, "x" * 500, {"k": (Unsendable(),)}])
        fails(TypeError, table.__setitem__, ([],), 1)
        fails(TypeError, queue.put_many, [1, b"x" * 5000, Unsendable()])
        fails(TypeError, table.update, {"a": 1, "b": Unsendable()})

    def answers():
        fails(ipcd.Empty, queue.get_nowait)
        fails(ipcd.Full, full.put, b"x" * 5000, False)
        fails(KeyError, table.__getitem__, "missing")
        fails(IndexError, numbers.pop)
        fails(ipcd.UnknownMethod, client.call, "no.method", 1)
        fails(ipcd.BadRequest, client.call, "queue.get", 1, 2, 3, 4)

    def containers():
        table.update({i: [i] for i in range(30)})
        list(table.items())
        table.copy()
        table.popitem()
        table.clear()
        numbers.extend(range(50))
        list(numbers)
        repr(numbers)
        numbers.clear()

    def files():
        with open("/dev/null", "rb") as file:
            queue.put([file, {"f": (file,)}])
        one, other = queue.get()
        one.close()
        other["f"][0].close()

    def memory():
        value.add(1)
        value.set(0)
        fails(OverflowError, value.set, 2**40)
        fails(IndexError, array.__getitem__, 9)
        array[:] = [1, 2, 3, 4]
        with array.get_lock(), value.get_lock():
            array[:].append(array.add(0, 1))

    def opening():
        anonymous = client.queue()
        client.value(None, "i", 3).value
        client.array(None, "i", 3).view()[0]
        queue.put({"r": anonymous})
        queue.get()

    def batches():
        with client.atomic() as batch:
            batch(queue).put(large)
            batch(queue).get()
        try:
            with client.atomic() as batch:
                batch(queue).get()
        except ipcd.Empty:
            pass
        with lock:
            pass

    def pipes():
        here, there = client.pipe().ends()
        here.send(large)
        there.recv()
        fails(TypeError, here.send, Unsendable())
        here.close()
        fails(EOFError, there.recv)
        there.close()

    def started():
        for _ in range(10):
            queue._start(lambda result, error: None, False, _core.RESULT_VALUE, b"queue.qsize")
            queue._start(lambda result, error: None, False, _core.RESULT_VALUE, b"queue.get", 0)
            queue._post(b"queue.put", large)
            queue._post(b"queue.get", 0)
        client.ping()
        client._connection.posted()

    return (values, deep, unsendable, answers, containers, files, memory, opening, batches, pipes,
            started)


NAMES = ["values", "deep", "unsendable", "answers", "containers", "files", "memory", "opening",
         "batches", "pipes", "started"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_of(client, name):
    before = len(os.listdir("/proc/self/fd"))
    work = next(one for one in works(client) if one.__name__ == name)
    before = len(os.listdir("/proc/self/fd"))
    check(work)
    assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_is_left_of_connections():
    def connect():
        with ipcd.connect() as client:
            client.queue().put(1)
            with client.watch(client.queue()):
                pass
    before = len(os.listdir("/proc/self/fd"))
    check(connect, 50)
    assert len(os.listdir("/proc/self/fd")) == before


def test_wrong_use_of_the_extension_is_an_error_and_no_crash(client):
    connection, hooks = client._connection, client._hooks
    for wrong in (lambda: _core.Handle(1, b"x"), lambda: _core.Handle(connection, "x"),
                  lambda: _core.Handle.__new__(_core.Handle)._call(b"queue.get"),
                  lambda: _core.Handle.__new__(_core.Handle)._start(None, False, 0, b"x"),
                  lambda: _core.Handle.__new__(_core.Handle)._post(b"x"),
                  lambda: connection.call(), lambda: connection.call(None),
                  lambda: connection.call(None, "str"), lambda: connection.call(None, b"x", *range(20)),
                  lambda: connection.start(), lambda: connection.start(1, "x", b"queue.get"),
                  lambda: connection.cancel("x"), lambda: connection.process("x"),
                  lambda: _core.Connection(), lambda: _core.Connection((1,), None, b"", b"", 0, 0, 0),
                  lambda: _core.Connection(hooks, 5, b"", b"", 0, False, False),
                  lambda: _core.SharedValue(1, b"x"), lambda: _core.SharedArray(connection, b"none"),
                  lambda: _core.PipeEnd(hooks, -1, 0, 0), lambda: _core.PipeEnd(hooks, 0, 9, 0),
                  lambda: _core.pack((), 1), lambda: _core.elements(5),
                  lambda: client.queue().__init__(client, client.queue().describe())):
        with pytest.raises((TypeError, ValueError, OSError, ipcd.Error)):
            wrong()
