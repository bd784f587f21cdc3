"""ipcd.aio: the package for asyncio."""
import asyncio
import os
import subprocess
import threading

import pytest

import ipcd
import ipcd.aio

LIMIT = 60  # seconds, for what must not hang


def run(main, *arguments):
    """Runs a coroutine function with a client, in a loop of its own."""

    async def whole():
        async with await ipcd.aio.connect() as client:
            await asyncio.wait_for(main(client, *arguments), LIMIT)
    asyncio.run(whole())


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


async def waiting(client, name, count=1):
    """Until so many calls wait on an object."""
    while (await client.describe(name))["waiting"] < count:
        pass


# ---- what there is -------------------------------------------------------------------------------

def test_each_public_method_of_a_blocking_proxy_is_there_with_its_signature():
    import inspect
    for kind in ("Queue", "Dict", "List", "Namespace", "Lock", "Semaphore", "Condition", "Event",
                 "Barrier", "Pipe"):
        blocking, here = getattr(ipcd, kind), getattr(ipcd.aio, kind)
        for name, method in inspect.getmembers(blocking, inspect.isroutine):
            if name.startswith("_"):
                continue
            own = getattr(here, name)
            assert list(inspect.signature(own).parameters) == list(
                inspect.signature(method).parameters), (kind, name)
            assert (inspect.iscoroutinefunction(own) or inspect.isasyncgenfunction(own)
                    or name in ("take", "watch", "items")), (kind, name)
            assert own.__doc__, (kind, name)


def test_a_queue(name):
    async def main(client):
        queue = await client.queue(name, 3)
        await queue.put("a")
        await queue.put_nowait({"b": (1, 2)})
        assert await queue.put_many(["c", "d"], False) == 1
        with pytest.raises(ipcd.Full):
            await queue.put("e", timeout=0)
        assert await queue.qsize() == 3 and await queue.full() and not await queue.empty()
        assert await queue.peek(count=9) == ["a", {"b": (1, 2)}, "c"]
        assert await queue.get() == "a"
        assert await queue.get_many(5) == [{"b": (1, 2)}, "c"]
        with pytest.raises(ipcd.Empty):
            await queue.get_nowait()
        await queue.shutdown()
        with pytest.raises(ipcd.ShutDown):
            await queue.get()
        await queue.delete()
        with pytest.raises(ipcd.NotFound):
            await queue.qsize()
    run(main)


def test_tickets(name):
    async def main(client):
        queue = await client.joinable_queue(name)
        await queue.put_many([1, 2, 3])
        async with queue.take() as job:
            assert job.value == 1
        with pytest.raises(ZeroDivisionError):
            async with queue.take() as job:
                raise ZeroDivisionError
        ticket = await queue.take()
        assert (ticket.value, ticket.deliveries) == (2, 2)
        await ticket.touch()
        await ticket.done()
        [last] = await queue.take_many(5)
        await last.give_back()
        assert await (await client.get_any([queue])).done() is None
        await queue.join()
        assert (await queue.describe())["unfinished"] == 0
    run(main)


def test_a_dict(name):
    async def main(client):
        shared = await client.dict(name, {"a": 1})
        await shared.setitem(("k", 2), b"v")
        assert await shared["a"] == 1 and await shared.get("none", 7) == 7
        with pytest.raises(KeyError):
            await shared["none"]
        assert await shared.contains("a") and await shared.length() == 2
        assert [key async for key in shared] == ["a", ("k", 2)]
        assert [pair async for pair in shared.items()] == [("a", 1), (("k", 2), b"v")]
        assert [value async for value in shared.values()] == [1, b"v"]
        assert await shared.incr("a", 4) == 5
        assert await shared.cas("a", 5, ipcd.MISSING)
        assert await shared.pop("a", None) is None
        assert await shared.popitem() == (("k", 2), b"v")
        await shared.update(x=1, y=2)
        await shared.delitem("x")
        assert await shared.copy() == {"y": 2}
        for refused in (lambda: shared.__len__(), lambda: "a" in shared, lambda: iter(shared)):
            with pytest.raises(TypeError, match="await"):
                refused()
    run(main)


