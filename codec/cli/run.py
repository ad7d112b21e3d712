"""Runs the jobs of a verb one by one or several at once, reports each and gives the exit code."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import TypeAlias

from .console import Console, JsonValue, Progress
from .exits import ExitCode, combine
from .jobs import Job
from .stdout import OutputLostError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job came to."""

    fields: Mapping[str, JsonValue]
    text: str
    answer: bool = False  # the text is what was asked for, so it is data for stdout
    skipped: bool = False
    failure: ExitCode = ExitCode.OK  # the job ran, and its answer is "no"


Work: TypeAlias = Callable[[Job, Progress], Outcome]


def run_jobs(console: Console, plan: Callable[[], Sequence[Job]], work: Work, workers: int = 1) -> ExitCode:
    """Do all jobs and report each in the order given; a failure does not stop the others.

    Args:
        console: where results and errors go.
        plan: finds the jobs; its errors are reported too.
        work: does one job; must be safe to call from several threads if workers > 1.
        workers: jobs at once.
    Returns:
        the exit code of the process.
    """
    try:
        return _run_all(console, plan, work, workers)
    except OutputLostError as error:
        return console.error(error, {})


def _run_all(console: Console, plan: Callable[[], Sequence[Job]], work: Work, workers: int) -> ExitCode:
    started = time.perf_counter()
    codes: list[ExitCode] = []
    skipped = 0
    try:
        jobs = plan()
        with (
            console.progress(console.verb) as progress,
            closing(_outcomes(jobs, work, workers, progress)) as outcomes,
        ):
            for job, outcome in outcomes:
                codes.append(_report(console, job, outcome))
                skipped += isinstance(outcome, Outcome) and outcome.skipped
                if len(jobs) > 1:
                    progress(len(codes), len(jobs))
        code = combine(codes)
    except OutputLostError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        code = console.error(error, {})
        codes.append(code)
    _summarise(console, codes, skipped, time.perf_counter() - started, code)
    return code


def _outcomes(
    jobs: Sequence[Job], work: Work, workers: int, progress: Progress
) -> Generator[tuple[Job, Outcome | Exception], None, None]:
    """Give each job with what it came to, in order; closing the generator stops the jobs under way."""
    stop = Event()

    def step(done: int, total: int) -> None:
        if stop.is_set():  # in a worker thread, where no signal arrives
            raise KeyboardInterrupt
        if len(jobs) == 1:  # of many jobs the bar counts the jobs
            progress(done, total)

    def attempt(job: Job) -> Outcome | Exception:
        try:
            return work(job, step)
        except Exception as error:
            return error

    if workers == 1 or len(jobs) < 2:
        yield from ((job, attempt(job)) for job in jobs)
        return
    with ThreadPoolExecutor(min(workers, len(jobs))) as pool:
        futures = [pool.submit(attempt, job) for job in jobs]
        try:
            for job, future in zip(jobs, futures, strict=True):
                yield job, future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _report(console: Console, job: Job, outcome: Outcome | Exception) -> ExitCode:
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
