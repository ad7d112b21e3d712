"""A model file's tensors as exact layers and blocks, in one of the ways in which a device can compute."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ..bitstream.errors import FormatError
from .block import ExactBlock
from .depthwise import ExactDepthwise
from .int8 import multiplies_int8
from .linear import ExactLinear

_ON_THE_RESIDUAL = ("enter", "expand", "contract")  # layers whose inputs are within the block's bound


class TensorSource:
    """Integer tensors of a model file by dotted name, moved to one device and working type.

    bytewise: matrix products in int8, see `int8.multiplies_int8`.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        dtype: torch.dtype,
        device: torch.device,
        bytewise: bool = False,
    ) -> None:
        self.tensors, self.dtype, self.device, self.bytewise = tensors, dtype, device, bytewise

    @classmethod
    def of_each_type(cls, tensors: Mapping[str, Tensor], device: torch.device) -> Iterator["TensorSource"]:
        """The ways to compute on a device, the fastest first; a self-test says which of them is exact."""
        if multiplies_int8(device):
            yield cls(tensors, torch.float32, device, bytewise=True)
        yield cls(tensors, torch.float32, device)
        yield cls(tensors, torch.float64, device)

    def tensor(self, name: str) -> Tensor:
        """The tensor `name`. Raises FormatError where the file lacks it."""
        if name not in self.tensors:
            raise FormatError(
                f"the model file has no tensor '{name}': it is damaged or of another architecture"
            )
        return self.tensors[name].to(self.device, self.dtype)

    def linear(self, name: str, input_max: int) -> ExactLinear:
        """The layer `name`, whose inputs are at most `input_max`."""
        layer = ExactLinear(*self._parts(name), name=name).to(self.dtype, self.device)
        return layer.in_bytes(input_max) if self.bytewise else layer

    def depthwise(self, name: str) -> ExactDepthwise:
        return ExactDepthwise(*self._parts(name), name=name).to(self.dtype, self.device)

    def _parts(self, name: str) -> tuple[Tensor, Tensor, Tensor, int, int]:
        low, high = (int(v) for v in self.tensor(f"{name}.clamp"))
        weight, bias, shift = (self.tensor(f"{name}.{part}") for part in ("weight", "bias", "shift"))
        return weight, bias, shift, low, high

    def block(self, name: str) -> ExactBlock:
        bound = int(self.tensor(f"{name}.bound")[0])
        require(bound > 0, f"{name} has the bound {bound}")
        enter, expand, contract = (self.linear(f"{name}.{part}", bound) for part in _ON_THE_RESIDUAL)
        depthwise = self.depthwise(f"{name}.depthwise")
        leave = self.linear(f"{name}.leave", depthwise.output_max)
        require(expand.low >= 0, f"{name}.expand gives numbers below 0, which nothing bounds")
        return ExactBlock(enter, depthwise, leave, expand, contract, bound)


def require(holds: bool, otherwise: str) -> None:
    """What the certificate and int8 products take for granted. Raises FormatError."""
    if not holds:
        raise FormatError(f"the model file's networks do not fit together, it is damaged: {otherwise}")
