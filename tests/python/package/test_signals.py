"""A signal whose handler raises ends a wait at once, and nothing is taken; others do not matter.

The program that waits is a child; the test sees at the daemon that it waits before it sends a signal.
"""
import signal

import pytest

import ipcd

WAITS = """
import signal, sys, threading
import ipcd
client = ipcd.connect(client="waits")
names = sys.argv[2:]
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
thread = None
{before}
try:
    print("ready", flush=True)
    result = {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("result", result, flush=True)
print(len(seen), flush=True)
{after}
sys.stdin.readline()
"""


def program(wait, before="", after=""):
    return WAITS.format(wait=wait, before=before, after=after)


def waits(client, name, count=1):
    return lambda: client.describe(name)["waiting"] >= count


CASES = {
    "queue": ("client.queue(names[0]).get()", lambda c, n: c.queue(n)),
    "timeout": ("client.queue(names[0]).get(timeout=1000)", lambda c, n: c.queue(n)),
    "put": ("client.queue(names[0]).put(2)", lambda c, n: c.queue(n, 1).put(1)),
    "event": ("client.event(names[0]).wait()", lambda c, n: c.event(n)),
    "semaphore": ("client.semaphore(names[0]).acquire()", lambda c, n: c.semaphore(n, 0)),
    "dict": ("client.dict(names[0]).wait('k')", lambda c, n: c.dict(n)),
    "join": ("client.queue(names[0]).join()", lambda c, n: c.joinable_queue(n).put(1)),
    "any": ("client.get_any([client.queue(names[0])])", lambda c, n: c.queue(n)),
}


@pytest.mark.parametrize("case", CASES)
def test_ctrl_c_ends_a_wait(client, name, start, until, case):
    wait, prepare = CASES[case]
    prepare(client, name)
    child = start(program(wait), "", name)
    assert child.line() == "ready"
    until(waits(client, name))
    child.interrupt()
    assert child.line() == "interrupted"
    assert client.describe(name)["waiting"] == 0


def test_an_item_after_ctrl_c_is_still_there(client, name, start, until):
    queue = client.queue(name)
    child = start(program("client.queue(names[0]).get()"), "", name)
    child.line()
    until(waits(client, name))
    child.interrupt()
    queue.put("x")
    last = child.line()
    assert last in ("interrupted", "result x")
    assert queue.qsize() == (1 if last == "interrupted" else 0)


RAISES = """
import ipcd
other = ipcd.connect()
def both(number, frame):
    {action}
    raise KeyboardInterrupt
signal.signal(signal.SIGUSR1, both)
"""


@pytest.mark.parametrize("wait, prepare, action, left", [
    ("client.queue(names[0]).get()", lambda c, n: c.queue(n),
     "other.queue(names[0]).put_many(['x', 'y', {1}])",
     lambda c, n: c.queue(n).get_many(9, False) == ["x", "y", {1}]),
    ("client.queue(names[0]).get_many(2)", lambda c, n: c.queue(n),
     "other.queue(names[0]).put_many(['x', 'y', 'z'])",
     lambda c, n: c.queue(n).get_many(9, False) == ["x", "y", "z"]),
    ("client.get_any([client.queue(names[0])])", lambda c, n: c.queue(n),
     "other.queue(names[0]).put('x')", lambda c, n: c.queue(n).get_many(9, False) == ["x"]),
    ("client.queue(names[0]).get()", lambda c, n: c.queue(n, order="priority"),
     "other.queue(names[0]).put('x', priority=5); other.queue(names[0]).put('y', priority=7)",
     lambda c, n: c.queue(n).get_many(9, False) == ["x", "y"]),
    ("client.queue(names[0]).take()", lambda c, n: c.joinable_queue(n),
     "other.queue(names[0]).put('x')",
     lambda c, n: [(t.value, t.deliveries) for t in c.queue(n).take_many(9, False)] == [("x", 1)]),
    ("client.lock(names[0]).acquire()", lambda c, n: c.lock(n, release_by="anyone").acquire(),
     "other.lock(names[0]).release()", lambda c, n: not c.lock(n).locked()),
    ("client.semaphore(names[0]).acquire(n=2)", lambda c, n: c.semaphore(n, 1),
     "other.semaphore(names[0]).release()", lambda c, n: c.semaphore(n).get_value() == 2),
])
def test_what_comes_together_with_the_signal_is_given_back(client, name, start, until, wait, prepare,
                                                          action, left):
    """The handler sees to it that the wait is over, and then raises."""
    kept = prepare(client, name)
    child = start(program(wait, RAISES.format(action=action)), "", name)
    assert child.line() == "ready"
    until(waits(client, name))
    child.process.send_signal(signal.SIGUSR1)
    assert child.line() == "interrupted"
    assert left(client, name)
    del kept


