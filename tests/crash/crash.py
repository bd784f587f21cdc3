#!/usr/bin/python3
"""crash: kills the daemon at any moment, under load, and looks at what is left on disk.

    crash.py IPCD [--seconds S] [--seed N] [--keep FOLDER] [-- OPTION OF THE DAEMON…]

Clients with several calls under way each work on durable objects. The daemon is killed (SIGKILL), or
now and then told to end, or killed once more while it starts; it is started again on the same
directory, and what is there is compared with the record of what was answered:

    nothing that was answered is lost, and no read has shown what is lost (containers.py, shared.py);
    no item comes twice that is not marked by its deliveries, and none that was never put (queues.py);
    order, counts and descriptions are right; a batch is done whole or not at all;
    of the calls of one client that were not answered, some first part is done, and no more.

Then it goes on from there. It ends with 1 at the first round in which something is wrong, and keeps
the folder with the daemon's log and state; with 77 where it cannot run.
"""
import argparse
import os
import random as randomness
import selectors
import shutil
import signal
import sys
import tempfile
import time

try:
    import msgpack  # noqa: F401, the others need it
except ImportError:
    print("there is no module msgpack (python3-msgpack)")
    sys.exit(77)

from client import Client, World
from wire import LIMIT, Connection, Daemon, Trouble

CLIENTS = 24
SENTENCE = 600  # characters of one that are shown
SHORTEST, LONGEST = 0.005, 0.6  # seconds, from the first call of a round to the kill
SETTLED = {"name", "type", "owner", "group", "mode", "lifetime", "created", "maxsize", "order", "joinable",
           "on_disconnect", "lease_ms", "max_deliveries", "dead_letter", "shut_down", "paused"}


class Round:
    """The load between a start and an end of the daemon."""

    def __init__(self, world, daemon, random):
        self.world = world
        self.random = random
        self.daemon = daemon
        self.clients = [Client(number, world, random) for number in range(CLIENTS)]
        self.selector = selectors.DefaultSelector()

    def connect(self):
        for client in self.clients:
            client.connect(self.daemon.connect())
            self.selector.register(client.connection.socket, selectors.EVENT_READ, client)

    def run(self, end):
        """Calls and answers until the moment."""
        for client in self.clients:
            client.fill()
        while (left := end - time.monotonic()) > 0:
            for key, _ in self.selector.select(left):
                if not key.data.read():
                    raise Trouble("the daemon has closed a connection, or ended")
                key.data.fill()

    def drain(self):
        """What had been answered when the daemon was killed."""
        end = time.monotonic() + LIMIT
        for client in self.clients:
            client.connection.socket.settimeout(LIMIT)
            while client.read() and time.monotonic() < end:
                pass
            client.connection.close()
        self.selector.close()


def kill(daemon, random):
    """One of the ways to end, and to be there again."""
    way = random.randrange(10)
    if way == 0:
        status = daemon.end(signal.SIGTERM)
        if status != 0:
            raise Trouble(f"the daemon ends with {status} when it is told to end")
    else:
        daemon.end()
    if way in (1, 2):  # and once more while it reads
        daemon_again(daemon)
        time.sleep(random.random() * 0.05)
        if daemon.process.poll() is None:
            daemon.end()
    return way


def daemon_again(daemon):
    if os.path.exists(daemon.socket):
        os.unlink(daemon.socket)
    daemon.start()


def descriptions(call):
    """What objects are, without what they hold."""
    listed = call("object.list", {"limit": 1000})["objects"]
    return {o["name"]: {key: value for key, value in o.items() if key in SETTLED}
            for o in listed if o["lifetime"] == "durable" and not o["name"].startswith("passing-")}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("ipcd")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", default=None)
    parser.add_argument("options", nargs="*")
    return parser.parse_args()


def run(arguments, folder, seed):
    """The rounds; the sentences about what is wrong, and the figures."""
    random = randomness.Random(seed)
    daemon = Daemon(arguments.ipcd, folder, arguments.options)
    world = World(CLIENTS)
    end = time.monotonic() + arguments.seconds
    figures = {"rounds": 0, "calls": 0, "unanswered": 0}
    try:
        daemon.start()
        connection = Connection(daemon.connect())
        world.open(connection.call)
        before = descriptions(connection.call)
        while time.monotonic() < end or figures["rounds"] == 0:
            this = Round(world, daemon, random)
            this.connect()
            connection.close()
            this.run(time.monotonic() + random.uniform(SHORTEST, random.choice([0.1, LONGEST])))
            in_order = kill(daemon, random) == 0
            this.drain()
            daemon_again(daemon)
            connection = Connection(daemon.connect())
            figures["rounds"] += 1
            figures["calls"] += sum(client.answered for client in this.clients)
            figures["unanswered"] += sum(len(client.pending) for client in this.clients)
            wrong = world.check(connection.call, this.clients, in_order)
            after = descriptions(connection.call)
            if after != before:
                wrong += [f"{name}: described as {after.get(name)}, before as {before.get(name)}"
                          for name in sorted(before.keys() | after.keys())
                          if after.get(name) != before.get(name)]
            if wrong:
                return wrong, figures
            world.tidy(connection.call)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.end()
    return [], figures


def main():
    arguments = parse()
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(4), "little")
    folder = tempfile.mkdtemp(prefix="ipcd-crash.", dir=arguments.keep)
    try:
        wrong, figures = run(arguments, folder, seed)
    except Trouble as trouble:
        wrong, figures = [str(trouble)], {}
    print(", ".join(f"{value} {name}" for name, value in figures.items()), f"(seed {seed})")
    if wrong:
        print("\n".join(sentence[:SENTENCE] for sentence in wrong[:20]))
        print(f"The daemon's log and state are in {folder}; how calls fall together is the machine's,"
              " so another run with the seed may take its time.")
        sys.exit(1)
    shutil.rmtree(folder)


main()
