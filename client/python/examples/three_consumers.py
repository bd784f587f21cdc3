"""three_consumers: 150,000 numbers, and three processes that take 50,000 of them each.

The sum of what they got shows that no number was lost and none was given twice.
"""
from ipcd.multiprocessing import Process, Queue, Value

CONSUMERS = 3
EACH = 50_000
TOTAL = CONSUMERS * EACH


def consume(queue, total, number):
    total.add(sum(queue.get() for _ in range(EACH)))
    print(f"consumer {number}: took {EACH}")


def main():
    queue = Queue()
    total = Value("q", 0)
    consumers = [Process(target=consume, args=(queue, total, number))
                 for number in range(1, CONSUMERS + 1)]
    for consumer in consumers:
        consumer.start()
    for number in range(TOTAL):
        queue.put(number)
    print(f"producer: put {TOTAL}")
    for consumer in consumers:
        consumer.join()
        assert consumer.exitcode == 0
    assert queue.empty()
    assert total.value == sum(range(TOTAL))


if __name__ == "__main__":
    main()
