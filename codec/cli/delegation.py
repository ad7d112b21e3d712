"""Jobs that workers do: handed out as they become free, reported in the order given.

Workers of this machine open the files themselves. Those of a cluster need no disk in common with us: the
input travels there, and the output back, which is written here.
"""

import os
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.atomic import atomic_write
from ..video.kind import is_sequence
from ..workers.tasks import Role, Task, run_all
from .errand import Answer, do_apart, do_here
from .jobs import PIPE, Job
from .run import Result, Work, attempt, prepared
from .team import Team, threads_each

if TYPE_CHECKING:
    from .writing import Writing


class WorkerTraceError(Exception):
    """Shows where an error was raised in a worker, as the cause of that error."""

    def __str__(self) -> str:
        return f"in a worker\n{self.args[0]}"


@dataclass(frozen=True, slots=True)
class Delegation:
    """The jobs of a run, and who does them."""

    jobs: Sequence[Job]
    work: Work
    team: Team
    writing: "Writing | None"
    _answers: dict[int, Answer] = field(default_factory=dict)  # by the number of the job, until its turn

    def results(self) -> Generator[tuple[Job, Result], None, None]:
        """Each job with what it came to, in order; closing the generator ends the workers.

        Raises:
            NotInstalledError, ConnectionError: see Team.hire.
        """
        turn = 0
        threads = threads_each(min(self.team.size, len(self.jobs)))
        with closing(self.team.hire(tasks=len(self.jobs), threads=threads)) as crew:
            for number, found in run_all(crew, self._tasks()):
                self._answers[number] = self._received(self.jobs[number], found)
                while turn in self._answers:
                    yield self.jobs[turn], _shown(self._answers.pop(turn))
                    turn += 1
        for number in range(turn, len(self.jobs)):  # what needed no worker
            yield self.jobs[number], _shown(self._answers.pop(number))

    def _tasks(self) -> Iterator[tuple[int, Task]]:
        """Those for workers; what needs none is answered at once."""
        for number, job in enumerate(self.jobs):
            result = prepared(self.writing, job)
            if result is None and self._stays_here(job):
                result = attempt(self.work, job)
            found = self._task(job) if result is None else Answer(result)
            if isinstance(found, Task):
                yield number, found
            else:
                self._answers[number] = found

    def _stays_here(self, job: Job) -> bool:
        """Whether only this process has its files: pipes, devices, and numbered pictures are not sent."""
        paths = [path for path in (job.source, job.dest) if path]
        irregular = any(os.path.exists(path) and not os.path.isfile(path) for path in paths)
        return PIPE in paths or irregular or (self.team.far and any(map(is_sequence, paths)))

    def _task(self, job: Job) -> Task | Answer:
        if not self.team.far:
            return Task(Role.ENCODE, do_here, (self.work, job))
        try:
            return Task(Role.ENCODE, do_apart, (self.work, job, Path(job.source).read_bytes()))
        except (OSError, MemoryError) as error:
            return Answer(error)

    def _received(self, job: Job, found: object) -> Answer:
        """The answer of a worker, or its loss; the output of one far away gets its name here."""
        if isinstance(found, Exception):
            return Answer(found)
        assert isinstance(found, Answer)
        if found.output is not None and not isinstance(found.result, Exception):
            try:
                with atomic_write(job.dest, self.writing is not None and self.writing.force) as stream:
                    stream.write(found.output)
            except OSError as error:
                return Answer(error)
        return found


def _shown(answer: Answer) -> Result:
    """Say what the worker would have warned of, and give its result."""
    for text, category in answer.warnings:
        warnings.warn_explicit(text, category, __name__, 0)
    if isinstance(answer.result, Exception) and answer.trace:
        answer.result.__cause__ = WorkerTraceError(answer.trace)
    return answer.result
