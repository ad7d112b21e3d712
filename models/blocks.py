"""The building block of every Linnet transform: channel mixing by 1x1, space by a depthwise 3x3."""

from torch import Tensor, nn
from torch.nn import functional as F


def sum_groups(x: Tensor, groups: int = 4) -> Tensor:
    """Add the channel groups of [N, groups * C, H, W] up to [N, C, H, W]."""
    first, *rest = x.chunk(groups, 1)
    return sum(rest, first)


def start_at_zero(layer: nn.Conv2d) -> None:
    """Make a layer give zeros until it is trained."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class DepthConvBlock(nn.Module):
    """Two residual halves, a spatial and a channel-mixing one; 7 C^2 MAC a position, 3.5 C^2 when `half`.

    Shapes: [N, C, H, W] in and out. Both halves end in zeros at the start of training, so a fresh
    network is the identity and a deep one trains from its first step.
    Source: the DC block of DCVC-RT, arXiv:2502.20762, with the activation left to ReLU: the exact path
    needs it, and it is the fastest on a CPU.
    """

    def __init__(self, channels: int, half: bool = False) -> None:
        super().__init__()
        inner = channels // 2 if half else channels
        self.enter = nn.Conv2d(channels, inner, 1)
        self.depthwise = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.leave = nn.Conv2d(inner, channels, 1)
        self.expand = nn.Conv2d(channels, 4 * inner, 1)
        self.contract = nn.Conv2d(inner, channels, 1)
        start_at_zero(self.leave)
        start_at_zero(self.contract)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.leave(self.depthwise(F.relu(self.enter(x), inplace=True)))
        return x + self.contract(sum_groups(F.relu(self.expand(x), inplace=True)))


def blocks(channels: int, count: int, half: bool = False) -> nn.Sequential:
    """`count` DepthConvBlocks in a row."""
    return nn.Sequential(*(DepthConvBlock(channels, half) for _ in range(count)))
