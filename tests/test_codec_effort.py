"""Latents that are sought picture by picture: better files, the same each time, of models that can."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from model_samples import psnr_db
from PIL import Image

import linnet
from linnet.models.effort import EFFORTS
from linnet.models.quality import lambda_of, level_of
from linnet.models.refinement import annealed

CORNER = (200, 40, 328, 168)
QUALITY = 80.0


@pytest.fixture(scope="module")
def corner(photo_path: Path) -> Image.Image:
    """A part of the photograph with detail, 128x128."""
    with Image.open(photo_path) as picture:
        return picture.convert("RGB").crop(CORNER)


def cost(data: bytes, picture: Image.Image, payload: float) -> float:
    """What the model's training minimises, of a whole file."""
    pixels = np.asarray(picture)
    decoded = linnet.decode(data).pixels.astype(np.uint8)
    error = 10 ** (-psnr_db(decoded, pixels) / 10) * 255**2
    weight = float(lambda_of(torch.tensor([level_of(QUALITY)]))[0])
    return weight * error + 8 * payload / (picture.width * picture.height)


def test_more_effort_gives_a_better_file(corner: Image.Image) -> None:
    costs = []
    for effort in (0, 1, 2, 4):
        made = linnet.encode(corner, quality=QUALITY, effort=effort)
        linnet.verify(made.data or b"", full=True)
        costs.append(cost(made.data or b"", corner, made.estimated_bytes))
    assert costs[1] < 0.985 * costs[0]
    assert costs[2] < 0.998 * costs[1]
    assert costs[3] < 0.993 * costs[1]


def test_the_same_picture_gives_the_same_file_and_progress_counts_iterations(corner: Image.Image) -> None:
    told: list[tuple[int, int]] = []
    files = [
        linnet.encode(corner, quality=30, effort=2, progress=lambda done, total: told.append((done, total)))
        for _ in range(2)
    ]
    assert files[0].data == files[1].data
    assert told[: EFFORTS[2]] == [(done, EFFORTS[2]) for done in range(1, EFFORTS[2] + 1)]


def test_a_flat_picture_is_not_made_worse() -> None:
    flat = np.full((64, 64), 90, np.uint8)
    plain, sought = (linnet.encode(flat, quality=50, effort=effort) for effort in (1, 2))
    assert sought.bytes <= plain.bytes
    decoded = linnet.decode(sought.data or b"").pixels.astype(int)
    assert abs(decoded - 90).max() <= 2


def test_pictures_of_several_windows_and_targets_take_an_effort(corner: Image.Image) -> None:
    wide = Image.fromarray(np.tile(np.asarray(corner.resize((64, 64))), (1, 17, 1)))  # 1088x64
    told: list[tuple[int, int]] = []
    made = linnet.encode(wide, quality=20, effort=2, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * EFFORTS[2], 2 * EFFORTS[2])
    assert psnr_db(linnet.decode(made.data or b"").pixels.astype(np.uint8), np.asarray(wide)) > 20
    aimed = linnet.encode(corner.resize((64, 64)), target_size=700, effort=2)
    assert aimed.bytes <= 700


@pytest.mark.parametrize("model", ["vq", "fast-ms-ssim"])
def test_models_that_take_no_effort_say_so(corner: Image.Image, model: str) -> None:
    with pytest.raises(ValueError, match=r"no effort of 2.*such as fast"):
        linnet.encode(corner, model=model, effort=2)


@pytest.mark.parametrize("effort", [-1, len(EFFORTS)])
def test_an_effort_out_of_range_is_refused(corner: Image.Image, effort: int) -> None:
    with pytest.raises(ValueError, match=f"effort must be 0 to {len(EFFORTS) - 1}, not {effort}"):
        linnet.encode(corner, io.BytesIO(), effort=effort)


def test_cold_rounding_is_nearly_whole_and_warm_rounding_wanders() -> None:
    random = torch.Generator().manual_seed(1)
    residual = torch.full((4000,), 2.9)
    cold, warm = (annealed(residual, heat, random) for heat in (0.05, 1.0))
    assert (cold - cold.round()).abs().max() < 0.01
    assert (cold.round() == 3).float().mean() > 0.999
    assert 0.6 < float((warm > 2.5).float().mean()) < 0.99
    assert warm.min() >= 2
    assert warm.max() <= 3
