"""hundred_threads: a hundred threads each hold a lock, read a number, sleep, and write back one less.

From 100 it comes to exactly 0, since no two of them are at it at the same time. All share one
connection, where it is the thread that holds the lock.
"""
import threading
import time

from ipcd.multiprocessing import Lock, Manager

THREADS = 100


def take_one(lock, shared):
    with lock:
        number = shared.n
        time.sleep(0.002)
        shared.n = number - 1


def main():
    lock = Lock()
    with Manager() as manager:
        shared = manager.Namespace(n=THREADS)
        threads = [threading.Thread(target=take_one, args=(lock, shared)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"{THREADS} threads: {THREADS} became {shared.n}")
        assert shared.n == 0


if __name__ == "__main__":
    main()
