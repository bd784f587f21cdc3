"""What calls on a queue in an engine cost, in commands that the functions run."""
from harness import stored
from queue_calls import array, get


def commands(engine, act):
    """How many commands the functions run meanwhile, by name."""
    engine.redis.execute_command("CONFIG", "RESETSTAT")
    act()
    stats = engine.redis.info("commandstats")
    return {name[8:]: stat["calls"] for name, stat in stats.items()
            if name[8:] not in ("fcall", "config|resetstat", "info")}


def test_puts_in_a_batch_are_one_push_and_one_saving(host, engine):
    host.open("queue", "q")
    many = [("queue.put", "q", stored(n), "") for n in range(100)]
    run = commands(engine, lambda: host.calls(*many))
    assert run.pop("rpush") == 1
    assert sum(run.values()) <= 4  # the object is read and written, and so is what the host did last
    run = commands(engine, lambda: host.calls(*[("queue.get", "q", "")] * 100))
    assert run.pop("lpop") == 1
    assert sum(run.values()) <= 4


def test_what_a_call_runs_does_not_grow_with_the_queue(host, engine):
    def work(host):
        host.call("queue.put", "j", stored("x"), "", "", "", "100000", "")
        ticket = host.call("queue.get", "j", "0", session=1)[1]
        host.call("queue.give_back", "j", str(ticket))
        host.call("queue.get", "j", "0", session=1)
        host.call("queue.task_done", "j")
        host.call("queue.peek", "j", "0", "1")
    counts = []
    for size in (10, 2000):
        for order in ("fifo", "lifo", "priority"):
            host.open("queue", "j", joinable="1", order=order, lease_ms="1000000")
            host.call("queue.put_many", "j", array(*range(size)), "")
            host.call("queue.get_many", "j", str(size // 2), "", session=7)
            for n in range(0, size, 100):
                host.calls(*[("queue.put", "j", stored(n), "", "", "", "90000", "")] * 100)
            counts.append((order, sum(commands(engine, lambda: work(host)).values())))
            host.call("object.delete", "j")
    assert counts[:3] == counts[3:]


def test_a_session_ends_at_the_cost_of_what_it_took(host, engine):
    host.open("queue", "j", joinable="1")
    host.call("queue.put_many", "j", array(*range(3000)), "")
    host.call("queue.get_many", "j", "2000", "", session=1)
    host.call("queue.get_many", "j", "3", "", session=2)
    run = commands(engine, lambda: host.end_session(2, "j"))
    assert sum(run.values()) < 40


def test_many_times_that_come_at_once_are_done_a_part_at_a_time(host, engine):
    host.open("queue", "q")
    for n in range(50):
        host.calls(*[("queue.put", "q", stored(n), "", "", "5", "", "")] * 100)
    engine.now += 5
    host.tell("tick", "q", near="q")
    assert 0 < host.due <= engine.now
    host.tell("tick", "q", near="q")
    assert host.due == 0
    assert host.call("queue.qsize", "q") == 5000


def test_a_host_reads_the_figures_that_another_one_has_saved(host, other):
    host.open("queue", "q", "100", "lifo", "1")
    other.open("queue", "q")
    for n in range(20):
        (host, other)[n % 2].call("queue.put", "q", stored(n), "")
        assert (other, host)[n % 2].call("queue.qsize", "q") == n + 1
    assert [get(host, "q")[0] for _ in range(20)] == list(range(19, -1, -1))
