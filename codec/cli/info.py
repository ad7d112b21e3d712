"""`linnet info`: what a file is, read from its container alone."""

from dataclasses import asdict

from typer import Exit

from ..clip_info import VideoInfo
from ..info import Info
from ..info import info as read_info
from ..progress import Progress
from . import options
from .console import Console
from .jobs import Job, check_readable, read_only_jobs
from .run import Outcome, run_jobs
from .writing import open_source


def _inform(job: Job, progress: Progress) -> Outcome:
    check_readable(job.source)
    found = read_info(open_source(job.source))
    return Outcome(asdict(found), f"{job.source}\n{_table(found)}", answer=True)


def _table(found: Info) -> str:
    """The fields as aligned lines."""
    alpha = " + alpha" if found.has_alpha else ""
    metadata = {"ICC": found.icc_bytes, "EXIF": found.exif_bytes, "XMP": found.xmp_bytes}
    kept = ", ".join(f"{name} {count} bytes" for name, count in metadata.items() if count)
    rows = {
        "kind": f"{found.kind}, {found.colour}{alpha}, {found.bit_depth} bits a sample",
        "size": f"{found.width} x {found.height} pixels"
        + (f", stored in EXIF orientation {found.orientation}" if found.orientation != 1 else "")
        + (f", coded at 1/{found.resampling} of its sides" if found.resampling > 1 else ""),
        "file": f"{found.bytes} bytes, {found.bpp:.3f} bpp, {found.container_bytes} of them container",
        "quality": f"{found.quality:g}" + _stages(found),
        "model": f"{found.model or 'unknown'} (id {found.model_wire_id}, weights {found.weights_hash})",
        "format": f"{found.format_version}, {found.tiles} tile{'s' if found.tiles > 1 else ''}"
        + (f", {found.parts} part{'s' if found.parts > 1 else ''}" if found.parts else ""),
        "metadata": kept or "none",
    }
    if found.shares:
        rows["shares"] = (
            f"{found.shares}: any {found.shares_needed} give the whole picture, any {found.shares_least} its "
            f"first stage; {found.parity_bytes} bytes are parity"
        )
    if found.video is not None:
        rows |= _video_rows(found, found.video)
        del rows["metadata"]
    return "\n".join(f"  {name:<9}{value}" for name, value in rows.items())


def _stages(found: Info) -> str:
    """How many stages of how many, where there are any."""
    if found.stages is None:
        return ""
    return f", stages {found.stages}" + (f" of {found.model_stages}" if found.model_stages else "")


def _video_rows(found: Info, video: VideoInfo) -> dict[str, str]:
    """What differs for clips, and what only they have."""
    rate = f", {video.rate:g} frames/s" if video.rate else ""
    colours = f"primaries {video.primaries}, transfer {video.transfer}, matrix {video.matrix}"
    rows = {
        "file": f"{found.bytes} bytes, {found.bpp:.3f} bpp, {video.bitrate / 1000:.0f} kbit/s",
        "frames": f"{video.frames} in {video.duration:.3f} s{rate}, times in {video.tick} s",
        "keys": "all frames"
        if video.gop == 1
        else f"{video.key_frames}, groups of at most {video.gop} frames",
        "source": f"{video.sampling}, {video.depth} bits, range {video.range}, {colours}",
    }
    if video.inter_wire_id is not None:
        weights = f"id {video.inter_wire_id}, weights {video.inter_weights_hash}"
        rows["inter"] = f"{video.inter_model or 'unknown'} ({weights})"
    if video.aspect not in ("0", "1"):
        rows["aspect"] = f"{video.aspect} (of a sample)"
    for number, stream in enumerate(video.streams):
        sound = f", {stream.rate} Hz, {stream.channels} channels" if stream.media == "audio" else ""
        language = f", {stream.language}" if stream.language else ""
        rows[f"stream {number}"] = f"{stream.media}, {stream.codec}{sound}{language}"
    if video.tags:
        rows["tags"] = ", ".join(f"{name} {value!r}" for name, value in video.tags.items())
    return rows


def info(
    files: options.Files,
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what files are: size, model, quality, metadata. Needs no weights."""
    console = Console("info", json, verbose, quiet)
    raise Exit(run_jobs(console, lambda: read_only_jobs(files), _inform))
