"""Processes that work for us. Each has one role, so that a decoder knows no more than the file."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from types import FrameType
from typing import Any, Protocol

ATTEMPTS = 2  # of a task whose worker died
_LOOK_S = 0.5  # between two looks whether anybody wants us to stop
_GRACE_S = 5.0  # for a worker to remove its temporary files


class Role(Enum):
    """What a worker does, all its life."""

    ENCODE = "encode"
    DECODE = "decode"


class WorkerLostError(ChildProcessError):
    """A worker ended in the middle of its work: killed, or out of memory."""


class TaskError(ChildProcessError):
    """The work itself failed; the message says how, in one line."""


@dataclass(frozen=True, slots=True)
class Task:
    """A call for a worker; function and arguments can be pickled."""

    role: Role
    function: Callable[..., object]
    arguments: tuple[Any, ...]


class Crew(Protocol):
    """Workers, at most `size` of which are at work at a time."""

    @property
    def size(self) -> int:
        """How many tasks may be under way."""
        ...

    def submit(self, ticket: int, task: Task) -> None:
        """Give a task to a worker that is free; the caller keeps to `size`."""
        ...

    def next(self) -> tuple[int, object]:
        """Wait for a task to end: its ticket, and what it came to, perhaps a WorkerLostError or TaskError."""
        ...

    def close(self) -> None:
        """End all workers, also those at work."""
        ...


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: "Connection[Any, Any]"
    ticket: int | None = None  # of the task under way


@dataclass
class LocalCrew:
    """Processes of this machine; up to `size` of each role are started, when they are needed.

    threads: of torch, in each of them.
    """

    size: int
    threads: int = 1
    _workers: dict[Role, list[_Worker]] = field(default_factory=lambda: {role: [] for role in Role})

    def submit(self, ticket: int, task: Task) -> None:
        """See Crew."""
        team = self._workers[task.role]
        worker = next((worker for worker in team if worker.ticket is None), None)
        if worker is None:
            worker = _hire(self.threads)
            team.append(worker)
        worker.ticket = ticket
        with suppress(OSError):  # if it has died meanwhile, next() will see that
            worker.pipe.send((task.function, task.arguments))

    def next(self) -> tuple[int, object]:
        """See Crew."""
        busy = [
            (team, worker) for team in self._workers.values() for worker in team if worker.ticket is not None
        ]
        while not (ready := wait([worker.pipe for _, worker in busy], _LOOK_S)):
            pass  # a signal that arrived just before the wait is seen now
        team, worker = next(pair for pair in busy if pair[1].pipe in ready)
        ticket, worker.ticket = worker.ticket, None
        assert ticket is not None
        try:
            return ticket, worker.pipe.recv()
        except (EOFError, OSError):
            team.remove(worker)
            worker.process.join()
            return ticket, WorkerLostError(f"the worker died ({_cause(worker.process.exitcode)})")

    def close(self) -> None:
        """See Crew."""
        workers = [worker for team in self._workers.values() for worker in team]
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join(_GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers = {role: [] for role in Role}


def _hire(threads: int) -> _Worker:
    # Not fork: torch's threads do not survive it.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, threads), daemon=True)
    ensure_running()  # else the first start does it, and lets interrupts through again
    with _interrupts_held():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C reaches all processes, but a worker is told by its parent: one started here never sees it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(pipe: "Connection[Any, Any]", threads: int) -> None:
    """A worker's life: a task comes in, its result or its TaskError goes out, until the pipe is closed."""
    ending = _Ending()
    signal.signal(signal.SIGTERM, ending)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # also where a library lets it through
    if hasattr(signal, "SIGHUP"):  # of the terminal to all its processes, as Ctrl-C: our parent tells us
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    use_threads(threads)
    with suppress(EOFError, OSError, SystemExit):  # whoever asked has gone, or says that it is over
        while not ending.told:
            function, arguments = pipe.recv()
            ending.working = True
            result = attempt(function, arguments)
            ending.working = False
            pipe.send(result)
    os._exit(0)  # all blocks are left: taking torch down in order would cost half a second more


def use_threads(count: int) -> None:
    """Before torch is loaded: workers share the cores among each other, and times are comparable."""
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(count)


def attempt(function: Callable[..., object], arguments: tuple[Any, ...]) -> object:
    """The result, or a TaskError of one line: not every exception can be pickled."""
    try:
        return function(*arguments)
    except Exception as error:
        text = " ".join(str(error).split())
        return TaskError(f"{type(error).__name__}: {text}" if text else type(error).__name__)


@dataclass
class _Ending:
    """What a worker does that is told to end: at once while it waits or imports, for that may turn any
    exception into another one; at work through all blocks, so that encoders are killed and temporary files
    removed.
    """

    told: bool = False
    working: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.told = True
        if not self.working:
            os._exit(0)
        raise SystemExit


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}; out of memory?" if -code == signal.SIGKILL else f"signal {-code}"
    return f"exit code {code}"


def run_all(crew: Crew, tasks: Iterable[tuple[int, Task]]) -> Iterator[tuple[int, object]]:
    """Run tasks that do not depend on each other: ticket and result of each, as they end.

    A task is asked for when a worker is free, and goes to another worker if the first one dies.
    """
    waiting = iter(tasks)
    running: dict[int, tuple[Task, int]] = {}

    def start(ticket: int, task: Task, attempt: int = 1) -> None:
        running[ticket] = task, attempt
        crew.submit(ticket, task)

    def fill() -> None:
        for ticket, task in islice(waiting, crew.size - len(running)):
            start(ticket, task)

    fill()
    while running:
        ticket, result = crew.next()
        task, attempt = running.pop(ticket)
        if isinstance(result, WorkerLostError) and attempt < ATTEMPTS:
            start(ticket, task, attempt + 1)
            continue
        fill()  # before the caller takes its time over the result
        yield ticket, result
