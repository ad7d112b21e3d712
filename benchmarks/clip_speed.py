"""Frames a second and peak memory of clips, each run in a process of its own.

    python benchmarks/clip_speed.py CLIP... --out benchmarks/results/clip_speed.json [--frames 32] [--runs 3]

A run loads the models, then encodes the clip into a file (its own decoding included), or decodes that into
frames in memory; loading is not counted. Frames a second are medians, memory the largest.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import torch
from scaling import peak_mib

import linnet
from linnet.models import codecs, zoo
from linnet.models.inter import codec as inter_codec

QUALITY = 50


def cut(clip: Path, target: Path, frames: int) -> tuple[int, int]:
    """Write the first frames of a clip, lossless and without sound; returns width and height."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as made:
        stream = source.streams.video[0]
        out = made.add_stream("libx264", rate=Fraction(25), options={"qp": "0", "preset": "ultrafast"})
        out.width, out.height, out.pix_fmt = stream.width, stream.height, "yuv420p"
        for number, frame in enumerate(source.decode(stream)):
            if number == frames:
                break
            frame.pts = number
            frame.time_base = Fraction(1, 25)
            made.mux(out.encode(frame.reformat(format="yuv420p")))
        made.mux(out.encode(None))
        return stream.width, stream.height


def one_run(verb: str, clip: Path, coded: Path) -> dict[str, float]:
    """Measure in this process."""
    codecs.load(zoo.find("fast"))
    inter_codec.load(zoo.find("video"))
    started = time.perf_counter()
    if verb == "encode":
        frames = linnet.encode_video(clip, coded, quality=QUALITY, overwrite=True, device="cpu").frames
    else:
        with linnet.VideoReader(coded, device="cpu") as video:
            frames = sum(1 for _ in video)
    seconds = time.perf_counter() - started
    return {"frames": frames, "fps": round(frames / seconds, 2), "peak_mib": peak_mib()}


def measure(clip: Path, frames: int, runs: int) -> dict[str, object]:
    """A clip both ways."""
    with tempfile.TemporaryDirectory() as folder:
        source, coded = Path(folder, "clip.mkv"), Path(folder, "clip.lnt")
        width, height = cut(clip, source, frames)
        row: dict[str, object] = {"clip": clip.name, "size": f"{width}x{height}"}
        for verb in ("encode", "decode"):
            words = [sys.executable, __file__, "--one", verb, str(source), str(coded)]
            done = [
                json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
                for _ in range(runs)
            ]
            row["frames"] = done[0]["frames"]
            row[f"{verb}_fps"] = statistics.median(each["fps"] for each in done)
            row[f"{verb}_peak_mib"] = max(each["peak_mib"] for each in done)
        print(*row.values(), flush=True)
        return row


def main() -> None:
    """Run every clip, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("VERB", "CLIP", "CODED"))
    words = parser.parse_args()
    if words.one:
        verb, clip, coded = words.one
        print(json.dumps(one_run(verb, Path(clip), Path(coded))))
        return
    rows = [measure(clip, words.frames, words.runs) for clip in words.clips]
    names = " ".join(clip.name for clip in words.clips)
    result = {
        "command": f"python benchmarks/clip_speed.py {names} --frames {words.frames} --runs {words.runs}",
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        "torch": torch.__version__,
        "quality": QUALITY,
        "clips": rows,
    }
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
