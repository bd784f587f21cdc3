"""Queues behave as Python's do, and have every method of the protocol."""
import queue as python_queue

import pytest

import ipcd


def test_queue_waits_and_times_out(client):
    queue = client.queue(maxsize=2)
    assert (queue.maxsize, queue.joinable) == (2, False)
    queue.put("a")
    queue.put("b", timeout=1)
    assert queue.full() and queue.qsize() == 2 and not queue.empty()
    for put in (lambda: queue.put("c", block=False), lambda: queue.put_nowait("c"),
                lambda: queue.put("c", timeout=0.001), lambda: queue.put_many(["c"], timeout=0)):
        with pytest.raises(python_queue.Full) as raised:
            put()
        assert isinstance(raised.value, ipcd.Error) and raised.value.code == "FULL"
    assert queue.peek(0, 5) == ["a", "b"]
    assert [queue.get(), queue.get(timeout=1)] == ["a", "b"]
    for get in (queue.get_nowait, lambda: queue.get(False), lambda: queue.get(timeout=0.001),
                lambda: queue.take(timeout=0), lambda: queue.get_many(2, block=False)):
        with pytest.raises(python_queue.Empty):
            get()
    assert queue.put_many([1, 2]) == 2 and queue.get_many(9) == [1, 2]
    assert queue.put_many([3]) == 1 and queue.clear() == 1


@pytest.mark.parametrize("timeout", [-1, -0.001])
def test_queue_refuses_negative_timeouts(client, timeout):
    with pytest.raises(ValueError):
        client.queue().get(timeout=timeout)
    with pytest.raises(ValueError):
        client.queue().put(1, timeout=timeout)


def test_timeouts_at_their_extremes(client):
    queue = client.queue()
    queue.put(1)
    assert queue.get(timeout=float("inf")) == 1
    queue.put(1)
    assert queue.get(timeout=1e300) == 1
    queue.put(1)
    assert queue.get(timeout=5e-324) == 1
    with pytest.raises(ValueError):
        queue.get(timeout=float("nan"))


def test_queue_orders(client):
    lifo, ordered = client.queue(order="lifo"), client.queue(order="priority")
    lifo.put_many([1, 2])
    assert lifo.get_many(2) == [2, 1]
    for priority, item in ((3, "c"), (1, "a"), (2.5, "b")):
        ordered.put(item, priority=priority)
    assert ordered.get_many(3) == ["a", "b", "c"]
    with pytest.raises(TypeError):
        ordered.put(1, priority=1)
        ordered.put(2, priority="x")
    late = client.queue()
    late.put("soon", ttl=1000)
    late.put("later", delay=1000)
    assert late.describe()["delayed"] == 1 and late.get() == "soon"


def test_tickets_are_done_or_given_back(client):
    queue = client.joinable_queue(max_deliveries=3)
    queue.put_many(["a", "b"])
    with queue.take() as job:
        assert (job.value, job.deliveries) == ("a", 1)
    assert queue.describe()["unfinished"] == 1
    with pytest.raises(ZeroDivisionError):
        with queue.take() as job:
            1 / 0
    with queue.take() as job:
        assert (job.value, job.deliveries) == ("b", 2)
        job.give_back(delay=1000)
    assert queue.describe()["delayed"] == 1
    queue.clear()
    queue.put("c")
    ticket = queue.take()
    ticket.touch()
    assert [one["value"] for one in queue.taken()] == ["c"]
    ticket.done()
    ticket.done()
    queue.join(timeout=1)
    with pytest.raises(ValueError):
        queue.task_done()
    queue.put("d")
    assert queue.get() == "d" and queue.task_done() == 0
    queue.put("e")
    with pytest.raises(TimeoutError):
        queue.join(timeout=0.001)
    plain = client.queue()
    plain.put(1)
    with plain.take() as job:
        assert job.number is None
    with pytest.raises(ValueError):
        job.give_back()


def test_queue_shuts_down(client):
    queue = client.queue()
    queue.put(1)
    queue.shutdown()
    with pytest.raises(ipcd.ShutDown):
        queue.put(2)
    assert queue.get() == 1
    with pytest.raises(ipcd.ShutDown) as raised:
        queue.get()
    if hasattr(python_queue, "ShutDown"):
        assert isinstance(raised.value, python_queue.ShutDown)
    dropped = client.joinable_queue()
    dropped.put(1)
    assert dropped.shutdown(immediate=True, drain=True) == 0
    with pytest.raises(ipcd.ShutDown):
        dropped.get()


def test_queue_pauses(client):
    queue = client.queue()
    queue.put(1)
    queue.pause(1000)
    with pytest.raises(python_queue.Empty):
        queue.get_nowait()
    queue.pause()
    queue.resume()
    assert queue.get_nowait() == 1


def test_an_item_of_any_of_several_queues(client):
    one, two = client.queue(), client.joinable_queue()
    two.put({"x"})
    with client.get_any([one, two]) as job:
        assert job.value == {"x"} and job.queue is two
    assert two.describe()["unfinished"] == 0
    with pytest.raises(python_queue.Empty):
        client.get_any([one, two], block=False)
