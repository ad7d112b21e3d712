"""More latents for a trained image model: what it cannot show yet becomes the basis of the added ones."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..haar import BLOCK_PX
from ..image import ImageModel
from ..quality import LEVELS

State = dict[str, Tensor]
CROPS, CROP_PX, BATCH = 768, 128, 16
LEVEL_LOW = 40.0  # added latents are for the qualities that are short of them
RIDGE = 1e-5  # of the mean energy of a feature
SHARE = 0.7  # of the spread of an added latent that its surroundings do not tell: it is mostly noise
COARSER, SILENT = 0.3, 3.0  # logarithms: steps are larger for what is hardly larger than a step
COUNTED_BY = "model.synthesis.gain.values"  # [knots, latents]


def latents_of(values: State) -> int:
    """How many latents the state of an image model has."""
    return values[COUNTED_BY].shape[1] if COUNTED_BY in values else 0


def from_fewer_latents(values: State, fresh: State) -> State:
    """A state to load into a model of more latents, which codes as before: the added ones are all 0.

    Args:
        values: the state of a model of as many latents as `fresh`, which is given back, or of fewer.
        fresh: the state of the model that is to take it.
    Raises:
        KeyError, IndexError, RuntimeError: they differ in more than latents; see widening for the rest.
    """
    return resized(values, fresh) if 0 < latents_of(values) < latents_of(fresh) else values


def resized(values: State, fresh: State) -> State:
    """`values` with as many latents as `fresh` has, on its device.

    Args:
        values, fresh: states of models that have latents; `fresh` has all names of `values`.
    Returns:
        The first latents, or all of them and others that are 0. These have the gains of `fresh` and its
        way back into pixels, so that they can learn.
    Raises:
        KeyError: a tensor differs in more than latents.
    """
    had, wanted = latents_of(values), latents_of(fresh)
    found: State = {}
    for name, value in values.items():
        like, value = fresh[name], value.to(fresh[name].device)
        steps = [new - old for old, new in zip(value.shape, like.shape, strict=False)]
        axes = [axis for axis, step in enumerate(steps) if step in (wanted - had, 2 * (wanted - had))]
        if had == wanted or not axes:
            found[name] = value
            continue
        if len(axes) > 1:
            raise KeyError(f"{name} has the shape {list(value.shape)}, needed is {list(like.shape)}")
        # behind the latents, a head gives their scale indices and an adaptor takes features
        axis = axes[0]
        first = torch.arange(min(had, wanted))
        behind = torch.arange(min(value.shape[axis] - had, like.shape[axis] - wanted))
        source, target = (torch.cat([first, start + behind]).to(like.device) for start in (had, wanted))
        start = like.clone() if "gain" in name or "inverse_mix" in name else torch.zeros_like(like)
        found[name] = start.index_copy(axis, target, value.index_select(axis, source))
    return found


@torch.no_grad()
def start_added_latents(
    model: ImageModel, had: int, batch: Callable[[int, int, torch.Generator], Tensor], seed: int
) -> None:
    """Let the latents from number `had` on carry the most of what the model of the first ones leaves out.

    What a decoded picture lacks is fitted by a reduced-rank regression on what the analysis knows: the pixels
    of a block, and the last features. Source: Izenman 1975, J. Multivariate Analysis 5(2).

    Args:
        batch: gives (count, side, generator) training crops [count, 3, side, side] in 0..1.
    Raises:
        ValueError: more latents are added than a block has numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    pixels, count = 3 * BLOCK_PX**2, model.config.latent - had
    if count > pixels:
        raise ValueError(f"{count} latents are more than a block of {pixels} numbers can start: add fewer")
    gram, cross = _moments(model, batch, generator)
    ridge = RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    fit = torch.linalg.solve(gram + ridge, cross)
    energies, vectors = torch.linalg.eigh(fit.T @ gram @ fit)
    basis = vectors.flip(1)[:, :count]  # [768, count]
    spread = energies.flip(0)[:count].clamp_min(1e-12).sqrt()
    rows = (fit @ basis).T.float()  # [count, features]
    haar = model.shortcut.haar
    model.shortcut.forward_mix.weight[had:] = (rows[:, :pixels] @ haar.T)[:, :, None, None]
    model.shortcut.inverse_mix.weight[:, had:] = (haar @ basis.float())[:, :, None, None]
    leave = model.analysis.leave.weight
    leave[had:] = rows[:, pixels:].view(count, *leave.shape[1:])
    model.hyper_analysis.start_from_spread(spread.float(), had)
    model.prior.start_from_spread(spread.float(), had, SHARE)
    _coarsen(model, had)


def _coarsen(model: ImageModel, had: int) -> None:
    """Larger steps for the added latents, and below LEVEL_LOW so large that all of them round to 0."""
    gain = model.analysis.gain.values
    levels = torch.linspace(0, LEVELS - 1, len(gain), device=gain.device)
    gain[:, had:] -= torch.where(levels < LEVEL_LOW, SILENT, COARSER)[:, None]
    model.synthesis.gain.values[:, had:] += COARSER


def _moments(
    model: ImageModel, batch: Callable[[int, int, torch.Generator], Tensor], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Means of features x features and of features x what is left out of a block, float64."""
    gram, cross = torch.zeros(()), torch.zeros(())
    for _ in range(CROPS // BATCH):
        x = batch(BATCH, CROP_PX, generator) - 0.5
        level = LEVEL_LOW + (LEVELS - 1 - LEVEL_LOW) * torch.rand(BATCH, generator=generator)
        level = level.to(x.device)
        left_out = x - model.synthesise(model.analyse(x, level), level)
        features = torch.cat(
            [
                F.pixel_unshuffle(x, BLOCK_PX).flatten(2),
                F.unfold(model.analysis.features(x, level), 3, padding=1, stride=2),
            ],
            1,
        )
        known = features.transpose(1, 2).flatten(0, 1)
        wanted = F.pixel_unshuffle(left_out, BLOCK_PX).flatten(2).transpose(1, 2).flatten(0, 1)
        gram = gram + (known.T @ known).double() / len(known)
        cross = cross + (known.T @ wanted).double() / len(known)
    return gram / (CROPS // BATCH), cross / (CROPS // BATCH)
