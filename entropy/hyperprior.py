"""The exact path of a hyperprior model: hyper-latents first, then every latent at once, from what they say.

One walk for both directions, as in entropy.prior, but without context: a hyper-decoder of convolutions gives
the scale index and the mean of all latents. FORMAT.md section 10, "Hyperprior models".
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..bitstream.errors import FormatError
from .arithmetic import exact_arithmetic
from .coder import SymbolCoder
from .convolution import SLOPE_BITS, ExactConvolution
from .integers import checked_integers
from .latents import MEAN_BITS, Latents, code_hyper_latents, code_latents
from .quantise import quantise
from .tables import CdfTable, Int32
from .tensor_source import TensorSource

GRID_BITS = 12  # activations, medians and thresholds lie on a grid of 2^-12
BOUND = 2**26 - 1  # of activations: +-16384
LAYERS = 3


@dataclass(frozen=True)
class HyperDecoder:
    """Hyper-latents [N, h, w, Z] -> mean (grid 2^-6) and scale index of every latent [N, 4h, 4w, latent].

    Attributes:
        median: [Z] on the grid 2^-12, added to the hyper-latents; float64 on the device, as all tensors here.
        layers: two that double the sides, and a 3x3 one.
        thresholds: [levels - 1] rising, grid 2^-12: a scale index counts those that lie below the scale.
        means: whether the last layer gives means after the scales; if not, they are 0.
    """

    median: Tensor
    layers: tuple[ExactConvolution, ...]
    thresholds: Tensor
    means: bool

    @property
    def latent(self) -> int:
        """Channels of the latents."""
        return len(self.layers[-1].bias) // (2 if self.means else 1)

    @property
    def medians(self) -> Tensor:
        """[Z] float64, in steps: what an encoder takes off before it rounds."""
        return self.median * 2.0**-GRID_BITS

    def __call__(self, z: Tensor) -> tuple[Tensor, Tensor]:
        x = (z * 2**GRID_BITS + self.median).clamp_(-BOUND, BOUND)
        for layer in self.layers:
            x = layer(x)
        scale = x[..., : self.latent].contiguous()
        index = torch.bucketize(scale, self.thresholds)  # integers compared as such: exact
        if not self.means:
            return torch.zeros_like(scale), index
        lift = GRID_BITS - MEAN_BITS
        mean = x[..., self.latent :].add(2.0 ** (lift - 1)).mul_(2.0**-lift).floor_()
        return mean, index

    def certify(self) -> int:
        """Prove every layer, see ExactConvolution.certify; returns the largest bound, below 2^53."""
        reach = [BOUND, *(layer.bound for layer in self.layers)]
        return max(layer.certify(bound) for layer, bound in zip(self.layers, reach, strict=False))

    @torch.inference_mode()
    def self_test(self) -> int:
        """CRC-32 over the outputs for fixed inputs, moderate and extreme: the same on every machine."""
        total = 0
        with exact_arithmetic():
            for reach in (2, 30, 20000):
                count = torch.arange(9 * len(self.median), dtype=torch.int64)
                mixed = ((count + 1) * 2654435761 % 2**32 >> 13) % (2 * reach + 1) - reach
                for output in self(mixed.reshape(1, 3, 3, -1).to(self.median.device, torch.float64)):
                    total = zlib.crc32(output.to(torch.int32).cpu().numpy().astype("<i4").tobytes(), total)
        return total


@dataclass(frozen=True)
class HyperpriorModel:
    """Everything that chooses a probability: exact hyper-decoder and integer tables."""

    hyper: HyperDecoder
    z_table: CdfTable
    y_table: CdfTable

    def __post_init__(self) -> None:
        levels = len(self.hyper.thresholds) + 1
        if self.z_table.rows != len(self.hyper.median) or self.y_table.rows != levels:
            raise FormatError(
                f"the model file has tables of {self.z_table.rows} and {self.y_table.rows} rows for "
                f"{len(self.hyper.median)} hyper-latents and {levels} scales: it is damaged"
            )

    @property
    def latent(self) -> int:
        return self.hyper.latent

    @torch.inference_mode()
    def code(
        self, coder: SymbolCoder, size: tuple[int, int], given: tuple[Int32, Tensor] | None = None
    ) -> Latents:
        """Code the latents of one tile.

        Args:
            coder: an encoder, a decoder or a rate counter.
            size: (h, w) of the latents.
            given: the encoder's hyper-latents [hz, wz, hyper] (integers) and latents [h, w, latent] (float);
                None when decoding.
        Returns:
            The decoded integers, the same on both sides.
        Raises:
            CorruptFileError: from a decoder whose payload is not one.
        """
        z_given = None if given is None else given[0]
        z = code_hyper_latents(coder, size, len(self.hyper.median), self.z_table, z_given)
        with exact_arithmetic():
            outputs = self.hyper(torch.from_numpy(z).to(self.hyper.median.device, torch.float64)[None])
        mean, index = (t[0, : size[0], : size[1]].reshape(-1) for t in outputs)
        symbols = None
        if given is not None:
            y = given[1].to(mean.device).reshape(-1)
            # Rounded, as these models are trained: what an error weighs is not known of them.
            symbols = quantise(y, mean.float() / 2**MEAN_BITS, index, self.y_table, error_bits=math.inf)
        symbols = code_latents(coder, symbols, index.to(torch.uint8).cpu().numpy(), self.y_table)
        y_hat = symbols * np.int32(2**MEAN_BITS) + mean.to(torch.int32).cpu().numpy()
        return Latents(z, y_hat.reshape(*size, self.latent))


def read_hyper_decoder(source: TensorSource) -> HyperDecoder:
    """The tensors below `hyper.` as a network. Raises FormatError where they are none."""

    def integers(name: str, axes: int, low: int, high: int) -> Tensor:
        return checked_integers(source.tensor(f"hyper.{name}"), axes, low, high, f"hyper.{name}")

    layers: list[ExactConvolution] = []
    for number in range(LAYERS):
        name = f"layer{number}"
        weight, bias, shift = (source.tensor(f"hyper.{name}.{part}") for part in ("weight", "bias", "shift"))
        slope = int(integers(f"{name}.slope", 1, 0, 1 << SLOPE_BITS)[0])
        layers.append(
            ExactConvolution(weight, bias, shift, BOUND, slope, name=f"hyper.{name}", device=source.device)
        )
    median = integers("median", 1, -BOUND, BOUND)
    thresholds = integers("thresholds", 1, 0, BOUND)
    means = bool(integers("means", 1, 0, 1)[0])
    widths = [len(median), *(len(layer.bias) for layer in layers)]
    fitting = all(layer.weight.shape[1] == width for layer, width in zip(layers, widths, strict=False))
    rising = bool((thresholds.diff() > 0).all())
    if not fitting or not rising or [layer.doubles for layer in layers] != [True, True, False]:
        raise FormatError("the model file's hyper-decoder does not fit together: it is damaged")
    placed = (t.to(source.device, torch.float64) for t in (median, thresholds))
    return HyperDecoder(next(placed), tuple(layers), next(placed), means)
