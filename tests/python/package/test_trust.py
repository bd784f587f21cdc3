"""Pickles are read only from what nobody else can write; what is refused is not lost."""
import os

import pytest

import ipcd

ran = []


class Runs:
    def __reduce__(self):
        return _run, ()


def _run():
    ran.append(1)
    return "ran"


@pytest.fixture(autouse=True)
def fresh():
    ran.clear()


OPEN_TO_OTHERS = [0o620, 0o602, 0o666]


@pytest.mark.parametrize("mode", OPEN_TO_OTHERS)
def test_a_queue_that_others_write_keeps_its_pickles(client, name, mode):
    queue = client.queue(name, mode=mode)
    queue.put_many([Runs(), "plain"])
    for _ in range(2):
        with pytest.raises(ipcd.UntrustedPickle, match="allow_pickle"):
            queue.get()
    with pytest.raises(ipcd.UntrustedPickle):
        queue.get_many(2)
    with pytest.raises(ipcd.UntrustedPickle):
        queue.get_nowait()
    with pytest.raises(ipcd.UntrustedPickle):
        queue.peek()
    with pytest.raises(ipcd.UntrustedPickle):
        client.get_any([queue])
    assert queue.qsize() == 2 and not ran
    with ipcd.connect(allow_pickle=True) as trusting:
        assert trusting.queue(name).get() == "ran"
    assert queue.get() == "plain"
    queue.put([1, (2, {"x": 3})])
    assert queue.get() == [1, (2, {"x": 3})]
    queue.put({1})
    assert client.queue(name, allow_pickle=True).get() == {1}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_what_others_can_only_read_is_trusted(client, name, mode):
    queue = client.queue(name, mode=mode)
    queue.put(Runs())
    assert queue.get() == "ran"


def test_objects_are_made_for_their_owner_alone(client, name):
    assert client.queue(name).describe()["mode"] == 0o600
    assert client.dict().describe()["mode"] == 0o600
    client.list(name + "l", mode=0o660)
    assert client.list(name + "l").describe()["mode"] == 0o660


def test_a_joinable_queue_gets_a_refused_item_back(client, name):
    queue = client.queue(name, joinable=True, max_deliveries=2, mode=0o666)
    queue.put(Runs())
    for _ in range(5):
        with pytest.raises(ipcd.UntrustedPickle):
            queue.take()
    description = queue.describe()
    assert (description["size"], description["taken"], description["unfinished"]) == (1, 0, 1)
    assert client.queue(name, allow_pickle=True).take().deliveries == 1


def test_a_mode_that_is_changed_counts_at_once(client, name):
    queue = client.queue(name)
    queue.put_many([Runs(), Runs()])
    assert queue.get() == "ran"
    ipcd.connect().queue(name).chmod(0o666)
    with pytest.raises(ipcd.UntrustedPickle):
        queue.get()
    queue.chmod(0o600)
    assert queue.get() == "ran"


def test_another_object_of_the_name_is_not_trusted_for_the_first_ones_sake(client, other, name):
    queue = client.queue(name)
    queue.put(Runs())
    assert queue.get() == "ran"
    other.delete(name)
    other.queue(name, mode=0o666).put(Runs())
    with pytest.raises(ipcd.UntrustedPickle):
        queue.get()
    other.delete(name)
    other.queue(name).put(Runs())
    with pytest.raises(ipcd.UntrustedPickle):
        queue.get()
    assert client.queue(name).get() == "ran"


def test_dicts_and_lists_keep_what_is_refused(client, name):
    table = client.dict(name, mode=0o666)
    table["a"] = Runs()
    table["b"] = 1
    for refused in (lambda: table["a"], lambda: table.pop("a"), table.copy, lambda: list(table.items()),
                    lambda: table.get("a"), lambda: table.setdefault("a", 1)):
        with pytest.raises(ipcd.UntrustedPickle):
            refused()
    table.pop("b")
    with pytest.raises(ipcd.UntrustedPickle):
        table.popitem()
    assert len(table) == 1 and "a" in table
    values = client.list(name + "l", mode=0o666)
    values.extend([0, Runs(), 2])
    for refused in (lambda: values[1], lambda: values.pop(1), lambda: values[:], lambda: values.pop(-2)):
        with pytest.raises(ipcd.UntrustedPickle):
            refused()
    assert len(values) == 3 and values[0] == 0 and values[2] == 2
    values.pop()
    with pytest.raises(ipcd.UntrustedPickle):
        values.pop()
    space = client.namespace(name + "n", mode=0o666)
    space.a = Runs()
    with pytest.raises(ipcd.UntrustedPickle):
        space.a
    with pytest.raises(ipcd.UntrustedPickle):
        space._pop("a")
    assert len(space) == 1 and not ran


def test_a_batch_trusts_what_all_its_objects_deserve(client, name):
    safe, unsafe = client.queue(name), client.queue(name + "u", mode=0o666)
    safe.put(Runs())
    unsafe.put_many([Runs(), 1])
    with client.atomic() as batch:
        came = batch(safe).get()
    assert came.value == "ran"
    ran.clear()
    with pytest.raises(ipcd.UntrustedPickle):
        with client.atomic() as batch:
            batch(unsafe).get()
            batch(safe).qsize()
    assert unsafe.qsize() == 2 and not ran


def test_an_anonymous_object_is_trusted_without_asking_again(client):
    queue = client.queue()
    calls = client.stats()["calls"].get("object.describe", 0)
    for _ in range(5):
        queue.put({1})
        assert queue.get() == {1}
    assert client.stats()["calls"].get("object.describe", 0) == calls


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_an_object_of_another_user_is_not_trusted(client, name):
    os.chmod(os.path.dirname(os.environ["IPCD_SOCKET"]), 0o711)
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        theirs = ipcd.connect()
        theirs.queue(name).put(Runs())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(ipcd.UntrustedPickle):
        client.queue(name).get()
    assert client.queue(name).qsize() == 1 and not ran
