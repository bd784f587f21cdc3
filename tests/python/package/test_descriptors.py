"""Open files, sockets and other descriptors go as they are."""
import io
import mmap
import os
import socket

import pytest

import ipcd


@pytest.fixture
def queue(client):
    return client.queue()


def test_a_file_comes_back_with_its_mode_and_place(queue, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    with open(path, "rb") as file:
        assert file.read(3) == b"012"
        queue.put(file)
    with queue.get() as came:
        assert isinstance(came, io.BufferedReader)
        assert came.read(2) == b"34"
    with open(path, "ab") as file:
        file.write(b"written, not flushed; ")
        queue.put(file)
    with queue.get() as came:
        assert came.writable() and not came.readable()
        came.write(b"more")
    with open(path, "r+") as file:
        queue.put(file)
    with queue.get() as came:
        assert came.read() == b"0123456789written, not flushed; more"
        came.write(b"!")
    assert path.read_bytes().endswith(b"more!")


def test_a_socket_comes_back_as_one(queue):
    here, there = socket.socketpair()
    with here, there:
        queue.put(there)
        there.close()
        with queue.get() as came:
            assert isinstance(came, socket.socket) and came.family == socket.AF_UNIX
            came.sendall(b"hello")
            assert here.recv(9) == b"hello"


def test_descriptors_stand_anywhere_in_a_value(queue):
    reading, writing = os.pipe()
    with ipcd.Descriptor(reading) as one, ipcd.Descriptor(writing) as two:
        queue.put({"ends": (one, [two]), "n": {1, 2}, (1, 2): "k", "again": one})
    came = queue.get()
    assert came["n"] == {1, 2} and came[1, 2] == "k" and isinstance(came["ends"], tuple)
    came["ends"][1][0].write(b"x")
    came["ends"][1][0].flush()
    assert os.read(came["again"].fileno(), 1) == b"x"
    assert came["again"].fileno() != came["ends"][0].fileno()
    for file in (came["ends"][0], came["ends"][1][0], came["again"]):
        file.close()


def test_memfds_directories_and_pidfds(queue, tmp_path):
    with ipcd.Descriptor(os.memfd_create("m")) as memory:
        os.ftruncate(memory.fileno(), 4096)
        queue.put(memory)
        with queue.get() as came, mmap.mmap(memory.fileno(), 4096) as mapped:
            mapped[0:2] = b"hi"
            assert came.read(2) == b"hi"
    with ipcd.Descriptor(os.open(tmp_path, os.O_RDONLY)) as directory:
        queue.put(directory)
    with queue.get() as came:
        assert isinstance(came, ipcd.Descriptor)
        assert os.listdir(came.fileno()) == []


def test_the_receivers_descriptor_is_not_inherited(queue):
    with open("/dev/null", "rb") as file:
        queue.put(file)
    with queue.get() as came:
        assert not os.get_inheritable(came.fileno())


def test_a_closed_file_is_a_type_error(queue):
    file = open("/dev/null", "rb")
    file.close()
    with pytest.raises(TypeError, match="cannot be sent"):
        queue.put(file)
    with pytest.raises(TypeError, match="cannot be sent"):
        queue.put([1, file])
    assert queue.empty()


def test_more_than_a_message_takes_is_refused(queue):
    with open("/dev/null", "rb") as file:
        with pytest.raises(ValueError):
            queue.put([file] * 17)
        queue.put([file] * 16)
    came = queue.get()
    assert len(came) == 16
    for one in came:
        one.close()


def test_no_descriptor_is_left_over(client, queue):
    def count():
        return len(os.listdir("/proc/self/fd"))
    with open("/dev/null", "rb") as file:
        before = count()
        for _ in range(50):
            queue.put([file, {"f": file}])
            for came in queue.get_many(1):
                came[0].close()
                came[1]["f"].close()
            with pytest.raises(TypeError):
                queue.put([file, lambda: 0])
        assert count() == before


def test_in_memory_files_go_as_objects(queue):
    queue.put(io.BytesIO(b"abc"))
    assert queue.get().read() == b"abc"
