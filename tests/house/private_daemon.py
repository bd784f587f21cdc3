"""private_daemon: a daemon of one's own, for the checks that run what the papers show."""
import os
import subprocess
import sys
import time

LIMIT = 60  # seconds, for anything


class Daemon:
    """A daemon on a private socket in a folder, for the length of a with statement; the programs that
    are started meanwhile find it by $IPCD_SOCKET."""

    def __init__(self, program, folder):
        self.program = program
        self.socket = os.path.join(folder, "ipcd.sock")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([self.program, "--socket", self.socket,
                                         "--state", os.path.join(os.path.dirname(self.socket), "state")])
        os.environ["IPCD_SOCKET"] = self.socket
        await_socket(self.socket, self.process)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(LIMIT) != 0:
            sys.exit(f"the daemon ended with {self.process.returncode}")


def await_socket(path, process):
    """Waits until the process has made its socket."""
    end = time.monotonic() + LIMIT
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("the daemon did not start")
        time.sleep(0.01)
