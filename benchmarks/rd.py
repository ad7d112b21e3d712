"""Rate-distortion of Linnet, JPEG and WebP on a folder of pictures: real files, a fresh process to decode.

    python benchmarks/rd.py PICTURES --out benchmarks/results/kodak.json [--reference kodak_published.json]

Linnet runs as its command line: one process encodes a quality, another one decodes it. Bytes are those on
disk, headers included. PSNR is of 8-bit RGB; all means are over pictures of per-picture values.
"""

import argparse
import functools
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import bjontegaard
import numpy as np
import PIL
import torch
from numpy.typing import NDArray
from PIL import Image

from linnet.codec.distortion import ms_ssim, psnr_db

Pixels = NDArray[np.uint8]
Point = dict[str, object]
LINNET_QUALITIES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
JPEG_QUALITIES = (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 85, 90, 93, 95, 97)
WEBP_QUALITIES = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 98, 100)
PUBLISHED = {"vtm": "VTM", "bpg_444_x265_ycbcr": "BPG", "av1": "AV1"}


def measure(original: Pixels, decoded: Pixels, size_bytes: int) -> dict[str, float]:
    """bpp, PSNR (dB) and MS-SSIM of one picture [H, W, 3]."""
    return {
        "bpp": size_bytes * 8 / (original.shape[0] * original.shape[1]),
        "psnr_db": psnr_db(original, decoded),
        "ms_ssim": ms_ssim(original, decoded),
    }


def point(quality: float, rows: list[dict[str, float]], **more: object) -> Point:
    """Mean and per-picture values of one quality."""
    means = {name: round(float(np.mean([row[name] for row in rows])), 5) for name in rows[0]}
    each = {name: [round(row[name], 5) for row in rows] for name in rows[0]}
    return {"quality": quality, **means, **more, "per_image": each}


def linnet_point(files: list[Path], originals: list[Pixels], quality: float) -> Point:
    """Encode in one process, decode in another."""
    with tempfile.TemporaryDirectory() as folder:
        coded, decoded = Path(folder, "coded"), Path(folder, "decoded")
        coded.mkdir()
        decoded.mkdir()
        words = [sys.executable, "-m", "linnet"]
        names = [str(path) for path in files]
        encoded = run([*words, "encode", *names, "-o", f"{coded}/", "-q", str(quality), "--json"])
        paths = [coded / f"{path.stem}.lnt" for path in files]
        run([*words, "decode", *(str(path) for path in paths), "-o", f"{decoded}/", "--json"])
        rows = []
        for path, original in zip(paths, originals, strict=True):
            pixels = np.asarray(Image.open(decoded / f"{path.stem}.png"))
            rows.append(measure(original, pixels, path.stat().st_size))
        results = [json.loads(line) for line in encoded.splitlines()]
        estimates = [r["estimated_bytes"] for r in results if r["type"] == "result"]
        disk = sum(path.stat().st_size for path in paths)
    return point(quality, rows, disk_over_estimate=round(disk / sum(estimates), 5))


def run(words: list[str]) -> str:
    """Standard output of a command that must succeed."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def pillow_point(originals: list[Pixels], quality: int, format: str, **options: int | bool) -> Point:
    """Encode and decode with Pillow."""
    rows = []
    for original in originals:
        stream = io.BytesIO()
        Image.fromarray(original).save(stream, format, quality=quality, **options)
        decoded = np.asarray(Image.open(stream).convert("RGB"))
        rows.append(measure(original, decoded, len(stream.getvalue())))
    return point(quality, rows)


Make = Callable[[list[Path], list[Pixels], float], Point]
CODECS: dict[str, tuple[tuple[int, ...], Make]] = {
    "linnet": (LINNET_QUALITIES, linnet_point),
    "jpeg": (JPEG_QUALITIES, lambda _, o, q: pillow_point(o, int(q), "JPEG", optimize=True, subsampling=2)),
    "webp": (WEBP_QUALITIES, lambda _, o, q: pillow_point(o, int(q), "WEBP", method=6)),
}
LABELS = {"linnet": "Linnet fast", "jpeg": "JPEG", "webp": "WebP"}


def curve(qualities: Iterable[float], make: Callable[[float], Point], name: str) -> list[Point]:
    """All points of a codec, with progress."""
    points = []
    for quality in qualities:
        started = time.monotonic()
        points.append(make(quality))
        last = points[-1]
        seconds = time.monotonic() - started
        print(
            f"{name} {quality}: {last['bpp']:.4f} bpp {last['psnr_db']:.3f} dB  ({seconds:.0f} s)", flush=True
        )
    return points


def bd_rate(anchor: list[Point], test: list[Point], metric: str = "psnr_db") -> dict[str, object]:
    """BD-rate in percent (PCHIP on log-rate) over the overlap, which is given too."""
    curves = [
        np.array(sorted((float(str(p["bpp"])), float(str(p[metric]))) for p in points)).T
        for points in (anchor, test)
    ]
    (rate_a, value_a), (rate_t, value_t) = curves
    low, high = max(value_a.min(), value_t.min()), min(value_a.max(), value_t.max())
    change = bjontegaard.bd_rate(
        rate_a, value_a, rate_t, value_t, method="pchip", require_matching_points=False, min_overlap=0
    )
    return {
        "percent": round(float(np.asarray(change)), 2),
        "overlap": [round(float(low), 3), round(float(high), 3)],
        "metric": metric,
    }


def published(path: Path) -> dict[str, list[Point]]:
    """Curves of other codecs from a file of published figures."""
    codecs = json.loads(path.read_text())["codecs"]
    found: dict[str, list[Point]] = {}
    for name, label in PUBLISHED.items():
        rows = zip(codecs[name]["bpp"], codecs[name]["psnr"], strict=True)
        found[label] = [{"bpp": b, "psnr_db": p} for b, p in rows]
    return found


def main() -> None:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reference", type=Path, help="JSON of published curves")
    parser.add_argument(
        "--codecs", default=",".join(CODECS), help="measure these; others keep what --out has"
    )
    words = parser.parse_args()
    files = sorted(words.pictures.glob("*.png"))
    originals = [np.asarray(Image.open(path).convert("RGB")) for path in files]
    curves: dict[str, list[Point]] = json.loads(words.out.read_text())["curves"] if words.out.exists() else {}
    for name in words.codecs.split(","):
        qualities, make = CODECS[name]
        curves[LABELS[name]] = curve(qualities, functools.partial(make, files, originals), name)
    references = published(words.reference) if words.reference else {}
    bd: dict[str, list[dict[str, object]]] = {}
    for name, anchor in {**curves, **references}.items():
        if name != "Linnet fast" and "Linnet fast" in curves:
            bd[name] = [bd_rate(anchor, curves["Linnet fast"])]
            if "ms_ssim" in anchor[0]:
                bd[name].append(bd_rate(anchor, curves["Linnet fast"], "ms_ssim"))
    result = {
        "command": "python benchmarks/rd.py PICTURES --out FILE --reference PUBLISHED",
        "pictures": [path.name for path in files],
        "versions": {"torch": torch.__version__, "pillow": PIL.__version__},
        "bd_rate_of_linnet_fast_against": bd,
        "curves": curves,
        "published_curves": references,
    }
    words.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(bd, indent=1))


if __name__ == "__main__":
    main()
