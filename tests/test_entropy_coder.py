"""Coding: what goes in comes out, at the predicted size, in these very bytes."""

import numpy as np
import pytest
from numpy import typing as npt
from PIL import Image

from linnet.entropy.coder import SKIP
from linnet.entropy.distributions import SIGMAS, gaussian_table, pmf_table
from linnet.entropy.escape import MAX_EXCESS
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.entropy.tables import CdfTable

Symbols = npt.NDArray[np.int32]
Rows = npt.NDArray[np.uint8]

GAUSSIANS = gaussian_table()


def draw(count: int, seed: int = 0) -> tuple[Symbols, Rows]:
    """Gaussian symbols of all 64 scales, one in nine skipped."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 72, count).astype(np.uint8)
    rows[rows >= 64] = SKIP
    sigma = np.append(np.array(SIGMAS), np.zeros(192))[rows]
    return np.rint(generator.normal(size=count) * sigma).astype(np.int32), rows


def encode(symbols: Symbols, rows: Rows, table: CdfTable = GAUSSIANS) -> bytes:
    encoder = SymbolEncoder()
    encoder.code(symbols, rows, table)
    return encoder.finish()


def decode(payload: bytes, rows: Rows, table: CdfTable = GAUSSIANS) -> Symbols:
    decoder = SymbolDecoder(payload)
    symbols = decoder.code(None, rows, table)
    decoder.finish()
    return symbols


@pytest.mark.parametrize("count", [1, 2, 63, 1000, 200_000])
def test_decoded_symbols_are_the_encoded_ones(count: int) -> None:
    symbols, rows = draw(count, seed=count)
    decoded = decode(encode(symbols, rows), rows)
    assert decoded.dtype == np.int32
    assert np.array_equal(decoded, symbols)


def test_payload_matches_predicted_bits() -> None:
    symbols, rows = draw(1_000_000)
    counter = RateCounter()
    counter.code(symbols, rows, GAUSSIANS)
    bits = 8 * len(encode(symbols, rows))
    assert counter.bits <= bits <= 1.001 * counter.bits + 64


def test_predicted_bits_match_the_entropy_of_gaussians() -> None:
    symbols, rows = draw(400_000)
    counter = RateCounter()
    counter.code(symbols, rows, GAUSSIANS)
    sigma = np.array(SIGMAS)[rows[rows != SKIP]]
    # Wide Gaussians: log2(sigma * sqrt(2 pi e)) bits a symbol; the narrow ones below 2.1 bits each.
    wide = sigma > 1
    entropy = float(np.log2(sigma[wide] * np.sqrt(2 * np.pi * np.e)).sum())
    assert entropy < counter.bits < entropy + 2.1 * np.count_nonzero(~wide)


def test_a_photograph_survives_and_takes_the_predicted_size(photo: Image.Image) -> None:
    pixels = np.asarray(photo).astype(np.int32)
    residual = (pixels[:, 1:] - pixels[:, :-1]).reshape(-1)
    activity = np.abs(np.diff(pixels[:, :-1], axis=0, prepend=0)).reshape(-1)
    rows = np.clip(np.log2(activity + 1) * 8 + 18, 0, 63).astype(np.uint8)
    counter = RateCounter()
    counter.code(residual, rows, GAUSSIANS)
    payload = encode(residual, rows)
    assert np.array_equal(decode(payload, rows), residual)
    assert counter.bits <= 8 * len(payload) <= 1.001 * counter.bits + 64


def test_several_calls_with_several_tables_make_one_payload() -> None:
    channels = pmf_table([(-2, [0.1, 0.2, 0.4, 0.2, 0.05]), (0, [0.9])] * 96)
    generator = np.random.default_rng(3)
    hyper = generator.integers(-6, 7, 4000).astype(np.int32)
    hyper_rows = np.tile(np.arange(192, dtype=np.uint8), 21)[:4000]
    batches = [(hyper, hyper_rows, channels), *((*draw(5000, seed), GAUSSIANS) for seed in range(4))]
    encoder = SymbolEncoder()
    for symbols, rows, table in batches:
        assert np.array_equal(encoder.code(symbols, rows, table), symbols)
    decoder = SymbolDecoder(encoder.finish())
    for symbols, rows, table in batches:
        assert np.array_equal(decoder.code(None, rows, table), symbols)
    decoder.finish()


def test_skipped_symbols_take_no_bits_and_come_back_as_zero() -> None:
    rows = np.full(1000, SKIP, dtype=np.uint8)
    symbols = np.arange(1000, dtype=np.int32)
    encoder, counter = SymbolEncoder(), RateCounter()
    assert not encoder.code(symbols, rows, GAUSSIANS).any()
    assert not counter.code(symbols, rows, GAUSSIANS).any()
    assert counter.bits == 0
    assert encoder.finish() == b""
    assert not decode(b"", rows).any()


def test_empty_calls_write_nothing() -> None:
    none = np.empty(0, dtype=np.int32)
    no_rows = np.empty(0, dtype=np.uint8)
    assert SymbolEncoder().finish() == b""
    assert encode(none, no_rows) == b""
    assert decode(b"", no_rows).shape == (0,)
    SymbolDecoder(b"").finish()


def test_an_empty_call_between_others_changes_nothing() -> None:
    symbols, rows = draw(500)
    encoder = SymbolEncoder()
    encoder.code(symbols, rows, GAUSSIANS)
    encoder.code(symbols[:0], rows[:0], GAUSSIANS)
    assert encoder.finish() == encode(symbols, rows)


def test_symbols_may_be_a_strided_view() -> None:
    symbols, rows = draw(2000)
    assert encode(symbols[::2], rows[::2]) == encode(symbols[::2].copy(), rows[::2].copy())


@pytest.mark.parametrize("row", [0, 1, 30, 63])
def test_every_value_around_a_rows_border_survives(row: int) -> None:
    low = int(GAUSSIANS.offset[row])
    high = low + int(GAUSSIANS.size[row]) - 2
    values = np.concatenate([np.arange(low - 300, low + 2), np.arange(high - 1, high + 301)]).astype(np.int32)
    rows = np.full(values.shape, row, dtype=np.uint8)
    assert np.array_equal(decode(encode(values, rows), rows), values)


def test_extreme_values_survive_with_the_predicted_bits() -> None:
    powers = 2 ** np.arange(21)
    values = np.concatenate([powers, -powers, powers - 1, 1 - powers, [0, 1, -1]]).astype(np.int32)
    for row in (0, 20, 63):
        rows = np.full(values.shape, row, dtype=np.uint8)
        counter = RateCounter()
        counter.code(values, rows, GAUSSIANS)
        payload = encode(values, rows)
        assert np.array_equal(decode(payload, rows), values)
        assert counter.bits <= 8 * len(payload) <= 1.001 * counter.bits + 64


def test_the_largest_escapes_survive_and_larger_ones_are_the_callers_fault() -> None:
    table = pmf_table([(-2, [0.25, 0.25, 0.25])])
    rows = np.zeros(2, dtype=np.uint8)
    values = np.array([-2 - 1 - MAX_EXCESS, 0 + 1 + MAX_EXCESS], dtype=np.int32)
    assert np.array_equal(decode(encode(values, rows, table), rows, table), values)
    low, high = (int(value) for value in values)
    for beyond in ([low - 1, 0], [0, high + 2], [-(2**31), 0], [0, 2**31 - 1]):
        with pytest.raises(ValueError, match="cannot be coded"):
            encode(np.array(beyond, dtype=np.int32), rows, table)


def test_a_million_escapes_survive() -> None:
    generator = np.random.default_rng(5)
    values = np.rint(generator.standard_cauchy(1_000_000) * 20).clip(-(2**20), 2**20).astype(np.int32)
    rows = generator.integers(0, 64, values.size).astype(np.uint8)
    assert np.array_equal(decode(encode(values, rows), rows), values)


def test_misfit_arguments_are_the_callers_fault() -> None:
    symbols, rows = draw(10)
    encoder, decoder = SymbolEncoder(), SymbolDecoder(b"")
    with pytest.raises(ValueError, match="symbols to encode"):
        encoder.code(None, rows, GAUSSIANS)
    with pytest.raises(ValueError, match="symbols to encode"):
        encoder.code(symbols[:9], rows, GAUSSIANS)
    with pytest.raises(ValueError, match="symbols to encode"):
        encoder.code(symbols.astype(np.float32).astype(symbols.dtype.newbyteorder()), rows, GAUSSIANS)
    with pytest.raises(ValueError, match="is given None"):
        decoder.code(symbols, rows, GAUSSIANS)
    with pytest.raises(ValueError, match="rows must be uint8"):
        encoder.code(symbols.reshape(2, 5), rows.reshape(2, 5), GAUSSIANS)
    with pytest.raises(ValueError, match="row 64 of a table with 64 rows"):
        encoder.code(symbols[:1], np.array([64], dtype=np.uint8), GAUSSIANS)