def test_a_condition_that_is_notified_together_with_the_signal_is_held(client, name, start, until):
    client.condition(name)
    child = start(program("condition.wait()", "condition = client.condition(names[0]); "
                          "condition.acquire(); condition.acquire()\n" + RAISES.format(
                              action="other.condition(names[0]).acquire(); "
                                     "other.condition(names[0]).notify(); "
                                     "other.condition(names[0]).release()"),
                          "condition.notify(); condition.release(); condition.notify(); "
                          "condition.release(); print('held', flush=True)"), "", name)
    child.line()
    until(lambda: client.describe(name)["sleepers"] == 1)
    child.process.send_signal(signal.SIGUSR1)
    assert child.line() == "interrupted"
    child.line()
    assert child.line() == "held"


def test_a_joinable_item_is_given_back_uncounted(client, name):
    queue = client.joinable_queue(name)
    queue.put("x")
    taken = client._connection.call(None, b"queue.get", name)
    queue._undo(b"queue.get", (), b"\x93\xa1x\x01\x01")
    assert taken == ["x", 1, 1]
    assert queue.take().deliveries == 1


@pytest.mark.parametrize("prepare, method, params, raw, check", [
    (lambda c, n: c.lock(n), "lock.acquire", (None, 7), b"\x80", lambda o: not o.locked()),
    (lambda c, n: c.semaphore(n, 5), "semaphore.acquire", (None, 3), b"\x02",
     lambda o: o.get_value() == 5),
    (lambda c, n: c.semaphore(n, 5), "semaphore.acquire", (), b"\x02",
     lambda o: o.get_value() == 5),
])
def test_what_came_too_late_is_given_back(client, name, prepare, method, params, raw, check):
    target = prepare(client, name)
    client._connection.call(None, method.encode(), name, *params)
    target._undo(method.encode(), params, raw)
    assert check(target)


def test_a_signal_that_does_not_raise_does_not_end_a_wait(client, name, start, until):
    queue = client.queue(name)
    child = start(program("client.queue(names[0]).get()"), "", name)
    child.line()
    until(waits(client, name))
    for _ in range(5):
        child.process.send_signal(signal.SIGUSR1)
    assert waits(client, name)()
    queue.put("x")
    assert child.line() == "result x"
    assert int(child.line()) >= 1


def test_a_handler_may_use_the_connection(client, name, start, until):
    queue = client.queue(name)
    child = start(program("client.queue(names[0]).get()",
                          "signal.signal(signal.SIGUSR1, lambda *_: client.queue(names[0]).put('y'))"),
                  "", name)
    child.line()
    until(waits(client, name))
    child.process.send_signal(signal.SIGUSR1)
    assert child.line() == "result y"
    assert queue.empty()


def test_other_threads_go_on_waiting(client, name, start, until):
    """Whichever of the two threads reads for both, Ctrl-C ends the main thread's wait alone."""
    for main_first in (True, False):
        one, two = client.queue(name + "1"), client.queue(name + "2")
        thread = "thread = threading.Thread(target=lambda: print('thread', " \
                 "client.queue(names[1]).get(), flush=True)); thread.start()"
        if main_first:
            child = start(program("client.queue(names[0]).get()",
                                  thread.replace("thread.start()", "threading.Timer(0.05, thread.start).start()")),
                          "", one.name, two.name)
        else:
            child = start(program("client.queue(names[0]).get()", thread + """
while client.describe(names[1])["waiting"] == 0: pass
"""), "", one.name, two.name)
        child.line()
        until(waits(client, one.name))
        until(waits(client, two.name))
        child.interrupt()
        assert child.line() == "interrupted"
        assert child.line() == "0"
        assert waits(client, two.name)()
        two.put("for the thread")
        assert child.line() == "thread for the thread"
        child.say("")
        assert child.end()[0] == 0


def test_a_condition_is_held_again_after_ctrl_c(client, name, start, until):
    client.condition(name)
    child = start(program("condition.wait()",
                          "condition = client.condition(names[0]); condition.acquire(); condition.acquire()",
                          "condition.notify(); condition.release(); condition.notify(); "
                          "condition.release(); print('held', flush=True)"), "", name)
    child.line()
    until(lambda: client.describe(name)["sleepers"] == 1)
    child.interrupt()
    assert child.line() == "interrupted"
    child.line()
    assert child.line() == "held"


def test_ctrl_c_ends_a_wait_for_a_lock_in_memory(client, name, start):
    value = client.value(name, "i")
    child = start(program("client.value(names[0]).get_lock().acquire()"), "", name)
    with value.get_lock():
        assert child.line() == "ready"
        child.interrupt()
        assert child.line() == "interrupted"
    assert value.get_lock().acquire(timeout=5)
    value.get_lock().release()


def test_ctrl_c_ends_a_wait_for_a_pipe_and_for_events(client, name, start, until):
    pipe = client.pipe(name)
    child = start(program("client.pipe(names[0]).connect().recv()"), "", name)
    child.line()
    until(lambda: "taken" in pipe.describe()["ends"])
    child.interrupt()
    assert child.line() == "interrupted"
    client.queue(name + "w")
    child = start(program("next(client.watch(names[0]))"), "", name + "w")
    child.line()
    child.interrupt()
    assert child.line() == "interrupted"
