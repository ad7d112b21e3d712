"""Write what was measured on Kodak into a model's card; prints the new SHA-256 for models/zoo.py.

    python benchmarks/fill_card.py RESULTS/kodak models/weights/fast.safetensors --codec "Linnet fast"

The tensors stay as they are. The card is part of the weights file, so its hash changes, and with it eight
bytes in the header of every file written from then on.
"""

import argparse
from pathlib import Path

import safetensors.torch
from tables import rows_of

from linnet.models.weights import Card, read_card, write_model

FIGURES = ("psnr_db", "psnr_y_db", "ms_ssim")


def kodak_table(results: Path, label: str) -> Card:
    """Mean rate and distortion for each quality, and BD-rates against the other curves."""
    table = {
        f"q{row['value']}": {"bpp": round(float(row["bpp"]), 4)}
        | {key: round(float(row[key]), 5) for key in FIGURES}
        for row in rows_of(results / "summary.csv")
        if row["codec"] == label
    }
    deltas = {
        row["anchor"]: round(float(row["rate_percent"]), 2)
        for row in rows_of(results / "bd.csv")
        if (row["test"], row["metric"]) == (label, "psnr_db") and row["rate_percent"]
    }
    return {"kodak": table, "kodak_bd_rate_percent": deltas}


def main() -> None:
    """Read, replace the card, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--codec", default="Linnet fast", help="as summary.csv names it")
    words = parser.parse_args()
    config, card = read_card(words.weights)
    card |= kodak_table(words.results, words.codec)
    tensors = safetensors.torch.load_file(words.weights)
    print(write_model(words.weights, config, tensors, card))


if __name__ == "__main__":
    main()