def test_a_list(name):
    async def main(client):
        shared = await client.list(name, range(5))
        assert await shared[1:3] == [1, 2] and await shared[-1] == 4
        await shared.setitem(0, "zero")
        await shared.setitem(slice(1, 4), ["x"])
        assert [value async for value in shared] == ["zero", "x", 4]
        await shared.delitem(1)
        assert await shared.pop() == 4 and await shared.contains("zero")
        await shared.extend([3, 1, 2])
        await shared.pop(0)
        await shared.sort(key=lambda number: -number)
        assert await shared.copy() == [3, 2, 1] and await shared.length() == 3
    run(main)


def test_a_namespace_values_arrays_and_pipes(name):
    async def main(client):
        shared = await client.namespace()
        await shared.setitem("x", 1)
        assert await shared.x == 1 and await shared._incr("x") == 2
        with pytest.raises(TypeError, match="setitem"):
            shared.x = 3
        value = await client.value(None, "q", 5)
        assert value.add(2) == 7 and value.value == 7 and value.view()[0] == 7
        array = await client.array(None, "i", [1, 2])
        assert array[1] == 2 and len(array) == 2
        pipe = await client.pipe()
        left, right = await pipe.ends()
        receiving = [asyncio.create_task(right.recv()), asyncio.create_task(right.recv())]
        await asyncio.sleep(0)
        await left.send({"a": 1})
        await left.send_bytes(b"xyz")
        assert sorted(await asyncio.gather(*receiving), key=repr) == [b"xyz", {"a": 1}]
        assert not await right.poll() and not await right.poll(0.001)
        left.close()
        assert await right.poll(None)
        with pytest.raises(EOFError):
            await right.recv()
        right.close()
    run(main)


def test_atomic(name):
    async def main(client):
        queue, figures = await client.queue(name), await client.dict()
        await queue.put("x")
        async with client.atomic() as batch:
            job = batch(queue).get()
            taken = batch(figures).incr("taken")
        assert (job.value, taken.value) == ("x", 1)
        with pytest.raises(ipcd.Empty) as failure:
            async with client.atomic() as batch:
                batch(figures).incr("taken")
                batch(queue).get()
        assert failure.value.index == 1
    run(main)


def test_references_and_pickles(name, client):
    async def main(here):
        queue = await here.queue(name)
        inner = await here.list()
        await inner.append({1, 2})
        await queue.put([inner, {3}, 2 + 1j])
        found = await queue.get()
        assert isinstance(found[0], ipcd.aio.List) and found[1:] == [{3}, 2 + 1j]
        del inner
        assert await found[0].copy() == [{1, 2}]
        client.queue(name).chmod(0o666)
        client.queue(name).put({4})
        with pytest.raises(ipcd.UntrustedPickle):
            await queue.get()
        assert await queue.qsize() == 1
    run(main)


def test_watching(name, client):
    async def main(here):
        queue = client.queue(name)
        async with here.watch(name, ["put"]) as happenings:
            coming = asyncio.create_task(happenings.next())
            await asyncio.sleep(0)
            queue.put(1)
            assert (await coming).event == "put"
            queue.put(2)
            queue.delete()
            assert [happening.event async for happening in happenings] == ["put", "deleted"]
    run(main)


# ---- tasks ---------------------------------------------------------------------------------------

def test_many_tasks_on_one_connection(name):
    async def main(client):
        queue, results = await client.queue(name), await client.dict()

        async def worker():
            while (item := await queue.get()) is not None:
                await results.incr("sum", item)
                await results.incr("count")

        workers = [asyncio.create_task(worker()) for _ in range(50)]
        await asyncio.gather(*(queue.put(i) for i in range(1000)))
        await queue.put_many([None] * 50)
        await asyncio.gather(*workers)
        assert await results.copy() == {"sum": 499500, "count": 1000}
    run(main)


def test_tasks_exclude_each_other(name):
    async def main(client):
        lock, recursive = await client.lock(name), await client.lock(None, recursive=True)
        inside = []
        with pytest.raises(TypeError, match="await"):
            with lock:
                pass

        async def enter(number):
            async with lock:
                inside.append(number)
                await asyncio.sleep(0)
                assert inside.pop() == number

        await asyncio.gather(*(enter(number) for number in range(20)))
        assert not await lock.acquire() is False
        with pytest.raises(RuntimeError):
            await asyncio.create_task(lock.release())
        await lock.release()
        async with recursive, recursive:
            assert not await asyncio.create_task(recursive.acquire(False))
        assert await asyncio.create_task(recursive.acquire(False))
    run(main)


