"""Metrics that need a tool, a filter or weights which not every machine has."""

import gc
import json
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import NotInstalledError
from .adapters.base import Pixels
from .colour import to_planes

if TYPE_CHECKING:
    from torch.nn import Module

_TICK = Fraction(1, 25)
XPSNR_ADVICE = "XPSNR needs a PyAV with FFmpeg 7.1: pip install --upgrade av"


def xpsnr_y_db(original: Pixels, decoded: Pixels) -> float:
    """XPSNR of the luma in dB, by FFmpeg's filter of that name, which PyAV has.

    Raises:
        NotInstalledError: this PyAV has no such filter.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "xpsnr.log"
        _filter_xpsnr(original, decoded, log)
        gc.collect()  # the log is written when the last part of the filter graph goes
        return float(re.findall(r"XPSNR y: *(\S+)", log.read_text())[0])


def _filter_xpsnr(original: Pixels, decoded: Pixels, log: Path) -> None:
    import av
    from av.error import FFmpegError
    from av.filter import Graph

    graph = Graph()
    try:
        compare = graph.add("xpsnr", f"stats_file={log}")
    except (ValueError, FFmpegError) as error:
        raise NotInstalledError(XPSNR_ADVICE) from error
    height, width = original.shape[:2]
    form = av.VideoFormat("yuv444p", width, height)
    sources = [graph.add_buffer(width=width, height=height, format=form, time_base=_TICK) for _ in "ab"]
    sink = graph.add("buffersink")
    for pad, source in enumerate(sources):
        source.link_to(compare, 0, pad)
    compare.link_to(sink)
    graph.configure()
    # The weights come from the first input: the original.
    for source, pixels in zip(sources, (original, decoded), strict=True):
        planes = np.stack([plane.astype(np.uint8) for plane in to_planes(pixels)])
        frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
        frame.pts, frame.time_base = 0, _TICK
        source.push(frame)
        source.push(None)
    sink.pull()


def vmaf(original: Pixels, decoded: Pixels) -> float:
    """VMAF, 0 to 100, with FFmpeg's default model, as of a clip of one frame.

    Raises:
        NotInstalledError: as vmaf_program.
    """
    program = vmaf_program()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "vmaf.json"
        pictures = _saved(Path(folder), decoded, original)
        inputs = [word for path in pictures for word in ("-i", path.name)]
        convert = "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p"
        graph = f"[0]{convert}[a];[1]{convert}[b];[a][b]libvmaf=log_fmt=json:log_path={report.name}"
        run_quietly(
            [program, "-nostdin", "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"], Path(folder)
        )
        return float(json.loads(report.read_text())["pooled_metrics"]["vmaf"]["mean"])


def ssimulacra2(original: Pixels, decoded: Pixels) -> float:
    """SSIMULACRA 2, to 100 for equal pictures, by the program of that name.

    Raises:
        NotInstalledError: it is not on PATH.
    """
    if shutil.which("ssimulacra2") is None:
        raise NotInstalledError("SSIMULACRA2 needs the program ssimulacra2 (from libjxl's tools) on PATH")
    with tempfile.TemporaryDirectory() as folder:
        pictures = _saved(Path(folder), original, decoded)
        shown = run_quietly(["ssimulacra2", *(path.name for path in pictures)], Path(folder))
    return float(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", shown)[-1])


def lpips(original: Pixels, decoded: Pixels) -> float:
    """LPIPS with AlexNet, 0 for equal pictures.

    Raises:
        NotInstalledError: the package lpips or the weights of its network are not here; none are downloaded.
    """
    import torch

    planes = [
        torch.from_numpy(p.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1 for p in (original, decoded)
    ]
    with torch.inference_mode():
        return float(_lpips_network()(planes[0], planes[1]))


@lru_cache
def _lpips_network() -> "Module":
    try:
        package = import_module("lpips")
    except ImportError as error:
        raise NotInstalledError("LPIPS needs the package: pip install lpips") from error
    import torch

    folder = Path(torch.hub.get_dir()) / "checkpoints"
    if not any(folder.glob("alexnet-*.pth")):
        raise NotInstalledError(f"LPIPS needs torchvision's weights of AlexNet (alexnet-*.pth) in {folder}")
    return package.LPIPS(net="alex", verbose=False).eval()


def vmaf_program() -> str:
    """The ffmpeg that measures VMAF: the one on PATH, or that of the package imageio-ffmpeg.

    Raises:
        NotInstalledError: neither is here and was built with libvmaf.
    """
    for program in _ffmpegs():
        if _has_filter(program, "libvmaf"):
            return program
    raise NotInstalledError("VMAF needs an ffmpeg that was built with libvmaf: pip install 'linnet[vmaf]'")


def _ffmpegs() -> list[str]:
    found = [shutil.which("ffmpeg")]
    with suppress(ImportError, RuntimeError):  # none for this machine
        found.append(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    return [program for program in found if program]


@lru_cache
def _has_filter(program: str, name: str) -> bool:
    shown = run_quietly([program, "-v", "error", "-filters"], Path.cwd())
    return any(name in line.split() for line in shown.splitlines())


def _saved(folder: Path, *pictures: Pixels) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(len(pictures))]
    for path, pixels in zip(paths, pictures, strict=True):
        Image.fromarray(pixels).save(path, compress_level=1)
    return paths


def run_quietly(words: list[str], folder: Path) -> str:
    """Run a program in a folder: what it prints. Raises CalledProcessError."""
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder).stdout
