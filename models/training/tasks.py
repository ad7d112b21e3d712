"""What a run trains: an image or a VQ model on pictures, or an inter model on clips."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from ..transforms import ImageConfig, Transforms
from ..vq.config import VqConfig
from ..weights import build_transforms, read_card, read_tensors
from ..zoo import find
from .basis import block_basis
from .clips import ClipSampler, check_clips, load_clips
from .complexity import Net
from .config import TrainConfig
from .crops import CropSampler
from .data import load
from .inter import InterTraining
from .objective import TrainingModel
from .residuals import ResidualSampler
from .validation import evaluate, evaluate_chains
from .vq import VqTraining

Build = Callable[[ImageConfig, str, float], TrainingModel]


START_CROPS = 512  # of pictures, that a VQ model starts from


class Task(Protocol):
    """Data, model and evaluation of a run."""

    def build(self) -> Net:
        """The untrained model."""
        ...

    def basis(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What `model.start_from_basis` takes."""
        ...

    def batch(self, count: int, size_px: int, generator: torch.Generator) -> Tensor:
        """Training samples of this crop size, 0..1."""
        ...

    def evaluate(self, net: Net) -> dict[str, float]:
        """Held-out loss and curve."""
        ...


class ImageTask:
    """Pictures; see `objective`."""

    def __init__(self, config: TrainConfig, device: torch.device, build: Build = TrainingModel) -> None:
        self.config, self._build = config, build
        self.train, self.valid = (load(config.data, part, device) for part in (False, True))

    def build(self) -> Net:
        """See Task."""
        return self._build(self.config.model, self.config.metric, self.config.correction)

    def basis(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Of blocks of pixels."""
        return block_basis(CropSampler(self.train, 128), len(self.train), self.config.model.latent, generator)

    def batch(self, count: int, size_px: int, generator: torch.Generator) -> Tensor:
        """[count, 3, size, size]."""
        return CropSampler(self.train, size_px).batch(count, generator)

    def evaluate(self, net: Net) -> dict[str, float]:
        """See validation.evaluate."""
        assert isinstance(net, (TrainingModel, VqTraining))
        return evaluate(net, self.valid, self.config.valid_crops)


class VqTask(ImageTask):
    """Pictures, for a VQ model; see `vq`."""

    def build(self) -> Net:
        """See Task."""
        key = shipped_transforms(self.config.key_model, self.train.pixels.device)
        net = VqTraining(VqConfig(image=replace(self.config.model, latent=key.config.latent)))
        net.model.take_over(key)
        return net

    def basis(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Training pictures, and a seed for the codebooks."""
        sampler = CropSampler(self.train, self.config.crop_px)
        crops = torch.cat([sampler.batch(START_CROPS // 32, generator) for _ in range(32)])
        return crops, torch.randint(2**31, (), generator=generator)


class ClipTask:
    """Clips, and still pictures that are set in motion; see `inter`."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config = config
        self.train, self.valid = (load_clips(config.data, part, device) for part in (False, True))
        check_clips(self.train, config)
        self.stills = load(config.stills, False, device) if config.stills else None
        self.key = shipped_transforms(config.key_model, device)

    def build(self) -> Net:
        """See Task."""
        return InterTraining(self.config.model, self.key)

    def basis(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Of blocks of what prediction leaves."""
        sampler = ResidualSampler(ClipSampler(self.train, self.stills, 128, 2))
        frames = sum(len(clip) for clip in self.train.frames)
        return block_basis(sampler, frames, self.config.model.latent, generator)

    def batch(self, count: int, size_px: int, generator: torch.Generator) -> Tensor:
        """[count, frames, 3, size, size]."""
        return ClipSampler(self.train, self.stills, size_px, self.config.frames).batch(count, generator)

    def evaluate(self, net: Net) -> dict[str, float]:
        """See validation.evaluate_chains."""
        assert isinstance(net, InterTraining)
        return evaluate_chains(net, self.valid, self.config.valid_crops, self.config.frames)


def task_of(config: TrainConfig, device: torch.device) -> Task:
    """The task that a configuration names."""
    kinds = {"image": ImageTask, "vq": VqTask, "inter": ClipTask}
    return kinds[config.kind](config, device)


def shipped_transforms(name: str, device: torch.device) -> Transforms:
    """The transforms of an image model that ships."""
    spec = find(name)
    shape, _ = read_card(spec.path)
    return build_transforms(shape, read_tensors(spec.path, spec.sha256), device)
