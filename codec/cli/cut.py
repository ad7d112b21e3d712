"""`linnet cut`: fewer stages of .lnt files that come in these."""

import sys
from dataclasses import dataclass
from typing import Annotated

from typer import Argument, Exit, Option

from ...bitstream.limits import Limits
from ...bitstream.streams import write_all
from ..cutting import cut as cut_file
from ..progress import Progress
from . import options
from .console import Console
from .exits import UsageError
from .jobs import PIPE, Job, Placement
from .repairs import repair_lines
from .run import Outcome, run_jobs
from .stdout import standard_output
from .team import Team
from .writing import Writing, limits_of, open_source


@dataclass(frozen=True, slots=True)
class _Cutter:
    """The options that are the same for every file."""

    stages: int | None
    size: int | None
    limits: Limits
    writing: Writing

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        result = cut_file(
            open_source(job.source),
            None if job.dest == PIPE else job.dest,
            stages=self.stages,
            target_size=self.size,
            overwrite=self.writing.force,
            limits=self.limits,
        )
        if job.dest == PIPE:
            with standard_output():
                write_all(sys.stdout.buffer, result.data or b"")
        names = ("bytes", "bpp", "stages", "stages_before")
        shown = (
            f"{result.stages} of {result.stages_before} stages  {result.bytes} bytes  {result.bpp:.3f} bpp"
        )
        fields = {name: getattr(result, name) for name in names}
        lines = [f"{job.label}  {shown}", *repair_lines(job, fields, result.repairs)]
        return Outcome(fields, "\n".join(lines))


def cut(
    inputs: Annotated[list[str], Argument(metavar="IN...", help=".lnt files, folders (-r), - for a pipe.")],
    output: options.Output = None,
    stages: Annotated[int | None, Option("--stages", min=1, help="How many to keep.")] = None,
    target_size: Annotated[
        int | None,
        Option(
            "--target-size",
            metavar="4k",
            parser=options.parse_size,
            help="Keep as many as fit into so many bytes.",
        ),
    ] = None,
    recursive: options.Recursive = False,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    skip_existing: options.SkipExisting = False,
    dry_run: options.DryRun = False,
    size_limit: options.SizeLimit = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Drop the last stages of .lnt files.

    For models that code in stages, such as vq. Nothing is decoded.
    """
    console = Console("cut", json, verbose, quiet, takes_size_limit=True)
    writing = Writing(force, skip_existing, dry_run, json)
    placement = Placement(output, ".lnt", recursive, frozenset({".lnt"}))
    cutter = _Cutter(stages, target_size, limits_of(size_limit), writing)

    def plan() -> list[Job]:
        if (stages is None) == (target_size is None):
            raise UsageError("give either --stages or --target-size")
        if output is None and any(name != PIPE for name in inputs):
            raise UsageError("give -o: a cut file does not replace the one that it comes from")
        return list(writing.checked(placement.jobs(inputs)))

    raise Exit(run_jobs(console, plan, cutter, Team(jobs), writing))
