"""ten_processes: ten processes change one dict and one list at the same time.

The keys 1 and "2" are of two kinds, and stay so. Adding to a number of the dict is getting it and
setting it, which a lock makes one; incr is one by itself.
"""
from ipcd.multiprocessing import Lock, Manager, Process

PROCESSES = 10
ROUNDS = 100


def change(shared, numbers, lock, number):
    for _ in range(ROUNDS):
        with lock:
            shared[1] += 1
        shared.incr("2", 10)
    numbers.append(number)


def main():
    lock = Lock()
    with Manager() as manager:
        shared = manager.dict({1: 0, "2": 0})
        numbers = manager.list()
        processes = [Process(target=change, args=(shared, numbers, lock, number))
                     for number in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        print(f"dict: {shared}, list: {numbers}")
        assert shared.copy() == {1: PROCESSES * ROUNDS, "2": PROCESSES * ROUNDS * 10}
        assert sorted(numbers) == list(range(PROCESSES))


if __name__ == "__main__":
    main()
