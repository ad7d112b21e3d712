"""A crew of processes on this machine."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from typing import Any

from .tasks import Role, Task, WorkerLostError
from .worker import serve

_LOOK_S = 0.5  # between two looks whether anybody wants us to stop
_GRACE_S = 5.0  # for a worker to remove its temporary files


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


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}; out of memory?" if -code == signal.SIGKILL else f"signal {-code}"
    return f"exit code {code}"
