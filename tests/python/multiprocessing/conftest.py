"""What the tests of ipcd.multiprocessing share. $IPCD_SOCKET names a daemon of this run's own."""
import gc
import os
import signal
import time

import pytest

from ipcd import multiprocessing
from ipcd.multiprocessing.objects import client


def wait_until(condition, seconds=30):
    """Waits for what another process or thread is about to do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come to that in time"
        time.sleep(0)


def waits_on(shared):
    """How many calls wait on an object."""
    return len(client().describe(shared.name, True)["waits"])


class Worker:
    """A process that can be killed when it has come to a certain moment."""

    def __init__(self, context, work, *args):
        self.reached, self._tells = context.Pipe(duplex=False)
        self.process = context.Process(target=work, args=(*args, self._tells), daemon=True)
        self.process.start()
        self._tells.close()

    def await_moment(self):
        """Until it says that it has come so far."""
        assert self.reached.recv() == "here"

    def kill(self):
        """Kills it, and waits until the daemon knows."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        pid = self.process.pid
        wait_until(lambda: all(session["pid"] != pid for session in client().sessions()))


@pytest.fixture(params=["fork", "spawn", "forkserver"])
def context(request):
    return multiprocessing.get_context(request.param)


@pytest.fixture(params=["fork", "spawn"])
def start(request):
    """Starts workers, and sees that none is left."""
    context = multiprocessing.get_context(request.param)
    workers = []

    def start_worker(work, *args):
        workers.append(Worker(context, work, *args))
        return workers[-1]

    yield start_worker
    for worker in workers:
        if worker.process.is_alive():
            worker.process.kill()
        worker.process.join()
        worker.reached.close()


def names():
    """The names of all objects that there are."""
    gc.collect()
    return {description["name"] for description in client().objects()}
