"""Train a classifier on tokens in place of pixels: scikit-learn's digits, 1,797 pictures that come with it.

    pip install '.[examples]'
    python examples/tokens_classifier.py [--out benchmarks/results/tokens.json]

Each digit (8x8 pixels) is enlarged to 64x64, turned into tokens by the `vq` model, and told from its tokens:
every index becomes a column of zeros and a one (one-hot), and a linear classifier learns from these. The same
classifier learns from pixels for comparison, both of the original 8x8 and of the enlarged pictures. The split
is scikit-learn's stratified one, a quarter held out.

Bytes are those of whole files (.npz, PNG) divided by the number of pictures. Mind that the enlarged pictures
hold no more than the 8x8 values they came from: against those, tokens save nothing.
"""

import argparse
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder

import linnet

SIDE_PX = 64
HELD_OUT = 0.25


def enlarged(digit: NDArray[np.float64], side_px: int) -> NDArray[np.uint8]:
    """[8, 8] of 0 to 16 -> [side, side] of 0 to 255."""
    small = Image.fromarray(np.rint(digit * (255 / 16)).astype(np.uint8))
    return np.asarray(small.resize((side_px, side_px), Image.Resampling.BICUBIC))


def columns_of(tokens: Sequence[linnet.Tokens]) -> NDArray[np.uint16]:
    """[pictures, indices]: all grids of a picture in one row."""
    return np.stack([np.concatenate([grid.ravel() for grid in each.grids]) for each in tokens])


def accuracy(features: NDArray[np.generic], labels: NDArray[np.int64], one_hot: bool) -> float:
    """Of a linear classifier on the pictures held out."""
    train, test, train_labels, test_labels = train_test_split(
        features, labels, test_size=HELD_OUT, random_state=0, stratify=labels
    )
    scale = OneHotEncoder(handle_unknown="ignore") if one_hot else MaxAbsScaler()
    model = make_pipeline(scale, LogisticRegression(max_iter=1000))
    return round(float(model.fit(train, train_labels).score(test, test_labels)), 4)


def png_bytes(pixels: NDArray[np.uint8]) -> int:
    """Of one picture, optimised."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return len(stream.getvalue())


def bytes_of_tokens(tokens: Sequence[linnet.Tokens]) -> float:
    """Of a picture, in one compressed file of all."""
    with tempfile.TemporaryDirectory() as folder:
        return linnet.save_tokens(tokens, Path(folder) / "digits.npz") / len(tokens)


def main() -> None:
    """Tokenise, train, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--side", type=int, default=SIDE_PX, help="pixels to enlarge a digit to")
    parser.add_argument("--model", default="vq")
    words = parser.parse_args()
    digits, labels = load_digits(return_X_y=True)
    assert isinstance(digits, np.ndarray)
    assert isinstance(labels, np.ndarray)
    pictures = [enlarged(digit.reshape(8, 8), words.side) for digit in digits]
    tokens = [linnet.tokenize(picture, model=words.model) for picture in pictures]

    rows: dict[str, dict[str, float]] = {}
    for stages in range(1, len(tokens[0].stages) + 1):
        kept = [each.first(stages) for each in tokens]
        rows[f"tokens, {stages} of {len(tokens[0].stages)} stages"] = {
            "accuracy": accuracy(columns_of(kept), labels, one_hot=True),
            "bytes": round(bytes_of_tokens(kept), 1),
        }
    flat = np.stack([picture.ravel() for picture in pictures])
    rows[f"pixels, {words.side}x{words.side}, PNG"] = {
        "accuracy": accuracy(flat, labels, one_hot=False),
        "bytes": round(float(np.mean([png_bytes(picture) for picture in pictures])), 1),
    }
    rows["pixels, 8x8, raw"] = {"accuracy": accuracy(digits, labels, one_hot=False), "bytes": 64.0}
    for name, row in rows.items():
        print(f"{name:<26} accuracy {row['accuracy']:.4f}  {row['bytes']:8.1f} bytes a picture")
    if words.out:
        result = {
            "command": "python examples/tokens_classifier.py --out benchmarks/results/tokens.json",
            "pictures": len(pictures),
            "side_px": words.side,
            "weights": tokens[0].weights_hash,
            "rows": rows,
        }
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
