"""A clip from the shell and back: times, sound and picture beside the source's, read by PyAV alone.

    linnet encode CLIP -o clip.lnt; linnet decode clip.lnt -o back.mp4; linnet decode clip.lnt -o back.mkv
    python benchmarks/clip_round_trip.py CLIP clip.lnt back.mp4 back.mkv --out clip_round_trip.json

PSNR in dB is of luma, frame by frame; what the container's own encoder loses (x264, for example) is in it.
"""

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import linnet

Picture = tuple[Fraction, NDArray[np.uint8]]
Sound = list[tuple[Fraction, bytes]]


def pictures(path: Path) -> Iterator[Picture]:
    """Time in seconds and luma [H, W] of each frame."""
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            if frame.pts is None or frame.time_base is None:
                raise ValueError(f"{path}: a frame has no time")
            luma = frame.reformat(format="yuv420p").to_ndarray()[: frame.height]
            yield frame.pts * frame.time_base, luma


def sound_of(path: Path) -> Sound:
    """Time in seconds and bytes of each packet of the first audio stream."""
    found: Sound = []
    with av.open(str(path)) as file:
        for packet in file.demux(file.streams.audio[0]) if file.streams.audio else ():
            if packet.size and packet.pts is not None and packet.time_base is not None:
                found.append((packet.pts * packet.time_base, bytes(packet)))
    return found


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """dB of 8-bit samples."""
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return round(float(10 * np.log10(255**2 / max(error, 1e-9))), 2)


def compare(source: Path, back: Path) -> dict[str, object]:
    """What is apart between a clip and what came back of it; times in seconds."""
    gaps: list[Fraction] = []
    psnr_db: list[float] = []
    unmatched = 0
    for one, other in zip_longest(pictures(source), pictures(back)):
        if one is None or other is None:
            unmatched += 1
            continue
        gaps.append(abs(one[0] - other[0]))
        psnr_db.append(psnr(one[1], other[1]))
    given, got = sound_of(source), sound_of(back)
    sound_gaps = [abs(one - other) for (one, _), (other, _) in zip(given, got, strict=False)]
    return {
        "file": back.name,
        "bytes": back.stat().st_size,
        "frames": len(psnr_db),
        "frames_without_a_partner": unmatched,
        "largest_time_difference_s": round(float(max(gaps)), 9),
        "sound_packets": [len(given), len(got)],
        "sound_packets_identical": [data for _, data in given] == [data for _, data in got],
        "largest_sound_time_difference_s": round(float(max(sound_gaps, default=Fraction())), 9),
        "psnr_y_mean_db": round(float(np.mean(psnr_db)), 3),
        "psnr_y_least_db": min(psnr_db),
        "psnr_y_db": psnr_db,
    }


def main() -> None:
    """Compare every file that came back."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("coded", type=Path)
    parser.add_argument("back", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    found = linnet.info(words.coded)
    if found.video is None:
        parser.error(f"{words.coded} is no clip")
    files = " ".join(path.name for path in (words.source, words.coded, *words.back))
    result = {
        "commands": [
            f"linnet encode {words.source.name} -o {words.coded.name}",
            *(f"linnet decode {words.coded.name} -o {path.name}" for path in words.back),
            f"python benchmarks/clip_round_trip.py {files} --out {words.out}",
        ],
        "source_bytes": words.source.stat().st_size,
        "coded": {
            "bytes": words.coded.stat().st_size,
            "frames": found.video.frames,
            "key_frames": found.video.key_frames,
            "quality": found.quality,
        },
        "back": [compare(words.source, path) for path in words.back],
    }
    for row in result["back"]:
        print({key: value for key, value in row.items() if key != "psnr_y_db"})
    if words.out:
        words.out.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
