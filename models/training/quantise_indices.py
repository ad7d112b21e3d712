"""The index model onto the exact path: ranges of its activations on tokens, then integers; its rate there."""

import numpy as np
import torch
from torch import Tensor, nn

from ...entropy.index_file import read_index_model
from ...entropy.index_tables import LOGIT_BITS, exp_table
from ...entropy.indices import IndexModel
from ...entropy.rate import RateCounter
from ...entropy.tensor_source import TensorSource
from ..vq.prior import GridPrior, IndexPrior
from .calibrate import Ranges, recording
from .quantise import BOUND, Quantiser
from .vq_tokens import WINDOW, Tokens, left_out

LOGIT_BOUND = 2**15  # sixteenths of a nat
VECTOR_BOUND = 2**15 - 1  # of a token: only their sum is held to 12 bits
SAMPLES = 32  # windows, of each of the rounds
ROUNDS = 6


@torch.no_grad()
def calibrate_prior(net: IndexPrior, tokens: Tokens) -> Ranges:
    """How far activations reach on windows of training tokens, coded and with tokens left out."""
    generator = torch.Generator().manual_seed(7)
    ranges: Ranges = {}
    split, stages = net.config.coarse, len(net.config.codes)
    with recording(net, ranges):
        for _ in range(ROUNDS):
            windows = tokens.windows(SAMPLES, generator)
            coarse, fine = windows[:, :split, ::2, ::2], windows[:, split:]
            for stage in range(split):
                net.coarse.heads[stage](net.coarse(left_out(coarse, stage, generator)[0]))
            lifted = net.lifted(left_out(coarse, split, generator)[0], (WINDOW, WINDOW))
            for stage in range(stages - split):
                net.fine.heads[stage](net.fine(left_out(fine, stage, generator)[0], lifted))
    return ranges


class IndexQuantiser(Quantiser):
    """Names are those that entropy.index_file reads."""

    def grid(self, name: str, net: GridPrior) -> Tensor:
        """The stages of one grid; returns its residual grid."""
        heads = [f"{name}.heads.{stage}" for stage in range(len(net.heads))]
        paths = [f"{name}.trunk.{number}" for number in range(len(net.trunk))]
        residual = self.reach(*paths, *heads)
        for stage, (embedding, head) in enumerate(zip(net.embeddings, net.heads, strict=True)):
            assert isinstance(embedding, nn.Embedding)
            assert isinstance(head, nn.Conv2d)
            vectors = embedding.weight.detach().double() * 2.0**residual
            whole = torch.round(vectors).clamp(-VECTOR_BOUND, VECTOR_BOUND).to(torch.int16)
            self.tensors[f"index.{name}.embedding{stage}"] = whole
            grids = residual, torch.full((len(embedding.weight) - 1,), LOGIT_BITS).double()
            self.linear(f"index.{name}.head{stage}", head, grids, (-LOGIT_BOUND, LOGIT_BOUND))
        for number, path in enumerate(paths):
            self.block(f"index.{name}.block{number}", path, residual)
        return residual


def quantise_prior(net: IndexPrior, ranges: Ranges) -> dict[str, Tensor]:
    """Integer tensors of the index model. Raises ValueError where a layer cannot meet the certificate."""
    quantiser = IndexQuantiser(net, ranges)
    coarse, fine = quantiser.grid("coarse", net.coarse), quantiser.grid("fine", net.fine)
    quantiser.linear("index.lift", net.lift, (coarse, fine.repeat_interleave(4)), (-BOUND, BOUND))
    stages, config = len(net.config.codes), net.config
    shape = [config.coarse, stages - config.coarse, config.blocks, config.blocks]
    quantiser.tensors["index.shape"] = torch.tensor(shape, dtype=torch.int32)
    quantiser.tensors["index.exp"] = torch.from_numpy(exp_table())
    return quantiser.tensors


def exact_model(tensors: dict[str, Tensor]) -> IndexModel:
    """The integer tensors as a model that has proved its sums. Raises ValueError where it cannot."""
    model = read_index_model(TensorSource(tensors, torch.float32, torch.device("cpu")))
    model.certify()
    return model


def exact_bits(model: IndexModel, tokens: Tokens, coarse: int) -> Tensor:
    """[stages] bits of an index of whole arrays with the range coder's own probabilities."""
    total, count = torch.zeros(len(model.codes)), torch.zeros(len(model.codes))
    for number in range(len(tokens)):
        known = tokens.array(number).permute(1, 2, 0).to(torch.int32).contiguous().numpy()
        for stage in range(len(model.codes)):
            own = known[::2, ::2, stage] if stage < coarse else known[..., stage]
            counter = RateCounter()
            model.code(counter, stage, known, np.ascontiguousarray(own - 1))
            total[stage] += counter.bits
            count[stage] += own.size
    return total / count
