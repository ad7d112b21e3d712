"""`python -m linnet.models.training.vq_rates CONFIG`: what indices cost, into the best checkpoint of a run.

From then on the search of the fine grid weighs bits against distance. On the coarse grid it does not: half of
its codes would go out of use.
"""

import sys

import torch

from ..vq.quantisers.rates import fit_rates
from ..vq.start import vectors_of
from .checkpoint import save_state
from .command import config_of, config_parser, exit_code_of
from .config import TrainConfig
from .crops import CropSampler
from .data import load
from .speed import bf16_is_faster
from .vq import VqModel
from .vq_dump import trained

CROPS, BATCH, MOST = 512, 16, 32_000  # training crops, and vectors of them


@torch.no_grad()
def fit_fine_rates(model: VqModel, config: TrainConfig) -> None:
    """Fit the costs of the indices of the fine stages to training pictures."""
    generator = torch.Generator().manual_seed(config.seed)
    sampler = CropSampler(load(config.data, False, torch.device("cpu")), config.crop_px)
    crops = torch.cat([sampler.batch(BATCH, generator) for _ in range(CROPS // BATCH)])
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16_is_faster(torch.device("cpu"))):
        *_, (codes, vectors) = vectors_of(model, model.latents_of(crops))
    fit_rates(codes, vectors[torch.randperm(len(vectors), generator=generator)[:MOST]])


def add_rates(config: TrainConfig) -> None:
    """Write the best checkpoint of a run again, with fitted costs."""
    model, state = trained(config)
    fit_fine_rates(model, config)
    values = {f"model.{name}": value for name, value in model.state_dict().items()}
    save_state({**state, "model": {**state["model"], **values}}, config.run / "best.pt")


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    top = config_parser("vq_rates", __doc__)
    top.add_argument("--threads", type=int, default=1)
    words = top.parse_args(argv)
    torch.set_num_threads(words.threads)
    return exit_code_of("vq_rates", lambda: add_rates(config_of(words)))


if __name__ == "__main__":
    sys.exit(main())
