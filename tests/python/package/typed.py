"""A program whose types mypy checks (test_types.py); it is not run."""
import asyncio

import ipcd
import ipcd.aio
from ipcd.multiprocessing import Manager, Process, Queue


def blocking() -> int:
    with ipcd.connect() as client:
        queue = client.queue("jobs", maxsize=5)
        queue.put({"a": 1}, timeout=1.5)
        with queue.take() as job:
            deliveries: int = job.deliveries
        with client.lock("l"):
            client.dict("d").incr("k")
        size: int = queue.qsize()
        described: str = queue.describe()["name"]
        return size + deliveries + len(described)


async def awaited() -> int:
    async with await ipcd.aio.connect() as client:
        queue = await client.queue("jobs", maxsize=5)
        await queue.put({"a": 1}, timeout=1.5)
        async with queue.take() as job:
            deliveries: int = job.deliveries
            await job.touch()
        async with await client.lock("l"):
            figures = await client.dict("d")
            await figures.incr("k")
        async for name in figures:
            await figures.setitem(name, 1)
        async for happening in client.watch(queue):
            print(happening.event)
        size: int = await queue.qsize()
        value = await client.value(None, "q", 1)
        value.add(1)
        return size + deliveries


def main() -> None:
    with Manager() as manager:
        shared = manager.dict()
        queue = Queue()
        process = Process(target=queue.put, args=(1,))
        process.start()
        shared["got"] = queue.get()
    blocking()
    asyncio.run(awaited())
