"""Threads share a connection; a fork has one of its own; a daemon that goes is noticed by all."""
import os
import pickle
import signal
import subprocess
import sys
import threading

import pytest

import ipcd


def run_threads(count, target):
    threads = [threading.Thread(target=target, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def join_all(threads):
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_threads_wait_at_once_on_one_session(client, until):
    queues = [client.queue() for _ in range(20)]
    got = {}
    threads = run_threads(20, lambda i: got.__setitem__(i, queues[i].get()))
    until(lambda: all(queue.describe()["waiting"] == 1 for queue in queues))
    assert client.describe_session()["waiting"] == 20
    for i in reversed(range(20)):
        queues[i].put(i)
        until(lambda: i in got)
    join_all(threads)
    assert got == {i: i for i in range(20)}


def test_a_lock_tells_threads_apart(client):
    lock, counter = client.lock(), [0]

    def count(_):
        for _ in range(100):
            with lock:
                before = counter[0]
                client.ping()
                counter[0] = before + 1
    join_all(run_threads(8, count))
    assert counter == [800]
    lock.acquire()
    errors = []

    def release(_):
        with pytest.raises(RuntimeError):
            lock.release()
        errors.append(1)
    join_all(run_threads(1, release))
    assert errors == [1]
    lock.release()


def test_closing_ends_the_waits_of_other_threads(until, other):
    client = ipcd.connect()
    queue = client.queue("closing" + str(os.getpid()))
    ended = []

    def wait(_):
        with pytest.raises(ConnectionError):
            queue.get()
        ended.append(1)
    threads = run_threads(5, wait)
    until(lambda: other.describe(queue.name)["waiting"] == 5)
    client.close()
    join_all(threads)
    assert ended == [1] * 5
    with pytest.raises(ConnectionError):
        queue.put(1)
    client.close()
    assert other.describe(queue.name)["waiting"] == 0


def test_a_fork_has_a_session_of_its_own(client, other):
    queue, value = client.queue(), client.value(None, "i")
    named = client.queue("forked" + str(os.getpid()))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            queue.put((os.getpid(), client.session))
            value.add(5)
            named.put({1})
            status = named.get() != {1}
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    pid, session = queue.get()
    assert pid == child and session != client.session
    assert value.value == 5


def test_a_fork_from_a_thread_while_others_wait(client, until):
    waiting, results = client.queue(), client.queue()
    threads = run_threads(4, lambda i: waiting.get())
    until(lambda: waiting.describe()["waiting"] == 4)

    def fork(_):
        child = os.fork()
        if child == 0:
            try:
                results.put(client.ping("child"))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    join_all(run_threads(3, fork))
    assert results.get_many(3) and results.put("x") is None
    waiting.put_many(range(4))
    join_all(threads)


def test_what_the_parent_has_open_stays_open_for_the_child(other, start):
    """The parent ends; the anonymous queue is the child's then."""
    parent = start("""
import os, sys, ipcd
client = ipcd.connect()
queue = client.queue()
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, b"x")
    os.close(1)
    queue.put("mine")
    sys.stdin.readline()
    ipcd.connect().queue(sys.argv[1]).put(queue.get())
    os._exit(0)
os.read(reading, 1)
print(queue.name, client.session, flush=True)
os._exit(0)
""", "heirs" + str(os.getpid()))
    heirs = other.queue("heirs" + str(os.getpid()))
    queue, session = parent.line().split()
    while any(one["session"] == int(session) for one in other.sessions()):
        pass
    assert other.describe(queue)["type"] == "queue"
    parent.say("")
    assert heirs.get(timeout=10) == "mine"


def test_what_a_parent_holds_is_not_the_childs(client, other):
    lock = client.lock()
    lock.acquire()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with pytest.raises(RuntimeError):
                lock.release()
            status = lock.acquire(block=False)
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert lock.locked()
    lock.release()


def test_a_pickled_proxy_opens_the_object_where_it_is_unpickled(client, name):
    proxies = [client.queue(name, 5), client.dict(name + "d"), client.value(name + "v", "i", 3),
               client.lock(), client.array(None, "d", [1, 2])]
    again = pickle.loads(pickle.dumps(proxies))
    assert [proxy.name for proxy in again] == [proxy.name for proxy in proxies]
    assert [type(proxy) for proxy in again] == [type(proxy) for proxy in proxies]
    assert again[0].client is client and again[0].maxsize == 5
    program = "import pickle, sys; q, d, v, l, a = pickle.loads(bytes.fromhex(sys.argv[1])); " \
              "q.put(v.add(1)); d['k'] = a[1]; l.acquire()"
    subprocess.run([sys.executable, "-c", program, pickle.dumps(proxies).hex()], check=True)
    assert proxies[0].get() == 4 and proxies[1]["k"] == 2.0 and not proxies[3].locked()


def test_a_proxy_in_a_queue_is_a_reference_that_keeps_the_object(client, other, name):
    carrier = client.queue(name)
    inner = client.dict(None, {"a": 1})
    carrier.put({"job": (inner, [1])})
    inner_name = inner.name
    del inner
    client.ping()
    assert client.describe(inner_name)["size"] == 1
    came = other.queue(name).get()["job"][0]
    assert came == {"a": 1} and came.client is other
    del came
    other.ping()
    with pytest.raises(ipcd.NotFound):
        client.describe(inner_name)


def test_an_anonymous_object_goes_with_its_last_proxy(client):
    queue = client.queue()
    again = client.queue(queue.name)
    name = queue.name
    del queue
    client.ping()
    assert again.qsize() == 0
    del again
    client.ping()
    with pytest.raises(FileNotFoundError):
        client.describe(name)


@pytest.fixture
def daemon(tmp_path):
    path = str(tmp_path / "s")
    process = subprocess.Popen([os.environ["IPCD_DAEMON"], "--socket=" + path],
                               stderr=subprocess.PIPE, text=True)
    while "listens" not in (line := process.stderr.readline()):
        assert line, "the daemon has not started"
    process.path = path
    yield process
    process.kill()
    process.communicate()


def test_a_daemon_that_is_killed_is_a_connection_error_in_every_thread(daemon, until):
    client = ipcd.connect(daemon.path)
    queue, ended = client.queue("q"), []

    def wait(_):
        with pytest.raises(ConnectionError):
            queue.get()
        ended.append(1)
    threads = run_threads(10, wait)
    until(lambda: queue.describe()["waiting"] == 10)
    daemon.send_signal(signal.SIGKILL)
    join_all(threads)
    daemon.wait()
    assert len(ended) == 10
    with pytest.raises(ipcd.ConnectionLost) as raised:
        client.ping()
    assert raised.value.code == "LOST"
    value_error = pytest.raises(ConnectionError, ipcd.connect, daemon.path)
    assert daemon.path in str(value_error.value)


def test_values_go_on_without_the_daemon(daemon):
    client = ipcd.connect(daemon.path)
    value, array = client.value("v", "i", 1), client.array("a", "i", 3)
    view = array.view()
    daemon.kill()
    daemon.wait()
    assert value.add(1) == 2 and array.add(0, 5) == 5 and view[0] == 5
    with value.get_lock():
        value.value += 1
    assert value.value == 3
    del value, array
    assert view.tolist() == [5, 0, 0]


def test_reconnecting_is_a_new_session(daemon, tmp_path):
    client = ipcd.connect(daemon.path, reconnect=True)
    queue = client.queue("q")
    first = client.session
    client.kill_session(first)
    ended = 0
    while ended == 0 or client.session == first:
        try:
            client.ping()
            ended += 1
        except ipcd.Error as error:
            assert error.code in ("CANCELLED", "LOST")
            ended += 1
    queue.put({1})
    assert queue.get() == {1}


def test_a_session_that_is_killed_is_a_connection_error(client, other):
    queue = other.queue()
    client.kill_session(other.session)
    with pytest.raises(ConnectionError):
        while True:
            queue.qsize()
    with pytest.raises(ConnectionError):
        other.ping()
