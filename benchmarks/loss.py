"""Pictures with parts of their files lost: `vq` in small tiles, and JPEG of the same bytes.

    python benchmarks/loss.py PICTURES --out benchmarks/results/loss.json --plot benchmarks/results/loss.png

Each part of a `vq` file (one stage of one tile) and each restart segment of a JPEG (one row of blocks) is
lost with the same probability: its bytes become zeros. JPEG is the largest file that is not larger, also of
the picture reduced to a half or a quarter, whichever has the best MS-SSIM; it is decoded as libjpeg does it,
and once more with the rows of lost segments interpolated from those around them.
"""

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageFile
from restart import restart_segments, segment_rows, with_rows_interpolated
from same_bytes import Candidate, Contest, Rival, enlarged, find_rivals

import linnet
from linnet.bitstream.chunks import CRC_BYTES, ChunkSource, ChunkType
from linnet.codec.bench.adapters.base import Pixels
from linnet.codec.bench.adapters.pillow import PillowCodec
from linnet.codec.bench.pictures import load_rgb
from linnet.codec.distortion import ms_ssim, psnr_db

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
Point = tuple[float, float]  # PSNR in dB, MS-SSIM


def part_payloads(data: bytes) -> list[slice]:
    """Where the payload of each part stands in a whole file of stages.

    Raises:
        FormatError: damage.
    """
    source, found = ChunkSource(data), []
    source.read_signature()
    head = source.read_head()
    while head.type != ChunkType.END:
        start = source.offset
        source.skip_payload(head)
        if head.type == ChunkType.PART:
            found.append(slice(start, source.offset - CRC_BYTES))
        head = source.read_head()
    return found


def blanked(data: bytes, places: Sequence[slice]) -> bytes:
    """The data with zeros in some places."""
    out = bytearray(data)
    for place in places:
        out[place] = bytes(place.stop - place.start)
    return bytes(out)


def restart_jpeg() -> Rival:
    """JPEG with a restart marker behind every row of blocks."""
    (rival,) = find_rivals(["jpeg"])
    assert isinstance(rival.adapter, PillowCodec)
    options = MappingProxyType({**rival.adapter.options, "restart_marker_rows": 1})
    return replace(rival, adapter=replace(rival.adapter, label="JPEG", options=options))


def jpeg_after_loss(data: bytes, lost: Sequence[int], conceal: bool) -> Pixels:
    """[h, w, 3] of a JPEG of which some restart segments are lost."""
    segments = restart_segments(data)
    with Image.open(io.BytesIO(blanked(data, [segments[number] for number in lost]))) as image:
        pixels = np.asarray(image.convert("RGB"))
    return with_rows_interpolated(pixels, segment_rows(lost, pixels.shape[0])) if conceal else pixels


class Loss:
    """One picture as both files; `points` measures it after the losses of a seed."""

    def __init__(self, original: Pixels, model: str, tile: int, folder: Path) -> None:
        self.original = original
        self.vq = linnet.encode(original, model=model, quality=100, tile=tile).data or b""
        self.whole = linnet.encode(original, model=model, quality=100).bytes
        made = Contest(restart_jpeg(), original, folder).candidates(len(self.vq))
        self.jpeg: Candidate = max(made, key=lambda each: ms_ssim(original, each.decode()))
        self.jpeg_data = self.jpeg.path.read_bytes()

    def points(self, share: float, seed: int) -> dict[str, Point]:
        """PSNR and MS-SSIM of every way to decode, with each part lost at a probability."""
        rng = np.random.default_rng(seed)
        parts, segments = part_payloads(self.vq), restart_segments(self.jpeg_data)
        damaged = blanked(self.vq, [part for part in parts if rng.random() < share])
        lost = [number for number in range(len(segments)) if rng.random() < share]
        decoded = linnet.decode(damaged, allow_partial=True).pixels.astype(np.uint8)
        found = {"Linnet vq": self._point(decoded)}
        for label, conceal in (("JPEG", False), ("JPEG, rows interpolated", True)):
            small = jpeg_after_loss(self.jpeg_data, lost, conceal)
            found[label] = self._point(enlarged(small, self.original.shape[:2]))
        return found

    def _point(self, decoded: Pixels) -> Point:
        return psnr_db(self.original, decoded), ms_ssim(self.original, decoded)


def measure(losses: Sequence[Loss], seeds: int, say: Callable[[str], None]) -> dict[str, dict[str, Point]]:
    """Means over pictures and seeds, by codec and share."""
    rows: dict[str, dict[str, Point]] = {}
    for share in SHARES:
        runs = range(seeds if share else 1)
        all_points = [loss.points(share, 1000 * n + seed) for n, loss in enumerate(losses) for seed in runs]
        for label in all_points[0]:
            psnr, structure = np.mean([points[label] for points in all_points], axis=0)
            rows.setdefault(label, {})[f"{share:g}"] = round(float(psnr), 3), round(float(structure), 4)
        say(f"{share:g} {[rows[label][f'{share:g}'] for label in rows]}")
    return rows


def draw(rows: Mapping[str, Mapping[str, Point]], path: Path) -> None:
    """Both measures over the share of what is lost."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=110)
    for axes, column, label in zip(
        figure.subplots(1, 2), (0, 1), ("PSNR, RGB, dB", "MS-SSIM, RGB"), strict=True
    ):
        for name, points in rows.items():
            shares = [100 * float(share) for share in points]
            axes.plot(shares, [point[column] for point in points.values()], "o-", ms=3.5, label=name)
        axes.set(xlabel="parts lost, %", ylabel=label)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plot", type=Path, metavar="PNG")
    parser.add_argument("--model", default="vq")
    parser.add_argument("--tile", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=3)
    words = parser.parse_args()
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # a lost last segment is no reason to give up
    losses = []
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(words.pictures.glob("*.png")):
            folder = Path(scratch) / path.stem
            folder.mkdir()
            losses.append(Loss(load_rgb(path), words.model, words.tile, folder))
    rows = measure(losses, words.seeds, lambda line: print(line, flush=True))
    result = {
        "command": f"python benchmarks/loss.py {' '.join(sys.argv[1:])}",
        "pictures": len(losses),
        "seeds": words.seeds,
        "tile_px": words.tile,
        "mean_bytes": {
            "vq": round(np.mean([len(loss.vq) for loss in losses])),
            "vq_in_one_tile": round(np.mean([loss.whole for loss in losses])),
            "jpeg": round(np.mean([loss.jpeg.bytes for loss in losses])),
        },
        "jpeg_fits": sum(loss.jpeg.fits for loss in losses),
        "jpeg_scales": {str(scale): sum(x.jpeg.scale == scale for x in losses) for scale in (1, 2, 4)},
        "columns": ["psnr_db", "ms_ssim"],
        "shares": rows,
    }
    words.out.write_text(json.dumps(result, indent=1) + "\n")
    if words.plot:
        draw(rows, words.plot)


if __name__ == "__main__":
    main()
