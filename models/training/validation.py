"""What a model reaches on pictures that it was not trained on."""

import torch
from torch import Tensor

from .data import Pictures
from .objective import TrainingModel, padded_to_hyper

VALID_LEVELS = (3, 15, 27, 39, 51, 63)


def held_out_crop(pictures: Pictures, number: int, side: int = 256) -> Tensor:
    """[1, 3, <=side, <=side] float 0..1 from the middle of a picture, padded to multiples of 64."""
    picture = pictures.picture(number)
    top, left = (max(0, (length - side) // 2) for length in picture.shape[1:])
    crop = picture[None, :, top : top + side, left : left + side].float() / 255
    return padded_to_hyper(crop).to(memory_format=torch.channels_last)


@torch.no_grad()
def evaluate(model: TrainingModel, pictures: Pictures, crops: int) -> dict[str, float]:
    """Mean loss, and bpp and PSNR (dB) per level, in float32. The model is left in evaluation mode."""
    model.eval()
    count = min(len(pictures), crops)
    curve: dict[str, float] = {"loss": 0.0}
    for chosen in VALID_LEVELS:
        sums = torch.zeros(3)
        for number in range(count):
            crop = held_out_crop(pictures, number)
            level = torch.full((1,), float(chosen), device=crop.device)
            outcome = model(crop, level)
            sums += torch.stack([outcome.loss(level), outcome.bpp[0], outcome.psnr_db[0]]).cpu() / count
        curve["loss"] += float(sums[0]) / len(VALID_LEVELS)
        curve[f"bpp_{chosen}"], curve[f"psnr_db_{chosen}"] = float(sums[1]), float(sums[2])
    return {name: round(value, 5) for name, value in curve.items()}
