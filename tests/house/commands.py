#!/usr/bin/env python3
"""commands: every command that the README and the man pages show is run, or it is said why not.

    commands.py README IPCD IPCCTL IPCBENCH PAGE…

Three kinds are run elsewhere: the README's console (readme.py), its lines that are marked for
tools/check-install, and the examples of ipcctl(1) with what they print (tests/ipcctl/manual.py). What
else is found must stand here, in RUN or in LEFT_OUT; and what stands here must be found. And each
option that a program's --help has is in its page, and the other way round.
"""
import os
import re
import subprocess
import sys
import tempfile

from private_daemon import LIMIT, Daemon, await_socket

# What a text in the README begins with that is meant to be typed.
PROGRAMS = r"(?:ipcctl|ipcd|ipcbench|cc|cp|meson|ninja|sudo|systemctl|journalctl|tools/\w+) "

# Commands that are run against a daemon with the objects of SETUP, each as it stands ("") or with a
# word replaced by another or words added, so that it means something or comes to its end.
SETUP = ["ipcctl create queue jobs", "ipcctl create lock db", "ipcctl create queue mail",
         "ipcctl put mail hi --text"]
RUN = {
    "ipcctl run --lock=NAME COMMAND": {"NAME": "db", "COMMAND": "true"},
    'ipcctl put jobs --text -- "$text"': {"$text": "-"},
    "ipcctl sessions": {},
    "ipcctl stats": {},
    "ipcctl ls -l": {},
    "ipcctl help queue.get": {},
    "ipcctl describe NAME": {"NAME": "mail"},
    "ipcctl lock ls": {},
    "ipcctl watch": {"": "--count=1"},
    "ipcctl watch NAME": {"NAME": "mail", "": "--timeout=10ms || [ $? -eq 5 ]"},
    "ipcctl help": {},
    "ipcctl help queue.get_any": {},
    """ipcctl call queue.get_any '["mail", "jobs"]'""": {},
    "ipcbench --spawn --redis --echo --pin": {"": "--quick --only=handoff"},
    "ipcbench --spawn --quick": {},
    "ipcbench --list": {},
    "ipcbench --durable": {"": "--quick"},
    "ipcctl create queue orders --joinable --durable": {},
    "ipcctl put orders '{\"item\": 17, \"to\": \"ada\"}'": {},
    "ipcbench --spawn --redis --echo --pin --only '*/put*,*/get*,handoff'": {"": "--quick"},
    "ipcbench --spawn --stall=list": {"": "--quick"},
    "TMPDIR=/var/tmp ipcbench --durable=speed,loop": {"": "--quick"},
    "ipcbench --engine": {"": "--quick || [ $? -eq 77 ]"},
    "ipcbench --engine=latency --pin-one": {"": "--quick || [ $? -eq 77 ]"},
}

# Commands that run until they are ended: daemons, each with the socket that it makes.
DAEMONS = {"ipcd --socket=$HOME/shop.sock --socket-mode=0600": "shop.sock",
           "ipcd --socket=$HOME/shop.sock --state=$HOME/shop.state": "shop.sock"}

CHECK_INSTALL = "tools/check-install runs it"
README = "tests/house/readme.py runs it"
SYSTEMD = "it needs systemd as process 1; tests/system/units looks at the unit files"
ENGINE = "it needs a Redis on another machine; tests/hosts/ starts daemons with an engine"
TWO_HOSTS = "a session with a Redis at a fixed port; tests/hosts/ does the same at free ones"
LEFT_OUT = {
    "ipcd --socket=$HOME/shop.sock --engine=redis://db1.example": ENGINE,
    "redis-server --port 7777 --save '' &": TWO_HOSTS,
    "printf '[engine]\\nurl=redis://127.0.0.1:7777\\nhost=a\\n' >a.conf": TWO_HOSTS,
    "printf '[engine]\\nurl=redis://127.0.0.1:7777\\nhost=b\\n' >b.conf": TWO_HOSTS,
    "ipcd --socket=$PWD/a.sock --config=a.conf &": TWO_HOSTS,
    "ipcd --socket=$PWD/b.sock --config=b.conf &": TWO_HOSTS,
    "ipcctl --socket=$PWD/a.sock create queue jobs": TWO_HOSTS,
    "ipcctl --socket=$PWD/a.sock put jobs '\"sweep\"'": TWO_HOSTS,
    "ipcctl --socket=$PWD/b.sock get jobs": TWO_HOSTS,
    "python3 tasks.py": README,
    "tools/check": "it is what runs this",
    "tools/demo": CHECK_INSTALL,
    "tools/demo --cluster": "it installs packages and builds; tests/hosts/ has the same failures",
    "cc jobs.c $(pkg-config --cflags --libs ipcclient)": CHECK_INSTALL,
    "cc program.c $(pkg-config --cflags --libs ipcclient)":
        "the same as the next one, without a program",
    "ipcctl server upgrade": "tests/ipcctl/daemon.sh runs it",
    "sudo systemd-sysusers && sudo systemctl daemon-reload": SYSTEMD,
    "sudo systemctl enable --now ipcd.socket": SYSTEMD,
    "systemctl enable --now ipcd.socket": SYSTEMD,
    "systemctl --user enable --now ipcd.socket": SYSTEMD,
}


