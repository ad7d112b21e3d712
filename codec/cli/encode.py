"""`linnet encode`: pictures in, .lnt files out."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated

from typer import Argument, BadParameter, Exit, Option

from ...bitstream.resampling import FACTORS
from ..video.kind import SUFFIXES as CLIP_SUFFIXES
from . import options
from .console import Console
from .encoder import Aim, Encoder, MetadataChoice
from .jobs import Job, Placement
from .run import run_jobs
from .team import Executor, Team
from .writing import Writing, limits_of

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


class Tune(str, Enum):
    """What a model was trained to keep."""

    PSNR = "psnr"
    MS_SSIM = "ms-ssim"


def parse_bitrate(text: str) -> float:
    """Bits per second of 500000, 500k or 1.5M. Raises BadParameter for anything else."""
    try:
        rate = options.parse_number(text)
    except (ValueError, OverflowError):
        rate = 0
    if rate < 1:
        raise BadParameter(f"{text!r} is no bitrate: write bits per second, such as 500k or 1.5M")
    return float(rate)


def parse_resampling(text: str) -> int:
    """The factor. Raises BadParameter for another one than a picture can have."""
    if text not in map(str, FACTORS):
        raise BadParameter(f"{text!r}: choose one of {', '.join(map(str, FACTORS))}")
    return int(text)


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
        int | None,
        Option(
            "-e",
            "--effort",
            min=0,
            max=7,
            help="Of a picture, 1 if not given; 0 is faster; from 2 on smaller files in twice the time each.",
        ),
    ] = None,
    resampling: Annotated[
        int | None,
        Option(
            "--resampling",
            metavar="1|2|4|8",
            parser=parse_resampling,
            help="Of a picture: coded at 1/N of its sides, shown at full size. 1 but for small targets.",
        ),
    ] = None,
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
    """Compress pictures and clips into .lnt files.

    They go beside the inputs, or to OUT.
    """
    console = Console("encode", json, verbose, quiet, takes_size_limit=True)
    writing = Writing(force, skip_existing, dry_run, json)
    placement = Placement(output, ".lnt", recursive, SUFFIXES | CLIP_SUFFIXES)
    aim = Aim(quality, stages, target_size, target_bpp, target_psnr, target_bitrate)
    if tune is not Tune.PSNR:
        model = f"{model}-{tune.value}"
    limits = limits_of(size_limit)
    encoder = Encoder(
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
        resampling,
        inter_model,
    )

    def plan() -> Sequence[Job]:
        encoder.check()
        return writing.checked(placement.jobs(inputs))

    raise Exit(run_jobs(console, plan, encoder, Team(jobs, executor, address), writing))
