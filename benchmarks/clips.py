"""A clip through Linnet and through x264: whole bytes of the pictures at equal RGB PSNR.

    python benchmarks/clips.py CLIP --out benchmarks/results/clips.json

x264 runs in PyAV, preset medium, with its default groups of pictures and with key frames only. All pictures
are made RGB by one conversion. The clip should have no sound: its bytes would count for Linnet only.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType
from av.video.stream import VideoStream

import linnet
from linnet.codec.video.source import MediaSource, SourceFrame

CRFS = (18, 20, 24, 28, 32)
Frames = list[np.ndarray]


def read_frames(path: Path) -> Frames:
    """[H, W, 3] each."""
    with MediaSource(str(path)) as source:
        return [item.pixels for item in source.items() if isinstance(item, SourceFrame)]


def psnr_db(originals: Frames, decoded: Frames) -> float:
    """Mean over frames."""
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(originals, decoded, strict=True)]
    return float(np.mean(10 * np.log10(255**2 / np.array(errors))))


def encode_x264(source: Path, target: Path, crf: int, group: int) -> None:
    """The clip at a constant rate factor, with a key frame every `group` frames at the latest."""
    with av.open(source) as clip, av.open(target, "w") as file:
        video = clip.streams.video[0]
        stream = file.add_stream("libx264", rate=video.average_rate)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium", "g": str(group)}
        for frame in clip.decode(video=0):
            frame.pict_type = PictureType.NONE
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def main() -> None:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--quality", type=float, default=50)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    originals = read_frames(words.clip)
    with tempfile.TemporaryDirectory() as folder:
        coded, other = Path(folder, "clip.lnt"), Path(folder, "clip.mp4")
        linnet.encode_video(str(words.clip), str(coded), quality=words.quality)
        with linnet.VideoReader(coded) as video:
            ours = {"bytes": coded.stat().st_size, "psnr_db": psnr_db(originals, [f.pixels for f in video])}
        found: dict[str, object] = {"clip": words.clip.name, "frames": len(originals), "linnet": ours}
        for name, group in (("x264", 250), ("x264_key_frames_only", 1)):
            points = []
            for crf in CRFS:
                encode_x264(words.clip, other, crf, group)
                points.append((psnr_db(originals, read_frames(other)), other.stat().st_size))
            values, sizes = zip(*sorted(points), strict=True)
            if not values[0] <= ours["psnr_db"] <= values[-1]:
                raise SystemExit(
                    f"{name} reaches {values[0]:.2f} to {values[-1]:.2f} dB: choose another --quality"
                )
            size = float(np.exp(np.interp(ours["psnr_db"], values, np.log(sizes))))
            found[name] = {"bytes": round(size), "linnet_over_it": round(ours["bytes"] / size, 3)}
    command = f"python benchmarks/clips.py {words.clip.name} {' '.join(sys.argv[2:])}"
    words.out.write_text(json.dumps({"command": command, **found}, indent=1) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
