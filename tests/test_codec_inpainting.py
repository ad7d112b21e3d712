"""Holes in pixels: what fills them continues what is around, and touches nothing else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from linnet.codec.still.inpainting import smooth_over


def ramp(height: int, width: int, depth: type[np.uint8] | type[np.uint16]) -> np.ndarray:
    """A plane of three colours."""
    rows, columns = np.indices((height, width))
    scale = np.iinfo(depth).max / (2 * height + 3 * width)
    return np.stack([rows + columns, 2 * rows, 3 * columns], -1) * scale


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(192, 192), (200, 201), (320, 193)])
def test_a_plane_is_continued(size: tuple[int, int], depth: type[np.uint8] | type[np.uint16]) -> None:
    original = np.rint(ramp(*size, depth)).astype(depth)
    damaged = original.copy()
    damaged[64:128, 64:128] = 0
    expected = damaged == original
    smooth_over(damaged, [(64, 64, 64, 64)])
    assert np.array_equal(damaged[expected], original[expected])
    assert np.abs(damaged - original.astype(float)).max() < 0.02 * np.iinfo(depth).max


def test_a_constant_stays_one_however_much_is_lost() -> None:
    for size in ((64, 64 + 9), (100, 300), (1, 65)):
        pixels = np.full((*size, 1), 77, np.uint8)
        pixels[:, 64:] = 3
        smooth_over(pixels, [(left, 0, min(64, size[1] - left), size[0]) for left in range(64, size[1], 64)])
        assert (pixels == 77).all()


def test_it_is_better_than_the_mean_of_all_that_is_known(photo_path: Path) -> None:
    with Image.open(photo_path) as image:
        original = np.asarray(image.convert("RGB"))
    errors = []
    for left, top in ((0, 0), (128, 128), (256, 256), (384, 512), (448, 64)):
        box = (left, top, min(128, 512 - left), min(128, 600 - top))
        hole = np.zeros(original.shape[:2], np.bool_)
        hole[top : top + box[3], left : left + box[2]] = True
        damaged = np.where(hole[..., None], np.uint8(0), original)
        smooth_over(damaged, [box])
        flat = original[~hole].mean(0)
        errors.append([np.mean((each - original[hole]) ** 2) for each in (damaged[hole].astype(float), flat)])
    ours, mean = np.mean(errors, 0)
    assert ours < 0.5 * mean
