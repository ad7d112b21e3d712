"""Ablations of the image model: each variant trained from scratch, same seed, same crops, same steps.

    python benchmarks/ablations.py CONFIG --steps 600 --out benchmarks/results/ablations.json [--variants a,b]

CONFIG is a training configuration; its folder `run` gets one folder per variant and settings. Variants
already in --out with the same settings are kept, so an interrupted series goes on. Few steps rank how fast
variants learn, not where they end: the number of steps stands beside every figure.
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import torch
from compressai.ops import quantize_ste
from torch import Tensor, nn
from torch.nn import functional as F

from linnet.models.blocks import DepthConvBlock, sum_groups
from linnet.models.image import SCALES, STEPS, quadtree_places, scale_of
from linnet.models.likelihood import gaussian_bits
from linnet.models.quality import LevelGain
from linnet.models.training.complexity import kmac_per_px
from linnet.models.training.config import TrainConfig, read_config
from linnet.models.training.objective import TrainingModel
from linnet.models.training.tasks import Build, ImageTask
from linnet.models.training.trainer import Trainer
from linnet.models.transforms import ImageConfig


class NoShortcut(nn.Module):
    """A shortcut that adds nothing."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def analyse(self, x: Tensor) -> Tensor:
        return x.new_zeros(x.shape[0], self.latent, x.shape[2] // 16, x.shape[3] // 16)

    def synthesise(self, y: Tensor) -> Tensor:
        return y.new_zeros(y.shape[0], 3, y.shape[2] * 16, y.shape[3] * 16)

    def start_from_basis(self, basis: Tensor) -> None:
        """There is nothing to start."""


class SiluBlock(DepthConvBlock):
    """The block with SiLU in place of ReLU; only the float transforms may have it."""

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.leave(self.depthwise(F.silu(self.enter(x))))
        return x + self.contract(sum_groups(F.silu(self.expand(x))))


class TwoSteps(TrainingModel):
    """The quadtree walk cut to two steps: half of the latents see the other half."""

    def code_latents(
        self, y: Tensor, feature: Tensor, level: Tensor, skipped: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        noise = torch.rand_like(y) - 0.5 if self.training else None
        given = y.permute(0, 2, 3, 1)
        coded, means, indices = (torch.zeros_like(given) for _ in range(3))
        for number, quarters in enumerate(((0, 1), (2, 3))):
            seen = self.model.prior.see(number, feature, coded.permute(0, 3, 1, 2), level)
            for place in (place for quarter in quarters for place in quadtree_places(quarter)):
                mean, index = self.model.prior.tell(number, seen, place, level)
                coded[place] = quantize_ste(given[place] - mean) + mean
                means[place], indices[place] = mean, index
        y_hat, means, indices = (t.permute(0, 3, 1, 2) for t in (coded, means, indices))
        sigma = scale_of(self.index_floor(indices).clamp(max=SCALES - 1))
        residual = y - means + noise if noise is not None else torch.round(y - means)
        return y_hat, gaussian_bits(residual, sigma).sum(1)


class NoisyLatents(TrainingModel):
    """Synthesis and contexts see additive noise in training, not straight-through rounding."""

    def code_latents(
        self, y: Tensor, feature: Tensor, level: Tensor, skipped: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        if not self.training:
            return super().code_latents(y, feature, level, skipped)
        noise = (torch.rand_like(y) - 0.5).permute(0, 2, 3, 1)
        y_hat, means, indices = self.model.prior.walk(
            y, feature, level, lambda residual, place: residual + noise[place]
        )
        sigma = scale_of(self.index_floor(indices).clamp(max=SCALES - 1))
        return y_hat, gaussian_bits(y_hat - means, sigma).sum(1)


def without_shortcut(config: ImageConfig, metric: str, correction: float) -> TrainingModel:
    """The networks alone: their last layers start at random, not at zero."""
    net = TrainingModel(config, metric, correction)
    net.model.add_module("shortcut", NoShortcut(config.latent))
    net.model.analysis.leave.reset_parameters()
    net.model.synthesis.leave.reset_parameters()
    return net


def with_silu(config: ImageConfig, metric: str, correction: float) -> TrainingModel:
    """SiLU in the float transforms."""
    net = TrainingModel(config, metric, correction)
    for part in (net.model.analysis, net.model.synthesis, net.model.hyper_analysis):
        for module in part.modules():
            if isinstance(module, DepthConvBlock):
                module.__class__ = SiluBlock
    return net


def gains_outside(config: ImageConfig, metric: str, correction: float) -> TrainingModel:
    """Gains on the latents alone: those inside of the transforms stay at 1."""
    net = TrainingModel(config, metric, correction)
    for part in (net.model.analysis, net.model.synthesis):
        assert isinstance(part.inner_gain, LevelGain)
        part.inner_gain.values.requires_grad_(False)
    return net


@dataclass(frozen=True, slots=True)
class Variant:
    """One change to the model, how it is built or its widths, or to its training."""

    question: str
    build: Build = TrainingModel
    shape: tuple[tuple[str, int], ...] = ()
    optimiser: str | None = None
    learning_rate: float | None = None

    def applied(self, config: TrainConfig) -> TrainConfig:
        """The configuration with this change."""
        return replace(
            config,
            model=replace(config.model, **dict(self.shape)),
            optimiser=self.optimiser or config.optimiser,
            learning_rate=self.learning_rate or config.learning_rate,
        )


VARIANTS = {
    "base": Variant("the model as it ships"),
    "no_shortcut": Variant("wavelet shortcut off", without_shortcut),
    "two_steps": Variant(f"2 steps of the prior, not {STEPS}", TwoSteps),
    "gains_outside": Variant("gains on the latents only", gains_outside),
    "silu": Variant("SiLU in the transforms, not ReLU", with_silu),
    "noise": Variant("noise for y_hat, not rounding", NoisyLatents),
    "wide": Variant("synthesis 256 x 2, equal MAC", shape=(("synthesis", 256), ("synthesis_blocks", 2))),
    "deep": Variant("synthesis 90 x 16, equal MAC", shape=(("synthesis", 90), ("synthesis_blocks", 16))),
    "slower": Variant("Adam at half the learning rate", learning_rate=5e-4),
    "soap": Variant("SOAP, not Adam", optimiser="soap"),
    "soap_slower": Variant("SOAP at half the learning rate", optimiser="soap", learning_rate=5e-4),
}


def measure(variant: Variant, config: TrainConfig, device: torch.device) -> dict[str, object]:
    """Train a variant to the end; its held-out figures."""
    shaped = variant.applied(config)
    trainer = Trainer(shaped, device, task=ImageTask(shaped, device, variant.build))
    trainer.run(minutes=float("inf"))
    curve = trainer.evaluate()
    net = trainer.learner.net.cpu()
    assert isinstance(net, TrainingModel)
    kmac = {} if variant.build is without_shortcut else kmac_per_px(net)
    rate = round(60 * trainer.learner.step / trainer.seconds, 1)
    return {"question": variant.question, "held_out": curve, "steps_per_minute": rate, "kmac_per_px": kmac}


def shared_settings(config: TrainConfig) -> dict[str, object]:
    """All that the variants have in common, for a JSON file; where a run is kept changes nothing."""
    values: dict[str, object] = {"model": asdict(config.model)}
    for name in sorted({f.name for f in fields(config)} - {"run", "model"}):
        value = getattr(config, name)
        values[name] = value.name if isinstance(value, Path) else value
    return values


def fingerprint(settings: dict[str, object]) -> str:
    """Names the runs of these settings: others never go on from them."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def main() -> None:
    """Run what is missing, write after each variant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    config = replace(read_config(words.config), steps=words.steps)
    settings = shared_settings(config)
    results = json.loads(words.out.read_text()) if words.out.exists() else {}
    if results.get("settings") != settings:
        results = {"settings": settings, "variants": {}}
    for name in words.variants.split(","):
        if name in results["variants"]:
            continue
        started = time.monotonic()
        run = config.run / f"{name}-{fingerprint(settings)}"
        results["variants"][name] = measure(
            VARIANTS[name], replace(config, run=run), torch.device(words.device)
        )
        base = results["variants"].get("base", results["variants"][name])["held_out"]["loss"]
        for found in results["variants"].values():
            found["loss_against_base_percent"] = round(100 * (found["held_out"]["loss"] / base - 1), 2)
        results["command"] = f"python benchmarks/ablations.py {' '.join(sys.argv[1:])}"
        results["machine"] = {
            "processor": platform.processor(),
            "device": words.device,
            "torch": torch.__version__,
        }
        words.out.write_text(json.dumps(results, indent=1) + "\n")
        loss, seconds = results["variants"][name]["held_out"]["loss"], time.monotonic() - started
        print(f"{name}: held-out {loss:.4f} in {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
