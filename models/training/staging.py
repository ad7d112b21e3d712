"""Chains of frames made of still pictures: one that moves or stands still, and another one in front of it.

Clips are shot by hand more often than not; here is what they lack: cameras that stand, pans at a steady pace,
edges behind which something appears, and noise that is another one in each frame.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .data import Pictures

STEADY_SHARE = 0.4  # of the chains have a background that does not move
COVERED_SHARE = 0.5  # of the chains have another picture moving in front
NOISY_SHARE, NOISE = 0.5, 2.5 / 255  # of the chains have noise of up to this standard deviation
MAX_SPEED_PX, MAX_ZOOM, MAX_TURN = 8.0, 0.02, 0.01  # a frame
EDGE_PX = 1.5  # over which an outline is soft
STAGE_DRAWS = 20


@dataclass(frozen=True, slots=True)
class Movement:
    """A steady one. speed: (down, right) pixels a frame; zoom, turn (radians): a frame; start: 0..1."""

    speed: tuple[float, float]
    zoom: float
    turn: float
    start: tuple[float, float]

    @classmethod
    def drawn(cls, draws: Tensor) -> "Movement":
        """From six uniform numbers."""
        speed, heading = MAX_SPEED_PX * float(draws[0]) ** 2, 2 * torch.pi * draws[3]
        return cls(
            (speed * float(heading.sin()), speed * float(heading.cos())),
            MAX_ZOOM * (2 * float(draws[1]) - 1),
            MAX_TURN * (2 * float(draws[2]) - 1),
            (float(draws[4]), float(draws[5])),
        )

    def none(self) -> "Movement":
        """Standing still at the same place."""
        return Movement((0.0, 0.0), 0.0, 0.0, self.start)


def stage(stills: Pictures, size_px: int, length: int, draws: Tensor, generator: torch.Generator) -> Tensor:
    """[length, 3, size, size] in 0..1, from STAGE_DRAWS uniform numbers."""
    behind = Movement.drawn(draws[:6])
    behind = behind.none() if draws[6] < STEADY_SHARE else behind
    chain = moved(_any_picture(stills, generator), size_px, length, behind)
    if draws[7] < COVERED_SHARE:
        before = Movement.drawn(draws[8:14])
        front = moved(_any_picture(stills, generator), size_px, length, before)
        chain = torch.lerp(chain, front, outline(size_px, length, before, draws[14:18]).to(chain.device))
    if draws[18] < NOISY_SHARE:
        noise = torch.randn(chain.shape, generator=generator).to(chain.device)
        chain = (chain + float(draws[19]) * NOISE * noise).clamp(0, 1)
    return chain


def _any_picture(stills: Pictures, generator: torch.Generator) -> Tensor:
    number = int(torch.randint(len(stills), (1,), generator=generator))
    return stills.picture(number)[None].float() / 255


def moved(picture: Tensor, size_px: int, length: int, movement: Movement) -> Tensor:
    """Views [length, 3, size, size] of a picture [1, 3, H, W] that is panned, zoomed and turned."""
    # the middle of a pixel, so that a picture that stands still is not blurred
    start = [
        int((n - 1) * (0.3 + 0.4 * share)) + 0.5 * (size_px % 2 == 0)
        for n, share in zip(picture.shape[2:], movement.start, strict=True)
    ]
    line = torch.arange(size_px) - (size_px - 1) / 2
    down, right = torch.meshgrid(line, line, indexing="ij")
    places = []
    for time in range(length):
        angle = torch.tensor(movement.turn * time)
        scale = torch.exp(torch.tensor(movement.zoom * time))
        y = start[0] + movement.speed[0] * time + scale * (down * angle.cos() + right * angle.sin())
        x = start[1] + movement.speed[1] * time + scale * (right * angle.cos() - down * angle.sin())
        places.append(
            torch.stack([2 * x / (picture.shape[3] - 1) - 1, 2 * y / (picture.shape[2] - 1) - 1], -1)
        )
    grid = torch.stack(places).to(picture.device)
    views = F.grid_sample(
        picture.expand(length, -1, -1, -1), grid, "bicubic", "reflection", align_corners=True
    )
    return views.clamp(0, 1)


def outline(size_px: int, length: int, movement: Movement, draws: Tensor) -> Tensor:
    """[length, 1, size, size] 1 inside an ellipse that moves as the picture in it does, 0 outside."""
    line = torch.arange(size_px).float()
    middle = size_px * (0.2 + 0.6 * draws[:2])
    radii = size_px * (0.12 + 0.3 * draws[2:])
    masks = []
    for time in range(length):
        # a view that pans to the right shows its picture moving to the left
        y = (line - middle[0] + movement.speed[0] * time) / radii[0]
        x = (line - middle[1] + movement.speed[1] * time) / radii[1]
        distance = torch.sqrt(y[:, None] ** 2 + x[None, :] ** 2)
        masks.append(((1 - distance) * float(radii.min()) / EDGE_PX + 0.5).clamp(0, 1))
    return torch.stack(masks)[:, None]
