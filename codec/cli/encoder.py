"""What `linnet encode` does with one input, once the options are known."""

import sys
from dataclasses import dataclass
from enum import Enum

from ...bitstream.limits import Limits
from ...bitstream.streams import write_all
from ...models import zoo
from ...models.effort import DEFAULT_EFFORT
from ..progress import Progress
from ..video.kind import is_clip, is_sequence
from ..wish import TILES, Wish, target_of
from .clips import ClipEncoding
from .exits import UsageError
from .jobs import PIPE, Job
from .run import Outcome
from .stdout import standard_output
from .streams import standard_input
from .writing import Writing, open_source

_REPORTED = (
    "width",
    "height",
    "bytes",
    "bpp",
    "seconds",
    "quality",
    "model",
    "estimated_bytes",
    "stages",
    "resampling",
)


class MetadataChoice(str, Enum):
    """What becomes of ICC profile, EXIF and XMP."""

    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Aim:
    """What chooses the quality: itself, a number of stages, or one target."""

    quality: float | None
    stages: int | None
    size: int | None
    bpp: float | None
    psnr: float | None
    bitrate: float | None

    def check(self) -> None:
        """Raises UsageError for more than one."""
        given = {
            "-q": self.quality,
            "--stages": self.stages,
            "--target-size": self.size,
            "--target-bpp": self.bpp,
            "--target-psnr": self.psnr,
            "--target-bitrate": self.bitrate,
        }
        names = [name for name, value in given.items() if value is not None]
        if len(names) > 1:
            raise UsageError(f"{' and '.join(names)} exclude each other: each of them chooses the quality")


@dataclass(frozen=True, slots=True)
class Encoder:
    """The options that are the same for every input; called with each of them."""

    aim: Aim
    model: str
    device: str
    metadata: MetadataChoice
    verified: bool
    partial: bool
    limits: Limits
    writing: Writing
    gop: int | None
    tile: int | None
    resilience: int | None
    effort: int | None
    resampling: int | None
    inter_model: str | None

    @property
    def wish(self) -> Wish:
        """What the options ask of a picture. Raises ValueError where that makes no sense."""
        return Wish(
            quality=self.aim.quality,
            stages=self.aim.stages,
            target=target_of(self.aim.size, self.aim.bpp, self.aim.psnr),
            tile=TILES[-1] if self.tile is None else self.tile,
            resilience=self.resilience,
            effort=DEFAULT_EFFORT if self.effort is None else self.effort,
            resampling=self.resampling,
        )

    def check(self) -> None:
        """Raises ValueError for options that make no sense whatever the inputs, before anything is loaded."""
        self.aim.check()
        self.wish.quality_of(zoo.find(self.model))

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        source = job.source if job.source != PIPE else standard_input()
        if is_sequence(job.source) or is_clip(source):
            return self._encode_clip(job, progress)
        return self._encode_picture(job, progress)

    def _encode_picture(self, job: Job, progress: Progress) -> Outcome:
        of_clips = {
            "--gop": self.gop,
            "--inter-model": self.inter_model,
            "--target-bitrate": self.aim.bitrate,
        }
        for option, value in of_clips.items():
            if value is not None:
                raise UsageError(f"{job.source} is a picture: {option} is for clips")
        from ..encode import EncodeResult, encode

        in_memory = self.verified or job.dest == PIPE
        result: EncodeResult = encode(
            open_source(job.source),
            None if in_memory else job.dest,
            quality=self.aim.quality,
            target_size=self.aim.size,
            target_bpp=self.aim.bpp,
            target_psnr=self.aim.psnr,
            stages=self.aim.stages,
            tile=self.wish.tile,
            resilience=self.resilience,
            effort=self.wish.effort,
            resampling=self.resampling,
            model=self.model,
            device=self.device,
            metadata=self.metadata.value,
            overwrite=self.writing.force,
            limits=self.limits,
            progress=progress,
        )
        if in_memory:
            self._deliver(result.data or b"", job)
        fields = {name: getattr(result, name) for name in _REPORTED}
        size = f"{result.width}x{result.height}  {result.bytes} bytes  {result.bpp:.3f} bpp"
        if self.aim.quality is None and (self.aim.size or self.aim.bpp or self.aim.psnr):
            size += f"  quality {result.quality:g}"
        if result.resampling > 1:
            size += f"  resampling {result.resampling}"
        if result.stages is not None:
            size += f"  {result.stages} stage{'s' * (result.stages > 1)}"
        return Outcome({**fields, "verified": self.verified}, f"{job.label}  {size}  {result.seconds:.2f} s")

    def _encode_clip(self, job: Job, progress: Progress) -> Outcome:
        if zoo.find(self.model).stages:
            raise UsageError(f"{job.source} is a clip: model '{self.model}' codes pictures only")
        for option, value in (("--target-bpp", self.aim.bpp), ("--target-psnr", self.aim.psnr)):
            if value is not None:
                raise UsageError(f"{job.source} is a clip: {option} is for pictures, try --target-bitrate")
        if self.tile is not None:
            raise UsageError(f"{job.source} is a clip: --tile is for pictures")
        if self.effort is not None:
            raise UsageError(f"{job.source} is a clip: --effort is for pictures")
        if self.resampling is not None:
            raise UsageError(f"{job.source} is a clip: --resampling is for pictures")
        return ClipEncoding(
            quality=self.aim.quality,
            bitrate=self.aim.bitrate,
            size=self.aim.size,
            gop=self.gop,
            inter_model=self.inter_model,
            model=self.model,
            device=self.device,
            metadata=self.metadata.value,
            verified=self.verified,
            partial=self.partial,
            limits=self.limits,
            writing=self.writing,
        )(job, progress)

    def _deliver(self, data: bytes, job: Job) -> None:
        """Write a file that was made in memory; only a correct one gets its name."""
        if self.verified:
            from ..verify import verify

            verify(data, full=True, device=self.device, limits=self.limits)
        if job.dest == PIPE:
            with standard_output():
                write_all(sys.stdout.buffer, data)
            return
        from ..files.atomic import atomic_write

        with atomic_write(job.dest, overwrite=self.writing.force) as stream:
            stream.write(data)
