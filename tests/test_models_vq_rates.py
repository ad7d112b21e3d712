"""A search that knows what indices cost: fewer bits for a little distance."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from vector_samples import SIDE, luma_blocks

from linnet.models.vq.quantisers.rates import fit_rates
from linnet.models.vq.quantisers.residual import ResidualQuantiser
from linnet.models.vq.quantisers.revival import revive
from linnet.models.vq.quantisers.simvq import SimVQ

CODES = 64


@pytest.fixture(scope="module")
def vectors(photo_path: Path) -> Tensor:
    return luma_blocks(photo_path)


@pytest.fixture
def codes(vectors: Tensor) -> ResidualQuantiser:
    """Three stages on one half of the vectors."""
    made = ResidualQuantiser([SimVQ(SIDE**2, CODES) for _ in range(3)])
    made.start_from(vectors[::2], torch.Generator().manual_seed(1))
    return made


def cost(codes: ResidualQuantiser, rows: Tensor, stages: int = 3) -> tuple[float, float]:
    """Bits a vector by the frequencies of the indices found, and the mean squared distance that is left."""
    x = rows.T[None, :, :, None]
    found = codes.search(x, stages)[:stages]
    left = float((x - codes.look_up(found)).detach().square().sum(1).mean())
    shares = [torch.bincount(each.flatten(), minlength=CODES) / len(rows) for each in found]
    return sum(float(-torch.xlogy(share, share).sum() / np.log(2)) for share in shares), left


def test_known_costs_save_more_bits_than_a_coarser_search_of_the_same_distance(
    codes: ResidualQuantiser, vectors: Tensor
) -> None:
    held_out = vectors[1::2]
    bits, left = cost(codes, held_out)
    fewer_bits, more_left = cost(codes, held_out, 2)
    fit_rates(codes, vectors[::2])
    found_bits, found_left = cost(codes, held_out)
    assert found_bits < 0.93 * bits
    # on the line between two and three stages, log of the distance over bits, it lies below
    line = np.interp(found_bits, [fewer_bits, bits], [np.log(more_left), np.log(left)])
    assert np.log(found_left) < line
    assert cost(codes, held_out, 1)[0] < cost(codes, held_out, 2)[0]


def test_what_is_left_falls_with_every_stage_and_revival_forgets_the_costs(
    codes: ResidualQuantiser, vectors: Tensor
) -> None:
    before = codes.search(vectors.T[None, :, :, None], 3)
    fit_rates(codes, vectors[::2])
    assert codes.left.tolist() == sorted(codes.left.tolist(), reverse=True)
    assert all(float(bits.min()) > 0 for bits in codes.bits())
    x = vectors.T[None, :, :, None]
    assert not all(torch.equal(a, b) for a, b in zip(codes.search(x, 3), before, strict=True))
    assert len(codes.search(x, 0)) == 3  # none of them is asked for: all code what is left
    revive(codes, vectors, torch.Generator().manual_seed(1), rounds=1)
    assert all(not bits.any() for bits in codes.bits())
