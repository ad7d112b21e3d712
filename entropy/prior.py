"""The latents of one tile, coded in both directions by one walk over the quadtree steps."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .arithmetic import exact_arithmetic
from .coder import SKIP, SymbolCoder
from .hyper_net import HyperNet
from .integers import exact_add
from .latents import MEAN_BITS, Latents, code_hyper_latents, code_latents
from .prior_net import TOP_INDEX, PriorNet
from .quadtree import quadtree_places
from .quantise import ERROR_BITS, quantise
from .tables import CdfTable, Int32
from .tensor_source import require


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
            z_given = None if given is None else given[0]
            z = code_hyper_latents(coder, size, len(self.hyper.grid), self.z_table, z_given)
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
            symbols = code_latents(coder, given, rows, self.y_table)
            decoded = torch.from_numpy(symbols).to(feature.device, feature.dtype) * 2**MEAN_BITS + mean
            y_hat.view(-1)[places] = decoded
        return y_hat[0].to(torch.int32).cpu().numpy()
