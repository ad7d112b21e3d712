"""Pictures with parts of their files lost: `vq` made resilient, in small tiles, and JPEG, of the same bytes.

    python benchmarks/loss.py PICTURES --out benchmarks/results/loss.json --plot benchmarks/results/loss.png

Each share of a resilient `vq` file, each part (one stage of one tile) of one in tiles and each restart
segment of a JPEG (one row of blocks) is lost with the same probability: its bytes become zeros. The resilient
file has all stages; its size is what the others may have. Of small tiles as many stages are kept as fit. JPEG
is the largest file that fits, also of the picture reduced to a half or a quarter, whichever has the best
MS-SSIM; it is decoded as libjpeg does it, and once more with the rows of lost segments interpolated from
those around them. The last JPEG has no restart markers, but is itself spread over as many shares, of which as
many are needed as of the resilient file for its last stage: with fewer it counts as grey.
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
from linnet.bitstream import Reader
from linnet.bitstream.chunk_types import ChunkType
from linnet.bitstream.chunks import CRC_BYTES, ChunkSource
from linnet.codec.bench.adapters.base import Pixels
from linnet.codec.bench.adapters.pillow import PillowCodec
from linnet.codec.bench.pictures import load_rgb
from linnet.codec.distortion import ms_ssim, psnr_db

LOST = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
SHARE_BYTES = 7  # of a share that carries a JPEG: type, length, number, CRC-32
Point = tuple[float, float]  # PSNR in dB, MS-SSIM


def part_payloads(data: bytes) -> list[slice]:
    """Where the payload of each part or share stands in a whole file of stages.

    Raises:
        FormatError: damage.
    """
    source, found = ChunkSource(data), []
    source.read_signature()
    head = source.read_head()
    while head.type != ChunkType.END:
        start = source.offset
        source.skip_payload(head)
        if head.type in (ChunkType.PART, ChunkType.SHARE):
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
    """One picture as all files; `points` measures it after the losses of a seed."""

    def __init__(self, original: Pixels, model: str, tile: int, resilience: int, folder: Path) -> None:
        self.original = original
        made = linnet.encode(original, model=model, quality=100, resilience=resilience)
        self.resilient = made.data or b""
        self.tiled = linnet.encode(original, model=model, target_size=made.bytes, tile=tile).data or b""
        self.whole = linnet.encode(original, model=model, quality=100).bytes
        self.jpeg = self._best(restart_jpeg(), made.bytes, folder / "restart")
        self.jpeg_data = self.jpeg.path.read_bytes()
        spread = Reader(self.resilient).header.spread
        assert spread is not None
        self.spread = spread
        room = (made.bytes // spread.count - SHARE_BYTES) * spread.needed[-1]
        (rival,) = find_rivals(["jpeg"])
        self.spread_jpeg = self._best(rival, room, folder / "spread")
        self._resilient: dict[int, Point] = {}
        self._spread_jpeg = {
            True: self._point(self.spread_jpeg.decode()),
            False: self._point(np.full_like(original, 128)),
        }

    def points(self, share: float, seed: int) -> dict[str, Point]:
        """PSNR and MS-SSIM of every way to decode, with each part lost at a probability."""
        rng = np.random.default_rng(seed)
        segments, shares = restart_segments(self.jpeg_data), part_payloads(self.resilient)
        tiled = blanked(self.tiled, [part for part in part_payloads(self.tiled) if rng.random() < share])
        gone = [place for place in shares if rng.random() < share]
        lost = [number for number in range(len(segments)) if rng.random() < share]
        found = {
            "Linnet vq, resilient": self._after(gone),
            "Linnet vq, tiles": self._point(self._partial(tiled)),
        }
        for label, conceal in (("JPEG", False), ("JPEG, rows interpolated", True)):
            small = jpeg_after_loss(self.jpeg_data, lost, conceal)
            found[label] = self._point(enlarged(small, self.original.shape[:2]))
        enough = len(shares) - len(gone) >= self.spread.needed[-1]
        return found | {"JPEG in shares": self._spread_jpeg[enough]}

    def _after(self, gone: Sequence[slice]) -> Point:
        """Of the resilient file: what is shown depends only on how many stages its shares suffice for."""
        left = self.spread.count - len(gone)
        stages = sum(left >= needed for needed in self.spread.needed)
        if stages not in self._resilient:
            data = blanked(self.resilient, gone)
            shown = self._partial(data) if stages else np.full_like(self.original, 128)
            self._resilient[stages] = self._point(shown)
        return self._resilient[stages]

    @staticmethod
    def _partial(data: bytes) -> Pixels:
        return linnet.decode(data, allow_partial=True).pixels.astype(np.uint8)

    def _best(self, rival: Rival, budget: int, folder: Path) -> Candidate:
        folder.mkdir()
        made = Contest(rival, self.original, folder).candidates(budget)
        return max(made, key=lambda each: ms_ssim(self.original, each.decode()))

    def _point(self, decoded: Pixels) -> Point:
        return psnr_db(self.original, decoded), ms_ssim(self.original, decoded)


def measure(losses: Sequence[Loss], seeds: int, say: Callable[[str], None]) -> dict[str, dict[str, Point]]:
    """Means over pictures and seeds, by codec and share."""
    rows: dict[str, dict[str, Point]] = {}
    for share in LOST:
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
    parser.add_argument("--resilience", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=1)
    words = parser.parse_args()
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # a lost last segment is no reason to give up
    losses = []
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(words.pictures.glob("*.png")):
            folder = Path(scratch) / path.stem
            folder.mkdir()
            losses.append(Loss(load_rgb(path), words.model, words.tile, words.resilience, folder))
    rows = measure(losses, words.seeds, lambda line: print(line, flush=True))
    result = {
        "command": f"python benchmarks/loss.py {' '.join(sys.argv[1:])}",
        "pictures": len(losses),
        "seeds": words.seeds,
        "resilience_percent": words.resilience,
        "tile_px": words.tile,
        "mean_bytes": {
            "vq_resilient": round(np.mean([len(loss.resilient) for loss in losses])),
            "vq_in_tiles": round(np.mean([len(loss.tiled) for loss in losses])),
            "vq_in_one_tile": round(np.mean([loss.whole for loss in losses])),
            "jpeg": round(np.mean([loss.jpeg.bytes for loss in losses])),
            "jpeg_before_shares": round(np.mean([loss.spread_jpeg.bytes for loss in losses])),
        },
        "jpeg_fits": sum(loss.jpeg.fits for loss in losses),
        "jpeg_before_shares_fits": sum(loss.spread_jpeg.fits for loss in losses),
        "jpeg_scales": {str(scale): sum(x.jpeg.scale == scale for x in losses) for scale in (1, 2, 4)},
        "columns": ["psnr_db", "ms_ssim"],
        "shares": rows,
    }
    words.out.write_text(json.dumps(result, indent=1) + "\n")
    if words.plot:
        draw(rows, words.plot)


if __name__ == "__main__":
    main()
