"""The examples: each does what it says, by itself, with a daemon of its own that it starts and that ends
with it; and twice in one process, which has no more descriptors, threads and children after it."""
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import names, wait_until

EXAMPLES = pathlib.Path(__file__).parents[3] / "client/python/examples"

TWICE = """
import gc, importlib, multiprocessing, os, sys, threading

def descriptors():
    gc.collect()
    return [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")[:-1]]

example = importlib.import_module(sys.argv[1])
example.main()
before = descriptors()
example.main()
assert len(descriptors()) == len(before), (before, descriptors())
assert threading.active_count() == 1
assert not multiprocessing.active_children()
"""


def run(*command, **environment):
    """Runs a program that is to succeed, and to complain of nothing."""
    env = {key: value for key, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True,
                          timeout=100)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def processes_with(setting):
    """The processes that have something in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if setting.encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_an_example_runs_by_itself_and_leaves_nothing(name, tmp_path):
    assert run(EXAMPLES / f"{name}.py", IPCD_SOCKET=None, XDG_RUNTIME_DIR=None,
               TMPDIR=str(tmp_path))
    wait_until(lambda: not processes_with(f"TMPDIR={tmp_path}"))
    wait_until(lambda: not list(tmp_path.iterdir()))


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_an_example_run_twice_leaves_no_descriptors_and_no_objects(name):
    path = os.pathsep.join([str(EXAMPLES), os.environ["PYTHONPATH"]])
    before = names()
    run("-c", TWICE, name, PYTHONPATH=path)
    wait_until(lambda: names() == before)
