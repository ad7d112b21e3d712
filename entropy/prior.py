"""The latents of one tile, coded in both directions by one walk over the quadtree steps."""

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..bitstream.errors import CorruptFileError
from .arithmetic import exact_arithmetic
from .coder import SKIP, SymbolCoder
from .layers import exact_add
from .networks import LATENT_GROUPS, MEAN_BITS, TOP_INDEX, TURNS, HyperNet, PriorNet, require
from .quantise import ERROR_BITS, SYMBOL_LIMIT, quantise
from .tables import CdfTable

HYPER_STRIDE = 4  # latents per hyper-latent, each side
Int32 = NDArray[np.int32]


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


@dataclass(frozen=True)
class EntropyModel:
    """Everything that chooses a probability: exact networks and integer tables."""

    hyper: HyperNet
    prior: PriorNet
    z_table: CdfTable
    y_table: CdfTable
    error_bits: float = ERROR_BITS  # of the encoder's quantisation; see entropy.quantise

    def __post_init__(self) -> None:
        reach, bound = self.hyper.block1.bound, self.prior.fuse1.bound
        require(reach <= bound, "hyper features reach beyond the bound of prior.fuse1")
        for name, table, rows in (
            ("z", self.z_table, len(self.hyper.grid)),
            ("y", self.y_table, TOP_INDEX + 1),
        ):
            require(table.rows >= rows, f"table.{name} has {table.rows} rows, the networks ask for {rows}")

    @property
    def latent(self) -> int:
        return self.prior.latent

    @torch.inference_mode()
    def code(
        self,
        coder: SymbolCoder,
        size: tuple[int, int],
        level: int,
        given: tuple[Int32, Tensor] | None = None,
        context: Tensor | None = None,
        skips: NDArray[np.bool_] | None = None,
    ) -> Latents:
        """Code the latents of one tile.

        Args:
            coder: an encoder, a decoder or a rate counter.
            size: (h, w) of the latents.
            level: quality level 0..63.
            given: the encoder's hyper-latents [hz, wz, hyper] (integers) and latents [h, w, latent] (float);
                None when decoding.
            context: of an inter frame: what `TemporalNet` gives, [h, w, prior]; added to the hyper features.
            skips: of an inter frame: [h, w], places whose latents are not coded but are their means.
        Returns:
            The decoded integers, the same on both sides.
        Raises:
            CorruptFileError: from a decoder whose payload is not one.
        """
        with exact_arithmetic():
            z = self._code_z(coder, size, None if given is None else given[0])
            device, dtype = self.prior.octaves.device, self.prior.octaves.dtype
            feature = self.hyper(torch.from_numpy(z).to(device, dtype)[None], level)
            feature = feature[:, : size[0], : size[1]].contiguous()
            if context is not None:
                bound = self.prior.fuse1.bound
                feature = exact_add(feature, context[None], -bound, bound)
            feature = self.prior.fuse(feature)
            y = None if given is None else given[1].to(device).reshape(-1)
            y_hat = self._code_y(coder, size, level, feature, y, skips)
        return Latents(z, y_hat)

    def _code_z(self, coder: SymbolCoder, size: tuple[int, int], given: Int32 | None) -> Int32:
        shape = (-(-size[0] // HYPER_STRIDE), -(-size[1] // HYPER_STRIDE), self.hyper.grid.shape[0])
        rows = np.broadcast_to(np.arange(shape[2], dtype=np.uint8), shape).reshape(-1)
        return coder.code(None if given is None else given.reshape(-1), rows, self.z_table).reshape(shape)

    def _code_y(
        self,
        coder: SymbolCoder,
        size: tuple[int, int],
        level: int,
        feature: Tensor,
        y: Tensor | None,
        skips: NDArray[np.bool_] | None,
    ) -> Int32:
        not_coded = None if skips is None else np.repeat(skips.reshape(-1), self.latent)
        y_hat = torch.zeros(1, *size, self.latent, dtype=feature.dtype, device=feature.device)
        for number, places in enumerate(quadtree_places(*size, self.latent)):
            if not len(places):
                continue  # a tile one latent high or wide has empty steps
            places = places.to(feature.device)
            seen = self.prior.see(number, feature, y_hat, level)
            mean, index = self.prior.tell(number, seen[0], level)
            rows = index.to(torch.uint8).cpu().numpy()
            rows[rows == 0] = SKIP
            if not_coded is not None:
                rows[not_coded[places.cpu().numpy()]] = SKIP
            given = None
            if y is not None:
                steps = mean.float() / 2**MEAN_BITS
                given = quantise(y[places], steps, index.long(), self.y_table, self.error_bits)
            symbols = coder.code(given, rows, self.y_table)
            if np.abs(symbols).max(initial=0) > SYMBOL_LIMIT:  # beyond it float32 would not be exact
                raise CorruptFileError(f"a symbol of {np.abs(symbols).max()} is beyond {SYMBOL_LIMIT}")
            decoded = torch.from_numpy(symbols).to(feature.device, feature.dtype) * 2**MEAN_BITS + mean
            y_hat.view(-1)[places] = decoded
        return y_hat[0].to(torch.int32).cpu().numpy()


@lru_cache(maxsize=16)
def quadtree_places(height: int, width: int, channels: int) -> tuple[Tensor, ...]:
    """For each step the flat indices, rising, of the latents [height, width, channels] that it codes.

    Channel c belongs to group c mod 4; a step codes one corner of each 2x2 block, another one in each
    group. Source: DCVC-DC, arXiv:2302.14402; FORMAT.md "Coding order".
    """
    corner = torch.arange(height)[:, None] % 2 * 2 + torch.arange(width)[None, :] % 2
    group = torch.arange(channels) % LATENT_GROUPS
    return tuple(((group ^ turn) == corner[:, :, None]).reshape(-1).nonzero()[:, 0] for turn in TURNS)
