"""The training loop: stopped and resumed at any moment, on a CPU, a GPU or several."""

import math
import time
from collections.abc import Callable
from typing import NoReturn

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..whole_file import check_writable
from .checkpoint import load_state, of_one_architecture, save_state
from .config import TrainConfig
from .curves import append_row, described, draw, read_rows
from .groups import parameter_groups
from .inter import InterTraining
from .interruption import Interruption
from .objective import Outcome, TrainingModel
from .schedule import Schedule, mixed_seed
from .soap import Soap
from .speed import bf16_is_faster, count_flops, matmul_flops
from .starting import start
from .tasks import Net, Task, task_of
from .vq import VqOutcome, VqTraining
from .vq_revival import CROPS, follow, revive_codes
from .world import World

_STATE = ("net", "average", "optimiser", "step", "seconds", "best")
MAX_SKIPPED = 100  # updates in a row without a finite gradient: the run has diverged


class Trainer:
    """One run: model, its moving average, optimiser and step count.

    All randomness of a step comes from (seed, step, rank): a resumed run goes on exactly as an unbroken one.
    """

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        world: World | None = None,
        task: Task | None = None,
    ) -> None:
        self.config, self.device, self.world = config, device, world or World()
        self.schedule = Schedule(config)
        self.generator = torch.Generator()
        self.task = task or task_of(config, device)
        self.step, self.seconds, self.best, self.skipped = 0, 0.0, math.inf, 0
        self.seed(-1)
        net = self.task.build().to(device)
        self.net: Net = net.to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.net, multi_avg_fn=self._move_average)
        bf16 = config.precision == "bf16" or (config.precision == "auto" and bf16_is_faster(device))
        self.bf16 = self.world.of_first(bf16)
        self.optimiser = self._optimiser()
        self.state_path = config.run / "state.pt"
        self._begin()
        self.forward = self._prepared(
            config.compile == "on" or (config.compile == "auto" and device.type == "cuda")
        )
        self.step_flops = 0

    def _begin(self) -> None:
        """Resume, or start; what rank 0 has on its disk counts for all."""
        resumes = self.world.leads and self.state_path.exists()
        state = load_state(self.state_path, torch.device("cpu"), _STATE) if resumes else None
        if (state := self.world.of_first(state)) is not None:
            return self._restore(state)
        if self.world.leads:
            check_writable(self.config.run)
        start(self.net, self.task, self.config, self.generator)
        self.world.follow_first(self.net)
        self.averaged.load_state_dict(self.net.state_dict())

    def _optimiser(self) -> torch.optim.Optimizer:
        groups = parameter_groups(self.net, self.config.shortcut_rate)
        rate = self.config.learning_rate
        if self.config.optimiser == "soap":
            return Soap(groups, rate, bf16=self.bf16)
        return torch.optim.AdamW(groups, rate, weight_decay=0.0, fused=True)  # one kernel, not hundreds

    def _prepared(self, compile_net: bool) -> Callable[[Tensor, Tensor], Outcome | VqOutcome]:
        net: nn.Module = self.net
        if self.world.size > 1:
            net = DistributedDataParallel(
                net, device_ids=[self.device] if self.device.type == "cuda" else None
            )
        return torch.compile(net, mode="reduce-overhead", dynamic=False) if compile_net else net

    def seed(self, step: int) -> None:
        """Make what follows depend on the run's seed, the step and the rank alone."""
        value = mixed_seed(self.config.seed, step + 1, self.world.rank)
        self.generator.manual_seed(value)
        torch.manual_seed(value)

    def draw_levels(self, batch: int) -> Tensor:
        """[batch] one level from each equal part of the range: every batch sees low and high qualities."""
        part = torch.arange(batch) * self.world.size + self.world.rank
        share = (part + torch.rand(batch, generator=self.generator)) / (batch * self.world.size)
        low, high = self.config.level_low, self.config.level_high
        return (low + share * (high - low)).to(self.device)

    def train_step(self) -> Tensor:
        """One update; returns the loss, on the device."""
        if self.schedule.revives(self.step):
            self._revive()
        loss = self.gradients()
        self.update()
        return loss

    def _revive(self) -> None:
        net, average = self.net, self.averaged
        assert isinstance(net, VqTraining)
        assert isinstance(average, VqTraining)
        # the same in every process
        generator = torch.Generator().manual_seed(mixed_seed(self.config.seed, self.step))
        batches = [self.task.batch(16, self.config.crop_px, generator) for _ in range(CROPS // 16)]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            moved = revive_codes(net, torch.cat(batches), generator)
        self.world.follow_first(net)  # a GPU adds up in any order
        follow(net, average, self.optimiser)
        if self.world.leads:
            print(f"step {self.step}: codes moved in each round, coarse and fine grid: {moved}", flush=True)

    def gradients(self) -> Tensor:
        """Draw this step's batch and add its gradients; returns the loss."""
        self.seed(self.step)
        size, batch = self.schedule.crops(self.step)
        samples = self.task.batch(batch, size, self.generator)
        level = self.draw_levels(batch)
        torch.compiler.cudagraph_mark_step_begin()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outcome = self.forward(samples, level)
        loss = outcome.loss(level, self.config.sample_power)
        loss.backward()
        return loss.detach()

    def update(self) -> None:
        """Step with the gradients that are there; without one that is finite, only count it."""
        rate = self.schedule.learning_rate(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.gradient_clip)
        finite = bool(torch.isfinite(norm))
        self.skipped = 0 if finite else self.skipped + 1
        if finite:
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update_parameters(self.net)

    def _move_average(
        self,
        averages: list[Tensor] | tuple[Tensor, ...],
        values: list[Tensor] | tuple[Tensor, ...],
        count: Tensor | int,
    ) -> None:
        """An exponential average that forgets the first steps sooner."""
        decay = min(self.config.average_decay, (1 + self.step) / (10 + self.step))
        get_ema_multi_avg_fn(decay)(averages, values, count)

    @property
    def averaged(self) -> Net:
        """The moving average of the weights, which is what a run is for."""
        module = self.average.module
        assert isinstance(module, (TrainingModel, InterTraining, VqTraining))
        return module

    def run(self, minutes: float) -> None:
        """Train to the planned total or for `minutes`; save and evaluate every few minutes and at the end.

        Raises:
            ArithmeticError: no finite gradient for a hundred steps; the last saved state is still good.
            KeyboardInterrupt: asked for by Ctrl-C or SIGTERM; the state is that of the last whole step.
        """
        begin = last = time.monotonic()
        self.net.train()
        losses: list[Tensor] = []
        with Interruption() as interruption:
            while self.step < self.config.steps:
                over = time.monotonic() - begin >= minutes * 60
                if self.world.any(over or interruption.asked, self.device):
                    if self.world.any(interruption.asked, self.device):
                        self._leave(time.monotonic() - last)
                    break
                losses.append(self.train_step())
                self._check_learning()
                if self.world.any(time.monotonic() - last >= self.config.save_minutes * 60, self.device):
                    self._report(losses, time.monotonic() - last)
                    last, losses = time.monotonic(), []
        if losses:
            self._report(losses, time.monotonic() - last)

    def _check_learning(self) -> None:
        """Raises ArithmeticError."""
        if self.skipped >= MAX_SKIPPED:
            raise ArithmeticError(
                f"no finite gradient for {MAX_SKIPPED} steps before step {self.step}: "
                f"lower learning_rate and go on from {self.state_path}"
            )

    def _leave(self, seconds: float) -> NoReturn:
        """Save, without the minute that an evaluation takes, and raise KeyboardInterrupt."""
        self.seconds += seconds
        if self.world.leads:
            self.save()
        self.world.wait()
        raise KeyboardInterrupt(f"interrupted and saved: the same command goes on from step {self.step}")

    def _report(self, losses: list[Tensor], seconds: float) -> None:
        self.seconds += seconds
        if self.world.leads:
            train_loss = float(torch.stack(losses).mean())
            self._record(train_loss, len(losses) / seconds)
        self.world.wait()

    def _record(self, train_loss: float, steps_per_second: float) -> None:
        """Evaluate, save, and add to the curves."""
        curve = self.evaluate()
        if curve["loss"] < self.best:
            self.best = curve["loss"]
            average = self.averaged.state_dict()
            best = {"model": average, "step": self.step, "loss": self.best, "seconds": self.seconds}
            save_state(best, self.config.run / "best.pt")
        self.save()
        share = steps_per_second * self.flops_of_step() / self.peak()
        row = {
            "step": self.step,
            "minutes": round(self.seconds / 60, 2),
            "train_loss": round(train_loss, 5),
            **curve,
            "steps_per_minute": round(60 * steps_per_second, 1),
            "peak_share": round(share, 4),
        }
        append_row(self.config.run / "curve.csv", row)
        draw(read_rows(self.config.run / "curve.csv"), self.config.run / "curve.png")
        print(f"{described(row)} of {self.peak() / 1e12:.2f} TFLOP/s", flush=True)

    def flops_of_step(self) -> int:
        """Operations of one update in the first stage, counted once, without the optimiser."""
        if not self.step_flops:
            size, batch = self.config.crop_px, self.config.batch
            samples = self.task.batch(batch, size, torch.Generator().manual_seed(0))
            level = torch.zeros(batch, device=self.device)
            self.step_flops = count_flops(lambda: self.net(samples, level).loss(level).backward())
            self.optimiser.zero_grad(set_to_none=True)
        return self.step_flops

    def peak(self) -> float:
        """Operations a second that a matrix product reaches on this device."""
        return matmul_flops(self.device, torch.bfloat16 if self.bf16 else torch.float32)

    def evaluate(self) -> dict[str, float]:
        """Held-out loss and curve of the moving average."""
        return self.task.evaluate(self.averaged)

    def save(self) -> None:
        """Everything that `run` continues from."""
        state: dict[str, object] = {
            "net": self.net.state_dict(),
            "average": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "recipe": self._recipe(),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
        }
        save_state(state, self.state_path)

    def _recipe(self) -> dict[str, object]:
        """What the optimiser's state is of."""
        return {"optimiser": self.config.optimiser, "shortcut_rate": self.config.shortcut_rate}

    def _restore(self, state: dict) -> None:
        if (found := state.get("recipe", self._recipe())) != self._recipe():
            raise ValueError(
                f"{self.state_path} was trained with {found}, the configuration has {self._recipe()}: "
                "go on with the former, or name another run that starts from its best.pt"
            )
        with of_one_architecture(self.state_path):
            self.net.load_state_dict(state["net"])
            self.averaged.load_state_dict(state["average"])
        self.average.n_averaged.fill_(state["step"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds, self.best = state["step"], state["seconds"], state["best"]
