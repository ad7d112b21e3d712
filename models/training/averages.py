"""Moving averages of weights."""

from collections.abc import Sequence

from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


def move(averages: Sequence[Tensor], values: Sequence[Tensor], decay: float, steps: int) -> None:
    """Move exponential averages towards values; in the first steps by more, to forget these soon."""
    decay = min(decay, (1 + steps) / (10 + steps))
    get_ema_multi_avg_fn(decay)(list(averages), list(values), steps)
