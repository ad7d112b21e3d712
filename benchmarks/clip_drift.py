"""Drift: what a long chain of inter frames costs against a chain that starts shortly before the same frames.

    python benchmarks/clip_drift.py CLIP... --out benchmarks/results/clip_drift.json [--qualities 30,60]

Each clip is coded twice: as one chain from its first frame, and as one that starts `lead` frames before the
last ones. Both code the last frames from the same source, with the same quality for each: what is apart there
is drift, neither content nor the key frame at the start. PSNR in dB over the RGB samples of a frame.
"""

import argparse
import io
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import av
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import linnet
from linnet.bitstream import ClipReader, CodedFrame
from linnet.models.inter.offsets import INTER_OFFSETS

Pixels = NDArray[np.uint8]
FRAMES = 96  # of a chain, at most
LAST, LEAD = 16, 24  # frames that are compared, and before them in the short chain; fewer of a short clip
PAN_SIZE, PAN_STEP = 208, (2.7, 1.1)  # px, and px per frame


def frames_of(clip: Path) -> list[Pixels]:
    """[H, W, 3] each, the first ones."""
    with av.open(str(clip)) as source:
        return [frame.to_ndarray(format="rgb24") for frame in islice(source.decode(video=0), FRAMES)]


def pan() -> list[Pixels]:
    """A view that moves over matplotlib's photograph by parts of a pixel."""
    with Image.open(Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")) as photo:
        image, found = photo.convert("RGB"), []
        for number in range(FRAMES):
            x, y = (20 + number * step for step in PAN_STEP)
            box = (x, y, x + PAN_SIZE, y + PAN_SIZE)
            found.append(np.array(image.resize((PAN_SIZE, PAN_SIZE), Image.Resampling.BICUBIC, box)))
    return found


def parts_of(count: int) -> tuple[int, int]:
    """(last, lead): how many frames are compared, and how many the short chain has before them.

    Raises:
        ValueError: both chains would be the same one.
    """
    turn = len(INTER_OFFSETS)
    last = min(LAST, count // 3)
    lead = min(LEAD, (count - last) // 2)
    start = (count - last - lead) // turn * turn  # so that every frame has the same quality in both chains
    if not start:
        raise ValueError(f"{count} frames are too few: no chain that begins {turn} frames later is left")
    return last, count - last - start


def code(frames: Sequence[Pixels], quality: float) -> tuple[list[float], list[int], list[str]]:
    """PSNR in dB, bytes and kind of each frame of one chain."""
    made = io.BytesIO()
    with linnet.VideoWriter(made, quality=quality, gop=len(frames)) as writer:
        for pixels in frames:
            writer.write(pixels)
    coded = [item for item in ClipReader(made.getvalue()).items() if isinstance(item, CodedFrame)]
    sizes = [
        sum(len(tile.payload) for tile in each.tiles) + len(each.motion.payload if each.motion else b"")
        for each in coded
    ]
    with linnet.VideoReader(made.getvalue()) as reader:
        psnr_db = [psnr(pixels, shown.pixels) for pixels, shown in zip(frames, reader, strict=True)]
    return psnr_db, sizes, [each.head.kind.name.lower() for each in coded]


def psnr(one: Pixels, other: NDArray[np.uint8 | np.uint16]) -> float:
    """dB of 8-bit samples."""
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return round(float(10 * np.log10(255**2 / error)), 3)


def measure(frames: Sequence[Pixels], quality: float) -> dict[str, object]:
    """Both chains, and what is apart at their ends."""
    last, lead = parts_of(len(frames))
    long, sizes, kinds = code(frames, quality)
    short, short_sizes, short_kinds = code(frames[-last - lead :], quality)
    early = slice(1, 1 + last)  # behind the key frame
    return {
        "quality": quality,
        "frames": len(frames),
        "last": last,
        "lead": lead,
        "key_frames": [kinds.count("key"), short_kinds.count("key")],
        "drift_db": round(float(np.mean(long[-last:]) - np.mean(short[-last:])), 3),
        "bytes_of_last_percent": round(100 * (sum(sizes[-last:]) / sum(short_sizes[-last:]) - 1), 2),
        "last_against_first_db": round(float(np.mean(long[-last:]) - np.mean(long[:last])), 3),
        "last_against_first_inter_db": round(float(np.mean(long[-last:]) - np.mean(long[early])), 3),
        "psnr_db": long,
        "psnr_db_short": short,
        "bytes": sizes,
        "bytes_short": short_sizes,
    }


def main() -> None:
    """Measure every clip and the pan; written after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--qualities", default="30,60")
    words = parser.parse_args()
    names = " ".join(clip.name for clip in words.clips)
    command = f"python benchmarks/clip_drift.py {names} --out {words.out} --qualities {words.qualities}"
    rows: dict[str, list[dict[str, object]]] = {}
    for name in ("pan", *words.clips):
        frames = pan() if name == "pan" else frames_of(name)
        rows[Path(name).stem] = []
        for quality in words.qualities.split(","):
            row = measure(frames, float(quality))
            rows[Path(name).stem].append(row)
            print(Path(name).stem, *list(row.items())[:9], flush=True)
            words.out.write_text(json.dumps({"command": command, "clips": rows}) + "\n")


if __name__ == "__main__":
    main()
