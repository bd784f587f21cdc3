"""The same for asyncio: queues, dicts, locks and the rest, with `await` where there is a wait.

    import asyncio
    import ipcd.aio

    async def main():
        async with await ipcd.aio.connect() as client:
            jobs = await client.queue("jobs", joinable=True)
            await jobs.put({"sweep": "floor"})
            async with jobs.take() as job:      # done at the end, given back on an exception
                print(job.value)
            async with await client.lock("broom"):
                ...
            async with client.watch(jobs, ["put"]) as happenings:
                async for happening in happenings:
                    print(happening.event)

    asyncio.run(main())

Names, parameters and errors are those of the blocking package. What opens an object, and every method
that asks the daemon, is a coroutine. Where Python has an operator that cannot be awaited there is a
method: `await d.setitem(key, value)`, `delitem`, `contains`, `length`; getting is `await d[key]`, and
iterating `async for key in d`.

Cancelling a task cancels its wait at the daemon, and takes nothing: when CancelledError comes out of
`get`, `acquire` and so on, the daemon has answered, and what had been on its way is given back to where
it was, an item to the head of its queue. So it is with a time limit of asyncio's, as `asyncio.wait_for`.

Locks and conditions are held by a task, and tasks exclude each other. The numbers of values and arrays
are memory, and so are their methods plain ones; their locks, that of `get_lock()`, are a thread's and
make the whole loop wait, so hold them for a few lines without `await`.

A client belongs to the event loop in which it was made; many tasks may use it at once, on one
connection. A child of a fork makes one of its own.
"""
from .client import Client, connect
from .proxies import (Array, Barrier, Condition, Dict, End, Event, List, Lock, Namespace, Pipe, Proxy,
                      Queue, Semaphore, Taking, Ticket, Value)
from .watch import Watch

__all__ = ["Array", "Barrier", "Client", "Condition", "Dict", "End", "Event", "List", "Lock",
           "Namespace", "Pipe", "Proxy", "Queue", "Semaphore", "Taking", "Ticket", "Value", "Watch",
           "connect"]
