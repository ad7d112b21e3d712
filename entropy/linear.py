"""The exact 1x1 convolution: a matrix product of integers, in floats or in int8."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from . import int8
from .layer import ExactLayer, InputMax, input_magnitudes


@dataclass(frozen=True, eq=False)
class ExactLinear(ExactLayer):
    """A 1x1 convolution as a matrix product: weight [out, in], x [..., in] to [..., out].

    Attributes:
        bytewise: multiply in int8, see `in_bytes`. Inputs and outputs are of `dtype` all the same.
    """

    bytewise: bool = False
    _bytes: tuple[Tensor, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bytewise and not self._fits_bytes():
            object.__setattr__(self, "bytewise", False)
        if self.bytewise:
            object.__setattr__(self, "_bytes", int8.weights_of(self._factors))

    def _fits_bytes(self) -> bool:
        # of one input channel the transposed weight has strides that the library misreads
        placed = self.dtype == torch.float32 and torch.device(self.device).type == "cpu"
        return placed and self.weight.shape[1] > 1 and int(self.weight.abs().max()) <= int8.TWO_BYTES

    def in_bytes(self, input_max: int) -> "ExactLinear":
        """The layer with products of int8, or as it is where inputs or weights are too large for them.

        Args:
            input_max: the largest magnitude of the inputs, which the caller guarantees.
        """
        return replace(self, bytewise=0 <= input_max <= int8.TWO_BYTES)

    def of_rows(self, rows: Tensor) -> "ExactLinear":
        """The layer that gives these output channels alone."""
        parts = {key: getattr(self, key)[rows] for key in ("weight", "bias", "shift")}
        return replace(self, **parts)

    def __call__(self, x: Tensor) -> Tensor:
        """Give clamp(floor((x @ W.T + b + 2**(k-1)) * 2**-k), low, high)."""
        rows = x.reshape(-1, x.shape[-1])
        if not self.bytewise:
            flat = self._requantise(torch.addmm(self._start, rows, self._factors))
            return flat.view(*x.shape[:-1], flat.shape[1])
        flat = rows.new_empty(len(rows), self._factors.shape[1])
        count = int8.rows_at_once(flat.shape[1])
        for given, found in zip(rows.split(count), flat.split(count), strict=True):
            torch.add(int8.product(given, self._bytes), self._start, out=found)
            self._requantise(found)
        return flat.view(*x.shape[:-1], flat.shape[1])

    def certify(self, input_max: InputMax) -> int:
        """Prove the sums exact: sum |w| * input_max + |b| + 2**(k-1) < 2**24 for every output channel.

        Args:
            input_max: the largest magnitude of the inputs, one for all or one for each input channel.
        Returns:
            The largest of the bounds.
        Raises:
            ValueError: a bound of 2**24 or more; the message names layer, channel and bound.
        """
        largest = input_magnitudes(input_max, self.weight.shape[1])
        return self._certify(np.abs(self.weight.numpy()) @ largest)
