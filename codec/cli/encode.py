"""`linnet encode`: pictures in, .lnt files out."""

import sys
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from typer import Argument, BadParameter, Exit, Option

from ...bitstream.limits import Limits
from ...models import zoo
from ..video.kind import SUFFIXES as CLIP_SUFFIXES
from ..video.kind import is_clip, is_sequence
from . import options
from .clips import ClipEncoding
from .console import Console, Progress
from .exits import UsageError
from .jobs import PIPE, Job, Placement
from .run import Outcome, run_jobs
from .stdout import standard_output
from .team import Executor, Team
from .writing import Writing, limits_of, open_source

# What folders are searched for: the suffixes of the formats that the image loader reads.
SUFFIXES = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".avif",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".bmp",
        ".gif",
    }
)
_REPORTED = ("width", "height", "bytes", "bpp", "seconds", "quality", "model", "estimated_bytes", "stages")


class Tune(str, Enum):
    """What a model was trained to keep."""

    PSNR = "psnr"
    MS_SSIM = "ms-ssim"


class MetadataChoice(str, Enum):
    """What becomes of ICC profile, EXIF and XMP."""

    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class _Aim:
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


def parse_bitrate(text: str) -> float:
    """Bits per second of 500000, 500k or 1.5M. Raises BadParameter for anything else."""
    try:
        rate = options.parse_number(text)
    except (ValueError, OverflowError):
        rate = 0
    if rate < 1:
        raise BadParameter(f"{text!r} is no bitrate: write bits per second, such as 500k or 1.5M")
    return float(rate)


@dataclass(frozen=True, slots=True)
class _Encoder:
    """The options that are the same for every picture."""

    aim: _Aim
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
    effort: int
    inter_model: str | None

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        self.aim.check()
        spec = zoo.find(self.model)  # what is wrong is said before torch is loaded
        zoo.quality_for(spec, self.aim.quality)
        zoo.check_stages(spec, self.aim.stages)

        if is_sequence(job.source) or is_clip(job.source if job.source != PIPE else sys.stdin.buffer):
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
        from ..api import TILES, EncodeResult, encode

        in_memory = self.verified or job.dest == PIPE
        result: EncodeResult = encode(
            open_source(job.source),
            None if in_memory else job.dest,
            quality=self.aim.quality,
            target_size=self.aim.size,
            target_bpp=self.aim.bpp,
            target_psnr=self.aim.psnr,
            stages=self.aim.stages,
            tile=self.tile or TILES[-1],
            resilience=self.resilience,
            effort=self.effort,
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
        if self.resilience is not None:
            raise UsageError(f"{job.source} is a clip: --resilience is for pictures")
        if self.effort:
            raise UsageError(f"{job.source} is a clip: --effort is for pictures")
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
            from ..api import verify

            verify(data, full=True, device=self.device)
        if job.dest == PIPE:
            with standard_output():
                sys.stdout.buffer.write(data)
            return
        from ..atomic import atomic_write

        with atomic_write(job.dest, overwrite=self.writing.force) as stream:
            stream.write(data)


def encode(
    inputs: Annotated[
        list[str], Argument(metavar="IN...", help="Pictures, clips, folders (-r), - for a pipe.")
    ],
    output: options.Output = None,
    quality: Annotated[
        float | None,
        Option("-q", "--quality", min=0, max=100, help="0 smallest, 100 best; 50 unless given."),
    ] = None,
    stages: Annotated[
        int | None, Option("--stages", min=1, help="Of a model that codes in stages, such as vq: how many.")
    ] = None,
    target_size: Annotated[
        int | None,
        Option(
            "--target-size", metavar="40k", parser=options.parse_size, help="Largest file, in bytes, k or M."
        ),
    ] = None,
    target_bpp: Annotated[float | None, Option("--target-bpp", help="Most bits per pixel.")] = None,
    target_psnr: Annotated[float | None, Option("--target-psnr", help="Least PSNR, in dB.")] = None,
    target_bitrate: Annotated[
        float | None,
        Option(
            "--target-bitrate",
            metavar="500k",
            parser=parse_bitrate,
            help="Of a clip: bits per second of its frames, sound not counted.",
        ),
    ] = None,
    gop: Annotated[
        int | None, Option("--gop", min=1, help="Of a clip: frames from one key frame to the next.")
    ] = None,
    tile: Annotated[
        int | None,
        Option("--tile", metavar="64..1024", help="Side in pixels of what damage can spread over; 1024."),
    ] = None,
    resilience: Annotated[
        int | None,
        Option(
            "--resilience",
            metavar="1..40",
            help="Of vq: percent of the file that may be lost and the picture be whole; twice that, coarser.",
        ),
    ] = None,
    effort: Annotated[
        int,
        Option(
            "-e",
            "--effort",
            min=0,
            max=6,
            help="Of a picture: a smaller file; each takes twice the time.",
        ),
    ] = 0,
    model: Annotated[str, Option("-m", "--model", help="See linnet models list.")] = "fast",
    inter_model: Annotated[
        str | None,
        Option("--inter-model", metavar="MODEL", help="Of a clip: for the frames between key frames."),
    ] = None,
    tune: Annotated[Tune, Option(help="ms-ssim takes the model MODEL-ms-ssim.")] = Tune.PSNR,
    metadata: Annotated[
        MetadataChoice, Option(help="Keep ICC profile, EXIF and XMP, or strip them, GPS included.")
    ] = MetadataChoice.ALL,
    verify: Annotated[bool, Option("--verify", help="Decode each result; keep only what decodes.")] = False,
    allow_partial: Annotated[
        bool, Option("--allow-partial", help="Keep the frames before the damage of a damaged clip.")
    ] = False,
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
    """Compress pictures and clips into .lnt files, beside them or into OUT."""
    console = Console("encode", json, verbose, quiet)
    writing = Writing(force, skip_existing, dry_run, json)
    placement = Placement(output, ".lnt", recursive, SUFFIXES | CLIP_SUFFIXES)
    aim = _Aim(quality, stages, target_size, target_bpp, target_psnr, target_bitrate)
    if tune is not Tune.PSNR:
        model = f"{model}-{tune.value}"
    limits = limits_of(size_limit)
    encoder = _Encoder(
        aim,
        model,
        device,
        metadata,
        verify,
        allow_partial,
        limits,
        writing,
        gop,
        tile,
        resilience,
        effort,
        inter_model,
    )
    team = Team(jobs, executor, address)
    raise Exit(run_jobs(console, lambda: writing.checked(placement.jobs(inputs)), encoder, team, writing))