def test_a_condition_a_barrier_and_an_event(name):
    async def main(client):
        condition, event = await client.condition(name), await client.event()
        barrier = await client.barrier(None, 3)
        ready = []

        async def wait():
            async with condition:
                await condition.wait_for(lambda: ready)
            await event.wait()
            return await barrier.wait()

        tasks = [asyncio.create_task(wait()) for _ in range(3)]
        while (await client.describe(name))["sleepers"] < 3:
            pass
        async with condition:
            ready.append(1)
            await condition.notify_all()
        await event.set()
        assert sorted(await asyncio.gather(*tasks)) == [0, 1, 2]
        with pytest.raises(RuntimeError):
            await condition.notify()
        semaphore = await client.semaphore(None, 1)
        async with semaphore:
            assert not await semaphore.acquire(timeout=0)
        assert await semaphore.get_value() == 1
    run(main)


# ---- cancelling ----------------------------------------------------------------------------------

def test_a_get_that_is_cancelled_takes_nothing(name, client):
    async def main(here):
        queue = await here.queue(name)
        task = asyncio.create_task(queue.get())
        await waiting(here, name)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await queue.describe())["waiting"] == 0
        client.queue(name).put("x")
        assert await queue.get() == "x"
    run(main)


def test_wait_for_ends_a_wait(name):
    async def main(client):
        queue = await client.queue(name)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(queue.get(), 0.001)
        assert (await queue.describe())["waiting"] == 0
        await queue.put(1)
        assert await asyncio.wait_for(queue.get(), LIMIT) == 1
    run(main)


# How an object is made, what is awaited, what lets that go on, and what is left as it was.
TAKES = {
    "get": (lambda c, n: c.queue(n), lambda q: q.get(), lambda o: o.put_many(["x", "y"]),
            lambda o: o.get_many(9) == ["x", "y"]),
    "get_many": (lambda c, n: c.queue(n), lambda q: q.get_many(2), lambda o: o.put_many([1, {2}, 3]),
                 lambda o: o.get_many(9) == [1, {2}, 3]),
    "take": (lambda c, n: c.joinable_queue(n), lambda q: q._take(True, None), lambda o: o.put("x"),
             lambda o: o.take().deliveries == 1),
    "dict": (lambda c, n: c.dict(n), lambda d: d.pop("k", None), lambda o: None,
             lambda o: o.copy() == {"k": 1}),
    "popitem": (lambda c, n: c.dict(n), lambda d: d.popitem(), lambda o: None,
                lambda o: o.copy() == {"k": 1}),
    "list": (lambda c, n: c.list(n), lambda d: d.pop(0), lambda o: None,
             lambda o: o.copy() == [1, 2]),
    "semaphore": (lambda c, n: c.semaphore(n, 0), lambda s: s.acquire(n=2), lambda o: o.release(2),
                  lambda o: o.get_value() == 2),
    "lock": (lambda c, n: c.lock(n), lambda s: s.acquire(), lambda o: None,
             lambda o: not o.locked()),
}


@pytest.mark.parametrize("case", TAKES)
@pytest.mark.parametrize("when", ["on its way", "arrived"])
def test_what_comes_together_with_the_cancellation_is_given_back(name, client, case, when):
    """The daemon has answered before it is asked to cancel: the answer is not read yet, or it is, and
    the task has not come to run since."""
    make, take, let_go, is_as_it_was = TAKES[case]

    async def main(here):
        blocking = {"queue": client.joinable_queue if case == "take" else client.queue,
                    "dict": client.dict, "list": client.list, "semaphore": client.semaphore,
                    "lock": client.lock}[(await make(here, name)).kind](name)
        if case in ("dict", "popitem"):
            blocking["k"] = 1
        if case == "list":
            blocking.extend([1, 2])
        mine = await make(here, name)
        task = asyncio.create_task(take(mine))
        await asyncio.sleep(0)
        here._connection.flush()
        blocking.describe()  # the daemon has come to what was sent before
        let_go(blocking)
        client.ping()
        if when == "arrived":
            here._loop._readable()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await here.ping()
        assert is_as_it_was(blocking)
    run(main)


