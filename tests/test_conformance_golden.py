"""Files of released versions decode to the same integers, and to the same picture but for a level."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vq_samples import starts

import linnet
from linnet.bitstream import Reader

FOLDER = Path(__file__).parent / "conformance"
GOLDEN = sorted(FOLDER.glob("*.lnt"))


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 3


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_file_still_decodes(path: Path) -> None:
    assert linnet.verify(path, full=True).ok  # the hashes in the file are the golden integers
    frame = linnet.decode(path)
    with Image.open(path.with_suffix(".png")) as stored:
        expected = np.asarray(stored).astype(int)
    decoded = frame.with_alpha().squeeze().astype(int)
    assert decoded.shape == expected.shape
    assert np.abs(decoded - expected).max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_a_golden_file_with_a_quarter_of_its_shares_hit_holds_the_same_integers(seed: int) -> None:
    data = (FOLDER / "v1.3_vq_resilience25.lnt").read_bytes()
    places = starts(data)[:-1]  # without the end chunk
    assert len(places) == 24
    damaged = bytearray(data)
    for number in np.random.default_rng(seed).choice(24, 6, replace=False):
        damaged[places[number] + 5] ^= 64
    repairs: list[linnet.LinnetError] = []
    parts = list(Reader(bytes(damaged), on_repair=repairs.append).tiles())
    whole = list(Reader(data).tiles())
    assert [(part.latent_hash, part.payload) for part in parts] == [
        (part.latent_hash, part.payload) for part in whole
    ]
    assert repairs
    shown = linnet.decode(bytes(damaged))
    assert shown.repairs
    assert np.array_equal(shown.pixels, linnet.decode(data).pixels)  # every hash was compared on the way
