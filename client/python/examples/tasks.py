"""tasks: work for three processes. One of them is killed, and nothing is lost."""
from ipcd.multiprocessing import JoinableQueue, Manager, Process


def work(tasks, squares):
    while True:
        number = tasks.get()
        squares[number] = number * number
        tasks.task_done()


def main():
    with Manager() as manager:
        tasks, squares = JoinableQueue(), manager.dict()
        workers = [Process(target=work, args=(tasks, squares)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for number in range(1, 21):
            tasks.put(number)
        workers[0].kill()  # what it has in hand goes back to the queue
        tasks.join()
        print(f"the sum of {len(squares)} squares is {sum(squares.values())}")
        for worker in workers:
            worker.terminate()
            worker.join()


if __name__ == "__main__":
    main()
