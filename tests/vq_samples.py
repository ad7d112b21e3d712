"""A small codec in stages for the tests: a colour for each block of 32 pixels, and two corrections at 16.

It has fixed codebooks and no networks, but codes real pictures with the real range coder. Run as a program it
is the `linnet` command with this model in it, called `blocks`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from linnet.entropy.coder import IndexCoder
from linnet.models import codecs, zoo
from linnet.models.spec import ModelSpec

Int32 = NDArray[np.int32]

SPEC = ModelSpec(wire_id=900, name="blocks", kind="vq", file="none", sha256="5eed" * 16, stages=3)
STRIDES = (32, 16, 16)
_STEP = (0.2, 0.1, 0.04)  # between the values of each colour
_SIDE = (5, 3, 3)  # values of each colour
_TOTAL = 2**16


def _book(stage: int) -> NDArray[np.float32]:
    """[K, 3] colours, or corrections of colours."""
    values = (np.arange(_SIDE[stage]) - (_SIDE[stage] - 1) / 2) * _STEP[stage] + (0.5 if stage == 0 else 0)
    return np.stack(np.meshgrid(values, values, values, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)


BOOKS = tuple(_book(stage) for stage in range(3))


def _weights(stage: int, before: Int32) -> Int32:
    """[n, K] frequencies: what the stages before sum up to says where the index probably is."""
    count = len(BOOKS[stage])
    near = np.abs(np.arange(count) - (before[:, None] * 7 + stage) % count)
    shares = 1000 // (1 + near)
    weights = 1 + shares * (_TOTAL - count) // shares.sum(1, keepdims=True)
    weights[:, 0] += _TOTAL - weights.sum(1)
    return weights.astype(np.int32)


@dataclass(frozen=True)
class BlocksCodec:
    """See models.codecs.StagedCodec."""

    spec: ModelSpec = SPEC
    strides: tuple[int, ...] = STRIDES
    codes: tuple[int, ...] = tuple(len(book) for book in BOOKS)
    codes: tuple[int, ...] = tuple(len(book) for book in BOOKS)
    alignment: int = 32
    analysis_halo: int = 0
    synthesis_halo: int = 32

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return torch.device("cpu")

    def stages_for(self, quality: float) -> int:
        """How many stages a quality has."""
        return min(3, 1 + int(quality * 3 / 100))

    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """Nearest codes of the means of blocks, each stage of what those before have left."""
        assert pixels.shape[1] % 32 == pixels.shape[2] % 32 == 0
        colours = F.avg_pool2d(pixels[None], 16)[0].permute(1, 2, 0).numpy()
        tokens = np.zeros((*colours.shape[:2], 3), np.int32)
        for stage, stride in enumerate(STRIDES):
            step = stride // 16
            left = colours - self.colours(tokens)
            means = F.avg_pool2d(torch.from_numpy(left).permute(2, 0, 1)[None], step)[0].permute(1, 2, 0)
            distance = ((means.numpy()[:, :, None] - BOOKS[stage]) ** 2).sum(-1)
            tokens[..., stage] = (distance.argmin(-1) + 1).repeat(step, 0).repeat(step, 1)
        return torch.from_numpy(tokens)

    def colours(self, tokens: Int32) -> NDArray[np.float32]:
        """[h, w, 3]: the sum of what is known."""
        parts = [
            np.where(tokens[..., stage, None] > 0, book[tokens[..., stage] - 1], 0)
            for stage, book in enumerate(BOOKS)
        ]
        return np.sum(parts, 0, dtype=np.float32)

    def synthesise(self, tokens: Int32, quality: float) -> Tensor:
        """Blocks of one colour; grey-black where nothing is known."""
        planes = torch.from_numpy(self.colours(tokens)).permute(2, 0, 1)
        return planes.repeat_interleave(16, 1).repeat_interleave(16, 2)

    def code_stage(self, coder: IndexCoder, stage: int, known: Int32, given: Int32 | None = None) -> Int32:
        """Code one stage."""
        step = STRIDES[stage] // 16
        before = known[::step, ::step, :stage].sum(-1).astype(np.int32)
        symbols = None if given is None else np.ascontiguousarray(given.reshape(-1))
        return coder.code_each(symbols, _weights(stage, before.reshape(-1))).reshape(before.shape)

    def fill(self, known: Int32, stages: int) -> Int32:
        """The first stage from the colours around, the nearer the heavier; corrections of none."""
        filled = known.copy()
        coarse = known[::2, ::2, 0]
        rows, columns = np.nonzero(coarse)
        for row, column in zip(*np.nonzero(coarse == 0), strict=True):
            weight = 1 / ((rows - row) ** 2 + (columns - column) ** 2)
            colours = BOOKS[0][coarse[rows, columns] - 1]
            mean = (weight[:, None] * colours).sum(0) / weight.sum() if len(rows) else np.full(3, 0.5)
            token = ((BOOKS[0] - mean) ** 2).sum(-1).argmin() + 1
            filled[2 * row : 2 * row + 2, 2 * column : 2 * column + 2, 0] = token
        for stage in range(1, stages):
            hole = filled[..., stage] == 0
            filled[..., stage][hole] = 1 + len(BOOKS[stage]) // 2
        return filled


def load(spec: ModelSpec, device: str = "cpu", tune: str = "fidelity") -> codecs.StagedCodec:
    """As models.codecs.load_staged, with this model too."""
    return BlocksCodec() if spec == SPEC else _LOAD(spec, device, tune)


_LOAD = codecs.load_staged


def install(patch: pytest.MonkeyPatch) -> None:
    """Make the model known in this process, until the patch is undone."""
    patch.setattr(zoo, "SPECS", (*zoo.SPECS, SPEC))
    patch.setattr(codecs, "load_staged", load)


def starts(data: bytes) -> list[int]:
    """Where the parts or shares of a file begin, and where its end chunk does."""
    found, place = [], 8
    while place < len(data):
        length, payload = 0, place + 1
        for shift in range(0, 63, 7):
            length |= (data[payload] & 127) << shift
            payload += 1
            if data[payload - 1] < 128:
                break
        if data[place : place + 1] in b"PSE":
            found.append(place)
        place = payload + length + 4
    return found


def without(data: bytes, numbers: Collection[int]) -> bytes:
    """The file with some of its parts or shares cut out."""
    places = starts(data)
    pieces = [data[a:b] for n, (a, b) in enumerate(pairwise(places)) if n not in numbers]
    return data[: places[0]] + b"".join(pieces) + data[places[-1] :]


if __name__ == "__main__":
    from linnet.codec.cli.app import main

    install(pytest.MonkeyPatch())
    main()
