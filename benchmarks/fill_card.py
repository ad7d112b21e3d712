"""Write what `linnet bench` measured on Kodak into a model's card; prints the new SHA-256 for models/zoo.py.

    python benchmarks/fill_card.py REPORT/results.json models/weights/fast.safetensors --codec linnet:fast

The tensors stay as they are. The card is part of the weights file, so its hash changes, and with it eight
bytes in the header of every file written from then on.
"""

import argparse
import json
from pathlib import Path

import safetensors.torch

from linnet.models.weights import Card, read_card, write_model


def kodak_table(results: dict, codec: str) -> Card:
    """Mean rate and distortion for each quality, and BD-rates against the other curves."""
    curve = next(c for c in results["curves"] if c["spec"] == codec)
    table = {
        f"q{point['value']:g}": {"bpp": round(point["bpp"], 4)}
        | {key: round(value, 5) for key, value in point["metrics"].items()}
        for point in curve["points"]
    }
    deltas = {
        delta["anchor"]: round(delta["rate_percent"], 2)
        for delta in results["bd"]["deltas"]
        if delta["test"] == curve["label"]
        and delta["metric"] == "psnr_db"
        and delta["rate_percent"] is not None
    }
    return {"kodak": table, "kodak_bd_rate_percent": deltas}


def main() -> None:
    """Read, replace the card, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--codec", default="linnet:fast")
    words = parser.parse_args()
    config, card = read_card(words.weights)
    card |= kodak_table(json.loads(words.results.read_text()), words.codec)
    tensors = safetensors.torch.load_file(words.weights)
    print(write_model(words.weights, config, tensors, card))


if __name__ == "__main__":
    main()
