"""What becomes of a program whose daemon goes away, or that has none."""
import os
import subprocess
import sys

import pytest

LOST = """
import os, signal, socket, struct, threading
from ipcd import multiprocessing as mp
from ipcd.multiprocessing.objects import client

manager = mp.Manager()
queue, full, lock, condition = mp.Queue(), mp.Queue(1), mp.Lock(), mp.Condition()
full.put(0)
lock.acquire()
jobs = mp.JoinableQueue()
jobs.put(0)

def wait_under():
    with condition:
        condition.wait()

WAITS = {queue: queue.get, full: lambda: full.put(1), lock: lock.acquire, condition: wait_under,
         jobs: jobs.join}
for made, wait in [(mp.Semaphore(0), "acquire"), (mp.Event(), "wait"), (mp.Barrier(2), "wait"),
                   (manager.Queue(), "get"), (manager.Event(), "wait"), (manager.Barrier(2), "wait")]:
    WAITS[made] = getattr(made, wait)

lost = []

def waits(wait):
    try:
        wait()
    except ConnectionError:
        lost.append(wait)

threads = [threading.Thread(target=waits, args=(wait,)) for wait in WAITS.values()]
for thread in threads:
    thread.start()
while sum(len(client().describe(made.name, True)["waits"]) for made in WAITS) < len(WAITS):
    pass

with socket.socket(fileno=os.dup(client()._connection.fileno())) as connection:
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
os.kill(struct.unpack("3i", peer)[0], signal.SIGKILL)
for thread in threads:
    thread.join()
assert len(lost) == len(WAITS)

value = mp.Value  # needs a daemon to be made; what is there goes on
for use in (queue.qsize, lock.release, lambda: mp.Value("i"), lambda: (queue.put(1), queue.flush())):
    try:
        use()
    except ConnectionError:
        continue
    raise AssertionError("no ConnectionError")
"""

NONE = """
from ipcd import multiprocessing as mp
try:
    mp.Queue()
except ConnectionError as error:
    print(error)
"""


def run(program, **environment):
    env = {key: value for key, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True,
                          timeout=100)
    return done.returncode, done.stdout, done.stderr


def test_everybody_who_waits_gets_connection_error_when_the_daemon_goes(tmp_path):
    assert run(LOST, IPCD_SOCKET=None, XDG_RUNTIME_DIR=None, TMPDIR=str(tmp_path)) == (0, "", "")


def test_without_a_daemon_to_start_the_first_use_says_where_it_was_looked_for(tmp_path):
    code, said, complaints = run(NONE, IPCD_SOCKET=None, XDG_RUNTIME_DIR=None,
                                 IPCD_PATH=str(tmp_path / "nowhere"))
    assert (code, complaints) == (0, "")
    assert said.count("\n") == 1 and str(tmp_path / "nowhere") in said


@pytest.mark.parametrize("socket", ["/nowhere/ipcd.sock"])
def test_a_named_daemon_that_is_not_there_is_a_connection_error(socket):
    code, said, _ = run(NONE, IPCD_SOCKET=socket)
    assert code == 0 and socket in said
