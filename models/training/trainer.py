"""The training loop: stopped and resumed at any moment, on a CPU, a GPU or several."""

import math
import time
from typing import NoReturn

import torch
from torch import Tensor

from ..whole_file import check_writable
from .checkpoint import load_state, save_state
from .config import TrainConfig
from .curves import append_row, described, draw, read_rows
from .interruption import Interruption
from .learner import Learner
from .tasks import Task, task_of
from .world import World

_STATE = ("net", "average", "optimiser", "step", "seconds", "best")
MAX_SKIPPED = 100  # updates in a row without a finite gradient: the run has diverged


class Trainer:
    """One run: a learner, the time it took, its best held-out loss, and the folder where these are kept."""

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        world: World | None = None,
        task: Task | None = None,
    ) -> None:
        self.config, self.device, self.world = config, device, world or World()
        self.task = task or task_of(config, device)
        self.learner = Learner(config, device, self.world, self.task)
        self.seconds, self.best = 0.0, math.inf
        self.state_path = config.run / "state.pt"
        self._begin()
        self.learner.prepare()

    def _begin(self) -> None:
        """Resume, or start; what rank 0 has on its disk counts for all."""
        resumes = self.world.leads and self.state_path.exists()
        state = load_state(self.state_path, torch.device("cpu"), _STATE) if resumes else None
        if (state := self.world.of_first(state)) is not None:
            self.learner.restore(state, self.state_path)
            self.seconds, self.best = state["seconds"], state["best"]
            return
        if self.world.leads:
            check_writable(self.config.run)
        self.learner.start()

    def run(self, minutes: float) -> None:
        """Train to the planned total or for `minutes`; save and evaluate every few minutes and at the end.

        Raises:
            ArithmeticError: no finite gradient for a hundred steps; the last saved state is still good.
            KeyboardInterrupt: asked for by Ctrl-C or SIGTERM; the state is that of the last whole step.
        """
        begin = last = time.monotonic()
        self.learner.net.train()
        losses: list[Tensor] = []
        with Interruption() as interruption:
            while self.learner.step < self.config.steps:
                over = time.monotonic() - begin >= minutes * 60
                if self.world.any(over or interruption.asked, self.device):
                    if self.world.any(interruption.asked, self.device):
                        self._leave(time.monotonic() - last)
                    break
                losses.append(self.learner.train_step())
                self._check_learning()
                if self.world.any(time.monotonic() - last >= self.config.save_minutes * 60, self.device):
                    self._report(losses, time.monotonic() - last)
                    last, losses = time.monotonic(), []
        if losses:
            self._report(losses, time.monotonic() - last)

    def _check_learning(self) -> None:
        """Raises ArithmeticError."""
        if self.learner.skipped >= MAX_SKIPPED:
            raise ArithmeticError(
                f"no finite gradient for {MAX_SKIPPED} steps before step {self.learner.step}: "
                f"lower learning_rate and go on from {self.state_path}"
            )

    def _leave(self, seconds: float) -> NoReturn:
        """Save, without the minute that an evaluation takes, and raise KeyboardInterrupt."""
        self.seconds += seconds
        if self.world.leads:
            self.save()
        self.world.wait()
        raise KeyboardInterrupt(
            f"interrupted and saved: the same command goes on from step {self.learner.step}"
        )

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
            average = self.learner.averaged.state_dict()
            best = {"model": average, "step": self.learner.step, "loss": self.best, "seconds": self.seconds}
            save_state(best, self.config.run / "best.pt")
        self.save()
        share = steps_per_second * self.learner.flops_of_step() / self.learner.peak()
        row = {
            "step": self.learner.step,
            "minutes": round(self.seconds / 60, 2),
            "train_loss": round(train_loss, 5),
            **curve,
            "steps_per_minute": round(60 * steps_per_second, 1),
            "peak_share": round(share, 4),
        }
        append_row(self.config.run / "curve.csv", row)
        draw(read_rows(self.config.run / "curve.csv"), self.config.run / "curve.png")
        print(f"{described(row)} of {self.learner.peak() / 1e12:.2f} TFLOP/s", flush=True)

    def evaluate(self) -> dict[str, float]:
        """Held-out loss and curve of the moving average."""
        return self.task.evaluate(self.learner.averaged)

    def save(self) -> None:
        """Everything that `run` continues from."""
        state = {**self.learner.state(), "seconds": self.seconds, "best": self.best}
        save_state(state, self.state_path)
