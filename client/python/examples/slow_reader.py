"""slow_reader: a queue of one place, and a reader that takes its time.

The writer's puts wait for the reader: there is never more than one item in the queue.
"""
import time

from ipcd.multiprocessing import Process, Queue

ITEMS = 4


def read_slowly(queue):
    for number in range(ITEMS):
        time.sleep(0.2)
        assert queue.get() == number
        print(f"reader: got {number}")


def main():
    queue = Queue(maxsize=1)
    reader = Process(target=read_slowly, args=(queue,))
    reader.start()
    for number in range(ITEMS):
        queue.put(number)
        assert queue.qsize() <= 1
        print(f"writer: put {number}")
    reader.join()
    assert reader.exitcode == 0


if __name__ == "__main__":
    main()
