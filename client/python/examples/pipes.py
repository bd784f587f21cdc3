"""pipes: two processes talk over a pipe, one way and then both ways."""
from ipcd.multiprocessing import Pipe, Process


def send(connection):
    connection.send([42, None, "hello"])
    connection.close()


def answer(connection, other):
    other.close()  # a fork has it, too, and while it is open nobody is told of the end
    while True:
        try:
            number = connection.recv()
        except EOFError:  # the other end is closed
            return
        connection.send(number * number)


def one_way():
    receiver, sender = Pipe(duplex=False)
    process = Process(target=send, args=(sender,))
    process.start()
    sender.close()
    assert receiver.recv() == [42, None, "hello"]
    print("one way: received what was sent")
    receiver.close()
    process.join()
    assert process.exitcode == 0


def both_ways():
    here, there = Pipe()
    process = Process(target=answer, args=(there, here))
    process.start()
    there.close()
    for number in range(5):
        here.send(number)
        assert here.recv() == number * number
    print("both ways: five questions and their answers")
    here.close()
    process.join()
    assert process.exitcode == 0


def main():
    one_way()
    both_ways()


if __name__ == "__main__":
    main()
