"""What training of a VQ model minimises: distortion with each number of stages, and the codes' own loss."""

from dataclasses import dataclass

import torch
from pytorch_msssim import ms_ssim
from torch import Tensor, nn
from torch.nn import functional as F

from ..quality import LEVELS
from ..vq.config import COARSE_PX, FINE_PX, Stage, VqConfig
from ..vq.start import start_added_stages, start_from_latents
from ..vq.transforms import VqTransforms
from .objective import MS_SSIM_WEIGHT

MSE_WEIGHT = 0.25  # of 255^2 MSE beside MS_SSIM_WEIGHT * (1 - MS-SSIM)
CODE_WEIGHT = 20.0  # of the squared error of codes, in latent steps
SCALE = 0.01  # of the whole: about 1


@dataclass(frozen=True, slots=True)
class VqOutcome:
    """One forward pass, [N] each: raw rate, mean squared error (pixels 0..1), loss; the picture; indices.

    indices: [N, h, w] int64 for each stage, on its own grid.
    """

    bpp: Tensor
    mse: Tensor
    each_loss: Tensor
    picture: Tensor
    indices: tuple[Tensor, ...]

    @property
    def psnr_db(self) -> Tensor:
        return -10 * torch.log10(self.mse)

    def loss(self, level: Tensor, power: float = 1.0) -> Tensor:
        """Scalar; `power` as of objective.Outcome."""
        return self.each_loss.pow(power).mean() / power


class VqModel(VqTransforms):
    """The networks, with the start that the trainer asks for."""

    def start_from_basis(self, pictures: Tensor, seed: Tensor) -> None:
        """From training pictures [N, 3, H, W] in 0..1 and a seed."""
        start_from_latents(self, self.latents_of(pictures), torch.Generator().manual_seed(int(seed)))

    def start_added_stages(self, pictures: Tensor, seed: Tensor, first: int) -> None:
        """The fine stages from number `first` on this grid, from the same."""
        y, generator = self.latents_of(pictures), torch.Generator().manual_seed(int(seed))
        start_added_stages(self, y, first, generator)

    @torch.no_grad()
    def latents_of(self, pictures: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in 0..1 -> [N, latent, H/16, W/16], a few at a time."""
        return torch.cat([self.latents(part - 0.5).float() for part in pictures.split(16)])


class VqTraining(nn.Module):
    """A VQ model in training; the level of a sample says how many stages it keeps."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        self.model = VqModel(config)
        bits = [(stage.codes.bit_length() - 1) / stage.stride**2 for stage in config.stages]
        self.register_buffer("rates", torch.tensor(bits).cumsum(0), persistent=False)

    rates: Tensor

    def kept(self, level: Tensor) -> Tensor:
        """[N] levels 0..63 -> stages, 1 to all."""
        return 1 + (level * (len(self.rates) / LEVELS)).floor().long()

    def forward(self, picture: Tensor, level: Tensor) -> VqOutcome:
        """`picture` [N, 3, H, W] in 0..1, sides multiples of 32 and at least 161; `level` [N] 0..63."""
        model, kept = self.model, self.kept(level)
        split = len(model.config.coarse)
        y = model.latents(picture - 0.5)
        coarse = model.coarse_codes(model.coarse_net.encode(y), kept)
        guess = model.coarse_net.decode(coarse.value)
        fine = model.fine_codes(model.fine_net.encode(y, guess), kept - split)
        count = kept[:, None, None].expand(-1, *y.shape[2:])
        decoded = model.picture(guess, fine.value, count).float() + 0.5
        mse = F.mse_loss(decoded, picture, reduction="none").mean((1, 2, 3))
        with torch.autocast(picture.device.type, enabled=False):
            similarity = ms_ssim(decoded, picture.float(), data_range=1.0, size_average=False)
        distortion = MSE_WEIGHT * 255**2 * mse + MS_SSIM_WEIGHT * (1 - similarity)
        codes = coarse.loss.mean((1, 2)) + fine.loss.mean((1, 2))
        each = SCALE * (distortion + CODE_WEIGHT * codes)
        return VqOutcome(self.rates[kept - 1], mse, each, decoded, coarse.indices + fine.indices)


_ADDED = "model.fine_codes.stages."
_CODES = ("model.coarse_codes.", "model.fine_codes.")
_COUNTS = "model.fine_net.count_bias.weight"
State = dict[str, Tensor]


def stages_of(state: State) -> tuple[Stage, ...]:
    """The stages of a checkpoint of VqTraining. Raises KeyError: it is not one of it."""
    found: list[Stage] = []
    for grid, stride in (("coarse", COARSE_PX), ("fine", FINE_PX)):
        prefix = f"model.{grid}_codes.stages."
        count = sum(name.startswith(prefix) and name.endswith(".base") for name in state)
        found += [Stage(stride, len(state[f"{prefix}{number}.base"])) for number in range(count)]
    if not found:
        raise KeyError("a checkpoint without codebooks is of no VQ model")
    return tuple(found)


def from_fewer_stages(state: State, fresh: State) -> State:
    """A checkpoint of a model with fewer fine stages, or without rates; what it lacks is as in `fresh`.

    What a decoder adds for the number of stages known goes on as with the last of those there were.
    """
    added = {
        name: value for name, value in fresh.items() if name.startswith(_ADDED) and name not in state
    } | {name: value for name, value in fresh.items() if ".stages." not in name and name.startswith(_CODES)}
    kept = {
        name: value for name, value in state.items() if name in fresh and value.shape == fresh[name].shape
    }
    bias, wanted = state[_COUNTS], len(fresh[_COUNTS])
    bias = torch.cat([bias, bias[-1:].expand(max(0, wanted - len(bias)), -1)])
    return state | added | kept | {_COUNTS: bias}
