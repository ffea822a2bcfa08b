"""An event loop whose time is virtual: it jumps to the next timer whenever nothing is to do.

Threads do not exist in it: what is handed to one runs at once, so that a run depends on its
seed alone. Each such call, like each step of a task, belongs to one daemon, which can be cut off
at any of them as by `kill -9`.
"""

import asyncio
import heapq
import selectors
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")


class Mortal(Protocol):
    """Something whose calls to the outside can be its last."""

    tasks: list["asyncio.Task[Any]"]

    def reach(self, name: str) -> None:
        """Before a call to the outside; raises KilledError where the process ends."""
        ...

    def leave(self, name: str) -> None:
        """After a call to the outside; raises KilledError where the process ends."""
        ...


class KilledError(BaseException):
    """The process is gone; no `except Exception` of its own may notice."""


WHOSE: ContextVar[Mortal | None] = ContextVar("whose", default=None)


class DeadlockError(AssertionError):
    """Nothing is to do, and nothing ever will be."""


class Agenda(selectors.SelectSelector):
    """The world's own doings, each at its moment; waiting moves the loop's time on to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self._count = 0
        self._heap: list[tuple[float, int, Callable[[], object]]] = []

    def at(self, moment: float, doing: Callable[[], object]) -> None:
        """Have something done at a moment, or at once where that is past."""
        self._count += 1
        heapq.heappush(self._heap, (max(moment, self.now), self._count, doing))

    def advance(self, until: float) -> None:
        """Let the world go on to a moment while every daemon stands still."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, doing = heapq.heappop(self._heap)
            Context().run(doing)  # of no daemon's, even while one stands still
        self.now = max(self.now, until)

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait: for the next doing of the world, or until a timer of the loop is due."""
        if timeout is None and not self._heap:
            raise DeadlockError("no timer is set and nothing is ready")
        if timeout is None or timeout > 0:
            wake = self.now + timeout if timeout is not None else self._heap[0][0]
            self.advance(min(wake, self._heap[0][0]) if self._heap else wake)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs as fast as the machine can, the same way each time."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        super().__init__(self.agenda)
        self._clock_resolution = 1e-9
        self.set_exception_handler(lambda _loop, _context: None)
        self.set_task_factory(_owned)

    def time(self) -> float:
        """Virtual seconds."""
        return self.agenda.now

    def run_in_executor(  # type: ignore[override]  # the base says Any of what comes back
        self, _executor: Any, func: Callable[..., _T], *args: Any
    ) -> "asyncio.Future[_T]":
        """Run it now, between two points at which its daemon may end."""
        future: asyncio.Future[_T] = self.create_future()
        mortal = WHOSE.get()
        name = _name_of(func, args)
        try:
            if mortal is not None:
                mortal.reach(name)
            result = func(*args)
            if mortal is not None:
                mortal.leave(name)
        except (Exception, KilledError) as error:  # noqa: BLE001 - a thread hands everything on
            future.set_exception(error)
        else:
            future.set_result(result)
        return future


def _name_of(func: Any, args: tuple[Any, ...]) -> str:
    """What is called, seen through `asyncio.to_thread`'s wrapping."""
    inner = func
    while hasattr(inner, "func"):
        args = (*inner.args, *args)
        inner = inner.func
    if getattr(inner, "__self__", None).__class__ is Context and args:
        return _name_of(args[0], ())
    return str(getattr(inner, "__qualname__", "call"))


def _owned(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
    """A task, noted with the daemon that it belongs to."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    mortal = WHOSE.get()
    if mortal is not None:
        mortal.tasks.append(task)
    return task
