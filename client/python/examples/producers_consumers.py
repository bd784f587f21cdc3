"""producers_consumers: two producers put ten jobs each, two consumers do them, and join waits until
all are done.

A job counts as done when its consumer says so (task_done). The job of a consumer that was killed with
it in hand would be got by the other one. None says that there is no more.
"""
from ipcd.multiprocessing import JoinableQueue, Manager, Process

CITIES = ["Zürich", "København", "Kraków", "Αθήνα", "Київ", "Tiranë", "Reykjavík", "București", "東京",
          "São Paulo"]


def produce(jobs, number):
    for city in CITIES:
        jobs.put(f"{city} from producer {number}")
    print(f"producer {number}: put {len(CITIES)} jobs")


def consume(jobs, done, number):
    for job in iter(jobs.get, None):
        done.append(job)
        print(f"consumer {number}: {job}")
        jobs.task_done()
    jobs.task_done()


def main():
    jobs = JoinableQueue()
    with Manager() as manager:
        done = manager.list()
        producers = [Process(target=produce, args=(jobs, number)) for number in (1, 2)]
        consumers = [Process(target=consume, args=(jobs, done, number)) for number in (1, 2)]
        for process in producers + consumers:
            process.start()
        for process in producers:
            process.join()
        jobs.join()
        assert sorted(done) == sorted(f"{city} from producer {number}"
                                      for city in CITIES for number in (1, 2))
        for _ in consumers:
            jobs.put(None)
        jobs.join()
        for process in producers + consumers:
            process.join()
            assert process.exitcode == 0


if __name__ == "__main__":
    main()
