"""The motion search: what it fetches and judges by is what decoders predict, and it finds what moves."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from linnet.codec.still.tiles import to_planes
from linnet.entropy.range_coder import SymbolEncoder
from linnet.models import zoo
from linnet.models.inter import codec as inter_codec
from linnet.models.inter.motion_bits import bit_price
from linnet.models.inter.overlap import Overlap
from linnet.models.inter.prediction import expanded, predict, warp
from linnet.models.inter.quarters import Quarters
from linnet.models.inter.search import find_motion, luma

SIZE = (128, 96)
LEVEL = torch.tensor([30.0])


def planes_of(photo: Image.Image, right_px: float = 0, up_px: float = 0) -> Tensor:
    """A part of the photograph whose content lies so far to the right and up, [1, 3, H, W]."""
    x, y = 120 - 2 * right_px, 200 + 2 * up_px
    part = photo.resize(SIZE, Image.Resampling.LANCZOS, (x, y, x + 2 * SIZE[0], y + 2 * SIZE[1]))
    return to_planes(np.asarray(part))[None]


def random_field(reach: int, seed: int = 1) -> Tensor:
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(-reach, reach + 1, (1, 2, SIZE[1] // 8, SIZE[0] // 8))).float()


def parted(photo: Image.Image) -> tuple[Tensor, Tensor]:
    """Two frames: a disc moves over a background that moves the other way."""
    down, right = torch.meshgrid(torch.arange(SIZE[1]), torch.arange(SIZE[0]), indexing="ij")

    def frame(move_px: float) -> Tensor:
        inside = (down - 50) ** 2 + (right - 60 - move_px) ** 2 < 27**2
        return torch.where(inside, planes_of(photo, 20 + move_px, 30), planes_of(photo, -0.75 * move_px))

    return frame(0), frame(3)


def psnr_db(one: Tensor, other: Tensor) -> float:
    return float(-10 * torch.log10(((one - other) ** 2).mean()))


@pytest.mark.parametrize(("reach", "side"), [(9, 8), (200, 16), (2**14, 16)])
def test_fetched_blocks_are_those_of_the_prediction(photo: Image.Image, reach: int, side: int) -> None:
    picture = luma(planes_of(photo))
    field = random_field(reach)[:, :, :: side // 8, :: side // 8]
    top, left = (side * torch.arange(count) for count in field.shape[2:])
    found = Quarters(picture).blocks(field, side, top, left)[0]
    wanted = warp(picture, expanded(field, side), "bicubic")[0, 0].clamp(0, 255)
    assert found.dtype == torch.uint8
    assert (found.permute(0, 2, 1, 3).flatten(2).flatten(0, 1) - wanted).abs().max() < 0.51


def test_what_the_search_leaves_is_what_the_prediction_lacks(photo: Image.Image) -> None:
    reference, frame = parted(photo)
    field = random_field(6)
    overlap = Overlap(luma(frame), Quarters(luma(reference)), field, torch.zeros(1, 1, 1))
    rest = luma(frame - predict(reference, field))[0, 0]
    assert (overlap.rest[0] - rest).abs().mean() < 0.5  # the search knows whole steps
    free = overlap.refined()
    lacking = luma(frame - predict(reference, free.motion))[0, 0]
    assert (free.rest[0] - lacking).abs().mean() < 0.5
    assert lacking.abs().mean() < 0.7 * rest.abs().mean()


def test_overlapping_blocks_predict_better_than_blocks_found_each_for_itself(photo: Image.Image) -> None:
    reference, frame = parted(photo)
    price = bit_price(LEVEL)[:, None, None]
    found = find_motion(frame, reference, LEVEL)
    picture = Quarters(luma(reference))
    alone = Overlap(luma(frame), picture, found, price)
    again = Overlap(luma(frame), picture, found, price).refined()
    assert psnr_db(predict(reference, found), frame) > 27
    assert again.rest.abs().mean() <= alone.rest.abs().mean()


def test_entries_that_cost_more_than_they_give_become_what_is_expected(photo: Image.Image) -> None:
    reference, frame = parted(photo)
    codec = inter_codec.load(zoo.find("video"))
    picture, field = Quarters(luma(reference)), random_field(8)
    bits = []
    for price in (0.0, 20.0, 1e9):
        settled = Overlap(luma(frame), picture, field, torch.full((1, 1, 1), price)).settled()
        coder = SymbolEncoder()
        codec.code_motion(coder, (SIZE[1], SIZE[0]), settled[0].to(torch.int32).numpy())
        bits.append(len(coder.finish()))
    assert bits[0] > 1.1 * bits[1] > 1.1 * bits[2]


def test_motion_beyond_the_reach_goes_on_as_it_was(photo: Image.Image) -> None:
    reference, frame = planes_of(photo), planes_of(photo, 0, 44.0)
    before = torch.zeros(1, 2, SIZE[1] // 8, SIZE[0] // 8)
    before[:, 1] = 4 * 43
    inside = (slice(None), slice(None), slice(0, 40))  # below, something new comes into view
    known, unknown = (
        psnr_db(predict(reference, find_motion(frame, reference, LEVEL, each))[inside], frame[inside])
        for each in (before, None)
    )
    assert known > unknown + 6


def test_frames_found_together_are_found_as_alone(photo: Image.Image) -> None:
    pairs = [parted(photo), (planes_of(photo), planes_of(photo, 3.25, 1.5))]
    levels = torch.tensor([20.0, 45.0])
    references, frames = (torch.cat(each) for each in zip(*pairs, strict=True))
    together = find_motion(frames, references, levels, torch.cat([random_field(9), random_field(9, 2)]))
    for index, (reference, frame) in enumerate(pairs):
        alone = find_motion(frame, reference, levels[index : index + 1], random_field(9, index + 1))
        assert (together[index] == alone[0]).float().mean() > 0.99
