"""Chains made of still pictures: what stands still is the same in each frame, what moves goes its way."""

from pathlib import Path

import numpy as np
import pytest
import torch
from model_samples import shape_of
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from linnet.models.inter.offsets import INTER_OFFSETS, KEY_OFFSET
from linnet.models.training.data import Pictures, load
from linnet.models.training.inter import InterTraining, Past
from linnet.models.training.objective import Outcome
from linnet.models.training.staging import STAGE_DRAWS, Movement, moved, outline, stage
from linnet.models.training.tasks import shipped_transforms

CPU = torch.device("cpu")
SIDE, LENGTH = 64, 4


@pytest.fixture
def picture(photo: Image.Image) -> Tensor:
    """[1, 3, H, W] in 0..1."""
    return torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def stills(photo: Image.Image, tmp_path: Path) -> Pictures:
    for number in range(12):
        photo.crop((20 * number, 10 * number, 20 * number + 160, 10 * number + 160)).save(
            tmp_path / f"{number}.png"
        )
    return load(tmp_path, False, CPU)


def test_what_stands_still_is_a_crop_of_the_picture_in_every_frame(picture: Tensor) -> None:
    views = moved(picture, SIDE, LENGTH, Movement((3.0, 2.0), 0.01, 0.01, (0.3, 0.6)).none())
    assert torch.equal(views[0], views[-1])
    middle = [int((n - 1) * share) + 1 for n, share in zip(picture.shape[2:], (0.42, 0.54), strict=True)]
    top, left = (place - SIDE // 2 for place in middle)
    crop = picture[0, :, top : top + SIDE, left : left + SIDE]
    torch.testing.assert_close(views[0], crop, atol=2e-3, rtol=0)  # not blurred


def test_what_moves_goes_against_the_view_and_its_outline_with_it(picture: Tensor) -> None:
    movement = Movement((2.0, -3.0), 0.0, 0.0, (0.5, 0.5))
    views = moved(picture, SIDE, 2, movement)
    # down by 2 and left by 3 in the picture: what was at (r, c) is now at (r - 2, c + 3)
    torch.testing.assert_close(views[1][:, :-2, 3:], views[0][:, 2:, :-3], atol=2e-3, rtol=0)
    masks = outline(SIDE, 2, movement, torch.full((4,), 0.5))
    torch.testing.assert_close(masks[1][:, :-2, 3:], masks[0][:, 2:, :-3])
    assert masks.amin() == 0
    assert masks.amax() == 1


def test_a_stage_has_a_background_and_what_covers_it(stills: Pictures) -> None:
    draws = torch.full((STAGE_DRAWS,), 0.99)
    draws[6], draws[7], draws[8], draws[14:18] = 0.0, 0.0, 0.9, 0.4  # steady behind, moving in front
    chain = stage(stills, SIDE, LENGTH, draws, torch.Generator().manual_seed(2))
    assert chain.shape == (LENGTH, 3, SIDE, SIDE)
    change = (chain[0] - chain[1]).abs().amax(0)
    assert change.max() > 0.1
    assert (change == 0).float().mean() > 0.5
    draws[18] = 0.0
    noisy = stage(stills, SIDE, LENGTH, draws, torch.Generator().manual_seed(2))
    assert 0.001 < float((noisy - chain).std()) < 0.02


def test_frames_are_trained_at_the_qualities_of_their_places(
    picture: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = InterTraining(shape_of("video"), shipped_transforms("fast", CPU)).eval()
    levels: list[float] = []
    original = InterTraining.inter_frame

    def noted(net: InterTraining, frame: Tensor, past: Past, level: Tensor) -> tuple[Outcome, Past]:
        levels.append(float(level))
        return original(net, frame, past, level)

    monkeypatch.setattr(InterTraining, "inter_frame", noted)
    chain = F.interpolate(picture, (64, 64)).expand(6, -1, -1, -1)[None]
    with torch.no_grad():
        net(chain, torch.tensor([30.0]))
    assert np.allclose(levels, [30 + 0.63 * INTER_OFFSETS[place % len(INTER_OFFSETS)] for place in range(5)])
    assert max(INTER_OFFSETS) < KEY_OFFSET
