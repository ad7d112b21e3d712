"""SOAP: Adam in a basis that follows the gradients, cut into blocks."""

import pytest
import torch
from torch import Tensor, nn

from linnet.models.training.soap import Soap, block_shape, from_blocks, next_basis, to_blocks


def valley(side: int, seed: int) -> Tensor:
    """A symmetric matrix of condition 1,000 whose axes are not those of the weights."""
    axes = torch.linalg.qr(torch.randn(side, side, generator=torch.Generator().manual_seed(seed)))[0]
    return axes @ torch.diag(torch.logspace(0, -3, side)) @ axes.T


def descend(optimiser_of: type[Soap | torch.optim.Adam], steps: int = 300) -> float:
    """What is left of a quadratic in a [60, 40, 1, 1] weight, of 1."""
    rows, columns = valley(60, 1), valley(40, 2)
    weight = nn.Parameter(torch.randn(60, 40, 1, 1, generator=torch.Generator().manual_seed(3)))
    optimiser = optimiser_of([{"params": [weight]}], lr=0.03)

    def loss() -> Tensor:
        matrix = weight.flatten(1)
        return (matrix.T @ rows @ matrix @ columns).trace()

    first = float(loss().detach())
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    return float(loss().detach()) / first


def test_a_turned_valley_is_descended_further_than_by_adam() -> None:
    assert descend(Soap) < 0.5 * descend(torch.optim.Adam)


def test_small_weights_and_vectors_get_adam() -> None:
    torch.manual_seed(4)
    starts = [torch.randn(30), torch.randn(8, 1, 3, 3)]
    ours, theirs = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    soap = Soap([{"params": ours}], lr=0.01)
    adam = torch.optim.Adam(theirs, lr=0.01, betas=soap.betas)
    for _ in range(5):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = other.grad = torch.randn_like(one)
        soap.step()
        adam.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((512, 128, 1, 1), (4, 128, 1, 128)),
        ((640, 160, 1, 1), (4, 160, 1, 160)),
        ((64, 96, 3, 3), (1, 64, 6, 144)),
    ],
)
def test_blocks_are_cut_and_joined_again(size: tuple[int, ...], shape: tuple[int, int, int, int]) -> None:
    weight = torch.randn(size)
    assert block_shape(weight, 160) == shape
    blocks = to_blocks(weight, shape)
    assert blocks.shape == (shape[0] * shape[2], shape[1], shape[3])
    assert torch.equal(blocks[0], weight.flatten(1)[: shape[1], : shape[3]])
    assert torch.equal(from_blocks(blocks, shape), weight.flatten(1))


def test_a_basis_turns_to_the_eigenvectors_by_falling_eigenvalue() -> None:
    covariance = torch.stack([valley(12, 5), valley(12, 6)])
    basis = torch.eye(12).expand_as(covariance)
    for _ in range(100):
        basis, _ = next_basis(covariance, basis)
    torch.testing.assert_close(
        basis.mT @ covariance @ basis,
        torch.diag(torch.logspace(0, -3, 12)).expand_as(covariance),
        atol=1e-5,
        rtol=0,
    )


def test_squares_follow_their_columns_when_the_order_of_a_basis_changes() -> None:
    covariance, basis = torch.diag(torch.tensor([1.0, 3.0, 2.0]))[None], torch.eye(3)[None]
    moved, order = next_basis(covariance, basis)
    assert order.tolist() == [[1, 2, 0]]
    assert torch.equal(moved[0].abs(), torch.eye(3)[:, [1, 2, 0]])


def test_gradients_of_few_directions_do_not_stop_it() -> None:
    weight = nn.Parameter(torch.zeros(64, 64))
    optimiser = Soap([{"params": [weight]}], lr=0.1)
    for size in (0.0, 1e-30, 1.0):
        weight.grad = torch.zeros_like(weight)
        weight.grad[:2, :3] = size
        optimiser.step()
    assert bool(torch.isfinite(weight).all())
    assert bool((weight[:2, :3] < 0).all())
