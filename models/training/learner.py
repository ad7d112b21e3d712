"""What learns: a model, its moving average and its optimiser, one update at a time, on every device."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from . import averages
from .checkpoint import of_one_architecture
from .complexity import Net
from .config import TrainConfig
from .inter import InterTraining
from .objective import Outcome, TrainingModel
from .optimiser import optimiser_of
from .schedule import Schedule, mixed_seed
from .speed import bf16_is_faster, count_flops, matmul_flops
from .starting import start
from .tasks import Task
from .vq import VqOutcome, VqTraining
from .vq_revival import CROPS, follow, revive_codes
from .world import World


class Learner:
    """A model that is trained, and what its next update depends on.

    All randomness of a step comes from (seed, step, rank): a resumed run goes on exactly as an unbroken one.
    """

    def __init__(self, config: TrainConfig, device: torch.device, world: World, task: Task) -> None:
        self.config, self.device, self.world, self.task = config, device, world, task
        self.schedule = Schedule(config)
        self.generator = torch.Generator()
        self.step, self.skipped = 0, 0
        self.seed(-1)
        net = task.build().to(device)
        self.net: Net = net.to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.net, multi_avg_fn=self._move_average)
        bf16 = config.precision == "bf16" or (config.precision == "auto" and bf16_is_faster(device))
        self.bf16 = world.of_first(bf16)
        self.optimiser = optimiser_of(self.net, config, self.bf16)
        self.forward: Callable[[Tensor, Tensor], Outcome | VqOutcome] = self.net
        self._step_flops = 0

    def start(self) -> None:
        """Take the first weights."""
        start(self.net, self.task, self.config, self.generator)
        self.world.follow_first(self.net)
        self.averaged.load_state_dict(self.net.state_dict())

    def prepare(self) -> None:
        """Once the weights are there: learn together with the other processes, compiled where that pays."""
        net = self.world.in_step(self.net, self.device)
        mode = self.config.compile
        compiled = mode == "on" or (mode == "auto" and self.device.type == "cuda")
        self.forward = torch.compile(net, mode="reduce-overhead", dynamic=False) if compiled else net

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

    def _move_average(self, moved: Sequence[Tensor], values: Sequence[Tensor], count: Tensor | int) -> None:
        averages.move(moved, values, self.config.average_decay, self.step)

    @property
    def averaged(self) -> Net:
        """The moving average of the weights, which is what a run is for."""
        module = self.average.module
        assert isinstance(module, (TrainingModel, InterTraining, VqTraining))
        return module

    def flops_of_step(self) -> int:
        """Operations of one update in the first stage, counted once, without the optimiser."""
        if not self._step_flops:
            size, batch = self.config.crop_px, self.config.batch
            samples = self.task.batch(batch, size, torch.Generator().manual_seed(0))
            level = torch.zeros(batch, device=self.device)
            self._step_flops = count_flops(lambda: self.net(samples, level).loss(level).backward())
            self.optimiser.zero_grad(set_to_none=True)
        return self._step_flops

    def peak(self) -> float:
        """Operations a second that a matrix product reaches on this device."""
        return matmul_flops(self.device, torch.bfloat16 if self.bf16 else torch.float32)

    def state(self) -> dict[str, object]:
        """All that the next update depends on."""
        return {
            "net": self.net.state_dict(),
            "average": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "recipe": self._recipe(),
            "step": self.step,
        }

    def restore(self, state: dict, path: Path) -> None:
        """Go on from what `state` gave, read from `path`. Raises ValueError where it is of another recipe."""
        if (found := state.get("recipe", self._recipe())) != self._recipe():
            raise ValueError(
                f"{path} was trained with {found}, the configuration has {self._recipe()}: "
                "go on with the former, or name another run that starts from its best.pt"
            )
        with of_one_architecture(path):
            self.net.load_state_dict(state["net"])
            self.averaged.load_state_dict(state["average"])
        self.average.n_averaged.fill_(state["step"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def _recipe(self) -> dict[str, object]:
        """What the optimiser's state is of."""
        return {"optimiser": self.config.optimiser, "shortcut_rate": self.config.shortcut_rate}
