"""The integers of one tile: hyper-latents and decoded latents, and how symbols become either."""

import zlib
from dataclasses import dataclass

import numpy as np

from ..bitstream.errors import CorruptFileError
from .coder import SymbolCoder, UInt8
from .tables import CdfTable, Int32

HYPER_STRIDE = 4  # latents per hyper-latent, each side
MEAN_BITS = 6  # means lie on a grid of 2^-6 of a quantisation step
SYMBOL_LIMIT = 2**14  # decoded latents stay below 2^21 and exact in float32


@dataclass(frozen=True, slots=True)
class Latents:
    """The integers of one tile, on the CPU.

    z: [hz, wz, hyper] int32 hyper-latents. y_hat: [h, w, latent] int32 decoded latents on the grid 2^-6.
    """

    z: Int32
    y_hat: Int32

    def hash(self) -> int:
        """CRC-32 of the little-endian int32 values of z, then y_hat, in raster order."""
        return zlib.crc32(self.y_hat.astype("<i4").tobytes(), zlib.crc32(self.z.astype("<i4").tobytes()))


def code_hyper_latents(
    coder: SymbolCoder, size: tuple[int, int], channels: int, table: CdfTable, given: Int32 | None
) -> Int32:
    """Code the hyper-latents of a tile, each channel by its own row.

    Args:
        size: (h, w) of the latents.
        given: the encoder's; None when decoding.
    Returns:
        [hz, wz, channels].
    """
    shape = (-(-size[0] // HYPER_STRIDE), -(-size[1] // HYPER_STRIDE), channels)
    rows = np.broadcast_to(np.arange(channels, dtype=np.uint8), shape).reshape(-1)
    return coder.code(None if given is None else given.reshape(-1), rows, table).reshape(shape)


def code_latents(coder: SymbolCoder, given: Int32 | None, rows: UInt8, table: CdfTable) -> Int32:
    """Code latents, less their means and in steps.

    Raises:
        CorruptFileError: one that is decoded is beyond SYMBOL_LIMIT.
    """
    symbols = coder.code(given, rows, table)
    if np.abs(symbols).max(initial=0) > SYMBOL_LIMIT:  # beyond it float32 would not be exact
        raise CorruptFileError(f"a symbol of {np.abs(symbols).max()} is beyond {SYMBOL_LIMIT}")
    return symbols
