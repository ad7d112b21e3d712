"""Files smaller than those of quality 0: `linnet encode --target-bpp`, beside other codecs at the same bytes.

    python benchmarks/small_targets.py PICTURES --models fast,high --out benchmarks/results/small_targets.json

Our files are written and read by the command line, which resamples as the target asks for. Every other codec
may have each picture reduced to a half or a quarter before it is coded, and enlarged after decoding: the
largest file within the target at each scale is made, and of these the one with the best PSNR counts. Where no
file is small enough, the smallest counts, and `fits` says in how many pictures one was.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from same_bytes import Candidate, Contest, find_rivals
from vq import linnet as run

import linnet
from linnet.codec.bench.adapters.base import Pixels
from linnet.codec.bench.metrics import METRICS, measure_all
from linnet.codec.bench.pictures import load_rgb
from linnet.models.zoo import find

CODECS = "jpeg,webp,avif,avif-slow,jxl"
TARGETS_BPP = (0.02, 0.04, 0.06, 0.08)
MEASURES = (METRICS["psnr_db"], METRICS["ms_ssim"])


def row_of(files: Sequence[tuple[int, int, Pixels]], originals: Sequence[Pixels]) -> dict[str, object]:
    """Means over the pictures of files given as (bytes, factor of the reduction, decoded pixels)."""
    figures = [
        measure_all(MEASURES, original, file[2]) for original, file in zip(originals, files, strict=True)
    ]
    pairs = zip(originals, files, strict=True)
    rates = [size * 8 / (pixels.shape[0] * pixels.shape[1]) for pixels, (size, _, _) in pairs]
    means = {
        each.key: round(statistics.fmean(float(found[each.key] or 0) for found in figures), 4)
        for each in MEASURES
    }
    reduced = Counter(factor for _, factor, _ in files)
    return {"bpp": round(statistics.fmean(rates), 5), **means, "reduced": dict(sorted(reduced.items()))}


def ours(paths: Sequence[Path], originals: Sequence[Pixels], model: str, bpp: float) -> dict[str, object]:
    """Encode all to the target, and decode the files in another process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("encode", *paths, "-o", f"{folder}/", "-m", model, "--target-bpp", str(bpp), "--quiet")
        files = [folder / f"{path.stem}.lnt" for path in paths]
        run("decode", *files, "-o", f"{folder}/shown/", "--quiet")
        shown = [load_rgb(folder / "shown" / f"{path.stem}.png") for path in paths]
        made = [
            (file.stat().st_size, linnet.info(file).resampling, pixels)
            for file, pixels in zip(files, shown, strict=True)
        ]
    return row_of(made, originals)


def theirs(contests: Sequence[Contest], originals: Sequence[Pixels], bpp: float) -> dict[str, object]:
    """The best of another codec's files within the target, picture by picture."""
    chosen: list[tuple[Candidate, Pixels]] = []
    for contest, original in zip(contests, originals, strict=True):
        budget = int(bpp * original.shape[0] * original.shape[1] / 8)
        decoded = [(each, each.decode()) for each in contest.candidates(budget)]
        chosen.append(max(decoded, key=lambda pair: METRICS["psnr_db"].measure(original, pair[1]) or 0.0))
    row = row_of([(each.bytes, each.scale, shown) for each, shown in chosen], originals)
    return {**row, "fits": sum(each.fits for each, _ in chosen)}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, help="folder")
    parser.add_argument("--models", default="fast,high", help="names, with commas")
    parser.add_argument("--codecs", default=CODECS)
    parser.add_argument(
        "--files", type=Path, metavar="DIR", help="keeps other codecs' files for the next run"
    )
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    paths = sorted(words.pictures.glob("*.png"))
    if not paths:
        raise SystemExit(f"no pictures (.png) in {words.pictures}")
    originals = [load_rgb(path) for path in paths]
    models, rivals = words.models.split(","), find_rivals(words.codecs.split(","))
    rows: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        kept = words.files or Path(folder)
        for bpp in TARGETS_BPP:
            row: dict[str, object] = {f"Linnet {name}": ours(paths, originals, name, bpp) for name in models}
            for rival in rivals:
                contests = []
                for path, original in zip(paths, originals, strict=True):
                    place = kept / rival.key / path.stem
                    place.mkdir(parents=True, exist_ok=True)
                    contests.append(Contest(rival, original, place))
                row[rival.label] = theirs(contests, originals, bpp)
            rows[f"{bpp:g}"] = row
            print(f"{bpp:g}", json.dumps(row), flush=True)
    result = {
        "command": f"python benchmarks/small_targets.py {' '.join(sys.argv[1:])}",
        "pictures": len(paths),
        "weights": {name: find(name).sha256[:16] for name in models},
        "settings": {rival.label: rival.adapter.settings for rival in rivals},
        "versions": {rival.label: dict(rival.adapter.versions) for rival in rivals},
        "targets_bpp": rows,
    }
    words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
