"""Symbols to words of 32 bits and back: constriction's range coder, with types and with its errors explained.

The words and probabilities are FORMAT.md section 9; constriction does the arithmetic.
"""

import importlib
from functools import lru_cache
from typing import Final, NoReturn, Protocol

import numpy as np
from numpy import typing as npt

from ..bitstream.errors import CorruptFileError
from .coder import SKIP
from .tables import CdfTable, Float64, Int32

UInt32 = npt.NDArray[np.uint32]


class Model(Protocol):
    """A distribution of constriction's, opaque."""


class WordEncoder(Protocol):
    """constriction's encoder, a queue: what goes in first comes out first."""

    def encode(self, symbols: Int32, model: Model, parameters: Int32 | Float64 = ..., /) -> None: ...
    def get_compressed(self) -> UInt32: ...


class WordDecoder(Protocol):
    """Its decoder. Beyond the end it reads zeros."""

    def decode(self, model: Model, parameters: int | Int32 | Float64, /) -> Int32: ...


# constriction is compiled and has no type stubs; its submodules cannot be imported by name.
_stream = importlib.import_module("constriction").stream


def new_encoder() -> WordEncoder:
    """An encoder without words."""
    return _stream.queue.RangeEncoder()


def new_decoder(words: UInt32) -> WordDecoder:
    """A decoder of these words."""
    return _stream.queue.RangeDecoder(words)


BITS: Final[Model] = _stream.model.Uniform()  # a family: each symbol comes with its size, here a power of two
EACH: Final[Model] = _stream.model.Categorical(perfect=False)  # a family: with its row of frequencies


@lru_cache(maxsize=64)
def row_models(table: CdfTable) -> tuple[Model, ...]:
    """The distribution of each row that symbols can have."""
    # float64, not float32: the library multiplies cumulative frequencies (16 bits) by (2**24 - n) / 2**16.
    # Such products have 40 bits, so in float64 they are exact and the result is CdfTable.probabilities,
    # whatever machine.
    rows = (table.weights(row).astype(np.float64) for row in range(min(table.rows, SKIP)))
    return tuple(_stream.model.Categorical(weights, perfect=False) for weights in rows)


def to_bytes(encoder: WordEncoder) -> bytes:
    """The words of an encoder, little-endian."""
    return encoder.get_compressed().astype("<u4", copy=False).tobytes()


def decode_words(words: WordDecoder, model: Model, parameters: int | Int32 | Float64) -> Int32:
    """Take symbols off the words. Raises CorruptFileError for words that no encoder writes."""
    try:
        return words.decode(model, parameters)
    except BaseException as error:
        _blame(error)


def _blame(error: BaseException) -> NoReturn:
    # Of impossible words constriction says AssertionError; if it panics, that is a BaseException of Rust's.
    of_rust = type(error).__name__ == "PanicException"
    if of_rust or (isinstance(error, Exception) and not isinstance(error, MemoryError)):
        raise CorruptFileError(f"entropy-coded payload: no symbol has these bits ({error})") from error
    raise error
