"""Tasks for processes that work for us. Each has one role, so that a decoder knows no more than the file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, Protocol

ATTEMPTS = 2  # of a task whose worker died


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
