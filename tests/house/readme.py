#!/usr/bin/env python3
"""readme: what the README shows is what happens.

Starts a private daemon and, with "c", checks that the C program in the README is the source of the
example program, and lets that do tasks in several processes; with "console" types every line after
"$ " of the console example into a shell and compares what comes out; with "python" checks that the
first program in Python is the source of the example, runs it without the daemon, since it starts
one, and all others with it.

    readme.py README IPCD IPCCTL c SOURCE PROGRAM
    readme.py README IPCD IPCCTL console
    readme.py README IPCD IPCCTL python SOURCE

Every wait has a limit; every process that is started here is ended here.
"""
import os
import re
import subprocess
import sys
import tempfile

from private_daemon import LIMIT, Daemon


def block(text, kind):
    match = re.search(r"^```" + kind + r"\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if match is None:
        sys.exit(f"the README has no block of {kind}")
    return match.group(1)


def check_c(text, ipcctl, source, program):
    """Two workers and a producer; the workers end when the queue is shut down."""
    with open(source, encoding="utf-8") as file:
        if file.read() != block(text, "c"):
            sys.exit(f"the C program in the README is not {os.path.basename(source)}")
    texts = [f"task {i}" for i in range(20)]
    workers = [subprocess.Popen([program, "work"], stdout=subprocess.PIPE, text=True)
               for _ in range(2)]
    try:
        subprocess.run([program, "put", *texts], check=True, timeout=LIMIT)
        subprocess.run([ipcctl, "shutdown", "tasks"], check=True, timeout=LIMIT)
        output = [worker.communicate(timeout=LIMIT)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    if any(worker.returncode != 0 for worker in workers):
        sys.exit("a worker of the README's program did not end well")
    done = sorted(line for out in output for line in out.splitlines())
    if done != sorted(texts):
        sys.exit(f"the README's program did {done}")
    print(f"{len(done)} tasks done")


def check_console(text, ipcctl):
    """Each command and the lines that follow it."""
    os.environ["PATH"] = os.path.dirname(ipcctl) + ":" + os.environ["PATH"]
    os.environ["LC_ALL"] = "C.UTF-8"
    wrong = 0
    examples = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block(text, "console"), re.MULTILINE)
    for command, expected in examples:
        run = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                             timeout=LIMIT, check=False)
        got = "".join(line.rstrip() + "\n" for line in run.stdout.splitlines())
        if got != expected:
            wrong += 1
            print(f"$ {command}\nthe README says:\n{expected}and this came out:\n{got}")
    if wrong or not examples:
        sys.exit(f"{wrong} of {len(examples)} examples are not as the README says")
    print(f"{len(examples)} examples")


def run_python(program, environment):
    run = subprocess.run([sys.executable, program], env=environment, stdout=subprocess.PIPE,
                         text=True, timeout=LIMIT, check=False)
    if run.returncode != 0:
        sys.exit(f"a program of the README's ended with {run.returncode}")
    return run.stdout


def check_python(text, folder, source):
    """The program that is an example, and what the README says that it prints; and the others."""
    programs = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    with open(source, encoding="utf-8") as file:
        if file.read() != programs[0]:
            sys.exit(f"the first Python program in the README is not {os.path.basename(source)}")
    said = re.search(r"^python3 tasks.py +# (.*)$", text, re.MULTILINE).group(1)
    without = {key: value for key, value in os.environ.items() if key != "IPCD_SOCKET"}
    printed = run_python(source, without).strip()
    if printed != said:
        sys.exit(f"the README says {said!r}, and the program {printed!r}")
    for number, program in enumerate(programs[1:]):
        path = os.path.join(folder, f"program{number}.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        run_python(path, os.environ)
    print(f"{len(programs)} programs")


def main():
    readme, ipcd, ipcctl, what, *example = sys.argv[1:]
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder, Daemon(ipcd, folder):
        if what == "c":
            check_c(text, ipcctl, *example)
        elif what == "python":
            check_python(text, folder, *example)
        else:
            check_console(text, ipcctl)


main()
