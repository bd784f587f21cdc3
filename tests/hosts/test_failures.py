"""What fails: the engine, nodes of it, the way to it; and what is lost then, and what is not."""
import os
import signal
import subprocess
import threading
import time

import pytest

import ipcd
from hosts import LIMIT, wait_until


def waiting(client, name, count):
    wait_until(lambda: client.describe(name)["waiting"] == count, f"{count} waiters on {name}")


def test_local_objects_notice_nothing_of_an_engine_that_is_away(scene):
    server = scene.redis()
    host = scene.host(server.url, "one", names="shared/*", engine_timeout="300ms")
    client = scene.connect(host)
    shared, local = client.queue("shared/q"), client.queue("q")
    server.kill()
    with pytest.raises(ipcd.EngineFailed) as raised:
        shared.put(1)
    assert raised.value.detail["done"] in (False, None)
    local.put(1)
    assert local.get() == 1
    wait_until(lambda: not host.engine()["reachable"])
    page = client._call(None, b"object.list")
    assert [shown["name"] for shown in page["objects"]] == ["q"] and page["cursor"] != 0
    server.start()
    wait_until(lambda: host.engine()["reachable"] and host.state() == "leased")
    assert client.queue("shared/q").qsize() == 0


def test_a_call_waits_for_an_engine_that_comes_back(scene, doing):
    server = scene.redis()
    host = scene.host(server.url, "one")
    client = scene.connect(host)
    client.queue("q")
    server.signal(signal.SIGSTOP)
    sizes = [doing(scene.connect(host).queue, f"q{i}") for i in range(3)]
    server.signal(signal.SIGCONT)
    for size in sizes:
        size.result()


def test_the_end_of_redis_ends_what_was_held(scene):
    """A Redis without persistence forgets everything; nobody is told that it still holds a lock."""
    server = scene.redis()
    host = scene.host(server.url, "one")
    client = scene.connect(host)
    client.lock("l").acquire()
    server.kill()
    server.start()
    wait_until(lambda: host.state() == "leased")
    with pytest.raises(ipcd.Error):
        client.lock("l", create=False).release()
        client.lock("l").release()


def test_what_comes_to_redis_when_the_lease_is_over_is_not_done(scene):
    """Its bytes are in the socket of a Redis that stands still until then."""
    server = scene.redis()
    one, two = (scene.host(server.url, name, engine_timeout="500ms", lease="2s")
                for name in ("one", "two"))
    a, b = scene.connect(one), scene.connect(two)
    queue = a.queue("q")
    server.signal(signal.SIGSTOP)
    over = time.monotonic() + 2.5  # by the clock of Redis it ends a moment after it does for the daemon
    with pytest.raises(ipcd.EngineFailed) as raised:
        queue.put(1)
    assert raised.value.detail == {"done": None}
    wait_until(lambda: one.state() == "joining" and time.monotonic() > over)
    server.signal(signal.SIGCONT)
    wait_until(lambda: one.state() == "leased" and two.state() == "leased")
    with pytest.raises(ipcd.EngineFailed):
        queue.put(2)  # what it had there is lost
    assert b.queue("q").qsize() == 0
    queue.put(3)
    assert b.queue("q").get() == 3


def test_a_cluster_goes_on_when_a_primary_is_killed(scene, doing):
    cluster = scene.cluster()
    one, two = (scene.host(cluster.url, name, lease="5s") for name in ("one", "two"))
    a, b = scene.connect(one), scene.connect(two)
    names = [f"q{i}" for i in range(12)]
    for name in names:
        a.queue(name).put(0)
    assert [b.queue(name).get() for name in names] == [0] * len(names)
    getters = {name: doing(scene.connect(two).queue(name).get) for name in names}
    for name in names:
        waiting(a, name, 1)
    port = int(a.describe(names[0])["engine"]["host"].rsplit(":", 1)[1])
    cluster.signal(port, signal.SIGKILL)
    for name in names:
        a.queue(name).put(name)
    assert {name: getter.result() for name, getter in getters.items()} == {n: n for n in names}


