"""The training loop: stopped and resumed at any moment, on a CPU or a GPU."""

import csv
import math
import time

import torch
from torch import Tensor

from ..quality import LEVELS
from .basis import block_basis
from .checkpoint import load_state, save_state
from .config import TrainConfig
from .data import CropSampler, Pictures, load
from .objective import TrainingModel, padded_to_hyper

VALID_LEVELS = (3, 15, 27, 39, 51, 63)
CURVE_FIELDS = [
    "step",
    "minutes",
    "loss",
    *(f"{name}_{level}" for level in VALID_LEVELS for name in ("bpp", "psnr_db")),
]


class Trainer:
    """One run: model, its moving average, optimiser, sampler and step count."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.generator = torch.Generator().manual_seed(config.seed)
        torch.manual_seed(config.seed)
        self.net = TrainingModel(config.model).to(device).to(memory_format=torch.channels_last)
        self.train_pictures = load(config.data, held_out=False, device=device)
        self.valid_pictures = load(config.data, held_out=True, device=device)
        self.step, self.seconds, self.best = 0, 0.0, math.inf
        self.optimiser = self._optimiser()
        self.state_path = config.run / "state.pt"
        if self.state_path.exists():
            self._restore(load_state(self.state_path, device))
        else:
            sampler = CropSampler(self.train_pictures, 128, self.generator)
            self.net.model.start_from_basis(*block_basis(sampler, config.model.latent))
            self.average = {name: value.clone() for name, value in self.net.state_dict().items()}
            config.run.mkdir(parents=True, exist_ok=True)

    def _optimiser(self) -> torch.optim.AdamW:
        shortcut = list(self.net.model.shortcut.parameters())
        chosen = {id(p) for p in shortcut}
        rest = [p for p in self.net.parameters() if id(p) not in chosen]
        # the shortcut starts at a solution: large first steps of Adam would only shake it loose
        groups = [{"params": rest, "factor": 1.0}, {"params": shortcut, "factor": self.config.shortcut_rate}]
        return torch.optim.AdamW(groups, lr=self.config.learning_rate, weight_decay=0.0)

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine over the planned total."""
        config = self.config
        warm = min(1.0, (self.step + 1) / config.warm_up_steps)
        phase = min(1.0, self.step / config.steps)
        low = config.final_learning_rate
        return warm * (low + (config.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * phase)))

    def train_step(self, sampler: CropSampler, batch: int) -> float:
        """One update; returns the loss."""
        picture = sampler.batch(batch).to(self.device)
        offsets = torch.rand(batch, generator=self.generator)
        # one level from each of `batch` equal ranges: every batch sees low and high qualities
        level = ((torch.arange(batch) + offsets) / batch * (LEVELS - 1)).to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate() * group["factor"]
        with torch.autocast(self.device.type, torch.bfloat16):
            outcome = self.net(picture, level)
        loss = outcome.loss(level)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.gradient_clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self._update_average()
        return float(loss.detach())

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.average_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)

    def _sampler(self) -> tuple[CropSampler, int]:
        late = self.step >= self.config.steps * (1 - self.config.late_share)
        size, batch = (
            (self.config.late_crop_px, self.config.late_batch)
            if late
            else (self.config.crop_px, self.config.batch)
        )
        return CropSampler(self.train_pictures, size, self.generator), batch

    def run(self, minutes: float) -> None:
        """Train to the planned total or for `minutes`; save and evaluate every few minutes and at the end."""
        begin = last_save = time.monotonic()
        self.net.train()
        recent: list[float] = []
        while self.step < self.config.steps and time.monotonic() - begin < minutes * 60:
            started = time.monotonic()
            sampler, batch = self._sampler()
            recent.append(self.train_step(sampler, batch))
            self.seconds += time.monotonic() - started
            if time.monotonic() - last_save > self.config.save_minutes * 60:
                self._report(recent)
                last_save, recent = time.monotonic(), []
        self._report(recent)

    def _report(self, recent: list[float]) -> None:
        curve = self.evaluate()
        self.save()
        row = {"step": self.step, "minutes": round(self.seconds / 60, 2), **curve}
        path = self.config.run / "curve.csv"
        new = not path.exists()
        with path.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, CURVE_FIELDS)
            if new:
                writer.writeheader()
            writer.writerow(row)
        mean = sum(recent) / max(1, len(recent))
        points = "  ".join(f"{curve[f'bpp_{k}']:.3f}/{curve[f'psnr_db_{k}']:.2f}" for k in VALID_LEVELS)
        print(
            f"step {self.step}  train {mean:.4f}  held-out {curve['loss']:.4f}  bpp/dB {points}", flush=True
        )
        if curve["loss"] < self.best:
            self.best = curve["loss"]
            best = {"model": self.average, "step": self.step, "loss": self.best, "seconds": self.seconds}
            save_state(best, self.config.run / "best.pt")

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Mean loss, and bpp and PSNR per level, of the averaged model on held-out pictures, in float32."""
        model = TrainingModel(self.config.model).to(self.device).to(memory_format=torch.channels_last).eval()
        model.load_state_dict(self.average)
        curve: dict[str, float] = {"loss": 0.0}
        for chosen in VALID_LEVELS:
            sums = torch.zeros(3)
            count = min(len(self.valid_pictures), self.config.valid_crops)
            for number in range(count):
                level = torch.full((1,), float(chosen), device=self.device)
                outcome = model(held_out_crop(self.valid_pictures, number), level)
                sums += torch.stack([outcome.loss(level), outcome.bpp[0], outcome.psnr_db[0]]).cpu() / count
            curve["loss"] += float(sums[0]) / len(VALID_LEVELS)
            curve[f"bpp_{chosen}"], curve[f"psnr_db_{chosen}"] = float(sums[1]), float(sums[2])
        return {name: round(value, 5) for name, value in curve.items()}

    def save(self) -> None:
        """Everything that `run` continues from."""
        state: dict[str, object] = {
            "net": self.net.state_dict(), "average": self.average, "optimiser": self.optimiser.state_dict(),
            "step": self.step, "seconds": self.seconds, "best": self.best,
            "generator": self.generator.get_state(), "rng": torch.get_rng_state(),
        }  # fmt: skip
        save_state(state, self.state_path)

    def _restore(self, state: dict) -> None:
        try:
            self.net.load_state_dict(state["net"])
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip()
            raise ValueError(
                f"{self.state_path} is of another architecture than the config: {first}"
            ) from error
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds, self.best = state["step"], state["seconds"], state["best"]
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["rng"].cpu())


def held_out_crop(pictures: Pictures, number: int, side: int = 256) -> Tensor:
    """[1, 3, <=side, <=side] float 0..1 from the middle of a picture, padded to multiples of 64."""
    picture = pictures.picture(number)
    top, left = (max(0, (length - side) // 2) for length in picture.shape[1:])
    crop = picture[None, :, top : top + side, left : left + side].float() / 255
    return padded_to_hyper(crop).to(memory_format=torch.channels_last)
