"""What one model for every quality costs, against models fine-tuned at one quality each.

    python benchmarks/single_quality.py PICTURES --shared runs/all/best.pt --tuned 15=runs/15/best.pt \
        --tuned 39=runs/39/best.pt --out benchmarks/results/single_quality.json

All runs should start from one checkpoint and take the same steps: the tuned ones with `level_low` and
`level_high` at their level. Rates are compared at the tuned model's PSNR, on held-out pictures.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from linnet.models.training.checkpoint import load_state
from linnet.models.training.data import Pictures, load
from linnet.models.training.objective import TrainingModel
from linnet.models.training.validation import held_out_crop

CPU = torch.device("cpu")
SPAN = 4  # levels to each side, between which the shared model's rate is interpolated
Point = tuple[float, float]  # bpp, PSNR in dB


def read_model(path: Path) -> TrainingModel:
    """The moving average of a run of the `fast` architecture."""
    model = TrainingModel().eval()
    model.load_state_dict(load_state(path, CPU)["model"])
    return model


@torch.no_grad()
def point(model: TrainingModel, pictures: Pictures, level: float, crops: int) -> Point:
    """Mean rate and PSNR at a level."""
    levels = torch.full((1,), level)
    outcomes = [model(held_out_crop(pictures, n), levels) for n in range(min(crops, len(pictures)))]
    return float(np.mean([o.bpp for o in outcomes])), float(np.mean([o.psnr_db for o in outcomes]))


def compare(
    shared: TrainingModel, tuned: TrainingModel, pictures: Pictures, level: float, crops: int
) -> dict[str, object]:
    """Both models at a level, and how much more rate the shared one needs for the same PSNR."""
    below, own, above = (point(shared, pictures, level + span, crops) for span in (-SPAN, 0, SPAN))
    bpp, psnr_db = point(tuned, pictures, level, crops)
    psnrs, rates = zip(*((db, np.log(rate)) for rate, db in (below, own, above)), strict=True)
    rate = float(np.exp(np.interp(psnr_db, psnrs, rates)))
    return {
        "shared": {"bpp": round(own[0], 5), "psnr_db": round(own[1], 4)},
        "tuned": {"bpp": round(bpp, 5), "psnr_db": round(psnr_db, 4)},
        "rate_of_shared_percent": round(100 * (rate / bpp - 1), 2),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--tuned", action="append", required=True, metavar="LEVEL=BEST.pt")
    parser.add_argument("--crops", type=int, default=48)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    pictures = load(words.pictures, held_out=True, device=CPU)
    shared = read_model(words.shared)
    steps = load_state(words.shared, CPU)["step"]
    found = {}
    for pair in words.tuned:
        level, path = pair.split("=", 1)
        found[f"level_{level}"] = compare(shared, read_model(Path(path)), pictures, float(level), words.crops)
        print(level, found[f"level_{level}"], flush=True)
    command = f"python benchmarks/single_quality.py {' '.join(sys.argv[1:])}"
    result = {"command": command, "steps_of_each": steps, "crops": words.crops, "levels": found}
    words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
