"""Random training crops, cut, turned, shrunk and recoloured on the device: there is no loader to wait for."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .data import Pictures

SHRINK_SHARE = 0.35  # of the crops show up to twice the area, reduced
RECOLOUR_SHARE = 0.33
DRAWS = 8  # uniform numbers per crop


@dataclass(frozen=True, slots=True)
class Windows:
    """Square source windows [n] of a batch, on the CPU: picture, top left corner and side in pixels."""

    picture: Tensor
    top: Tensor
    left: Tensor
    side: Tensor

    def __getitem__(self, chosen: Tensor) -> "Windows":
        return Windows(self.picture[chosen], self.top[chosen], self.left[chosen], self.side[chosen])


class CropSampler:
    """Batches of square crops. All randomness comes from the generator (on the CPU) that is passed in."""

    def __init__(self, pictures: Pictures, size_px: int) -> None:
        self.pictures, self.size_px = pictures, size_px
        self.weights = pictures.shapes.double().prod(1).sqrt()  # between one crop a photo and one a pixel

    def batch(self, count: int, generator: torch.Generator) -> Tensor:
        """[count, 3, size, size] float in 0..1, channels_last, on the device of the pictures."""
        chosen = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        draws = torch.rand(count, DRAWS, generator=generator)
        windows = self._windows(chosen, draws)
        crops = torch.empty(count, self.size_px, self.size_px, 3, device=self.pictures.pixels.device)
        same = windows.side == self.size_px
        for mask, cut in ((same, self._copied), (~same, self._resampled)):
            if mask.any():
                crops[mask.to(crops.device)] = cut(windows[mask])
        return augment(crops.permute(0, 3, 1, 2), draws[:, 4:].to(crops.device))

    def _windows(self, chosen: Tensor, draws: Tensor) -> Windows:
        shapes = self.pictures.shapes[chosen].long()
        factor = torch.where(draws[:, 0] < SHRINK_SHARE, 1 / (0.5 + 0.5 * draws[:, 1]), torch.ones(()))
        side = torch.minimum((self.size_px * factor).round().long(), shapes.amin(1))
        top = (draws[:, 2] * (shapes[:, 0] - side + 1)).long()
        left = (draws[:, 3] * (shapes[:, 1] - side + 1)).long()
        return Windows(chosen, top, left, side)

    def _gathered(self, windows: Windows, size: int) -> Tensor:
        """[n, size, size, 3] float 0..1: windows from their top left corner, the last pixel repeated."""
        reach = torch.minimum(torch.arange(size), windows.side[:, None] - 1)
        rows, columns = windows.top[:, None] + reach, windows.left[:, None] + reach
        width = self.pictures.shapes[windows.picture, 1].long()
        pixel = rows[:, :, None] * width[:, None, None] + columns[:, None, :]
        place = self.pictures.starts[windows.picture][:, None, None] + 3 * pixel
        device = self.pictures.pixels.device
        return (
            self.pictures.pixels[place.to(device)[..., None] + torch.arange(3, device=device)].float() / 255
        )

    def _copied(self, windows: Windows) -> Tensor:
        return self._gathered(windows, self.size_px)

    def _resampled(self, windows: Windows) -> Tensor:
        source = self._gathered(windows, int(windows.side.max()))
        weights = bicubic_weights(windows.side, self.size_px, source.shape[1]).to(source.device)
        return torch.einsum("nyh,nhwc,nxw->nyxc", weights, source, weights).clamp(0, 1)


def bicubic_weights(side: Tensor, size: int, columns: int) -> Tensor:
    """[n, size, columns]: antialiased bicubic resampling (a = -0.5) of `side` [n] samples to `size`."""
    scale = (side / size)[:, None, None]
    centre = (torch.arange(size)[None, :, None] + 0.5) * scale
    source = torch.arange(columns)[None, None, :]
    distance = ((source + 0.5 - centre) / scale.clamp(min=1)).abs()
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weight = torch.where(distance < 1, near, torch.where(distance < 2, far, torch.zeros(())))
    weight = weight * (source < side[:, None, None])
    return weight / weight.sum(2, keepdim=True)


def augment(crops: Tensor, draws: Tensor) -> Tensor:
    """Mirror and transpose at random; a slight gamma and saturation change in one crop of three.

    Args:
        crops: [n, 3, S, S] in 0..1. draws: [n, 4] in 0..1.
    """
    mirror, turn, colour, strength = (column[:, None, None, None] for column in draws.unbind(1))
    crops = torch.where(mirror < 0.5, crops.flip(3), crops)
    crops = torch.where(turn < 0.5, crops.transpose(2, 3), crops)
    chosen = colour < RECOLOUR_SHARE
    gamma = torch.where(chosen, 0.8 + 0.45 * strength, torch.ones_like(strength))
    spread = colour / RECOLOUR_SHARE  # uniform in 0..1 where chosen
    saturation = torch.where(chosen, 0.6 + 0.6 * spread, torch.ones_like(strength))
    crops = crops.clamp_min(1e-4) ** gamma
    crops = torch.lerp(crops.mean(1, keepdim=True), crops, saturation).clamp(0, 1)
    return crops.contiguous(memory_format=torch.channels_last)
