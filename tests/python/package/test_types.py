"""The package's types, as mypy sees them (Debian: mypy). Left out where it is not installed."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

pytest.importorskip("mypy")
HERE = pathlib.Path(__file__).parent


def mypy(folder, *arguments):
    # The package as it is built, found as one that is installed.
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"),
                           "--follow-imports", "silent", *map(str, arguments)],
                          env={**os.environ, "MYPYPATH": os.environ["PYTHONPATH"]},
                          capture_output=True, text=True, timeout=200)


def test_a_program_is_checked(tmp_path):
    done = mypy(tmp_path, HERE / "typed.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_forgets_to_await_is_told(tmp_path):
    program = (HERE / "typed.py").read_text().replace("size: int = await queue", "size: int = queue")
    wrong = tmp_path / "wrong.py"
    wrong.write_text(program)
    done = mypy(tmp_path, wrong)
    assert done.returncode == 1 and re.search(r'has type "Coroutine', done.stdout), done.stdout


def test_the_stubs_of_aio_are_what_it_is():
    stubs = HERE.parents[2] / "tools/aio-stubs"
    done = subprocess.run([sys.executable, stubs, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