def readme_commands(text):
    """The commands of the README that nothing else runs."""
    blocks = re.findall(r"^((?:<!-- [^\n]* -->)?)\n```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for marker, kind, block in blocks:
        if kind == "sh" and not marker.startswith("<!-- tools/check-install: "):
            yield from (line.split("  #")[0].strip() for line in block.splitlines())
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"^    (\S.*)$", rest, re.MULTILINE)
    for span in re.findall(r"`([^`]+)`", rest):
        if re.match(PROGRAMS, span.replace("\n", " ")):
            yield span.replace("\n", " ")


def page_commands(name, text):
    """The commands of a man page; of ipcctl(1) those that are no examples."""
    text = text.replace("\\e", "\\").replace("\\(dq", '"').replace("\\-", "-")
    examples = r"^\.Bd -literal.*?^\.Ed$"
    if name != "ipcctl.1":
        for block in re.findall(examples, text, re.MULTILINE | re.DOTALL):
            yield from re.findall(r"^[$#] (.*)$", block, re.MULTILINE)
    rest = re.sub(examples, "", text, flags=re.MULTILINE | re.DOTALL)
    for line in re.findall(r"^\.(?:Dl|Ql|Li|Dq|Sq) (.*)$", rest, re.MULTILINE):
        line = re.sub(r"^[$#] | [.,;]$", "", line)
        if re.match(PROGRAMS, line):
            yield line


def as_run(command):
    for word, other in RUN[command].items():
        command = command.replace(word, other) if word else f"{command} {other}"
    return command


def run(command):
    """What is wrong with a command, or None."""
    done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=2 * LIMIT, check=False)
    return f"$ {command}\nends with {done.returncode}:\n{done.stdout}" if done.returncode else None


def run_daemon(command, socket):
    process = subprocess.Popen(["bash", "-c", "exec " + command])
    await_socket(os.path.join(os.environ["HOME"], socket), process)
    process.terminate()
    status = process.wait(LIMIT)
    return f"$ {command}\nends with {status} when it is told to end" if status else None


def run_all(found, ipcd, programs):
    os.environ["PATH"] = ":".join([os.path.dirname(path) for path in programs] + [os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder, Daemon(ipcd, folder):
        os.environ["HOME"] = folder
        wrong = [run(command) for command in SETUP + [as_run(c) for c in RUN if c in found]]
        wrong += [run_daemon(c, socket) for c, socket in DAEMONS.items() if c in found]
    return [text for text in wrong if text is not None]


def options_wrong(program, page):
    """The options of --help that the page has not, and the other way round."""
    help_text = subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
    there = set(re.findall(r"^ +--([a-z-]+)", help_text, re.MULTILINE))
    there |= set(re.findall(r", --([a-z-]+)$", help_text, re.MULTILINE))
    described = set(re.findall(r"^\.It Fl -([a-z-]+)", page, re.MULTILINE))
    name = os.path.basename(program)
    return ([f"{name} --{option} is not in its page" for option in sorted(there - described)] +
            [f"the page of {name} has --{option}, which is not in its help"
             for option in sorted(described - there)])


def main():
    readme, *programs = sys.argv[1:5]
    ipcd, _, ipcbench = programs
    pages = {}
    for path in sys.argv[5:]:
        with open(path, encoding="utf-8") as file:
            pages[os.path.basename(path)] = file.read()
    with open(readme, encoding="utf-8") as file:
        found = {command: "the README" for command in readme_commands(file.read())}
    for name, text in pages.items():
        found.update((command, name) for command in page_commands(name, text))
    known = {**RUN, **DAEMONS, **LEFT_OUT}
    wrong = [f"{place} shows a command that is neither run nor left out for a reason; see RUN and "
             f"LEFT_OUT: {command}" for command, place in found.items() if command not in known]
    wrong += [f"no paper shows it any more: {command}" for command in known if command not in found]
    wrong += options_wrong(ipcd, pages["ipcd.8"]) + options_wrong(ipcbench, pages["ipcbench.1"])
    wrong += run_all(found, ipcd, programs)
    print("\n".join(wrong))
    print(f"{len(found)} commands, {len(LEFT_OUT)} of them left out, {len(wrong)} faults")
    sys.exit(1 if wrong else 0)


main()
