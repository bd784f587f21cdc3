"""Several calls that the daemon runs one after the other with nothing in between."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, TypeVar

from . import _core, errors
from .proxy import Proxy
from .values import Raw, Values

if TYPE_CHECKING:
    from .client import Client

AnyProxy = TypeVar("AnyProxy", bound=Proxy)


class Result:
    """What one call of a batch will have answered. `value` is there when the batch has run."""

    __slots__ = ("_value", "_state", "_form")

    def __init__(self, form: Callable[[Any], Any]) -> None:
        self._form = form
        self._value: Any = None
        self._state = "has not run yet"

    def _set(self, value: Any) -> None:
        self._value = self._form(value)
        self._state = ""

    @property
    def value(self) -> Any:
        """The result. RuntimeError: the call has not run."""
        if self._state:
            raise RuntimeError(f"the call {self._state}")
        return self._value

    def __repr__(self) -> str:
        return f"<ipcd result: {self._state or repr(self._value)}>"


def _same(value: Any) -> Any:
    return value


def _first(value: Any) -> Any:
    return value[0]


def _key(value: Any) -> Any:
    """A key that was unpacked as a value: what is a list there is a tuple as a key."""
    return tuple(map(_key, value)) if isinstance(value, list) else value


def _keys(value: Any) -> Any:
    return [_key(key) for key in value]


def _pair(value: Any) -> Any:
    return _key(value[0]), value[1]


def _pairs(value: Any) -> Any:
    return [_pair(pair) for pair in value]


class Batch:
    """Calls, collected in a `with` block and run together at its end:

        with client.atomic() as batch:
            job = batch(todo).get()
            batch(figures).incr("taken")
        work(job.value)

    `batch(proxy)` is that proxy, but its methods only note what they would call and return a
    `Result`; `call` takes a method by its name. None of the calls waits: each acts as with timeout
    0. At the first that fails the daemon stops, and what ran before it stays done: the exception has
    `index`, its place, and the results before it have their values.

    Nothing is run if the block ends with an exception.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._calls: list[tuple[Any, ...]] = []
        self._results: list[Result] = []
        self._sources: list[Proxy] = []

    def __call__(self, proxy: AnyProxy) -> AnyProxy:
        """A proxy whose methods are collected."""
        self._sources.append(proxy)
        return _collector(type(proxy))(self, proxy)

    def call(self, method: str, *params: Any) -> Result:
        """Collects a call by its name: batch.call("queue.get", "todo")."""
        return self._add(method, list(params), _same)

    def _add(self, method: str, params: list[Any], form: Callable[[Any], Any]) -> Result:
        result = Result(form)
        self._calls.append((method, params))
        self._results.append(result)
        return result

    def __len__(self) -> int:
        return len(self._calls)

    def run(self) -> list[Any]:
        """Runs what has been collected; the results, in order."""
        if not self._calls:
            return []
        calls = Values(Values((method, Values(params))) for method, params in self._calls)
        try:
            values = self._client._connection.call(self, b"atomic", calls)
        except errors.Error as error:
            self._failed(error)
            raise
        self._done(values)
        return [result.value for result in self._results]

    def _done(self, values: list[Any]) -> None:
        for result, value in zip(self._results, values):
            result._set(value)

    def _failed(self, error: errors.Error) -> None:
        detail = error.detail if isinstance(error.detail, dict) else {}
        error.index = detail.get("index")  # type: ignore[attr-defined]
        self._done(detail.get("results", []))
        for result in self._results[len(detail.get("results", [])):]:
            result._state = "has not run: one before it failed" if error.detail else "failed"

    def _may_unpickle(self) -> bool:
        return all(source._may_unpickle() for source in self._sources) and bool(self._sources)

    def _undo(self, method: bytes, params: tuple[Any, ...], raw: bytes) -> None:
        for (name, given), result in reversed(list(zip(self._calls, _core.elements(raw)))):
            for source in self._sources:
                if source.name == given[0]:
                    source._undo(name.encode(), tuple(given[1:]), result)
                    break

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        if kind is None:
            self.run()


class _Collects:
    """The part of a proxy in a batch that notes calls instead of making them."""

    _batch: Batch

    def __init__(self, batch: Batch, proxy: Proxy) -> None:
        _core.Handle.__init__(self, proxy._connection, proxy._name)  # type: ignore[arg-type]
        self.__dict__.update(proxy.__dict__)
        self.__dict__["_batch"] = batch

    def _note(self, method: bytes, params: tuple[Any, ...], form: Callable[[Any], Any]) -> Result:
        name = self._name.decode()  # type: ignore[attr-defined]
        return self._batch._add(method.decode(), [name, *params], form)

    def _call(self, method: bytes, *params: Any) -> Result:
        return self._note(method, params, _same)

    def _call_key(self, method: bytes, key: Any, *params: Any) -> Result:
        encoded = _core.pack_key(self._batch._client._hooks, key)
        return self._note(method, (Raw(encoded), *params), _same)

    def _first(self, method: bytes, *params: Any) -> Result:
        return self._note(method, params, _first)

    _get = _first

    def _keys(self, method: bytes, *params: Any) -> Result:
        return self._note(method, params, _keys)

    def _pair(self, method: bytes, *params: Any) -> Result:
        return self._note(method, params, _pair)

    def _pairs(self, method: bytes, *params: Any) -> Result:
        return self._note(method, params, _pairs)

    def __repr__(self) -> str:
        return f"<ipcd batch: {self._name!r}>"  # type: ignore[attr-defined]


_collectors: dict[type, type] = {}


def _collector(kind: type) -> Any:
    """The class of proxies of that class in a batch."""
    if kind not in _collectors:
        _collectors[kind] = type(f"Batched{kind.__name__}", (_Collects, kind), {})
    return _collectors[kind]
