"""Damaged payloads: an error or other symbols, but never a crash, a hang or much memory."""

import tracemalloc

import numpy as np
import pytest

from linnet.bitstream.errors import CorruptFileError
from linnet.entropy.distributions import gaussian_table
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder

TABLE = gaussian_table()
ROWS = np.random.default_rng(1).integers(0, 64, 3000).astype(np.uint8)


def _payload() -> bytes:
    generator = np.random.default_rng(2)
    encoder = SymbolEncoder()
    encoder.code(np.rint(generator.standard_cauchy(3000) * 5).astype(np.int32), ROWS, TABLE)
    return encoder.finish()


def _decode(payload: bytes) -> None:
    decoder = SymbolDecoder(payload)
    decoder.code(None, ROWS, TABLE)
    decoder.finish()


@pytest.mark.parametrize("extra", [1, 2, 3])
def test_a_length_that_is_no_whole_words_is_corrupt(extra: int) -> None:
    with pytest.raises(CorruptFileError, match="whole words"):
        SymbolDecoder(_payload() + bytes(extra))


def test_every_missing_word_is_noticed() -> None:
    payload = _payload()
    _decode(payload)
    for length in range(0, len(payload), 4):
        with pytest.raises(CorruptFileError):
            _decode(payload[:length])


@pytest.mark.parametrize("tail", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\1\0\0\0" * 5, bytes(4000)])
def test_every_trailing_word_is_noticed(tail: bytes) -> None:
    with pytest.raises(CorruptFileError, match="take"):
        _decode(_payload() + tail)


def test_words_after_nothing_are_noticed() -> None:
    with pytest.raises(CorruptFileError, match="take 0 bytes, found 4"):
        SymbolDecoder(bytes(4)).finish()


def test_symbols_asked_of_nothing_are_noticed() -> None:
    with pytest.raises(CorruptFileError):
        _decode(b"")


def test_symbols_that_were_not_asked_for_are_noticed() -> None:
    zeros = np.zeros(3000, dtype=np.int32)
    row = np.full(3000, 40, dtype=np.uint8)
    encoder = SymbolEncoder()
    encoder.code(zeros, row, TABLE)
    decoder = SymbolDecoder(encoder.finish())
    assert not decoder.code(None, row[:2000], TABLE).any()
    with pytest.raises(CorruptFileError, match="take"):
        decoder.finish()


def test_random_payloads_raise_or_decode_and_nothing_else() -> None:
    generator = np.random.default_rng(3)
    outcomes = {"raised": 0, "decoded": 0}
    for _ in range(300):
        payload = generator.bytes(4 * int(generator.integers(0, 3000)))
        try:
            assert SymbolDecoder(payload).code(None, ROWS, TABLE).shape == ROWS.shape
            outcomes["decoded"] += 1
        except CorruptFileError:
            outcomes["raised"] += 1
    assert outcomes["decoded"] > 0


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x7F, 0x80, 0xAA])
def test_constant_payloads_raise_or_decode(fill: int) -> None:
    for words in (1, 2, 3, 1000):
        with pytest.raises(CorruptFileError):
            _decode(bytes([fill]) * (4 * words))


def test_flipped_bits_raise_or_decode() -> None:
    payload = _payload()
    for bit in range(0, 8 * len(payload), 61):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        decoder = SymbolDecoder(bytes(damaged))
        try:
            decoder.code(None, ROWS, TABLE)
            decoder.finish()
        except CorruptFileError:
            continue


def test_words_that_no_symbol_has_are_corrupt() -> None:
    # The coder's first interval is 2**64 - 1 wide; its 2**24 parts end short of the very last point.
    with pytest.raises(CorruptFileError, match="no symbol"):
        SymbolDecoder(b"\xff" * 8).code(None, ROWS, TABLE)


def test_memory_depends_on_the_symbols_asked_for_only() -> None:
    payload = np.random.default_rng(4).bytes(4 * 100_000)
    tracemalloc.start()
    try:
        SymbolDecoder(payload).code(None, ROWS, TABLE)
    except CorruptFileError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * len(payload)
