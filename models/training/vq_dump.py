"""`python -m linnet.models.training.vq_dump CONFIG`: the tokens of pictures, for `vq_prior` to learn from.

Of the training part whole pictures and random crops, of the held-out part whole pictures.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..vq.config import COARSE_PX, FINE_PX, VqConfig
from ..vq.quantisers.simvq import SimVQ
from ..vq.transforms import VqTransforms
from .checkpoint import load_state
from .command import config_of, config_parser, exit_code_of
from .config import TrainConfig
from .crops import CropSampler
from .data import Pictures, load
from .growth import latents_of
from .packing import write_arrays
from .speed import bf16_is_faster
from .vq import VqModel, VqTraining, from_fewer_stages, stages_of

CROP_PX, BATCH = 256, 8


def trained(config: TrainConfig) -> tuple[VqModel, dict]:
    """The networks of a run's best checkpoint, and the checkpoint."""
    state = load_state(config.run / "best.pt", torch.device("cpu"))
    image = replace(config.model, latent=latents_of(state["model"]))
    net = VqTraining(VqConfig(stages=stages_of(state["model"]), image=image))
    net.load_state_dict(from_fewer_stages(state["model"], net.state_dict()))
    return net.model.to(memory_format=torch.channels_last).eval(), state


@torch.inference_mode()
def tokens_of(model: VqTransforms, pictures: Tensor) -> Tensor:
    """[N, 3, H, W] in 0..1 -> int16 tokens [N, ceil(H/16), ceil(W/16), stages], as a codec has them."""
    height, width = pictures.shape[2:]
    padding = (0, -width % COARSE_PX, 0, -height % COARSE_PX)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16_is_faster(torch.device("cpu"))):
        indices = model.encode(F.pad(pictures, padding, mode="replicate") - 0.5)
    steps = [stage.stride // FINE_PX for stage in model.config.stages]
    tokens = [
        (each + 1).repeat_interleave(step, 1).repeat_interleave(step, 2)
        for each, step in zip(indices, steps, strict=True)
    ]
    return torch.stack(tokens, -1)[:, : -(-height // FINE_PX), : -(-width // FINE_PX)].to(torch.int16)


def whole(pictures: Pictures) -> Iterator[Tensor]:
    """[1, 3, H, W] in 0..1, one after the other."""
    for number in range(len(pictures)):
        yield pictures.picture(number)[None].float() / 255


def write_tokens(model: VqTransforms, batches: Iterable[Tensor], target: Path) -> int:
    """Write the tokens of batches of pictures as `vq_tokens.read_tokens` reads them; returns how many."""
    arrays = [each.numpy() for batch in batches for each in tokens_of(model, batch)]
    shapes = np.array([array.shape for array in arrays], np.int32)
    flat = np.concatenate([array.reshape(-1) for array in arrays])
    stages = np.array([(stage.stride, stage.codes) for stage in model.config.stages], np.int32)
    books = codebooks_of(model)
    write_arrays(target, {"tokens": flat, "shapes": shapes, "stages": stages, **books})
    return len(arrays)


@torch.inference_mode()
def codebooks_of(model: VqTransforms) -> dict[str, np.ndarray]:
    """`codebook<stage>` of all stages, float32 [codes, vector]: near codes mean nearly the same."""
    quantisers = [*model.coarse_codes.quantisers(), *model.fine_codes.quantisers()]
    books = (quantiser.codebook() for quantiser in quantisers if isinstance(quantiser, SimVQ))
    return {f"codebook{stage}": book.float().numpy() for stage, book in enumerate(books)}


def crops(pictures: Pictures, count: int) -> Iterator[Tensor]:
    """Batches of random training crops."""
    generator = torch.Generator().manual_seed(0)
    sampler = CropSampler(pictures, CROP_PX)
    for _ in range(count // BATCH):
        yield sampler.batch(BATCH, generator)


def dump(words: argparse.Namespace) -> None:
    """Write the tokens of both parts."""
    config = config_of(words)
    model, _ = trained(config)
    parts = [load(config.data, held_out, torch.device("cpu")) for held_out in (False, True)]
    print(write_tokens(model, whole(parts[1]), words.valid), "held-out pictures", flush=True)
    batches = (batch for part in (whole(parts[0]), crops(parts[0], words.crops)) for batch in part)
    print(write_tokens(model, batches, words.train), "training pictures and crops")


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    top = config_parser("vq_dump", __doc__)
    top.add_argument("--train", type=Path, required=True, metavar="FILE.npz")
    top.add_argument("--valid", type=Path, required=True, metavar="FILE.npz")
    top.add_argument("--crops", type=int, default=4000, help="beside the whole training pictures")
    top.add_argument("--threads", type=int, default=1)
    words = top.parse_args(argv)
    torch.set_num_threads(words.threads)
    return exit_code_of("vq_dump", lambda: dump(words))


if __name__ == "__main__":
    sys.exit(main())
