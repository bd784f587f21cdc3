"""wire: a daemon that can be killed, and connections to it on which many calls are under way.

What a connection had been sent before the daemon was killed is in its socket, and counts as
answered: it is read to its end.
"""
import os
import signal
import socket
import subprocess
import time

import msgpack

LIMIT = 60  # seconds, for anything


class Trouble(Exception):
    """The test itself cannot go on: the daemon does not start, or says nothing any more."""


class Daemon:
    """An ipcd on a private socket that keeps its durable objects in a directory. Its log is in the
    same folder."""

    def __init__(self, program, folder, options=()):
        self.program = program
        self.options = list(options)
        self.socket = os.path.join(folder, "ipcd.sock")
        self.state = os.path.join(folder, "state")
        self.log = os.path.join(folder, "log")
        self.process = None

    def start(self):
        """Starts it and does not wait."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--socket", self.socket, "--state", self.state, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def connect(self):
        """Waits until it accepts; a connected socket."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Trouble(f"the daemon ended with {self.process.returncode} instead of starting")
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self.socket)
                return connection
            except OSError:
                connection.close()
                time.sleep(0.002)
        raise Trouble("the daemon does not accept connections")

    def end(self, number=signal.SIGKILL):
        """Sends it the signal and waits until it is gone; its status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.wait()
            raise Trouble(f"the daemon does not end by signal {number}") from error


class Refused(Exception):
    """An error that was the answer."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Connection:
    """Calls out, answers in, by their numbers."""

    def __init__(self, connection):
        self.socket = connection
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, use_list=True)
        self.last = 0
        self.unsent = []

    def add(self, method, params):
        """Encodes a call, which goes out with the next send; its number."""
        self.last += 1
        self.unsent.append(msgpack.packb([0, self.last, method, params]))
        return self.last

    def send(self):
        """False if the daemon is gone."""
        data, self.unsent = b"".join(self.unsent), []
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def receive(self):
        """What one read brings: a list of (number, error or None, result); None at the end."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            return None
        self.unpacker.feed(data)
        return [message[1:] for message in self.unpacker if message[0] == 1]

    def call(self, method, *params):
        """One call and its answer, with nothing else under way."""
        number = self.add(method, params)
        self.socket.settimeout(LIMIT)
        if self.send():
            while (answers := self.receive()) is not None:
                for answered, error, result in answers:
                    if answered != number:
                        raise Trouble(f"{method}: an answer to {answered}, which was not called")
                    if error is not None:
                        raise Refused(*error[:2])
                    return result
        raise Trouble(f"{method}: the daemon has closed the connection")

    def close(self):
        self.socket.close()
