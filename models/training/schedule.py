"""The schedule of a run: what the planned total and the configuration say about each step."""

import math
from dataclasses import dataclass

import numpy as np

from .config import TrainConfig


def mixed_seed(*numbers: int) -> int:
    """One seed below 2^63 of several numbers >= 0: other numbers, another seed."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]) >> 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rate, crops and revivals by step, from 0 on."""

    config: TrainConfig

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then level, then a cosine over the last `decay_share` of the planned total."""
        config = self.config
        warm = min(1.0, (step + 1) / config.warm_up_steps)
        low = config.final_learning_rate
        return warm * (low + (config.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * self.fallen(step))))

    def fallen(self, step: int) -> float:
        """How far the learning rate has fallen, 0 to 1."""
        return min(1.0, max(0.0, 1 - (1 - step / self.config.steps) / self.config.decay_share))

    def crops(self, step: int) -> tuple[int, int]:
        """Side in pixels, and how many."""
        config = self.config
        late = step >= config.steps * (1 - config.late_share)
        return (config.late_crop_px, config.late_batch) if late else (config.crop_px, config.batch)

    def revives(self, step: int) -> bool:
        """Every `revive_steps`, until the learning rate has fallen to half."""
        every = self.config.revive_steps
        return every > 0 and not step % every and self.fallen(step) < 0.5
