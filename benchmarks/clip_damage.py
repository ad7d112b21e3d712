"""A clip damaged at random places: what is refused, what is reported, and whether all that is shown is right.

    python benchmarks/clip_damage.py CLIP --out benchmarks/results/clip_damage.json [--places 200]

Each damage is read three ways: whole, which must raise a LinnetError; in parts, where every frame that is
shown must equal that of the undamaged clip bit for bit and what is missing must be reported; and by
`decode_video` with allow_partial, whose counts must fit to that.
"""

import argparse
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import numpy as np

import linnet
from linnet.bitstream import LinnetError
from linnet.codec.frame import Samples

FRAMES, QUALITY, GOP = 32, 40, 8
KINDS = ("flip", "burst", "zeros", "cut", "without", "twice")


def encode(clip: Path, scale: int) -> bytes:
    """The clip's first frames, `scale` times smaller on each side, in groups of pictures."""
    made = io.BytesIO()
    with (
        av.open(str(clip)) as source,
        linnet.VideoWriter(made, rate=25, quality=QUALITY, gop=GOP) as writer,
    ):
        for frame in islice(source.decode(video=0), FRAMES):
            size = frame.width // scale, frame.height // scale
            writer.write(frame.reformat(*size).to_ndarray(format="rgb24"))
    return made.getvalue()


def damaged(data: bytes, kind: str, place: int, draw: np.random.Generator) -> bytes:
    """The file with one damage at a place."""
    length = int(draw.integers(2, 400))
    front, part, rest = data[:place], data[place : place + length], data[place + length :]
    if kind == "flip":
        return front + bytes([data[place] ^ int(draw.integers(1, 256))]) + data[place + 1 :]
    if kind == "burst":
        return front + draw.bytes(len(part)) + rest
    if kind == "zeros":
        return front + bytes(len(part)) + rest
    if kind == "without":
        return front + rest
    return front if kind == "cut" else front + part + part + rest


class WrongError(Exception):
    """Damage has done what a codec must never let it do."""


def must(holds: bool, else_what: str) -> None:
    """Raises WrongError unless it holds."""
    if not holds:
        raise WrongError(else_what)


def error_of(act: Callable[[], object]) -> LinnetError | None:
    """What it raises, if that is Linnet's."""
    try:
        act()
    except LinnetError as error:
        return error
    return None


def numbers_of(
    data: bytes, right: list[Samples], on_damage: Callable[[LinnetError], None] | None
) -> list[int]:
    """The numbers of the frames that are shown, each of which must be right."""
    shown = []
    with linnet.VideoReader(data, on_damage=on_damage) as reader:
        for frame in reader:
            must(np.array_equal(frame.pixels, right[frame.number]), f"frame {frame.number} is shown wrong")
            shown.append(frame.number)
    return shown


def outcome(data: bytes, right: list[Samples], target: Path) -> str:
    """What became of a damaged file. Raises WrongError, or whatever is no LinnetError."""
    found = error_of(lambda: linnet.verify(data))
    raised = error_of(lambda: numbers_of(data, right, None))
    must(type(found) is type(raised), f"verify says {found!r}, reading {raised!r}")
    if found is None:
        return "no damage"
    damage: list[LinnetError] = []
    shown: list[int] = []
    if error := error_of(lambda: shown.extend(numbers_of(data, right, damage.append))):
        return f"refused: {type(error).__name__}"
    must(bool(damage), "nothing is reported")
    must(shown == sorted(set(shown)), f"frames out of order: {shown}")
    made: list[linnet.VideoDecodeResult] = []
    options = {"video_codec": "ffv1", "allow_partial": True, "overwrite": True}
    if error := error_of(lambda: made.append(linnet.decode_video(data, target, **options))):
        must(not shown, f"{len(shown)} frames can be read, decoding says {error}")
        return "no frame is left, and it says so"
    result = made[0]
    must(result.frames == len(shown), f"decode_video shows {result.frames}, VideoReader {len(shown)}")
    if len(shown) == len(right):
        must(result.lost == 0, "frames are counted as lost that are shown")
        return "all frames, damage reported"
    if result.frames + result.lost == len(right):
        return "partial, all missing frames counted"
    must(result.frames + result.lost == shown[-1] + 1, f"{result.lost} lost, shown are {shown}")
    return "partial, those missing behind the last one shown not known"


def main() -> None:
    """Damage the clip at every place; count what became of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--scale", type=int, default=2)
    words = parser.parse_args()
    data = encode(words.clip, words.scale)
    with linnet.VideoReader(data) as reader:
        right = [frame.pixels for frame in reader]
    draw = np.random.default_rng(1)
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(words.places):
            kind, place = KINDS[number % len(KINDS)], int(draw.integers(0, len(data)))
            try:
                found = outcome(damaged(data, kind, place, draw), right, Path(folder, "a.mkv"))
            except Exception as error:  # also what no LinnetError is: that is what is looked for
                found = f"WRONG: {type(error).__name__}"
                failures.append(f"{number} {kind} at {place}: {type(error).__name__}: {error}")
                print(failures[-1], flush=True)
            counts[kind][found] += 1
    result = {
        "command": f"python benchmarks/clip_damage.py {words.clip.name} --places {words.places} "
        f"--scale {words.scale}",
        "clip": {"frames": len(right), "gop": GOP, "quality": QUALITY, "bytes": len(data),
                 "size": f"{right[0].shape[1]}x{right[0].shape[0]}"},
        "outcomes": {kind: dict(sorted(each.items())) for kind, each in counts.items()},
        "failures": failures,
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
