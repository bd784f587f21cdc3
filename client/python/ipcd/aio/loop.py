"""Calls that a task awaits, and the connection in the event loop.

A call is under way from the moment in which it is made; awaiting it is for its answer. A task that is
cancelled asks the daemon to cancel the call and waits for what it says: either it was cancelled, or the
answer was on its way, and is then given back by its source's `_undo`.
"""
from __future__ import annotations

import asyncio
import select
from typing import Any, Callable, Generator, Optional

from .. import _core, errors

Done = Callable[[Any, Optional[BaseException]], None]


class Call:
    """A call that is under way, or answered."""

    __slots__ = ("_loop", "_source", "_method", "_params", "_form", "_id", "_answered", "_result",
                 "_exception", "_waiter", "_abandoned")

    def __init__(self, loop: Loop, source: Any, method: bytes, params: tuple[Any, ...],
                 form: Callable[[Any], Any]) -> None:
        self._loop = loop
        self._source = source
        self._method = method
        self._params = params
        self._form = form
        self._id = 0
        self._answered = False
        self._abandoned = False
        self._result: Any = None
        self._exception: Optional[BaseException] = None
        self._waiter: Optional[asyncio.Future[None]] = None

    def _done(self, result: Any, exception: Optional[BaseException]) -> None:
        self._answered = True
        self._result = result
        self._exception = exception
        waiter = self._waiter
        if self._abandoned:
            self._give_back()
        elif waiter is not None and not waiter.done() and not self._loop.loop.is_closed():
            waiter.set_result(None)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            if not self._answered:
                self._waiter = self._loop.loop.create_future()
                yield from self._waiter
        except asyncio.CancelledError:
            if not self._answered:
                self._loop.cancel(self._id)
                yield from self._settle().__await__()
            self._give_back()
            raise
        except GeneratorExit:  # the loop was closed, and nobody is left to wait
            self._abandon()
            raise
        if self._exception is not None:
            try:
                raise self._exception
            finally:
                self._exception = None
        return self._form(self._result)

    async def _settle(self) -> None:
        """Waits until it is answered, come what may."""
        while not self._answered:
            self._waiter = self._loop.loop.create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                pass

    async def insist(self) -> Any:
        """The answer, though the task may be cancelled meanwhile."""
        await self._settle()
        return await self

    def _abandon(self) -> None:
        self._abandoned = True
        if self._answered:
            self._give_back()
        else:
            self._loop.cancel(self._id)

    def _give_back(self) -> None:
        """After a cancellation: what came nevertheless goes back."""
        if self._exception is not None or self._source is None:
            return
        result, self._result = self._result, None
        try:
            self._source._undo(self._method, self._params, self._loop.pack(self._method, result))
        except errors.Error:
            pass  # the connection has ended, and so has what it held


class Loop:
    """A connection in an event loop."""

    def __init__(self, connection: _core.Connection, hooks: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.begun: Optional[Call] = None
        """The call that was made last: see `proxies.awaited`."""
        self._connection = connection
        self._hooks = hooks
        self._descriptor = -1
        self._writes = False
        self._timer: Optional[asyncio.TimerHandle] = None
        self._due = False
        self.ended = False
        self.on_end: Optional[Callable[[], None]] = None
        """Called when the connection has ended."""
        self._arm()

    # ---- calls --------------------------------------------------------------------------------

    def check(self) -> None:
        """RuntimeError: this is not the loop that the client was made in."""
        if asyncio.get_running_loop() is not self.loop:
            raise RuntimeError("a client of ipcd.aio belongs to the event loop in which it was made; "
                               "this is another one")

    def call(self, source: Any, method: bytes, *params: Any) -> Call:
        """Makes a call that is the connection's, no object's."""
        call = Call(self, source, method, params, _same)
        call._id = self._connection.start(call._done, source, _core.RESULT_VALUE, method, *params)
        return self._begin(call)

    def call_of(self, handle: _core.Handle, key: bool, result: int, form: Callable[[Any], Any],
                method: bytes, params: tuple[Any, ...]) -> Call:
        """Makes a call of an object. `key`: its first param is a key."""
        call = Call(self, handle, method, params, form)
        call._id = handle._start(call._done, key, result, method, *params)
        return self._begin(call)

    def _begin(self, call: Call) -> Call:
        self.begun = call
        self.send_soon()
        return call

    def cancel(self, number: int) -> None:
        """Asks the daemon to end a call's wait."""
        try:
            self._connection.cancel(number)
        except errors.Error:
            return  # it is closed, and has told the call
        self.send_soon()

    def pack(self, method: bytes, result: Any) -> bytes:
        """An answer as the daemon has sent it."""
        if method.endswith(b".popitem"):
            key, value = result
            return b"\x92" + _core.pack_key(self._hooks, key) + _core.pack(self._hooks, value)
        return _core.pack(self._hooks, result)

    # ---- the event loop -------------------------------------------------------------------------

    def send_soon(self) -> None:
        """What has been started leaves when the loop comes round, all in one."""
        if self.loop.is_closed():
            self._run(self._connection.flush)
        elif not self._due:
            self._due = True
            self.loop.call_soon(self._send)

    def _send(self) -> None:
        self._due = False
        self._run(self._connection.flush)
        self._arm()

    def _readable(self) -> None:
        self._run(self._connection.process, select.POLLIN)
        self._arm()

    def _writable(self) -> None:
        self._run(self._connection.process, select.POLLOUT)
        self._arm()

    def _timeout(self) -> None:
        self._timer = None
        self._run(self._connection.process, 0)
        self._arm()

    def _run(self, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except errors.Error:  # it has ended; the calls in flight have been told
            self._forget()
            self.ended = True
            if self.on_end is not None:
                self.on_end()

    def _arm(self) -> None:
        """Watches for what the connection waits for now."""
        try:
            descriptor, events = self._connection.fileno(), self._connection.events()
            milliseconds = self._connection.next_timeout()
        except errors.Error:
            descriptor, events, milliseconds = -1, 0, -1
        if descriptor != self._descriptor:
            self._forget()
            self._descriptor = descriptor
            if descriptor >= 0:
                self.loop.add_reader(descriptor, _Reader(self))
        writes = descriptor >= 0 and bool(events & select.POLLOUT)
        if writes and not self._writes:
            self.loop.add_writer(descriptor, self._writable)
        elif self._writes and not writes:
            self.loop.remove_writer(descriptor)
        self._writes = writes
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if milliseconds >= 0:
            self._timer = self.loop.call_later(milliseconds / 1000, self._timeout)

    def _forget(self) -> None:
        if self._descriptor >= 0 and not self.loop.is_closed():
            self.loop.remove_reader(self._descriptor)
            self.loop.remove_writer(self._descriptor)
        self._descriptor = -1
        self._writes = False

    def close(self) -> None:
        """Ends the session; calls under way get ConnectionError."""
        self._forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connection.close()


class _Reader:
    """What the event loop calls when there is something to read. The loop alone keeps it, so it goes
    when the loop is closed, and ends the session then: nobody is left for the answers."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __call__(self) -> None:
        self._loop._readable()

    def __del__(self) -> None:
        if self._loop.loop.is_closed():
            self._loop.close()


def _same(result: Any) -> Any:
    return result
