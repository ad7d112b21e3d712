"""FORMAT.md says enough to decode inter frames: clips written here decode with a reader made from it."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from format_decoder import Ints, Model
from format_inter import ClipFrame, DecodedFrame, added_to, decode_clip, decode_motion, passes, read_clip
from PIL import Image
from video_samples import GOP, pan

import linnet
from linnet.codec.frame import Samples
from linnet.entropy.motion import MOTION_LIMIT, motion_hash
from linnet.entropy.range_coder import SymbolEncoder
from linnet.models import zoo
from linnet.models.inter import codec as inter_codec
from linnet.models.inter.codec import Past

VIDEO = zoo.find("video")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(VIDEO.path)


@pytest.fixture(scope="module")
def key_model() -> Model:
    return Model(zoo.find("fast").path)


def clip_of(frames: Sequence[Samples], quality: float) -> bytes:
    """A clip with inter frames."""
    made = io.BytesIO()
    with linnet.VideoWriter(made, rate=25, quality=quality, gop=GOP) as video:
        for pixels in frames:
            video.write(pixels)
    return made.getvalue()


def decode_and_check(data: bytes, key_model: Model, model: Model) -> list[tuple[ClipFrame, DecodedFrame]]:
    """Decode all frames; hashes and payloads must be those of the file, of tiles and of motion."""
    header, frames = read_clip(data)
    assert (header.key_hash, header.inter_hash) == (key_model.hash, model.hash)
    decoded = decode_clip(header, frames, key_model, model)
    for frame, found in zip(frames, decoded, strict=True):
        assert [tile.latent_hash for tile in found.tiles] == [tile.latent_hash for tile in frame.tiles]
        assert [tile.payload for tile in found.tiles] == [tile.payload for tile in frame.tiles]
        assert (found.motion and (found.motion.hash, found.motion.payload)) == frame.motion
    return list(zip(frames, decoded, strict=True))


@pytest.mark.parametrize("quality", [15, 85])
def test_a_moving_photo_decodes_from_the_text_alone(
    photo: Image.Image, key_model: Model, model: Model, quality: float
) -> None:
    data = clip_of(pan(photo, 4, (70, 42)), quality)
    found = decode_and_check(data, key_model, model)
    assert [frame.motion is None for frame, _ in found] == [True, False, False, True]
    assert found[1][1].tiles[0].latents.shape[:2] == (3, 5)
    assert linnet.verify(data, full=True).frames == 4


def test_a_grey_clip_of_16_bits_decodes_from_the_text_alone(
    photo: Image.Image, key_model: Model, model: Model
) -> None:
    grey = [(257 * pixels[:, :, 1].astype(np.int64)).astype(np.uint16) for pixels in pan(photo, 3, (40, 20))]
    found = decode_and_check(clip_of(grey, 50), key_model, model)
    assert sum(frame.motion is not None for frame, _ in found) == 2


def test_context_crosses_tiles_as_the_text_says(photo: Image.Image, key_model: Model, model: Model) -> None:
    wide = np.asarray(photo.resize((1048, 12)))
    found = decode_and_check(clip_of([wide[:, n : n + 1040] for n in (0, 3, 7)], 40), key_model, model)
    assert [tile.latents.shape[:2] for tile in found[2][1].tiles] == [(1, 64), (1, 1)]


@pytest.mark.parametrize("shape", [(2, 2), (10, 2), (6, 14), (12, 20)])
@pytest.mark.parametrize("reach", [1, MOTION_LIMIT])
def test_any_motion_and_skips_decode_from_the_text_alone(
    model: Model, shape: tuple[int, int], reach: int
) -> None:
    codec, random = inter_codec.load(VIDEO), np.random.default_rng(1)
    field = random.integers(-reach, reach + 1, (2, *shape)).astype(np.int32)
    field[:, : shape[0] // 2] = 0
    maps = random.random((2, shape[0] // 2, shape[1] // 2)) < 0.5
    y_hat = np.zeros((*maps.shape[1:], codec.entropy.latent), np.int32)
    for before in (None, maps[0]):
        past = Past(None) if before is None else Past(None, None, field, y_hat, 40.0, before)
        for quality in (39.99, 40.01):
            coder = SymbolEncoder()
            codec.code_motion(coder, (8 * shape[0], 8 * shape[1]), field)
            codec.code_skips(coder, past, field, quality, maps[1])
            payload = coder.finish()
            known = None if before is None else before.astype(np.int64)
            found = decode_motion(payload, *shape, model, known, before is not None and quality > 40)
            np.testing.assert_array_equal(found.field, field)
            np.testing.assert_array_equal(found.skips, maps[1])
            assert (found.hash, found.payload) == (motion_hash(field, maps[1]), payload)


def test_the_passes_of_the_example_are_as_the_text_says() -> None:
    entries = [entries for _, entries, _ in passes(2, 3) if entries]
    assert entries == [[(0, 0)], [(0, 2)], [(1, 1)], [(0, 1), (1, 0), (1, 2)]]


def test_the_temporal_context_is_that_of_the_text_at_every_level_and_at_its_limits(model: Model) -> None:
    codec, random = inter_codec.load(VIDEO), np.random.default_rng(2)
    for quality in (0.0, 33.33, 71.5, 100.0):
        reach = 2 ** random.integers(3, 22, (3, 4, 1))
        y_hat = (random.uniform(-1, 1, (3, 4, codec.entropy.latent)) * reach).astype(np.int32)
        largest = random.choice([3, 40, MOTION_LIMIT], (6, 8))
        field = (random.uniform(-1, 1, (2, 6, 8)) * largest).astype(np.int32)
        for before in (None, y_hat):
            past = Past(None, None, field, before, quality)
            level = (round(quality * 100) * 63 + 5000) // 10000
            known: Ints | None = None if before is None else before.astype(np.int64)
            expected = added_to(field.astype(np.int64), known, level, model)
            np.testing.assert_array_equal(codec.context(past, field).to(torch.int64).numpy(), expected)
