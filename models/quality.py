"""One model, every quality: per-level, per-channel gains with geometric interpolation between levels."""

import torch
from torch import Tensor, nn

LEVELS = 64
LAMBDA_LOW, LAMBDA_HIGH = 0.0008, 0.3  # rate-distortion trade-offs of the first and the last level


def level_of(quality: float) -> float:
    """Quality 0..100 as a (fractional) level 0..63."""
    if not 0 <= quality <= 100:
        raise ValueError(f"quality must be 0 to 100, not {quality}")
    return quality * (LEVELS - 1) / 100


def lambda_of(level: Tensor) -> Tensor:
    """Lambda of each level, log-spaced: weight of 255^2 * MSE against bits per pixel."""
    return LAMBDA_LOW * (LAMBDA_HIGH / LAMBDA_LOW) ** (level / (LEVELS - 1))


class LevelTable(nn.Module):
    """A vector per quality level, linear between `knots` evenly spaced learned vectors.

    Fewer knots than levels: every training sample teaches its neighbours too, and quality stays smooth.
    """

    def __init__(self, channels: int, knots: int = 10, start: Tensor | None = None) -> None:
        super().__init__()
        values = torch.zeros(knots, channels) if start is None else start
        self.values = nn.Parameter(values)

    def forward(self, level: Tensor) -> Tensor:
        """[N] levels 0..63 -> [N, channels, 1, 1]."""
        knots = self.values.shape[0]
        place = (level * ((knots - 1) / (LEVELS - 1))).clamp(0, knots - 1)
        below = place.floor().clamp(max=knots - 2).long()
        share = (place - below)[:, None]
        table = self.values[below] * (1 - share) + self.values[below + 1] * share
        return table[:, :, None, None]


class LevelGain(LevelTable):
    """A positive gain per level and channel: exp of the table, so interpolation is geometric."""

    def forward(self, level: Tensor) -> Tensor:
        return super().forward(level).exp()


def step_size(level: Tensor) -> Tensor:
    """The quantisation step that a level's lambda asks of an orthonormal transform, pixels of range 1.

    Minimising lambda * 255^2 * step^2 / 12 - 3 * log2(step) bits over one RGB pixel gives
    step^2 = 18 / (ln 2 * 255^2 * lambda).
    """
    return torch.sqrt(18 / (0.6931 * 255**2 * lambda_of(level)))


def step_gain(channels: int, knots: int = 10, inverse: bool = False) -> LevelGain:
    """A gain that starts as 1 / step_size, or as its inverse."""
    log_step = torch.log(step_size(torch.linspace(0, LEVELS - 1, knots)))
    return LevelGain(channels, knots, (log_step if inverse else -log_step)[:, None].repeat(1, channels))
