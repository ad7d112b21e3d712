"""Writes the golden files of a model anew, which weights that were never released may ask for.

    python tests/write_golden.py fast

A released file is never written again: its decoding is what the golden tests hold on to.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image
from video_samples import UNEVEN, Shape, make_clip

import linnet

FOLDER = Path(__file__).parent / "conformance"
SHAPE = Shape(
    rotation=90, aspect=Fraction(16, 15), colours=(1, 1, 1, 1), tags=(("title", "Golden"),)
)  # BT.709, limited range


@dataclass(frozen=True)
class Still:
    """How a golden still is made of a crop of the photograph."""

    model: str
    quality: float
    change: Callable[[Image.Image], Image.Image] = lambda crop: crop
    resampling: int = 1


STILLS = {
    "v1_fast_q10": Still("fast", 10),
    "v1_fast_q50": Still("fast", 50),
    "v1_fast_q100": Still("fast", 100),
    "v1_fast_grey_q60": Still("fast", 60, lambda crop: crop.convert("L")),
    "v1_fast_alpha_q40": Still("fast", 40, lambda crop: with_ramp(crop)),
    "v1_fast_7x5_q75": Still("fast", 75, lambda crop: crop.crop((0, 0, 7, 5))),
    "v1_fast-ms-ssim_q50": Still("fast-ms-ssim", 50),
    "v1_high_q50": Still("high", 50),
    "v1.4_fast_resampling4_q60": Still("fast", 60, resampling=4),
}
CLIPS = {"v1.1_fast_uneven": 1, "v1.2_video_uneven": 4}  # frames from one key frame to the next


def with_ramp(crop: Image.Image) -> Image.Image:
    """The picture with the alpha of its golden file, which is kept without loss."""
    with Image.open(FOLDER / "v1_fast_alpha_q40.png") as stored:
        crop.putalpha(stored.getchannel("A"))
    return crop


def save(path: Path, pixels: np.ndarray) -> None:
    """What a decoder shows of `path`, as PNG beside it."""
    Image.fromarray(pixels).save(path.with_suffix(".png"), optimize=True)


def write_stills(model: str, photo: Image.Image) -> None:
    """All stills of a model."""
    for name, still in STILLS.items():
        if still.model == model:
            path, crop = FOLDER / f"{name}.lnt", still.change(photo.crop((200, 60, 329, 157)))
            linnet.encode(
                crop, path, quality=still.quality, resampling=still.resampling, model=model, overwrite=True
            )
            save(path, linnet.decode(path).with_alpha().squeeze())


def write_clips(photo: Image.Image) -> None:
    """The clips, whose key frames are of `fast` and whose other frames are of `video`."""
    with tempfile.TemporaryDirectory() as folder:
        source = make_clip(Path(folder) / "source.mp4", photo, UNEVEN[:4], SHAPE)
        for name, gop in CLIPS.items():
            path = FOLDER / "clips" / f"{name}.lnt"
            linnet.encode_video(source, path, quality=50, gop=gop, overwrite=True)
            with linnet.VideoReader(path) as video:
                save(path, video[2].pixels)


def main() -> None:
    """Write those of the models named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", choices=["fast", "fast-ms-ssim", "high", "video"])
    models = parser.parse_args().models
    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as opened:
        photo = opened.convert("RGB")
    for model in models:
        write_stills(model, photo)
    if {"fast", "video"} & set(models):
        write_clips(photo)


if __name__ == "__main__":
    main()
