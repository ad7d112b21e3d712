"""`python -m linnet.models.training.vq_prior TRAIN.npz`: train the index model of a VQ model on its tokens.

The result holds the float network and the integer tensors that a model file has (`index.*`).
"""

import argparse
import sys
import time
from copy import deepcopy
from dataclasses import asdict
from math import cos, log2, pi
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ...entropy.integers import EXACT
from ..vq.prior import IndexPrior, PriorConfig
from . import averages
from .checkpoint import load_state, save_state
from .command import exit_code_of
from .quantise_indices import calibrate_prior, exact_bits, exact_model, quantise_prior
from .speed import bf16_is_faster
from .vq_prior_costs import held_out_bits, losses, stage_counts, static_bits
from .vq_prior_start import start_from
from .vq_tokens import Tokens, read_tokens

WARM_UP = 0.02  # of the time
AVERAGE_DECAY = 0.999
CLIP = 1.0
LOOKS = 8  # at the held-out tokens


class PriorTraining:
    """One run: AdamW over a share of the time, and a moving average of the weights.

    The logits begin as the logarithms of the frequencies, so that a fresh network is as good as a table, and
    the vectors of tokens as images of the codes, if these are known.
    """

    def __init__(
        self, config: PriorConfig, train: Tokens, learning_rate: float, batch: int, decay: float
    ) -> None:
        self.train, self.learning_rate, self.batch = train, learning_rate, batch
        self.generator = torch.Generator().manual_seed(1)
        torch.manual_seed(1)
        self.net = IndexPrior(config)
        heads = [*self.net.coarse.heads, *self.net.fine.heads]
        for head, count in zip(heads, stage_counts(train, config), strict=True):
            assert isinstance(head, nn.Conv2d)
            assert head.bias is not None
            head.bias.data = (count + 0.5).double().div(count.sum() + 0.5 * len(count)).log().float()
        if train.codebooks:
            self.net.coarse.start_from(train.codebooks[: config.coarse])
            self.net.fine.start_from(train.codebooks[config.coarse :])
        self.average = AveragedModel(
            self.net,
            multi_avg_fn=lambda moved, values, count: averages.move(moved, values, AVERAGE_DECAY, int(count)),
        )
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=learning_rate, weight_decay=decay)
        self.step = 0
        self.bf16 = False  # the products of the training steps

    @property
    def averaged(self) -> IndexPrior:
        assert isinstance(self.average.module, IndexPrior)
        return self.average.module

    def update(self, phase: float) -> Tensor:
        """One step at `phase` (0 to 1) of the schedule; [stages] losses in nats."""
        rate = self.learning_rate * min(1.0, phase / WARM_UP, 0.5 + 0.5 * cos(pi * phase) + 0.01)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        windows = self.train.windows(self.batch, self.generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            found = losses(self.net, windows, self.generator)
        self.optimiser.zero_grad(set_to_none=True)
        found.sum().backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimiser.step()
        self.average.update_parameters(self.net)
        self.step += 1
        return found.detach()


def _row(what: str, bits: Tensor, static: Tensor, places: Tensor) -> str:
    """A line of the report: bits by stage, and of all stages together against static frequencies."""
    gain = 100 * (1 - bits / static)
    total = 100 * (1 - float(bits @ places / (static @ places)))
    stages = "  ".join(f"{b:.3f} ({g:+.1f} %)" for b, g in zip(bits.tolist(), gain.tolist(), strict=True))
    return f"{what}: {stages}  all {total:+.1f} %"


def train(words: argparse.Namespace) -> None:
    """Train for words.minutes, report on held-out tokens, quantise, save the best average."""
    tokens = read_tokens(words.tokens)
    if not tokens.stages:
        raise ValueError(f"{words.tokens} does not say what stages its tokens are of")
    codes = tuple(stage.codes for stage in tokens.stages)
    config = PriorConfig(codes, sum(stage.coarse for stage in tokens.stages), words.width, words.blocks)
    held_out = read_tokens(words.valid, codes)
    places = torch.tensor([1.0] * config.coarse + [4.0] * (len(codes) - config.coarse))
    static = static_bits(tokens, held_out, config)
    print(f"log2 of the codebooks: {[round(log2(number), 3) for number in codes]}")
    print(_row("static frequencies", static, static, places), flush=True)
    run = PriorTraining(config, tokens, words.learning_rate, words.batch, words.weight_decay)
    if words.start:
        start_from(run.net, load_state(words.start, torch.device("cpu")), tokens.codebooks)
        run.averaged.load_state_dict(run.net.state_dict())
    run.bf16 = bf16_is_faster(torch.device("cpu"))
    best, state, spent, look = float("inf"), run.averaged.state_dict(), 0.0, 1
    while spent < words.minutes:
        started = time.monotonic()
        run.update(spent / words.minutes)
        spent += (time.monotonic() - started) / 60
        if spent >= words.minutes * look / LOOKS:
            bits = held_out_bits(run.averaged, held_out)
            print(_row(f"step {run.step}, {spent:.1f} min", bits, static, places), flush=True)
            look += 1
            if bits @ places < best:
                best, state = float(bits @ places), deepcopy(run.averaged.state_dict())
    net = run.averaged
    net.load_state_dict(state)
    exact = quantise_prior(net, calibrate_prior(net, tokens))
    model = exact_model(exact)
    print(_row("float", held_out_bits(net, held_out), static, places))
    print(_row("exact", exact_bits(model, held_out, config.coarse), static, places))
    print(f"largest sum {model.certify()} of {EXACT}, self-test {model.self_test():08x}")
    found = {"model": net.state_dict(), "exact": exact, "codebooks": list(tokens.codebooks)}
    save_state({"config": asdict(config), **found}, words.out)


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    top = argparse.ArgumentParser(prog="python -m linnet.models.training.vq_prior", description=__doc__)
    top.add_argument("tokens", type=Path, help="TOKENS.npz of the training pictures")
    top.add_argument("--valid", type=Path, required=True, help="TOKENS.npz of the held-out pictures")
    top.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    top.add_argument("--start", type=Path, help="what an earlier run wrote, of a model with such stages")
    top.add_argument("--minutes", type=float, default=30.0)
    top.add_argument("--threads", type=int, default=1)
    top.add_argument("--width", type=int, default=PriorConfig.width)
    top.add_argument("--blocks", type=int, default=PriorConfig.blocks)
    top.add_argument("--batch", type=int, default=16, help="windows of 256 px a step")
    top.add_argument("--learning-rate", type=float, default=3e-3)
    top.add_argument("--weight-decay", type=float, default=0.01)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    words = parser().parse_args(argv)
    torch.set_num_threads(words.threads)
    return exit_code_of("vq_prior", lambda: train(words))


if __name__ == "__main__":
    sys.exit(main())