def test_slots_move_under_load(scene):
    cluster = scene.cluster(primaries=2, replicas=0)
    one, two = (scene.host(cluster.url, name) for name in ("one", "two"))
    a, b = scene.connect(one), scene.connect(two)
    queue = a.queue("{moving}q", joinable=True)
    count = 3000
    got = []

    def work():
        mine = scene.connect(two).queue("{moving}q")
        while True:
            with mine.take() as job:
                if job.value is None:
                    return
                got.append(job.value)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    nodes = [cluster.node(port) for port in cluster.primaries]
    ids = [node.execute_command("CLUSTER", "MYID").decode() for node in nodes]
    slot = nodes[0].execute_command("CLUSTER", "KEYSLOT", "{moving}")
    for turn in range(6):
        for value in range(turn * count // 6, (turn + 1) * count // 6):
            queue.put(value)
        at = 0 if any(start <= slot <= end and owner == cluster.primaries[0]
                      for start, end, owner in slots(nodes[0])) else 1
        move_slot(nodes, ids, cluster, slot, at)
    queue.put(None)
    worker.join(60)
    assert not worker.is_alive() and got == list(range(count))
    assert b.describe("{moving}q")["unfinished"] == 0


def slots(node):
    """(first, last, port) of each range that a node knows."""
    connection = node.connection_pool.get_connection("CLUSTER")
    try:
        connection.send_command("CLUSTER", "SLOTS")
        rows = connection.read_response()
    finally:
        node.connection_pool.release(connection)
    return [(row[0], row[1], row[2][1]) for row in rows]


def move_slot(nodes, ids, cluster, slot, at):
    """As redis-cli --cluster reshard does it."""
    source, target = nodes[at], nodes[1 - at]
    target.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[at])
    source.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1 - at])
    while True:
        keys = source.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100)
        if not keys:
            break
        source.execute_command("MIGRATE", "127.0.0.1", cluster.primaries[1 - at], "", 0, 5000,
                               "KEYS", *keys)
    for node in (target, source):
        node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1 - at])


def fail_over(cluster, primary, replica):
    """The primary dies with what its replica, which is stopped, has not got."""
    cluster.signal(primary, signal.SIGKILL)
    cluster.signal(replica, signal.SIGCONT)
    node = cluster.node(replica)
    wait_until(lambda: node.info("replication")["role"] == "master", "for the replica to take over")


@pytest.mark.parametrize("replicas", [0, 1])
def test_what_a_failover_can_lose(scene, replicas):
    """With wait_replicas nothing that was answered is lost; without, the last changes may be."""
    cluster = scene.cluster()
    host = scene.host(cluster.url, "one", wait_replicas=replicas, engine_timeout="1s", lease="30s")
    client = scene.connect(host)
    values = client.dict("d")
    values["before"] = 1
    primary = int(client.describe("d")["engine"]["host"].rsplit(":", 1)[1])
    replica = cluster.ports[3 + cluster.ports.index(primary)]
    cluster.signal(replica, signal.SIGSTOP)
    cluster.node(primary).execute_command("CLIENT", "KILL", "TYPE", "replica")
    if replicas == 0:
        values["lost"] = 1
    else:
        with pytest.raises(ipcd.EngineFailed) as raised:
            values["unsure"] = 1
        assert raised.value.detail == {"done": None}
    fail_over(cluster, primary, replica)
    again = scene.connect(scene.host(cluster.url, "two", engine_timeout="20s"))
    kept = again.dict("d")
    assert kept["before"] == 1
    assert "lost" not in kept


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")
def test_a_host_that_is_cut_off(scene):
    """A host in a network of its own, whose cable is pulled."""
    suffix = str(os.getpid())
    space, here, there = f"ipcd{suffix}", f"ih{suffix}"[:15], f"it{suffix}"[:15]

    def ip(*words):
        subprocess.run(["ip", *words], check=True, stderr=subprocess.PIPE)

    try:
        ip("netns", "add", space)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network namespaces here")
    try:
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
        ip("addr", "add", "10.213.77.1/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", space, "addr", "add", "10.213.77.2/30", "dev", there)
        ip("-n", space, "link", "set", there, "up")
        server = scene.redis("--bind", "127.0.0.1", "10.213.77.1", "--protected-mode", "no")
        far = scene.host(f"redis://10.213.77.1:{server.port}", "far", inside=space,
                         engine_timeout="500ms")
        near = scene.host(server.url, "near")
        a, b = scene.connect(far), scene.connect(near)
        lock, local = a.lock("l"), a.value("v", "i", 0)
        lock.acquire()
        ip("link", "set", here, "down")
        assert b.lock("l").acquire(timeout=LIMIT)
        with pytest.raises(ipcd.EngineFailed):
            lock.release()
        local.value = 7
        assert local.value == 7
        b.lock("l").release()
        assert b.lock("l").acquire(timeout=5)
        ip("link", "set", here, "up")
        wait_until(lambda: far.state() == "leased")
        with pytest.raises(ipcd.Error):
            lock.release()
        assert b.describe("l")["holder"]["session"].startswith("near:")
    finally:
        subprocess.run(["ip", "link", "del", here], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)
