"""`linnet decode`: .lnt files in, pictures out."""

import sys
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated

from typer import Argument, Exit, Option

from ...bitstream.limits import Limits
from . import options
from .console import Console, Progress
from .exits import UsageError
from .jobs import PIPE, Job, Placement
from .run import Outcome, run_jobs
from .stdout import standard_output
from .writing import Writing, limits_of, open_source


@dataclass(frozen=True, slots=True)
class _Decoder:
    """The options that are the same for every file."""

    region: options.Region | None
    format: str | None
    device: str
    limits: Limits
    writing: Writing

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        if (early := self.writing.prepare(job)) is not None:
            return early
        from ..saving import find_format, save_image

        wanted = self.format or (PurePath(job.dest).suffix if job.dest != PIPE else "png")
        if not wanted:
            raise UsageError(f"{job.dest} has no suffix to tell the format: give it one, or --format")
        find_format(wanted)  # a wrong one is said before torch is loaded

        from ..api import decode

        frame = decode(
            open_source(job.source),
            device=self.device,
            region=self.region.box if self.region else None,
            limits=self.limits,
            progress=progress,
        )
        if job.dest == PIPE:
            with standard_output():
                save_image(frame, sys.stdout.buffer, wanted)
        else:
            save_image(frame, job.dest, wanted, overwrite=self.writing.force)
        fields = {"width": frame.width, "height": frame.height, "bit_depth": frame.bit_depth}
        return Outcome(fields, f"{job.label}  {frame.width}x{frame.height}")


def decode(
    inputs: Annotated[list[str], Argument(metavar="IN...", help=".lnt files, folders (-r), - for a pipe.")],
    output: options.Output = None,
    format: Annotated[
        str | None,
        Option(metavar="png|jpg|...", help="Of the pictures; else the suffix of -o decides, or png."),
    ] = None,
    region: Annotated[
        options.Region | None,
        Option(metavar="X,Y,W,H", parser=options.parse_region, help="Decode this part only, in pixels."),
    ] = None,
    recursive: options.Recursive = False,
    jobs: options.Jobs = 1,
    device: options.Device = "auto",
    force: options.Force = False,
    skip_existing: options.SkipExisting = False,
    dry_run: options.DryRun = False,
    size_limit: options.SizeLimit = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn .lnt files back into pictures, beside them or into OUT."""
    console = Console("decode", json, verbose, quiet)
    writing = Writing(force, skip_existing, dry_run, json)
    placement = Placement(output, f".{(format or 'png').lower().lstrip('.')}", recursive, frozenset({".lnt"}))
    decoder = _Decoder(region, format, device, limits_of(size_limit), writing)
    raise Exit(run_jobs(console, lambda: writing.checked(placement.jobs(inputs)), decoder, jobs))
