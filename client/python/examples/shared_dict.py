"""shared_dict: a dict that one process changes and another reads.

The writer is gone when the reader looks: the dict lives as long as a process refers to it.
"""
from ipcd.multiprocessing import Manager, Process


def write(shared):
    shared["colour"] = "green"
    shared["point"] = (3, 4)
    del shared["old"]
    print("writer: set colour and point, deleted old")


def read(shared):
    assert shared.copy() == {"colour": "green", "point": (3, 4)}
    print(f"reader: {shared}")


def main():
    with Manager() as manager:
        shared = manager.dict(old=1)
        for work in (write, read):
            process = Process(target=work, args=(shared,))
            process.start()
            process.join()
            assert process.exitcode == 0


if __name__ == "__main__":
    main()
