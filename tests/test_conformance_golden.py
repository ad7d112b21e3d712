"""Files of released versions decode to the same integers, and to the same picture but for a level."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import linnet

GOLDEN = sorted((Path(__file__).parent / "conformance").glob("*.lnt"))


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
