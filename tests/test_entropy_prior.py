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
from linnet.codec.still.measured import MeasuredEncoder
from linnet.codec.still.tiles import to_planes
from linnet.entropy.coder import SKIP
from linnet.entropy.linear import ExactLinear
from linnet.entropy.prior_net import by_group
from linnet.entropy.quadtree import STEPS, quadtree_places
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.entropy.tables import CdfTable, Int32
from linnet.models.image import quadtree_places as training_places
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
    for number, places in enumerate(quadtree_places(*size, 8)):
        coded = torch.zeros(1, *size, 8)
        for place in training_places(number):
            coded[place] += 1
        assert torch.equal(coded.reshape(-1).nonzero()[:, 0], places)
        assert coded.max() <= 1


@pytest.mark.parametrize("size", [(4, 6), (3, 5), (1, 1)])
@pytest.mark.parametrize("latent", [8, 6, 3])
def test_a_step_tells_of_its_own_latents_what_the_whole_head_would(
    size: tuple[int, int], latent: int
) -> None:
    torch.manual_seed(latent)
    whole = torch.randint(-9, 10, (2 * latent, 16))
    head = ExactLinear(whole, torch.arange(2 * latent), torch.ones(2 * latent).long(), -(2**15), 2**15)
    octaves = torch.arange(latent)[None].float()  # means on a grid of 2^-10 become one of 2^-6, and rise
    prior = replace(
        fast().entropy.prior, octaves=octaves, level_index=octaves * 9, heads=(by_group(head),) * STEPS
    )
    seen = torch.randint(-99, 100, (*size, 16)).float()
    mean, index = head(seen).long().chunk(2, -1)
    mean = ((mean << octaves.long()) + 8 >> 4).flatten()
    index = ((index + octaves.long() * 9 + 8) >> 4).clamp(0, 63).flatten()
    for number, places in enumerate(quadtree_places(*size, latent)):
        told = prior.tell(number, seen, 0)
        assert torch.equal(told[0].long(), mean[places])
        assert torch.equal(told[1].long(), index[places])


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
