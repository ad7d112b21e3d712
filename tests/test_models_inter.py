"""Inter frames: motion is found, prediction is that of FORMAT.md, the context is exact."""

from dataclasses import replace

import format_inter
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from linnet.bitstream import FormatError
from linnet.codec.still.tiles import to_planes
from linnet.entropy.motion import MOTION_LIMIT, Field
from linnet.models import zoo
from linnet.models.inter import codec as inter_codec
from linnet.models.inter.codec import InterCodec, Past
from linnet.models.inter.model import motion_features
from linnet.models.inter.prediction import followed, predict, predict_twice
from linnet.models.weights import read_tensors

VIDEO = zoo.find("video")
SIZE = (128, 96)


@pytest.fixture(scope="module")
def codec() -> InterCodec:
    return inter_codec.load(VIDEO)


def planes_of(photo: Image.Image, right_px: float = 0, up_px: float = 0) -> Tensor:
    """A part of the photograph whose content lies so far to the right and up, [3, H, W]."""
    x, y = 60 - 2 * right_px, 40 + 2 * up_px
    part = photo.resize(SIZE, Image.Resampling.LANCZOS, (x, y, x + 2 * SIZE[0], y + 2 * SIZE[1]))
    return to_planes(np.asarray(part))


def random_field(size: tuple[int, int], reach: int, seed: int = 1) -> Field:
    return np.random.default_rng(seed).integers(-reach, reach + 1, (2, *size)).astype(np.int32)


def psnr_db(one: Tensor, other: Tensor) -> float:
    return float(-10 * torch.log10(((one - other) ** 2).mean()))


@pytest.mark.parametrize("quality", [20, 60])
def test_a_pan_is_found_and_predicted(photo: Image.Image, codec: InterCodec, quality: float) -> None:
    before, after = planes_of(photo), planes_of(photo, 3.25, 1.5)
    field = codec.find_motion(after, before, quality)
    expected = np.array([-13, 6])[:, None, None]
    assert (np.abs(field - expected).max(0) <= 1).mean() > 0.75
    predicted = codec.predict(Past(before), field)[:3]
    assert psnr_db(predicted, after) > psnr_db(before, after) + 6


def test_where_nothing_moves_no_motion_is_found_and_the_prediction_is_the_reference(
    photo: Image.Image, codec: InterCodec
) -> None:
    still = planes_of(photo)
    field = codec.find_motion(still, still, 50)
    assert not field.any()
    predicted = codec.predict(Past(still), field)
    assert (predicted - torch.cat([still, still])).abs().max() < 1e-4


def bicubic_weights(part: float) -> list[float]:
    """Of the four samples around a place, for a = -0.75."""

    def weight(distance: float) -> float:
        d, a = abs(distance), -0.75
        if d <= 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * (d**3 - 5 * d**2 + 8 * d - 4)

    return [weight(part - near) for near in (-1, 0, 1, 2)]


