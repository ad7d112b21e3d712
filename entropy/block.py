"""The block of which the exact networks are made."""

from dataclasses import dataclass

from torch import Tensor

from .depthwise import ExactDepthwise
from .integers import exact_add
from .linear import ExactLinear

GROUPS = 4  # of an expanded feature, summed


@dataclass(frozen=True)
class ExactBlock:
    """DepthConvBlock in integers: [N, H, W, C] in and out, on one residual grid, clamped to +-bound."""

    enter: ExactLinear
    depthwise: ExactDepthwise
    leave: ExactLinear
    expand: ExactLinear
    contract: ExactLinear
    bound: int

    def __call__(self, x: Tensor) -> Tensor:
        x = exact_add(x, self.leave(self.depthwise(self.enter(x))), -self.bound, self.bound)
        first, *rest = self.expand(x).chunk(GROUPS, -1)
        total = sum(rest, first).clamp_(max=self.bound)  # four terms of 12 bits: exact
        return exact_add(x, self.contract(total), -self.bound, self.bound)

    def certify(self) -> int:
        """Prove every layer; returns the largest bound. Raises ValueError naming the layer that fails."""
        inner = self.enter.high
        return max(
            self.enter.certify(self.bound),
            self.depthwise.certify(inner),
            self.leave.certify(max(-self.depthwise.low, self.depthwise.high)),
            self.expand.certify(self.bound),
            self.contract.certify(self.bound),
        )