def test_a_condition_is_held_after_a_wait_that_was_cancelled(name):
    async def main(client):
        condition = await client.condition(name)

        async def wait():
            async with condition:
                async with condition:
                    try:
                        await condition.wait()
                    finally:
                        await condition.notify()

        task = asyncio.create_task(wait())
        while (await client.describe(name))["sleepers"] < 1:
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await condition.acquire(False)
    run(main)


def test_cancelling_twice(name):
    async def main(client):
        queue = await client.queue(name)
        task = asyncio.create_task(queue.get())
        await waiting(client, name)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await queue.describe())["waiting"] == 0
    run(main)


def test_no_item_is_lost_where_waits_are_cancelled_all_the_time(name):
    async def main(client):
        queue = await client.queue(name)
        got = []

        async def impatient():
            while len(got) < 300:
                try:
                    got.append(await asyncio.wait_for(queue.get(), 0))
                except asyncio.TimeoutError:
                    task = asyncio.create_task(queue.get())
                    await asyncio.sleep(0)
                    task.cancel()
                    try:
                        got.append(await task)
                    except asyncio.CancelledError:
                        pass
                await asyncio.sleep(0)

        async def produce():
            for number in range(300):
                await queue.put(number)

        async def patient():
            while len(got) < 300:
                try:
                    got.append(await queue.get(timeout=0.001))
                except ipcd.Empty:
                    pass

        await asyncio.gather(impatient(), impatient(), produce(), patient())
        assert sorted(got) == list(range(300))
    run(main)


# ---- ends ----------------------------------------------------------------------------------------

@pytest.fixture
def daemon(tmp_path):
    """A daemon to be killed: its process and its address."""
    path = str(tmp_path / "ipcd.sock")
    process = subprocess.Popen([os.environ["IPCD_DAEMON"], f"--socket={path}"],
                               stderr=subprocess.PIPE, text=True)
    assert "listens" in process.stderr.readline()
    yield process, path
    process.kill()
    process.wait()
    process.stderr.close()


def test_a_daemon_that_is_killed_ends_every_wait_at_once(daemon):
    process, path = daemon

    async def main():
        client = await ipcd.aio.connect(path)
        queue, lock = await client.queue("q"), await client.lock("l")
        await lock.acquire()
        watch = client.watch("q")
        tasks = [asyncio.create_task(queue.get()) for _ in range(20)]
        tasks += [asyncio.create_task(lock.acquire()), asyncio.create_task(watch.next())]
        await waiting(client, "q", 20)
        await waiting(client, "l")
        while len(await client.sessions()) < 2:
            pass
        process.kill()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), LIMIT)
        assert [isinstance(result, ConnectionError) for result in results] == [True] * 22
        with pytest.raises(ConnectionError):
            await queue.qsize()
        await watch.close()
        await client.close()
    asyncio.run(main())


def test_nobody_is_there(tmp_path):
    with pytest.raises(ConnectionError, match="none.sock"):
        asyncio.run(ipcd.aio.connect(str(tmp_path / "none.sock")))


def test_a_loop_that_is_closed_with_calls_under_way_ends_the_session(name, client):
    loop = asyncio.new_event_loop()
    kept = []

    async def main():
        here = await ipcd.aio.connect()
        queue = await here.queue(name)
        task = asyncio.create_task(queue.get())
        task._log_destroy_pending = False
        kept.extend([here, queue, task])
        await waiting(here, name)
        return here.session

    session = loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    while session in [each["session"] for each in client.sessions()]:
        pass
    client.queue(name).put("x")
    assert client.queue(name).get() == "x"
    with pytest.raises(ConnectionError):
        kept[1]._call(b"queue.qsize")


def test_a_client_that_is_closed_ends_the_waits(name):
    async def main(client):
        queue = await client.queue(name)
        task = asyncio.create_task(queue.get())
        await waiting(client, name)
        await client.close()
        with pytest.raises(ConnectionError):
            await task
        with pytest.raises(ConnectionError):
            await queue.qsize()
    run(main)


def test_another_loop_is_refused(name):
    async def main(client):
        queue = await client.queue(name)
        failures = []

        def elsewhere():
            try:
                asyncio.run(queue.get())
            except RuntimeError as error:
                failures.append(str(error))
        thread = threading.Thread(target=elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join)
        assert "another one" in failures[0]
    run(main)
