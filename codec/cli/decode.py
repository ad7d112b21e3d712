"""`linnet decode`: .lnt files in, pictures out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Annotated

from typer import Argument, Exit, Option

from ...bitstream.errors import CorruptFileError, TruncatedError
from ...bitstream.limits import Limits
from ..progress import Progress
from ..still.losses import Losses
from . import options
from .clips import ClipDecoding, Seconds, clip_named, parse_seconds, placed
from .console import Console, JsonValue
from .exits import ExitCode, UsageError, describe
from .jobs import PIPE, Job, Placement
from .repairs import repair_lines
from .run import Outcome, run_jobs
from .stdout import standard_output
from .team import Executor, Team
from .writing import Writing, limits_of, open_source

_NOTHING_LEFT = (None, "signature", "header")  # without these chunks nothing can be decoded


class Tune(Enum):
    """Which of a model's decoders."""

    FIDELITY = "fidelity"
    PERCEPTUAL = "perceptual"


@dataclass(frozen=True, slots=True)
class _Decoder:
    """The options that are the same for every file."""

    region: options.Region | None
    format: str | None
    device: str
    limits: Limits
    writing: Writing
    video_codec: str | None
    start: Seconds | None
    end: Seconds | None
    partial: bool
    tune: Tune

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        try:
            if clip_named(job.source):
                return self._decode_clip(job, progress)
            return self._decode_still(job, progress)
        except (CorruptFileError, TruncatedError) as error:
            if error.chunk in _NOTHING_LEFT:
                raise
            way_out = "--allow-partial gives what is left, if anything"
            message = f"{error.message}; {'nothing is left to show' if self.partial else way_out}"
            raise type(error)(message, chunk=error.chunk, offset=error.offset) from error

    def _decode_still(self, job: Job, progress: Progress) -> Outcome:
        if self.video_codec or self.start or self.end:
            raise UsageError(f"{job.source} is a picture: --video-codec, --ss and --to are for clips")
        from ..image.saving import find_format, save_image

        wanted = self.format or (PurePath(job.dest).suffix if job.dest != PIPE else "png")
        if not wanted:
            raise UsageError(f"{job.dest} has no suffix to tell the format: give it one, or --format")
        find_format(wanted)  # a wrong one is said before torch is loaded

        from ..decode import decode

        frame = decode(
            open_source(job.source),
            device=self.device,
            region=self.region.box if self.region else None,
            limits=self.limits,
            allow_partial=self.partial,
            tune=self.tune.value,
            progress=progress,
        )
        if job.dest == PIPE:
            with standard_output():
                save_image(frame, sys.stdout.buffer, wanted)
        else:
            save_image(frame, job.dest, wanted, overwrite=self.writing.force)
        size = {"width": frame.width, "height": frame.height, "bit_depth": frame.bit_depth}
        fields: dict[str, JsonValue] = {**size}
        line = f"{job.label}  {frame.width}x{frame.height}"
        line = "\n".join([line, *repair_lines(job, fields, frame.repairs)])
        if not self.partial:
            return Outcome(fields, line)
        return _partial(frame.losses, job, fields, line)

    def _decode_clip(self, job: Job, progress: Progress) -> Outcome:
        if self.region is not None:
            raise UsageError(f"{job.source} is a clip: --region is for pictures")
        return ClipDecoding(
            format=self.format,
            codec=self.video_codec,
            start=self.start,
            end=self.end,
            partial=self.partial,
            device=self.device,
            limits=self.limits,
            writing=self.writing,
        )(job, progress)


def _partial(losses: Losses | None, job: Job, fields: dict[str, JsonValue], line: str) -> Outcome:
    """The outcome of a picture that may have been damaged."""
    damage = [] if losses is None else [describe(error) for error in losses.damage]
    fields |= {"damage": damage, "lost": 0 if losses is None else losses.lost}
    if losses is None:
        return Outcome(fields, line)
    fields |= {
        "parts": losses.parts,
        "concealed": losses.concealed,
        "coarser": {str(tile): stages for tile, stages in losses.coarser},
        "alpha_lost": losses.alpha,
        "shares": losses.shares,
        "shares_lost": losses.shares_lost,
    }
    lines = [line, *(f"{job.source}: {each}" for each in damage)]
    lines.append(f"linnet: warning: {job.source}: {losses.describe()}")
    return Outcome(fields, "\n".join(lines), failure=ExitCode.PARTIAL)


def decode(
    inputs: Annotated[list[str], Argument(metavar="IN...", help=".lnt files, folders (-r), - for a pipe.")],
    output: options.Output = None,
    format: Annotated[
        str | None,
        Option(metavar="png|mp4|y4m|...", help="Else the suffix of -o decides, or png, for clips mp4."),
    ] = None,
    region: Annotated[
        options.Region | None,
        Option(metavar="X,Y,W,H", parser=options.parse_region, help="Decode this part only, in pixels."),
    ] = None,
    video_codec: Annotated[
        str | None,
        Option("--video-codec", metavar="h264|ffv1|...", help="Of a clip; else the usual one."),
    ] = None,
    start: Annotated[
        Seconds | None,
        Option("--ss", metavar="TIME", parser=parse_seconds, help="Where a clip begins."),
    ] = None,
    end: Annotated[
        Seconds | None, Option("--to", metavar="TIME", parser=parse_seconds, help="Where it ends.")
    ] = None,
    allow_partial: Annotated[
        bool, Option("--allow-partial", help="Give what is left of a damaged file; the exit code is then 9.")
    ] = False,
    tune: Annotated[
        Tune, Option("--tune", help="perceptual adds probable detail, where the model (vq) can.")
    ] = Tune.FIDELITY,
    recursive: options.Recursive = False,
    jobs: options.Jobs = 1,
    executor: options.ExecutorChoice = Executor.LOCAL,
    address: options.Address = None,
    device: options.Device = "auto",
    force: options.Force = False,
    skip_existing: options.SkipExisting = False,
    dry_run: options.DryRun = False,
    size_limit: options.SizeLimit = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn .lnt files back into pictures and clips.

    They go beside the inputs, or to OUT.
    """
    console = Console("decode", json, verbose, quiet, takes_size_limit=True)
    writing = Writing(force, skip_existing, dry_run, json)
    placement = Placement(output, f".{(format or 'png').lower().lstrip('.')}", recursive, frozenset({".lnt"}))
    limits = limits_of(size_limit)
    decoder = _Decoder(region, format, device, limits, writing, video_codec, start, end, allow_partial, tune)

    def plan() -> Sequence[Job]:
        return writing.checked(placed(placement.jobs(inputs), output, format))

    raise Exit(run_jobs(console, plan, decoder, Team(jobs, executor, address), writing))
