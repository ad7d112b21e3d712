"""The walk over the latents: encoder and decoder agree, and the payload is what the model predicts."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from model_samples import fast
from numpy.typing import NDArray
from PIL import Image

from linnet.bitstream import CorruptFileError
from linnet.codec.still import MeasuredEncoder
from linnet.codec.tiles import to_planes
from linnet.entropy.coder import SKIP, RateCounter, SymbolDecoder, SymbolEncoder
from linnet.entropy.prior import quadtree_places
from linnet.entropy.tables import CdfTable, Int32
from linnet.models.image import quadtree_masks
from linnet.models.latent_coding import whole_level


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (6, 3), (9, 16)])
def test_the_quadtree_steps_code_every_latent_once(size: tuple[int, int]) -> None:
    places = torch.cat(quadtree_places(*size, 8))
    assert torch.equal(places.sort().values, torch.arange(size[0] * size[1] * 8))


def test_each_step_codes_one_corner_of_each_block_and_another_in_each_group() -> None:
    for step in quadtree_places(2, 2, 4):
        corners, channels = step // 4, step % 4
        assert sorted(corners.tolist()) == [0, 1, 2, 3]
        assert sorted(channels.tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [(4, 6), (3, 5)])
def test_training_and_coding_walk_the_same_steps(size: tuple[int, int]) -> None:
    masks = quadtree_masks(8, *size, torch.device("cpu"))
    for mask, places in zip(masks, quadtree_places(*size, 8), strict=True):
        assert torch.equal(mask.permute(1, 2, 0).reshape(-1).nonzero()[:, 0], places)


@pytest.mark.parametrize("quality", [5, 50, 95])
def test_the_decoder_gets_the_encoders_integers_and_the_payload_is_what_the_model_predicts(
    photo: Image.Image, quality: float
) -> None:
    codec = fast()
    y = codec.analyse(to_planes(np.asarray(photo)), quality)
    coder = MeasuredEncoder()
    sent = codec.encode_latents(coder, y, quality)
    payload = coder.encoder.finish()
    decoder = SymbolDecoder(payload)
    received = codec.decode_latents(decoder, (y.shape[0], y.shape[1]), quality)
    decoder.finish()
    np.testing.assert_array_equal(sent.z, received.z)
    np.testing.assert_array_equal(sent.y_hat, received.y_hat)
    assert sent.hash() == received.hash()
    assert abs(len(payload) * 8 / coder.counter.bits - 1) < 0.01


def test_decoded_latents_lie_near_the_encoders(photo: Image.Image) -> None:
    codec = fast()
    y = codec.analyse(to_planes(np.asarray(photo)[:256, :256]), 80)
    latents = codec.encode_latents(SymbolEncoder(), y, 80)
    error = np.abs(latents.y_hat / 64 - y.numpy())
    assert np.mean(error > 0.51) < 0.05  # not the nearest symbol, or skipped
    assert error.max() < 4


def test_cheaper_symbols_save_more_than_they_cost(photo: Image.Image) -> None:
    codec = fast()
    rounding = replace(codec.entropy, error_bits=math.inf)
    y = codec.analyse(to_planes(np.asarray(photo)), 30)
    given = codec.hyper_latents(y, 30), y
    errors, bits = [], []
    for model in (codec.entropy, rounding):
        counter = RateCounter()
        latents = model.code(counter, (y.shape[0], y.shape[1]), whole_level(30), given)
        errors.append(float(np.sum((latents.y_hat / 64 - y.numpy()) ** 2)))
        bits.append(counter.bits)
    assert bits[0] < 0.97 * bits[1]
    # 6 / ln 2 bits a squared step is what the error is worth at this quality
    assert bits[1] - bits[0] > 6 / math.log(2) * (errors[0] - errors[1])


def test_extreme_latents_escape_and_come_back() -> None:
    codec = fast()
    y = torch.zeros(4, 8, codec.entropy.latent)
    y[0, 0, 0], y[3, 7, 5], y[2, 2] = 12000.0, -12000.0, 700.0
    encoder = SymbolEncoder()
    sent = codec.encode_latents(encoder, y, 100)
    received = codec.decode_latents(SymbolDecoder(encoder.finish()), (4, 8), 100)
    np.testing.assert_array_equal(sent.y_hat, received.y_hat)


def test_float64_gives_the_same_integers_as_float32(photo: Image.Image) -> None:
    single, double = fast(torch.float32), fast(torch.float64)
    y = single.analyse(to_planes(np.asarray(photo)[:300, :300]), 60)
    encoder = SymbolEncoder()
    sent = single.encode_latents(encoder, y, 60)
    received = double.decode_latents(SymbolDecoder(encoder.finish()), (y.shape[0], y.shape[1]), 60)
    assert sent.hash() == received.hash()


def test_a_cut_payload_is_corrupt_not_a_crash(photo: Image.Image) -> None:
    codec = fast()
    y = codec.analyse(to_planes(np.asarray(photo)[:128, :128]), 40)
    encoder = SymbolEncoder()
    codec.encode_latents(encoder, y, 40)
    payload = encoder.finish()
    decoder = SymbolDecoder(payload[: len(payload) // 8 * 4])

    def decode() -> None:
        codec.decode_latents(decoder, (8, 8), 40)
        decoder.finish()

    with pytest.raises(CorruptFileError):
        decode()


def test_a_symbol_beyond_the_limit_is_corrupt_on_every_machine() -> None:
    codec = fast()

    class Crafted(SymbolEncoder):
        """An encoder that puts one symbol where float32 stops being exact."""

        def code(self, symbols: Int32 | None, rows: NDArray[np.uint8], table: CdfTable) -> Int32:
            assert symbols is not None
            crafted = np.where(rows != SKIP, 2**20, symbols).astype(np.int32)
            return super().code(crafted if table is codec.entropy.y_table else symbols, rows, table)

    encoder = Crafted()
    y = torch.full((2, 2, codec.entropy.latent), 30.0)  # far from what the prior can skip
    with pytest.raises(CorruptFileError, match="beyond"):
        codec.encode_latents(encoder, y, 100)
    with pytest.raises(CorruptFileError, match="beyond"):
        codec.decode_latents(SymbolDecoder(encoder.finish()), (2, 2), 100)
