"""Is this model trained? Its density must have left its start, and a picture must come back from it."""

import torch
from torch import Tensor

from ...entropy.rate import RateCounter
from ..hyperprior.codec import HyperpriorCodec
from .checkpoint import State
from .errors import CheckpointError

SIDE = 192  # pixels of the test picture
LEAST_EXPLAINED = 0.5  # of the picture's variance; trained models have 90 % and more, random ones nothing


def sample_picture(side: int = SIDE) -> Tensor:
    """[3, side, side] float 0..1: waves whose amplitude falls with their frequency, as in photographs."""
    place = torch.arange(side).double() / side
    total = torch.zeros(3, side, side, dtype=torch.float64)
    for number in range(60):
        # Directions are spread by the golden ratio; the first waves span the picture, the last 30 pixels.
        turn, frequency = number * 0.6180339887 % 1, 0.5 + number / 10
        angle = torch.tensor(turn * 6.2831853).double()
        wave = place[:, None] * torch.sin(angle) + place[None, :] * torch.cos(angle)
        for channel in range(3):
            phase = number * 1.7 + channel * 0.25  # colours differ little, as they do in photographs
            total[channel] += torch.sin(6.2831853 * frequency * wave + phase) / frequency
    return (0.5 + total / (6 * total.std())).clamp(0, 1).float()


def check_density(state: State) -> None:
    """Raises CheckpointError where the factorised density is still the one that every model starts with."""
    matrices = [value for name, value in state.items() if name.startswith("entropy_bottleneck.matrices.")]
    if all(bool((matrix == matrix.flatten()[0]).all()) for matrix in matrices):
        raise CheckpointError("the model is not trained: its density of hyper-latents is the initial one")


def check_picture(codec: HyperpriorCodec) -> None:
    """Raises CheckpointError where the test picture does not come back."""
    picture = sample_picture()
    counter = RateCounter()
    latents = codec.encode_latents(counter, codec.analyse(picture, 0), 0)
    returned = codec.synthesise(latents.y_hat, 0).clamp(0, 1)
    error = (returned - picture).square().mean()
    explained = 1 - float(error / picture.var((1, 2)).mean())
    if not explained >= LEAST_EXPLAINED:  # also where it is no number
        raise CheckpointError(
            f"the model is not trained: a test picture comes back with {max(explained, 0.0):.0%} of its "
            f"variance, at least {LEAST_EXPLAINED:.0%} is expected"
        )
