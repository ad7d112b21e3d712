"""What limits a model: rounding its latents, or what its latents cannot say.

    python benchmarks/error_budget.py PICTURES --models fast --out benchmarks/results/error_budget.json

For each quality the mean squared error over the pictures, as files have it and with latents that are not
rounded at all: the second part no bits can take away, only more latents or a better transform.
"""

import argparse
import json
import math
import statistics
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from linnet.codec.still.tiles import to_planes
from linnet.entropy.latents import MEAN_BITS
from linnet.entropy.rate import RateCounter
from linnet.models import codecs, zoo
from linnet.models.codecs import StillCodec

QUALITIES = (0, 25, 50, 75, 100)


def errors_of(codec: StillCodec, x: Tensor, quality: float) -> tuple[float, float, float]:
    """Bits per pixel of the tiles, and squared errors (pixels 0..1): as decoded, and without rounding."""
    counter = RateCounter()
    y = codec.analyse(x, quality)
    latents = codec.encode_latents(counter, y, quality)
    exact = np.round(y.cpu().numpy() * 2**MEAN_BITS).astype(np.int32)
    shown = [codec.synthesise(each, quality).clamp(0, 1) for each in (latents.y_hat, exact)]
    decoded, best = (float((each - x).square().mean()) for each in shown)
    return counter.bits / x[0].numel(), decoded, best


def budget(codec: StillCodec, pictures: list[Tensor], quality: float) -> dict[str, float]:
    """Means over pictures."""
    found = [errors_of(codec, x, quality) for x in pictures]
    bpp, decoded, best = (statistics.fmean(column) for column in zip(*found, strict=True))
    return {
        "bpp": round(bpp, 4),
        "psnr_db": round(-10 * math.log10(decoded), 3),
        "psnr_db_not_rounded": round(-10 * math.log10(best), 3),
        "share_of_error_not_from_rounding": round(best / decoded, 3),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, help="folder")
    parser.add_argument("--models", default="fast", help="names, with commas")
    parser.add_argument("--every", type=int, default=3, help="of the pictures, by name, one in so many")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    paths = sorted(words.pictures.glob("*.png"))[:: words.every]
    if not paths:
        raise SystemExit(f"no pictures (.png) in {words.pictures}")
    pictures = [to_planes(np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    models: dict[str, object] = {}
    for name in words.models.split(","):
        spec = zoo.find(name)
        codec = codecs.load(spec)
        rows = {f"q{quality}": budget(codec, pictures, quality) for quality in QUALITIES}
        models[name] = {"weights": spec.sha256[:16], "latents": codec.entropy.latent, **rows}
        print(name, json.dumps(models[name], indent=1), flush=True)
    result = {
        "command": f"python benchmarks/error_budget.py PICTURES --models {words.models} --out FILE",
        "what": "mean squared errors over pictures, as PSNR; bits of the tiles without the container",
        "pictures": [path.name for path in paths],
        "torch": torch.__version__,
        "models": models,
    }
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
