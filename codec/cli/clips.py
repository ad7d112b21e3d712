"""Clips on the command line: what `encode` and `decode` do where the input is no picture."""

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from typer import BadParameter

from ...bitstream.errors import TruncatedError
from ...bitstream.limits import Limits
from ..files.atomic import atomic_write
from ..progress import Progress
from ..video.kind import holds_clip
from .exits import ExitCode, UsageError, describe
from .jobs import PIPE, Job
from .run import Outcome
from .stdout import standard_output
from .streams import standard_input
from .writing import Writing, open_source

if TYPE_CHECKING:
    from ..video.encode import VideoEncodeResult

DEFAULT_SUFFIX = ".mp4"  # of a decoded clip whose name is not given
_REPORTED = (
    *("width", "height", "frames", "duration", "bytes", "bpp", "seconds", "quality", "model"),
    "bitrate",
)


@dataclass(frozen=True, slots=True)
class Seconds:
    """A moment of a clip."""

    value: float


def parse_seconds(text: str) -> Seconds:
    """Read seconds, or H:MM:SS with or without decimals. Raises BadParameter."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or any(not 0 <= part < float("inf") for part in parts):
        raise BadParameter(f"{text!r} is no time: write seconds, such as 12.5, or 1:02:03.5")
    value = 0.0
    for part in parts:
        value = 60 * value + part
    return Seconds(value)


def clip_named(source: str) -> bool:
    """Whether a job's .lnt input is a clip; of what cannot be read the verb itself will say why."""
    try:
        return holds_clip(open_source(source))
    except OSError:
        return False


def placed(jobs: Sequence[Job], output: str | None, format: str | None) -> list[Job]:
    """The jobs of `decode`, where a clip whose output is named after its input is named as a clip."""
    if format is not None:
        return list(jobs)
    return [
        replace(job, dest=str(Path(job.dest).with_suffix(DEFAULT_SUFFIX)))
        if (output is None or job.folder is not None) and job.dest != PIPE and clip_named(job.source)
        else job
        for job in jobs
    ]


def _output_of(job: Job) -> AbstractContextManager[None]:
    """What goes wrong while a pipe is written is the pipe's fault; of a file the error itself says whose."""
    return standard_output() if job.dest == PIPE else nullcontext()


@dataclass(frozen=True, slots=True)
class ClipEncoding:
    """The options of `encode` that concern clips."""

    quality: float | None
    bitrate: float | None
    size: int | None
    gop: int | None
    inter_model: str | None
    model: str
    device: str
    metadata: str
    verified: bool
    partial: bool
    limits: Limits
    writing: Writing

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        """Encode one clip."""
        if self.verified and (
            job.dest == PIPE or (os.path.exists(job.dest) and not os.path.isfile(job.dest))
        ):
            raise UsageError("--verify reads the clip again, which only a file allows: give -o one")
        if self.size is not None and job.source == PIPE:
            raise UsageError(
                "--target-size needs to know the clip beforehand: give a file, or --target-bitrate"
            )
        source = job.source if job.source != PIPE else standard_input()
        with _output_of(job):
            if self.verified:
                with atomic_write(job.dest, self.writing.force) as stream:
                    result = self._encode(source, stream, progress)
                    self._verify(stream)
            else:
                result = self._encode(source, sys.stdout.buffer if job.dest == PIPE else job.dest, progress)
        fields = {name: getattr(result, name) for name in _REPORTED}
        speed = f"{result.frames / result.seconds:.1f} frames/s"
        size = f"{result.width}x{result.height}  {result.frames} frames  {result.bytes} bytes"
        if self.bitrate is not None or self.size is not None:
            size += f"  {result.bitrate / 1000:.4g} kbit/s  quality {result.quality:g} on average"
        return Outcome({**fields, "verified": self.verified}, f"{job.label}  {size}  {speed}")

    def _encode(
        self, source: str | BinaryIO, dest: str | BinaryIO, progress: Progress
    ) -> "VideoEncodeResult":
        from ..video.encode import encode_video

        return encode_video(
            source,
            dest,
            quality=self.quality,
            target_bitrate=self.bitrate,
            target_size=self.size,
            gop=self.gop,
            inter_model=self.inter_model,
            model=self.model,
            device=self.device,
            metadata="all" if self.metadata == "all" else "none",
            overwrite=self.writing.force,
            limits=self.limits,
            allow_partial=self.partial,
            progress=progress,
        )

    def _verify(self, written: BinaryIO) -> None:
        """Read what was written while it has no name yet: what does not decode replaces nothing."""
        from ..verify import verify

        written.flush()
        with os.fdopen(os.dup(written.fileno()), "rb") as stream:
            stream.seek(0)
            verify(stream, full=True, device=self.device, limits=self.limits)


@dataclass(frozen=True, slots=True)
class ClipDecoding:
    """The options of `decode` that concern clips."""

    format: str | None
    codec: str | None
    start: Seconds | None
    end: Seconds | None
    partial: bool
    device: str
    limits: Limits
    writing: Writing

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        """Decode one clip; damage that was passed over makes the outcome a partial one."""
        from ..video.decode import decode_video

        if job.dest == PIPE and self.format is None:
            raise UsageError("a clip in a pipe needs its --format: y4m, or mkv with sound")
        with _output_of(job):
            result = decode_video(
                open_source(job.source),
                sys.stdout.buffer if job.dest == PIPE else job.dest,
                format=self.format,
                video_codec=self.codec,
                start=self.start.value if self.start else None,
                end=self.end.value if self.end else None,
                device=self.device,
                overwrite=self.writing.force,
                limits=self.limits,
                allow_partial=self.partial,
                progress=progress,
            )
        damage = [describe(error) for error in result.damage]
        fields = {name: getattr(result, name) for name in ("width", "height", "frames", "lost")}
        line = f"{job.label}  {result.width}x{result.height}  {result.frames} frames"
        is_cut = any(isinstance(error, TruncatedError) for error in result.damage)
        if damage:
            line += f", {result.lost} lost" + (" and all behind the cut" if is_cut else "")
        lines = [line]
        lines += [f"{job.source}: {each}" for each in damage]
        code = ExitCode.PARTIAL if damage else ExitCode.OK
        return Outcome({**fields, "damage": damage}, "\n".join(lines), failure=code)
