"""answers: a daemon that answers each method as it is told, for what a single daemon does not say.

    answers.py SOCKET ASKED

Standard input is a JSON object, from methods to results; numbers under "since", "held_since" and
"created" are moments so many seconds ago. A method that is not there is UNKNOWN_METHOD. Each request
is written to the file ASKED, a line of JSON. Prints "ready" when it listens, and serves one
connection after the other until it is killed.
"""
import json
import socket
import sys
import time

import msgpack

MOMENTS = ("since", "held_since", "created")


def moments(pairs):
    now = int(time.time())
    return {key: msgpack.Timestamp(now - value) if key in MOMENTS and value is not None else value
            for key, value in pairs}


def serve(connection, answers, asked):
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    while data := connection.recv(65536):
        unpacker.feed(data)
        for _, number, method, params in (message for message in unpacker if message[0] == 0):
            asked.write(json.dumps([method, params]) + "\n")
            asked.flush()
            error = None if method in answers else ["UNKNOWN_METHOD", f"there is no {method} here"]
            connection.sendall(msgpack.packb([1, number, error, answers.get(method)]))


def main():
    answers = json.load(sys.stdin, object_pairs_hook=moments)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    print("ready", flush=True)
    with open(sys.argv[2], "w", encoding="utf-8") as asked:
        while True:
            connection, _ = listener.accept()
            with connection:
                serve(connection, answers, asked)


main()
