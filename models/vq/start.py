"""A good start: principal components of an image model's latents, k-means codebooks, stages added later."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .quantisers.residual import ResidualQuantiser
from .transforms import VqTransforms


def principal_axes(samples: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of [n, C]: the mean [C], and the `count` axes of most energy as orthonormal rows [count, C]."""
    mean = samples.mean(0)
    centred = (samples - mean).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    return mean, vectors.flip(1).T[:count].float().contiguous()


def _rows(x: Tensor) -> Tensor:
    """[N, C, h, w] -> [N h w, C]."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _set(layer: nn.Conv2d, weight: Tensor, bias: Tensor | None = None) -> None:
    layer.weight.copy_(weight[:, :, None, None])
    assert layer.bias is not None
    layer.bias.copy_(torch.zeros_like(layer.bias) if bias is None else bias)


@torch.no_grad()
def start_from_latents(model: VqTransforms, y: Tensor, generator: torch.Generator) -> None:
    """Begin as residual VQ of the latents' largest principal components.

    Args:
        y: latents of training pictures [N, latent, h, w], float32, on the device of the model.
    """
    coarse, fine, width = model.coarse_net, model.fine_net, model.config.width
    eye = torch.eye(width, device=y.device)[: model.config.vector]
    mean, axes = principal_axes(_rows(F.pixel_unshuffle(y, 2)), width)
    _set(coarse.enter, axes, -axes @ mean)
    _set(coarse.leave, axes.T, mean)
    _set(coarse.to_code, eye)
    _set(coarse.from_code, eye.T)
    vectors = coarse.encode(y)
    model.coarse_codes.start_from(_rows(vectors), generator)
    every = torch.full((len(y),), len(model.config.stages), device=y.device)
    guess = coarse.decode(model.coarse_codes(vectors, every).value)
    mean, axes = principal_axes(_rows(y - guess), width)
    _set(fine.enter, torch.cat([axes, torch.zeros_like(axes)], 1), -axes @ mean)
    _set(fine.leave, axes.T, mean)
    _set(fine.to_code, eye)
    _set(fine.from_code, eye.T)
    model.fine_codes.start_from(_rows(fine.encode(y, guess)), generator)


@torch.no_grad()
def vectors_of(model: VqTransforms, y: Tensor) -> Iterator[tuple[ResidualQuantiser, Tensor]]:
    """Of each grid: its quantiser and the vectors [n, vector] that it is to code, of latents `y`.

    Those of the fine grid are computed when they are asked for, with the coarse codes of that moment.
    """
    coarse = model.coarse_net.encode(y).float()
    yield model.coarse_codes, _rows(coarse)
    found = model.coarse_codes.search(coarse, len(model.config.coarse))
    guess = model.coarse_net.decode(model.coarse_codes.look_up(found)).float()
    yield model.fine_codes, _rows(model.fine_net.encode(y, guess).float())


@torch.no_grad()
def start_added_stages(model: VqTransforms, y: Tensor, first: int, generator: torch.Generator) -> None:
    """Fit the fine stages from number `first` of this grid on; all else stays. `y` as start_from_latents."""
    *_, (codes, vectors) = vectors_of(model, y)
    codes.start_from(vectors, generator, first)
