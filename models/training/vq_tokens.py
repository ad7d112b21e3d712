"""Token arrays to learn from: packed in one file, cut into windows, with tokens left out as coding does."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..vq.config import Stage

WINDOW = 16  # places of the fine grid, each side: even, so that windows keep the coarse grid
MASKED = 0.2  # share of the samples that learn to fill in, not to code


@dataclass(frozen=True, slots=True)
class Tokens:
    """Arrays [h, w, stages] of tokens (index + 1), `flat` int16 behind each other; `shapes` [n, 3]."""

    flat: Tensor
    shapes: Tensor
    starts: Tensor
    codebooks: tuple[Tensor, ...] = ()  # [codes, vector] of each stage, if the file has them
    stages: tuple[Stage, ...] = ()  # of the model, likewise

    def __len__(self) -> int:
        return len(self.shapes)

    def array(self, number: int) -> Tensor:
        """[stages, h, w] int64."""
        height, width, stages = self.shapes[number].tolist()
        start = int(self.starts[number])
        flat = self.flat[start : start + height * width * stages]
        return flat.view(height, width, stages).permute(2, 0, 1).long()

    def windows(self, count: int, generator: torch.Generator) -> Tensor:
        """[count, stages, WINDOW, WINDOW]: each place is as likely as any other; 0 beyond an array."""
        areas = self.shapes[:, :2].prod(1).double()
        out = torch.zeros(count, int(self.shapes[0, 2]), WINDOW, WINDOW, dtype=torch.int64)
        for sample, number in enumerate(torch.multinomial(areas, count, True, generator=generator).tolist()):
            array = self.array(number)
            top, left = (
                2 * int(torch.randint(max(0, side - WINDOW + 1) // 2 + 1, (), generator=generator))
                for side in array.shape[1:]
            )
            cut = array[:, top : top + WINDOW, left : left + WINDOW]
            out[sample, :, : cut.shape[1], : cut.shape[2]] = cut
        return out


def read_tokens(path: Path, codes: tuple[int, ...] | None = None) -> Tokens:
    """A file of `tokens` (int16, flat), `shapes` ([n, 3] height, width, stages) and what `vq_dump` adds.

    That is `stages` ([stages, 2] stride, codes), and `codebook<n>` of each.

    Raises ValueError where they do not fit each other, or `codes`, the sizes of the codebooks.
    """
    with np.load(path) as packed:
        flat, shapes = packed["tokens"].astype(np.int16), packed["shapes"].astype(np.int64)
        names = [f"codebook{stage}" for stage in range(int(shapes[0, 2]) if len(shapes) else 0)]
        stages = tuple(Stage(*row) for row in packed["stages"].tolist()) if "stages" in packed else ()
        books = tuple(torch.from_numpy(packed[name]).float() for name in names if name in packed)
    codes = codes or tuple(stage.codes for stage in stages)
    sizes = shapes.prod(1)
    if flat.ndim != 1 or not len(shapes) or sizes.min() <= 0 or sizes.sum() != len(flat):
        raise ValueError(f"{path}: {len(flat)} tokens are not what {len(shapes)} shapes say")
    if (shapes[:, 2] != shapes[0, 2]).any() or (codes and len(codes) != shapes[0, 2]):
        raise ValueError(f"{path}: arrays of {sorted(set(shapes[:, 2].tolist()))} stages")
    tokens = Tokens(
        torch.from_numpy(flat),
        torch.from_numpy(shapes),
        torch.from_numpy(np.cumsum(sizes) - sizes),
        books,
        stages,
    )
    largest = flat.reshape(-1, int(shapes[0, 2])).max(0)
    if flat.min() < 1 or (codes and (largest > codes).any()):
        raise ValueError(f"{path}: tokens of {flat.min()} to {largest.tolist()}, codebooks of {codes}")
    if books and [len(book) for book in books] != list(codes or map(len, books)):
        raise ValueError(f"{path}: codebooks of {[len(book) for book in books]} codes, expected {codes}")
    return tokens


def odd_places(height: int, width: int) -> Tensor:
    """[h, w] bool: the places of the second step."""
    return (torch.arange(height)[:, None] + torch.arange(width)) % 2 == 1


def left_out(tokens: Tensor, stage: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What is known of the stages of one grid when `stage` is coded, and what is then to be found.

    Args:
        tokens: [N, stages, h, w].
        stage: of these; == stages: none, all are complete (but for what is left out at random).
    Returns:
        Known tokens, the others 0; target tokens [N, h, w], 0 where there is nothing to find.
    """
    count, stages, height, width = tokens.shape

    def drawn(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    odd = odd_places(height, width)
    known = torch.zeros(tokens.shape, dtype=torch.bool)
    known[:, :stage] = True
    second = drawn(count, 1, 1) < 0.5
    if stage < stages:
        known[:, stage] = second & ~odd
    # whole stages known, whole ones not, and any share of one; of the stage itself always a share
    share = 1.5 - 2 * drawn(count, stages, 1, 1)
    if stage < stages:
        share[:, stage] = drawn(count, 1, 1)
    masked = drawn(count, 1, 1, 1) < MASKED
    known = torch.where(masked, drawn(*tokens.shape) < share, known)
    if stage == stages:
        return tokens * known, torch.zeros(0)
    wanted = ~known[:, stage] & (masked[:, 0] | (second == odd))
    return tokens * known, tokens[:, stage] * wanted