def predicted_pixel(reference: np.ndarray, field: Field, x: int, y: int) -> np.ndarray:
    """One pixel as FORMAT.md section 19 says, [3]."""
    _, height, width = reference.shape
    u, v = (x + 0.5) / 8 - 0.5, (y + 0.5) / 8 - 0.5
    found = np.zeros(3)
    for j in (0, 1):
        for i in (0, 1):
            column, row = int(np.floor(u)) + i, int(np.floor(v)) + j
            share = (1 - abs(u - column)) * (1 - abs(v - row))
            right, down = field[:, np.clip(row, 0, height // 8 - 1), np.clip(column, 0, width // 8 - 1)] / 4
            left, top = int(np.floor(x + right)), int(np.floor(y + down))
            for n, along in enumerate(bicubic_weights(y + down - top)):
                for m, across in enumerate(bicubic_weights(x + right - left)):
                    row, column = np.clip(top + n - 1, 0, height - 1), np.clip(left + m - 1, 0, width - 1)
                    found += share * along * across * reference[:, row, column]
    return found


@pytest.mark.parametrize("reach", [7, 60, MOTION_LIMIT])
def test_prediction_is_that_of_the_text(photo: Image.Image, reach: int) -> None:
    reference, field = planes_of(photo), random_field((12, 16), reach)
    predicted = predict(reference[None], torch.from_numpy(field)[None])[0].numpy()
    pixels = reference.numpy().astype(np.float64)
    places = [(0, 0), (3, 4), (4, 3), (127, 95), (64, 0), (20, 93), (50, 51), (101, 42), (77, 8)]
    for x, y in places:
        np.testing.assert_allclose(predicted[:, y, x], predicted_pixel(pixels, field, x, y), atol=2e-4)


@pytest.mark.parametrize("reach", [3, 100, MOTION_LIMIT])
def test_motion_is_followed_over_two_frames_as_the_text_says(reach: int) -> None:
    field, before = random_field((6, 8), reach), random_field((6, 8), reach, seed=2)
    expected = np.zeros_like(field)
    for row, column in np.ndindex(6, 8):
        right, down = field[:, row, column].tolist()
        come_from = (
            min(max((32 * row + 16 + down) // 32, 0), 5),
            min(max((32 * column + 16 + right) // 32, 0), 7),
        )
        expected[:, row, column] = field[:, row, column] + before[:, come_from[0], come_from[1]]
    found = followed(torch.from_numpy(field)[None].float(), torch.from_numpy(before)[None].float())[0]
    np.testing.assert_array_equal(found.numpy(), expected)


def test_a_steady_pan_is_predicted_from_two_frames(photo: Image.Image) -> None:
    older, before, after = (planes_of(photo, 2.5 * time, 0)[None] for time in range(3))
    pan = torch.zeros(1, 2, 12, 16)
    pan[:, 0] = -10
    first, second = predict_twice(before, older, pan, pan)[0].chunk(2)
    inside = (slice(None), slice(None), slice(16, None))  # on the left, something new comes into view
    assert min(psnr_db(each[inside], after[0][inside]) for each in (first, second)) > 35
    assert not torch.equal(first, second)
    alone = predict_twice(before, None, pan, None)[0].chunk(2)
    assert all(torch.equal(each, first) for each in alone)


@pytest.mark.parametrize("reach", [0, 20, MOTION_LIMIT])
def test_motion_features_are_those_of_the_text_in_float32(reach: int) -> None:
    field = random_field((6, 8), reach)
    found = motion_features(torch.from_numpy(field)[None].float())[0].permute(1, 2, 0)
    np.testing.assert_array_equal(found.numpy(), format_inter.motion_features(field.astype(np.int64)))


def test_the_context_is_the_same_in_float64_and_knows_latents_motion_and_level(codec: InterCodec) -> None:
    random, field = np.random.default_rng(4), random_field((6, 8), 30)
    y_hat = (random.normal(0, 1, (3, 4, codec.entropy.latent)) * 2**12).astype(np.int32)
    extreme = np.where(random.random(y_hat.shape) < 0.5, 2**21, -(2**21)).astype(np.int32)
    pasts = [
        Past(None),
        Past(None, None, field, y_hat, 20.0),
        Past(None, None, field, y_hat, 90.0),
        Past(None, None, field, extreme, 100.0),
    ]
    double = inter_codec.load(VIDEO, dtype=torch.float64)
    contexts = [codec.context(past, field) for past in pasts]
    contexts.append(codec.context(pasts[1], 0 * field))
    for context, past in zip(contexts, pasts, strict=False):
        assert torch.equal(context, context.round())
        assert torch.equal(context, double.context(past, field).float())
    for number, context in enumerate(contexts):
        assert not any(torch.equal(context, other) for other in contexts[:number])


def test_the_temporal_adaptor_meets_the_certificate_and_a_larger_one_does_not(codec: InterCodec) -> None:
    temporal = codec.temporal
    assert temporal.certify() < 2**24
    with pytest.raises(ValueError, match=r"temporal.adaptor: output channel \d+ can reach"):
        replace(temporal, bound=2**20).certify()
    for shift in (-8, 20):
        wrong = replace(temporal, context_shift=temporal.context_shift + shift)
        with pytest.raises(ValueError, match="temporal: latents are shifted by"):
            wrong.certify()


def test_a_file_with_another_number_of_motion_tables_is_no_model() -> None:
    tensors = read_tensors(VIDEO.path, VIDEO.sha256)
    for part in ("cdf", "size", "offset"):
        tensors[f"table.motion.{part}"] = tensors[f"table.motion.{part}"][:-1]
    with pytest.raises(FormatError, match="53 motion tables, needed are 54"):
        inter_codec.build(VIDEO, tensors, torch.device("cpu"))
