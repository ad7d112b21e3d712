"""Runs the jobs of a verb, here or by workers, reports each and gives the exit code."""

import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import MediaWarning
from ..progress import Progress, quiet
from .console import Console, JsonValue
from .exits import ExitCode, combine
from .jobs import PIPE, Job
from .stdout import OutputLostError
from .team import Team

if TYPE_CHECKING:
    from .writing import Writing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job came to."""

    fields: Mapping[str, JsonValue]
    text: str
    answer: bool = False  # the text is what was asked for, so it is data for stdout
    skipped: bool = False
    gathered: bool = False  # of what other jobs read: its exit code counts, but it is no input of its own
    failure: ExitCode = ExitCode.OK  # the job ran, and its answer is "no"


Work: TypeAlias = Callable[[Job, Progress], Outcome]
Result: TypeAlias = Outcome | Exception


def run_jobs(
    console: Console,
    plan: Callable[[], Sequence[Job]],
    work: Work,
    team: Team | None = None,
    writing: "Writing | None" = None,
) -> ExitCode:
    """Do all jobs and report each in the order given; a failure does not stop the others.

    Args:
        console: where results and errors go.
        plan: finds the jobs; its errors are reported too.
        work: does one job; for a team of several it can be pickled.
        team: who works; None for this process alone.
        writing: says of each job whether its output may be written, before it is done.
    Returns:
        the exit code of the process.
    """
    try:
        return _run_all(console, plan, work, team or Team(), writing)
    except OutputLostError as error:
        return console.error(error, {})


def _run_all(
    console: Console,
    plan: Callable[[], Sequence[Job]],
    work: Work,
    team: Team,
    writing: "Writing | None",
) -> ExitCode:
    started = time.perf_counter()
    codes: list[ExitCode] = []
    counted: list[ExitCode] = []  # of inputs
    skipped = 0
    try:
        team.check()
        jobs = plan()
        with (
            console.progress(console.verb) as progress,
            closing(_results(jobs, work, team, writing, progress)) as results,
        ):
            for job, result in results:
                codes.append(_report(console, job, result))
                if not (isinstance(result, Outcome) and result.gathered):
                    counted.append(codes[-1])
                skipped += isinstance(result, Outcome) and result.skipped
                if len(jobs) > 1:
                    progress(len(codes), len(jobs))
        code = combine(codes)
    except OutputLostError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        code = console.error(error, {})
        counted.append(code)
    _summarise(console, counted, skipped, time.perf_counter() - started, code)
    return code


def _results(
    jobs: Sequence[Job], work: Work, team: Team, writing: "Writing | None", progress: Progress
) -> Generator[tuple[Job, Result], None, None]:
    """Give each job with what it came to, in order; closing the generator stops the jobs under way."""
    if team.far or (team.size > 1 and len(jobs) > 1):
        from .delegation import Delegation  # only now: most runs need no other process

        yield from Delegation(jobs, work, team, writing).results()
        return
    steps = progress if len(jobs) == 1 else quiet  # of many jobs the bar counts the jobs
    for job in jobs:
        early = prepared(writing, job)
        yield job, attempt(work, job, steps) if early is None else early


def prepared(writing: "Writing | None", job: Job) -> Result | None:
    """What a job comes to before any work, or None."""
    try:
        return None if writing is None else writing.prepare(job)
    except Exception as error:
        return error


def attempt(work: Work, job: Job, progress: Progress = quiet) -> Result:
    """Do a job here; its warnings are said once, with its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", MediaWarning)  # also of what was said for the job before
        show = warnings.showwarning

        def show_named(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            show(
                about(job, str(message)) if issubclass(category, MediaWarning) else message,
                category,
                *place,
                **more,
            )

        warnings.showwarning = show_named
        try:
            return work(job, progress)
        except Exception as error:
            return error


def about(job: Job, warning: str) -> str:
    """The text of a warning, with the name of the job's input where it does not say it."""
    return warning if job.source in (PIPE, "") or job.source in warning else f"{job.source}: {warning}"


def _report(console: Console, job: Job, outcome: Result) -> ExitCode:
    if isinstance(outcome, Exception):
        return console.error(outcome, job.fields)
    fields = {**job.fields, **outcome.fields}
    if outcome.answer:
        console.answer(fields, outcome.text)
    else:
        console.result(fields, outcome.text)
    return outcome.failure


def _summarise(
    console: Console, codes: Sequence[ExitCode], skipped: int, seconds: float, code: ExitCode
) -> None:
    failed = sum(each is not ExitCode.OK for each in codes)
    done = len(codes) - failed - skipped
    fields = {
        "done": done,
        "skipped": skipped,
        "failed": failed,
        "seconds": round(seconds, 3),
        "exit_code": int(code),
    }
    words = f"{done} done, {skipped} skipped, {failed} failed in {seconds:.1f} s"
    console.summary(fields, words if len(codes) > 1 else "")
