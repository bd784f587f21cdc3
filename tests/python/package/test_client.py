"""What belongs to no type: opening, batches, watches, the daemon."""
import glob
import os
import pathlib
import queue as python_queue

import pytest

import ipcd


def test_a_batch_runs_as_one(client):
    queue, table, numbers = client.queue(), client.dict(), client.list()
    with client.atomic() as batch:
        batch(queue).put({1, 2})
        got = batch(queue).get()
        batch(table)[(1, 2)] = [got is None]
        value = batch(table)[(1, 2)]
        popped = batch(table).popitem()
        batch(numbers).extend([1, {2}])
        numbered = batch.call("list.len", numbers.name)
        assert len(batch) == 7
        with pytest.raises(RuntimeError):
            got.value
    assert got.value == {1, 2} and value.value == [False] and numbered.value == 2
    assert popped.value == ((1, 2), [False])
    with pytest.raises(python_queue.Empty) as raised:
        with client.atomic() as batch:
            first = batch(queue).qsize()
            second = batch(queue).get()
            third = batch(queue).qsize()
    assert raised.value.index == 1 and first.value == 0
    for one in (second, third):
        with pytest.raises(RuntimeError):
            one.value
    with pytest.raises(ZeroDivisionError):
        with client.atomic() as batch:
            batch(queue).put(1)
            1 / 0
    assert queue.empty() and client.atomic().run() == []


def test_watching(client, name):
    queue, table = client.queue(name), client.dict(name + "d")
    with client.watch(queue, ["put"]) as watch:
        watch.add(table)
        queue.put(1)
        queue.get()
        table["k"] = 1
        assert next(watch) == (name, "put", {"size": 1})
        assert watch.next(timeout=20).detail == {"key": "k"}
        with pytest.raises(TimeoutError):
            watch.next(timeout=0.001)
        watch.remove(table)
        queue.delete()
        assert [happening.event for happening in watch] == ["deleted"]
    with pytest.raises(ValueError):
        table.watch(["nonsense"])


def test_opening(client, name):
    queue = client.queue(name, 3, order="lifo", mode=0o640)
    assert client.queue(name).maxsize == 3 and client.open(name).describe()["mode"] == 0o640
    assert client.queue(name, create=False).name == name
    for wrong, error in ((lambda: client.queue(name, 4), ipcd.Mismatch),
                         (lambda: client.queue(name, mode=0o600), ValueError),
                         (lambda: client.dict(name), TypeError),
                         (lambda: client.queue(name, exclusive=True), FileExistsError),
                         (lambda: client.queue(name + "x", create=False), FileNotFoundError),
                         (lambda: client.open(name + "x"), ipcd.NotFound),
                         (lambda: client.queue("#nope"), ValueError),
                         (lambda: client.barrier(name + "b"), ValueError),
                         (lambda: client.queue(name, colour=1), TypeError)):
        with pytest.raises(error):
            wrong()
    assert [one["name"] for one in client.objects(glob=name + "*", kind="queue")] == [name]
    queue.chmod(0o600)
    queue.chown(gid=os.getegid())
    renamed = queue.rename(name + "r")
    assert renamed.name == name + "r" and renamed.maxsize == 3
    client.delete(name + "r")
    with pytest.raises(FileNotFoundError):
        queue.put(1)
    assert "no object" in repr(queue) or name in repr(queue)


def test_what_the_client_knows_of_the_daemon(client):
    assert client.server()["server"] == "ipcd" and client.stats()["sessions"] >= 1
    own = client.describe_session()
    assert any(one["session"] == own["session"] for one in client.sessions())
    assert own["session"] in (client.session, f"{own.get('host')}:{client.session}")
    assert client.describe_session(client.session)["session"] == own["session"]
    with pytest.raises(ipcd.NotFound, match="other:7"):
        client.describe_session("other:7")  # whose daemon shares no engine with it
    with pytest.raises(ipcd.NotFound, match="other:7"):
        client.kill_session("other:7")
    with pytest.raises(ipcd.BadRequest, match="HOST:NUMBER"):
        client.kill_session("other")
    assert any(one["name"] == "queue.get" for one in client.methods())
    assert client.call("server.ping", [1]) == [1] and client.ping({1: 2}) == {1: 2}
    with pytest.raises(ipcd.UnknownMethod):
        client.call("queue.nonsense")
    assert client.address in repr(client)


def test_every_method_of_the_protocol_can_be_called(client):
    """By a proxy's method, which names it in its source, or by call()."""
    source = "".join(pathlib.Path(path).read_text(encoding="utf-8")
                     for path in glob.glob(os.path.dirname(ipcd.__file__) + "/*.py"))
    special = {"atomic", "server.upgrade", "session.page", "value.map", "session.describe", "value.get", "value.set", "value.add",
               "array.get", "array.set", "array.add", "array.slice", "array.set_slice", "array.len",
               "condition.acquire", "condition.release", "object.close", "dict.keys", "dict.values",
               "dict.items", "namespace.values", "namespace.items"}
    for method in client.methods():
        if not method["name"].endswith(".open") and method["name"] not in special:
            assert f'b"{method["name"]}"' in source, method["name"]


def test_nobody_is_there():
    with pytest.raises(ConnectionError, match="/nowhere"):
        ipcd.connect("/nowhere/ipcd.sock")
    with pytest.raises(ipcd.NotConnected):
        ipcd.connect("@nobody." + str(os.getpid()))


def test_an_embedded_daemon_is_shared_by_forks_and_children(start):
    child = start("""
import os, subprocess, sys, ipcd
with ipcd.connect(embedded=True) as client:
    queue = client.queue("q")
    assert os.environ["IPCD_SOCKET"] == client.address, client.address
    if os.fork() == 0:
        queue.put("fork")
        os._exit(0)
    os.wait()
    subprocess.run([sys.executable, "-c", "import ipcd; ipcd.connect().queue('q').put('child')"], check=True)
    print(queue.get(), queue.get(), client.queue("q").name, flush=True)
""", IPCD_SOCKET="embedded", IPCD_PATH=os.environ["IPCD_DAEMON"])
    assert child.line() == "fork child q"
    assert child.end()[0] == 0
