"""`python -m linnet.models.training.export_vq CONFIG`: a VQ model and its index model as a model file."""

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

from ...entropy.index_file import read_index_model
from ...entropy.tensor_source import TensorSource
from ..vq.codec import architecture_of
from ..vq.quantisers.simvq import SimVQ
from ..vq.transforms import VqTransforms
from ..weights import Card, write_tensors
from .checkpoint import load_state
from .command import config_of, config_parser, exit_code_of
from .complexity import vq_kmac_per_px
from .config import TrainConfig
from .data import load
from .export import training_facts, training_settings
from .perceptual import TRAINED
from .vq import MS_SSIM_WEIGHT, MSE_WEIGHT
from .vq_dump import trained

LARGEST = 127  # of 8 bits


@torch.no_grad()
def fold_codebooks(model: VqTransforms) -> None:
    """Put each codebook's learned map into its base."""
    for part in model.modules():
        if isinstance(part, SimVQ):
            part.base.copy_(part.codebook())
            part.mix.copy_(torch.eye(part.mix.shape[0]))


def stored(model: VqTransforms) -> dict[str, Tensor]:
    """The float tensors of a model file: weights in fp16, gains in fp32."""
    return {
        f"transform.{name}": value.float() if "gain" in name else value.half()
        for name, value in model.state_dict().items()
    }


def perceptual_parts(path: Path, plain: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a perceptual decoder that differ from the other one's, as a model file has them.

    Args:
        plain: the tensors of `stored`. Of weights the change from them is kept, in 8 bits.
    """
    decoder = load_state(path, torch.device("cpu"))["decoder"]
    found: dict[str, Tensor] = {}
    for name, value in decoder.items():
        if not name.startswith(TRAINED):
            continue
        if "gain" in name or value.ndim < 2:
            found[f"perceptual.{name}"] = value.float() if "gain" in name else value.half()
            continue
        change = value - plain[f"transform.{name}"].float()
        rows = change.flatten(1)
        step = rows.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / LARGEST
        found[f"perceptual.{name}"] = (rows / step[:, None]).round().view_as(change).to(torch.int8)
        found[f"perceptual_step.{name}"] = step
    return found


def export(config: TrainConfig, prior: Path, perceptual: Path | None, target: Path, card: Card) -> None:
    """Write the model file of a run's best checkpoint, with what `vq_prior` and `perceptual` made for it."""
    model, state = trained(config)
    fold_codebooks(model)
    exact = load_state(prior, torch.device("cpu"))["exact"]
    index_model = read_index_model(TensorSource(exact, torch.float32, torch.device("cpu")))
    index_model.certify()
    pictures = [len(load(config.data, held_out, torch.device("cpu"))) for held_out in (False, True)]
    card = {
        "loss": f"{MSE_WEIGHT} * 255^2 * MSE + {MS_SSIM_WEIGHT:.0f} * (1 - MS-SSIM), any number of stages",
        "settings": training_settings(config),
        **card,
        **training_facts(state),
        "data": f"{pictures[0]} pictures of {config.data.name}; {pictures[1]} of other photos held out",
        "parameters": sum(p.numel() for p in model.parameters()),
        "kmac_per_px": vq_kmac_per_px(model),
        "stages": [[stage.stride, stage.codes] for stage in model.config.stages],
    }
    plain = stored(model)
    tensors = (
        plain
        | (perceptual_parts(perceptual, plain) if perceptual else {})
        | {f"exact.{name}": value for name, value in exact.items()}
    )
    tensors["selftest.hash"] = torch.tensor(index_model.self_test())
    metadata = {"linnet": "1", "architecture": architecture_of(model.config), "card": json.dumps(card)}
    write_tensors(target, tensors, metadata)


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    top = config_parser("export_vq", __doc__)
    top.add_argument("--prior", type=Path, required=True, help="what vq_prior wrote")
    top.add_argument("--perceptual", type=Path, help="what perceptual wrote")
    top.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    top.add_argument("--card", type=Path, metavar="FILE.json", help="more entries of the model card")
    words = top.parse_args(argv)
    return exit_code_of(
        "export_vq",
        lambda: export(
            config_of(words),
            words.prior,
            words.perceptual,
            words.out,
            json.loads(words.card.read_text(encoding="utf-8")) if words.card else {},
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
