"""SOAP: Adam in the eigenbasis of Shampoo's preconditioners."""

import math
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer

SMALLEST = 2_000  # elements; of smaller matrices the basis is not worth its time
FIRST_ROUNDS = 4
EPS = 1e-8


class Soap(Optimizer):
    """Adam whose moments live where the gradients of each weight matrix are least correlated.

    A weight [O, I, kh, kw] counts as a matrix [O, I * kh * kw], cut into equal blocks of at most `max_side`
    rows and columns. Running means of G G^T and G^T G of each block give it two bases. Vectors and small
    weights get Adam. Source: Vyas et al. 2024, arXiv:2409.11321; blocks as in Shampoo, arXiv:2002.09018;
    for learned compression Zhang and Zhu 2026, arXiv:2601.20769.

    Args:
        params: parameters, or groups of them as any optimiser of torch takes them.
        betas: decay of the first and of the second moment; the second is that of the covariances too.
        covariance_steps: as often a gradient is added to the covariances.
        basis_steps: as often the bases follow them, by one QR decomposition each.
        max_side: longest side of a block.
        bf16: rotate in bfloat16, where this device multiplies faster in it. What is kept stays float32.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        basis_steps: int = 20,
        covariance_steps: int = 4,
        max_side: int = 160,
        bf16: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr})
        self.betas, self.max_side = betas, max_side
        self.covariance_steps, self.basis_steps = covariance_steps, basis_steps
        self.dtype = torch.bfloat16 if bf16 else torch.float32

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update from the gradients that are there; a closure makes them and returns the loss."""
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"])
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, rate: float) -> None:
        state, rotated = self.state[parameter], parameter.ndim > 1 and parameter.numel() >= SMALLEST
        shape = block_shape(parameter, self.max_side)
        blocks = to_blocks(gradient.float(), shape) if rotated else gradient.float()
        if not state:
            self._start(state, blocks, rotated)
        state["steps"] += 1
        first, second = self.betas
        turned = self._turn(state, blocks) if rotated else blocks
        state["mean"].lerp_(turned, 1 - first)
        state["square"].mul_(second).addcmul_(turned, turned, value=1 - second)
        scale = (state["square"] / (1 - second ** state["steps"])).sqrt_().add_(EPS)
        change = state["mean"] / scale
        if rotated:
            change = from_blocks(self._turn_back(state, change), shape)
            self._follow(state, blocks)
        parameter.add_(change.view_as(parameter), alpha=-rate / (1 - first ** state["steps"]))

    def _start(self, state: dict[str, Any], blocks: Tensor, rotated: bool) -> None:
        state["steps"] = 0
        state["mean"], state["square"] = torch.zeros_like(blocks), torch.zeros_like(blocks)
        if rotated:
            for side, product in (("rows", self._rows(blocks)), ("columns", self._columns(blocks))):
                basis = torch.eye(product.shape[1], device=product.device).expand_as(product)
                for _ in range(FIRST_ROUNDS):  # eigh may not converge where most eigenvalues are next to 0
                    basis, _ = next_basis(product, basis)
                state[f"{side}_covariance"], state[side] = product, basis

    def _rows(self, blocks: Tensor) -> Tensor:
        return self._matmul(blocks, blocks.mT)

    def _columns(self, blocks: Tensor) -> Tensor:
        return self._matmul(blocks.mT, blocks)

    def _turn(self, state: dict[str, Any], blocks: Tensor) -> Tensor:
        return self._matmul(self._matmul(state["rows"].mT, blocks), state["columns"])

    def _turn_back(self, state: dict[str, Any], turned: Tensor) -> Tensor:
        return self._matmul(self._matmul(state["rows"], turned), state["columns"].mT)

    def _follow(self, state: dict[str, Any], blocks: Tensor) -> None:
        """Add the gradient to the covariances; now and then turn the bases towards their eigenvectors."""
        if state["steps"] % self.covariance_steps == 0:
            weight = 1 - self.betas[1] ** self.covariance_steps
            state["rows_covariance"].lerp_(self._rows(blocks), weight)
            state["columns_covariance"].lerp_(self._columns(blocks), weight)
        if state["steps"] % self.basis_steps:
            return
        mean = state["rows"] @ state["mean"] @ state["columns"].mT
        for side, axis in (("rows", 1), ("columns", 2)):
            state[side], order = next_basis(state[f"{side}_covariance"], state[side])
            order = order.unsqueeze(3 - axis).expand_as(state["square"])
            state["square"] = state["square"].gather(axis, order)
        state["mean"] = state["rows"].mT @ mean @ state["columns"]

    def _matmul(self, a: Tensor, b: Tensor) -> Tensor:
        return (a.to(self.dtype) @ b.to(self.dtype)).float()


def next_basis(covariance: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """One round of orthogonal iteration on [B, n, n]: columns by falling eigenvalue; [B, n] their origins."""
    moved = covariance @ basis
    order = torch.argsort((basis * moved).sum(1), 1, descending=True)
    return torch.linalg.qr(moved.gather(2, order[:, None].expand_as(moved)))[0], order


def block_shape(parameter: Tensor, max_side: int) -> tuple[int, int, int, int]:
    """(blocks down, rows, blocks across, columns) of equal blocks, each side at most `max_side`."""
    height, width = parameter.shape[0], math.prod(parameter.shape[1:])
    rows, columns = (_largest_divisor(side, max_side) for side in (height, width))
    return height // rows, rows, width // columns, columns


def _largest_divisor(number: int, most: int) -> int:
    return next(divisor for divisor in range(min(number, most), 0, -1) if number % divisor == 0)


def to_blocks(values: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """A weight as [blocks, rows, columns]."""
    down, rows, across, columns = shape
    return values.reshape(shape).transpose(1, 2).reshape(down * across, rows, columns)


def from_blocks(blocks: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """The inverse of `to_blocks`, as a matrix [O, the rest]."""
    down, rows, across, columns = shape
    return blocks.view(down, across, rows, columns).transpose(1, 2).reshape(down * rows, across * columns)
