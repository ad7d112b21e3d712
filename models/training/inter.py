"""What training of an inter model minimises: rate and distortion of a chain of frames behind a key frame."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..inter.model import InterModel, motion_features
from ..inter.offsets import INTER_OFFSETS, KEY_OFFSET
from ..inter.prediction import predict_twice
from ..inter.search import find_motion
from ..inter.skipping import choose_skips, spread_out
from ..quality import LEVELS
from ..transforms import ImageConfig, Transforms
from .growth import resized
from .objective import LatentCoding, Outcome

State = dict[str, Tensor]
LEVELS_PER_POINT = (LEVELS - 1) / 100
KEY_SPREAD = 4.0  # levels around its offset that the quality of the key frame is drawn from, in training
UNSKIPPED_SHARE = 0.125  # of the frames are coded in full in training: what is always skipped learns nothing
MIDDLE_SHARE = 0.5  # of the chains begin in the middle of a group of pictures


@dataclass(frozen=True, slots=True)
class Past:
    """What is known when a frame is coded; behind a key frame, its pixels alone."""

    reference: Tensor  # the frame before, [N, 3, H, W] in 0..1
    older: Tensor | None = None  # the frame before that
    motion: Tensor | None = None  # of the frame before
    latents: Tensor | None = None  # of the frame before, in octaves


class InterTraining(LatentCoding[InterModel]):
    """An inter model in training: each frame of a chain is predicted from the decoded one before it."""

    def __init__(self, config: ImageConfig, key_transforms: Transforms) -> None:
        super().__init__(InterModel(config))
        self.key = (key_transforms,)  # in a tuple: frozen, and no part of the state

    def forward(self, chain: Tensor, level: Tensor) -> Outcome:
        """`chain` [N, T, 3, H, W] in 0..1, sides multiples of 64, T >= 2; `level` [N] 0..63, nominal.

        Rates and distortions are means over the frames behind the first, each of which is better or worse
        than the nominal level as encoders have it; motion is not counted.
        """
        past = Past(self.key_frame(chain[:, 0], level))
        turn = (
            int(torch.randint(len(INTER_OFFSETS), ()))
            if self.training and torch.rand(()) < MIDDLE_SHARE
            else 0
        )
        outcomes = []
        for frame in chain.unbind(1)[1:]:
            offset = INTER_OFFSETS[turn % len(INTER_OFFSETS)] * LEVELS_PER_POINT
            outcome, past = self.inter_frame(frame, past, (level + offset).clamp(0, LEVELS - 1))
            outcomes.append(outcome)
            turn += 1
        names = ("y_bpp", "z_bpp", "mse", "distortion")
        means = {name: torch.stack([getattr(o, name) for o in outcomes]).mean(0) for name in names}
        return Outcome(**means, picture=outcomes[-1].picture)

    @torch.no_grad()
    def key_frame(self, frame: Tensor, level: Tensor) -> Tensor:
        """What the image model decodes of a frame, at a better level than those behind it."""
        spread = KEY_SPREAD * (2 * torch.rand_like(level) - 1) if self.training else 0.0
        better = (level + KEY_OFFSET * LEVELS_PER_POINT + spread).clamp(0, LEVELS - 1)
        y = torch.round(self.key[0].analyse(frame - 0.5, better).float())
        return (self.key[0].synthesise(y, better).float() + 0.5).clamp(0, 1)

    def inter_frame(self, frame: Tensor, past: Past, level: Tensor) -> tuple[Outcome, Past]:
        """One frame [N, 3, H, W], and the past of the next."""
        motion = find_motion(frame, past.reference.detach(), level, past.motion)
        predicted = predict_twice(past.reference, past.older, motion, past.motion)
        y = self.model.analyse(frame, predicted, level).float()
        skipped = self.choose_skips(frame, predicted, y, level)
        hyper, z_bits = self.code_hyper(y, level)
        octave = torch.exp2(self.model.prior.octaves[torch.floor(level + 0.5).long()])[:, :, None, None]
        before = torch.zeros_like(y) if past.latents is None else past.latents
        context = self.model.temporal(before.to(hyper.dtype), motion_features(motion).to(hyper.dtype))
        y_hat, y_bits = self.code_latents(y, self.model.prior.fuse(hyper + context), level, skipped)
        coded = self.model.synthesise(y_hat, predicted, level)
        decoded = torch.where(spread_out(skipped), predicted[:, :3], coded)
        pixels = frame.shape[2] * frame.shape[3]
        mse = ((decoded - frame) ** 2).mean((1, 2, 3))
        outcome = Outcome(y_bits.sum((1, 2)) / pixels, z_bits / pixels, mse, 255**2 * mse, decoded)
        return outcome, Past(decoded.clamp(0, 1), past.reference, motion, (y_hat / octave).detach())

    @torch.no_grad()
    def choose_skips(self, frame: Tensor, predicted: Tensor, y: Tensor, level: Tensor) -> Tensor:
        """As encoders choose, but for a few frames that skip nothing; [N, 1, h, w]."""
        rounded = torch.round(y)
        decoded = self.model.synthesise(rounded, predicted, level).float()
        skipped = choose_skips(frame, predicted[:, :3], decoded, rounded, level)
        in_full = self.training and torch.rand(()) < UNSKIPPED_SHARE
        return torch.zeros_like(skipped) if in_full else skipped


def from_image_model(state: State, fresh: State) -> State:
    """The state of an inter model that takes over what an image model of the same widths has learned.

    The layers that look at the predictions, and the temporal context, start without effect. The image model
    may have more latents, or fewer.
    """
    state = resized({name: value for name, value in state.items() if name in fresh}, fresh)
    taken: State = {}
    for name, value in fresh.items():
        old = state.get(name)
        taken[name] = torch.zeros_like(value)
        if old is None and not name.startswith(_SILENT):
            taken[name] = value
        elif old is not None and old.shape == value.shape:
            taken[name] = old
        elif old is not None:  # analysis.enter: the residual comes first, then what is predicted
            taken[name][:, : old.shape[1]] = old
    return taken


_SILENT = ("model.temporal.", "model.synthesis.see.", "model.synthesis.level_bias.")
