"""Values and arrays in shared memory; pipes."""
import os
import threading

import pytest

import ipcd


LIMITS = {"b": (-2**7, 2**7 - 1), "B": (0, 2**8 - 1), "h": (-2**15, 2**15 - 1), "H": (0, 2**16 - 1),
          "i": (-2**31, 2**31 - 1), "I": (0, 2**32 - 1), "q": (-2**63, 2**63 - 1), "Q": (0, 2**64 - 1)}


@pytest.mark.parametrize("typecode", LIMITS)
def test_integers_in_memory_at_their_extremes(client, typecode):
    low, high = LIMITS[typecode]
    value = client.value(None, typecode, high)
    array = client.array(None, typecode, [low, high])
    assert value.value == high == value.get() and array[:] == [low, high] == list(array)
    value.value = low
    assert value.value == low and value.add(1) == low + 1
    for wrong in (low - 1, high + 1, 2**64, -2**63 - 1):
        with pytest.raises(OverflowError):
            value.value = wrong
        with pytest.raises(OverflowError):
            array[0] = wrong
    with pytest.raises(OverflowError):
        array.add(1, 1)
    for wrong in (1.5, "x", None):
        with pytest.raises(TypeError):
            value.value = wrong
    assert array[:] == [low, high] and array.view().tolist() == [low, high]


def test_values(client):
    value = client.value(None, "d", 1.5)
    value.value += 1
    assert value.add(0.5) == 3.0 and "3.0" in repr(value)
    with value.get_lock() as held:
        assert held
        with value.get_lock():
            value.value = 7
    assert value.acquire() and value.acquire(block=False)
    value.release()
    value.release()
    with pytest.raises(RuntimeError):
        value.release()
    flag = client.value(None, "?", True)
    assert flag.value is True
    with pytest.raises(ValueError):
        client.value(None, "x")


def test_a_lock_in_memory_tells_of_a_holder_that_died(client, name, start):
    value = client.value(name, "i")
    child = start("""
import sys, ipcd
lock = ipcd.connect().value(sys.argv[1]).get_lock()
lock.acquire(); lock.acquire()
print("held", flush=True)
sys.stdin.readline()
""", name)
    assert child.line() == "held"
    lock = value.get_lock()
    assert not lock.acquire(block=False) and not lock.acquire(timeout=0.001)
    child.process.kill()
    assert lock.acquire(timeout=20) and lock.abandoned
    lock.release()
    assert lock.acquire() and not lock.abandoned
    lock.release()


def test_arrays(client):
    array = client.array(None, "i", 5)
    assert len(array) == 5 and array[:] == [0] * 5
    array[1:3] = [7, 8]
    array[-1] = 9
    array[0::2] = [1, 2, 3]
    assert array[:] == [1, 7, 2, 0, 3] and array[::-1] == [3, 0, 2, 7, 1] and array[3:1] == []
    assert 7 in array and array.tolist()[1:3] == array[1:3] and array.add(1, 3) == 10
    for wrong in (5, -6):
        with pytest.raises(IndexError):
            array[wrong]
        with pytest.raises(IndexError):
            array[wrong] = 1
    for wrong in ([1], [1] * 6):
        with pytest.raises(ValueError):
            array[:] = wrong
    with pytest.raises(OverflowError):
        array[0:2] = [1, 2**31]
    assert array[0] == 1
    view = array.view()
    view[4] = 42
    assert array[4] == 42 and view.format == "i" and "42" in repr(array)
    del array
    assert view[4] == 42


def test_numpy_works_on_an_array_without_copying(client):
    numpy = pytest.importorskip("numpy")
    array = client.array(None, "d", [1, 2, 3])
    here = numpy.asarray(array)
    here *= 2
    assert array[:] == [2.0, 4.0, 6.0]


def test_memory_that_may_only_be_read(client, name):
    array = client.array(name, "i", [1])
    os.chmod(os.path.dirname(os.environ["IPCD_SOCKET"]), 0o711)
    array.chmod(0o644)
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setresuid(65534, 65534, 65534)
            theirs = ipcd.Client().array(name)
            with pytest.raises(PermissionError):
                theirs[0] = 2
            with pytest.raises(TypeError):
                theirs.view()[0] = 2
            status = theirs.view()[0] != 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0

def test_pipes(client, other):
    pipe = client.pipe()
    here, there = pipe.connect(), other.pipe(pipe.name).connect()
    with pytest.raises(FileExistsError):
        pipe.connect(0)
    here.send({"a": (1, {2})})
    there.send_bytes(b"0123456789", 2, 3)
    assert there.recv() == {"a": (1, {2})} and here.poll(20) and here.recv_bytes() == b"234"
    assert not here.poll() and not here.poll(0.001)
    there.send_bytes(bytearray(b"abc"))
    room = bytearray(5)
    assert here.recv_bytes_into(room, 1) == 3 and room == b"\0abc\0"
    with pytest.raises(TypeError):
        here.send(lambda: 0)
    there.send("last")
    there.close()
    assert there.closed and here.recv() == "last"
    with pytest.raises(EOFError):
        here.recv()
    with pytest.raises(OSError):
        there.send(1)
    with client.pipe(duplex=False).connect(0) as reading:
        assert reading.readable and not reading.writable
        with pytest.raises(ipcd.Error):
            reading.send(1)


def test_a_pipe_waits_while_it_is_full(client):
    here, there = client.pipe().ends()
    thread = threading.Thread(target=lambda: [here.send(b"x" * 100000) for _ in range(50)])
    thread.start()
    assert all(len(there.recv_bytes()) == 100000 for _ in range(50))
    thread.join()
    here.close()
    there.close()
