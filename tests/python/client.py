"""client: a client of ipcd in Python, just large enough to run Python's own tests with.

One connection for each process, shared by its threads: the thread that waits first reads for all.
A value that MessagePack has no form for (a tuple, an object) travels as an ext of type 42 with its
pickle in it; a proxy as a reference (ext type 1). A child made by fork connects anew.
"""
import array
import os
import pickle
import queue
import socket
import threading

import msgpack

REFERENCE, DESCRIPTOR, PICKLE = 1, 2, 42

ERRORS = {
    "FULL": queue.Full, "EMPTY": queue.Empty, "KEY": KeyError, "INDEX": IndexError,
    "VALUE": ValueError, "TYPE": TypeError, "RANGE": OverflowError, "NOT_OWNER": RuntimeError,
    "BROKEN": threading.BrokenBarrierError, "TIMEOUT": TimeoutError, "EXISTS": FileExistsError,
}


class RemoteError(Exception):
    """An error that Python has no exception for: its code is in args[0]."""


class Missing:
    """What a param is that is left out."""


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect("\0" + path[1:] if path.startswith("@") else path)
        self.turn = threading.Condition(threading.Lock())
        self.reading = False
        self.answers = {}
        self.next_msgid = 0
        self.descriptors = []
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=0)
        self.of_reference = None  # makes a proxy of a name

    def decoded(self, value):
        """The value with what its exts stand for: made by the thread that called, since it takes
        calls to make a proxy."""
        if isinstance(value, list):
            return [self.decoded(element) for element in value]
        if isinstance(value, dict):
            return {self.decoded(key): self.decoded(of) for key, of in value.items()}
        if not isinstance(value, msgpack.ExtType):
            return value
        if value.code == PICKLE:
            return pickle.loads(value.data)
        if value.code == REFERENCE:
            return self.of_reference(value.data.decode())
        return self.descriptors.pop(0) if value.code == DESCRIPTOR else value

    def call(self, method, *params):
        params = list(params)
        while params and params[-1] is Missing:
            params.pop()
        with self.turn:
            msgid = self.next_msgid
            self.next_msgid = (msgid + 1) & 0xFFFFFFFF
            self.answers[msgid] = None
            self.socket.sendall(pack([0, msgid, method, params]))
        self.wait(msgid)
        _, _, error, result = self.answers.pop(msgid)
        if error is not None:
            code, message = error[:2]
            raise ERRORS.get(code, RemoteError)(f"{code}: {message}")
        return self.decoded(result)

    def wait(self, msgid):
        with self.turn:
            while self.answers[msgid] is None:
                if self.reading:
                    self.turn.wait()
                    continue
                self.reading = True
                self.turn.release()
                try:
                    data = self.receive()
                finally:
                    self.turn.acquire()
                    self.reading = False
                self.unpacker.feed(data)
                for message in self.unpacker:
                    if message[0] == 1 and message[1] in self.answers:
                        self.answers[message[1]] = message
                self.turn.notify_all()

    def receive(self):
        room = 16 * array.array("i").itemsize
        data, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(room))
        if not data:
            raise EOFError("the daemon has closed the connection")
        for level, kind, payload in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self.descriptors.extend(array.array("i", payload))
        return data


def of_object(value):
    name = getattr(value, "_ipcd_name", None)
    if name is not None:
        return msgpack.ExtType(REFERENCE, name.encode())
    return msgpack.ExtType(PICKLE, pickle.dumps(value))


def pack(message):
    return msgpack.packb(message, default=of_object, strict_types=True, use_bin_type=True)


class Client:
    """The connection of this process."""

    def __init__(self, path, of_reference):
        self.path = path
        self.of_reference = of_reference
        self.lock = threading.Lock()
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self):
        self.lock = threading.Lock()
        self.connection = None

    def call(self, method, *params):
        with self.lock:
            if self.connection is None:
                self.connection = Connection(self.path)
                self.connection.of_reference = self.of_reference
        return self.connection.call(method, *params)
