"""What a model reaches on pictures that it was not trained on."""

import torch
from torch import Tensor, nn

from .clips import Clips
from .data import Pictures
from .inter import InterTraining
from .objective import Outcome, TrainingModel, padded_to_hyper
from .vq import VqOutcome, VqTraining

VALID_LEVELS = (3, 15, 27, 39, 51, 63)


def held_out_crop(pictures: Pictures, number: int, side: int = 256) -> Tensor:
    """[1, 3, <=side, <=side] float 0..1 from the middle of a picture, padded to multiples of 64."""
    picture = pictures.picture(number)
    top, left = (max(0, (length - side) // 2) for length in picture.shape[1:])
    crop = picture[None, :, top : top + side, left : left + side].float() / 255
    return padded_to_hyper(crop).to(memory_format=torch.channels_last)


def held_out_chain(clips: Clips, number: int, length: int, side: int = 192) -> Tensor:
    """[1, length, 3, side, side] float 0..1 from the middle of a clip; each round of numbers starts later.

    Of a clip that is shorter or smaller, what there is.
    """
    frames = clips.frames[number % len(clips)]
    length = min(length, len(frames))
    smallest = min(frames.shape[1:3])
    side = side if smallest >= side else smallest - smallest % 64
    first = number // len(clips) * 13 % (len(frames) - length + 1)
    top, left = ((n - side) // 2 for n in frames.shape[1:3])
    cut = frames[first : first + length, top : top + side, left : left + side]
    return cut.permute(0, 3, 1, 2)[None].float() / 255


def evaluate(model: TrainingModel | VqTraining, pictures: Pictures, crops: int) -> dict[str, float]:
    """Mean loss, and bpp and PSNR (dB) per level, in float32. The model is left in evaluation mode."""
    samples = [held_out_crop(pictures, number) for number in range(min(len(pictures), crops))]
    return _curve(model, samples)


def evaluate_chains(model: InterTraining, clips: Clips, chains: int, length: int) -> dict[str, float]:
    """The same of the frames behind the first of held-out chains."""
    return _curve(model, [held_out_chain(clips, number, length) for number in range(chains)])


@torch.no_grad()
def _curve(model: nn.Module, samples: list[Tensor]) -> dict[str, float]:
    model.eval()
    curve: dict[str, float] = {"loss": 0.0}
    for chosen in VALID_LEVELS:
        sums = torch.zeros(3)
        for sample in samples:
            level = torch.full((1,), float(chosen), device=sample.device)
            outcome: Outcome | VqOutcome = model(sample, level)
            found = torch.stack([outcome.loss(level), outcome.bpp[0], outcome.psnr_db[0]])
            sums += found.cpu() / len(samples)
        curve["loss"] += float(sums[0]) / len(VALID_LEVELS)
        curve[f"bpp_{chosen}"], curve[f"psnr_db_{chosen}"] = float(sums[1]), float(sums[2])
    return {name: round(value, 5) for name, value in curve.items()}
