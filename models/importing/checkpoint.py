"""CompressAI's checkpoints: read without running any code of theirs, named alike, checked against a shape."""

import io
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ..hyperprior.transforms import HyperpriorConfig, HyperpriorTransforms
from .errors import CheckpointError

State = dict[str, Tensor]
WRAPPERS = ("network", "state_dict")  # of training scripts, around the weights
FILTERS = (1, 3, 3, 3, 3, 1)  # widths of the networks that make the factorised density
MAX_CHANNELS = 254  # rows that a hyper-latent can choose from
_OLD_NAMES = re.compile(r"entropy_bottleneck\._?(bias|matrix|factor|biases|matrices|factors)\.?(\d)$")
_PLURAL = {"bias": "biases", "matrix": "matrices", "factor": "factors"}


def read_checkpoint(data: bytes) -> State:
    """The weights of a checkpoint's bytes, under the names of today's CompressAI.

    Raises:
        CheckpointError: no checkpoint of tensors.
    """
    try:
        # weights_only: a pickle may hold any program, and this one may come from anywhere.
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # of arbitrary bytes the unpickler says whatever comes, IndexError too
        raise CheckpointError("no checkpoint, or one that holds more than weights") from error
    for wrapper in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not any(isinstance(value, Tensor) for value in found.values()):
        raise CheckpointError("the file holds no weights by name: it is no checkpoint of a model")
    return {_modern(str(name)): value for name, value in found.items() if isinstance(value, Tensor)}


def _modern(name: str) -> str:
    name = name.removeprefix("module.")  # of DataParallel
    if old := _OLD_NAMES.fullmatch(name):
        return f"entropy_bottleneck.{_PLURAL.get(old[1], old[1])}.{old[2]}"
    return name


def config_of(state: State, architecture: str) -> HyperpriorConfig:
    """The widths of a checkpoint, whose weights are whole, finite and those of `architecture`.

    Raises:
        CheckpointError: naming what is missing, of another shape, or more than such a model has.
    """
    for name in ("g_a.0.weight", "g_a.6.weight"):
        if name not in state or state[name].ndim != 4:
            raise CheckpointError(f"the checkpoint is of another architecture than {architecture}: no {name}")
    channels, latent = state["g_a.0.weight"].shape[0], state["g_a.6.weight"].shape[0]
    config = HyperpriorConfig(channels, latent, means=architecture == "mbt2018-mean")
    shapes = expected_shapes(config)
    missing = [name for name in shapes if name not in state]
    if missing:
        raise CheckpointError(
            f"the checkpoint lacks {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + f": it is not whole, or of another architecture than {architecture}"
        )
    strange = [name for name in state if name not in shapes and not _is_derived(name)]
    if strange:
        raise CheckpointError(
            f"the checkpoint also has {strange[0]}: it is of another architecture than {architecture}"
        )
    for name, shape in shapes.items():
        if tuple(state[name].shape) != shape:
            raise CheckpointError(
                f"{name} has shape {list(state[name].shape)}, {architecture} with {channels} and {latent} "
                f"channels has {list(shape)}: the checkpoint is of another architecture"
            )
        if not state[name].is_floating_point() or not bool(torch.isfinite(state[name]).all()):
            raise CheckpointError(f"{name} holds values that are not finite numbers")
    if channels > MAX_CHANNELS:
        raise CheckpointError(f"{channels} channels of hyper-latents are more than {MAX_CHANNELS}")
    return config


def expected_shapes(config: HyperpriorConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight that a checkpoint must have."""
    inner = config.channels
    with torch.device("meta"):
        shapes = {name: tuple(p.shape) for name, p in HyperpriorTransforms(config).state_dict().items()}
    for number, (inputs, outputs, kernel) in enumerate(hyper_widths(config)):
        order = (inputs, outputs) if kernel == 5 else (outputs, inputs)  # transposed ones: inputs first
        shapes[f"h_s.{2 * number}.weight"] = (*order, kernel, kernel)
        shapes[f"h_s.{2 * number}.bias"] = (outputs,)
    density = "entropy_bottleneck"
    for number in range(len(FILTERS) - 1):
        shapes[f"{density}.matrices.{number}"] = (inner, FILTERS[number + 1], FILTERS[number])
        shapes[f"{density}.biases.{number}"] = (inner, FILTERS[number + 1], 1)
        if number < len(FILTERS) - 2:
            shapes[f"{density}.factors.{number}"] = (inner, FILTERS[number + 1], 1)
    shapes[f"{density}.quantiles"] = (inner, 1, 3)
    return shapes


def hyper_widths(config: HyperpriorConfig) -> tuple[tuple[int, int, int], ...]:
    """Inputs, outputs and kernel of the three layers of the hyper-decoder h_s."""
    inner, latent = config.channels, config.latent
    if config.means:
        return (inner, latent, 5), (latent, latent * 3 // 2, 5), (latent * 3 // 2, latent * 2, 3)
    return (inner, inner, 5), (inner, inner, 5), (inner, latent, 3)


def _is_derived(name: str) -> bool:
    """Whether a name is of what CompressAI computes from the weights, or holds constant."""
    return (
        name.startswith("gaussian_conditional.")
        or name.endswith(("_reparam.pedestal", "_reparam.lower_bound.bound"))
        or name.removeprefix("entropy_bottleneck.")
        in {"target", "_offset", "_quantized_cdf", "_cdf_length", "likelihood_lower_bound.bound"}
    )


def folded_transforms(state: State, config: HyperpriorConfig) -> State:
    """The weights of `HyperpriorTransforms`: GDN's parameters as they act, the rest as it is.

    Source: compressai.ops.NonNegativeParametrizer: max(x, bound)^2 - pedestal.
    """
    folded: State = {}
    for name in HyperpriorTransforms(config).state_dict():
        value = state[name].float()
        module, _, parameter = name.rpartition(".")
        if parameter in ("beta", "gamma"):
            smallest = 1e-6 if parameter == "beta" else 0.0
            pedestal = state.get(f"{module}.{parameter}_reparam.pedestal", torch.tensor([2.0**-36])).float()
            bound = (smallest + pedestal.double()).sqrt().float()
            bound = state.get(f"{module}.{parameter}_reparam.lower_bound.bound", bound).float()
            value = torch.maximum(value, bound) ** 2 - pedestal
        folded[name] = value.contiguous()
    return folded
