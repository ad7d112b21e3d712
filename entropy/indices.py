"""The exact model of codebook indices: what is known of the stages in, a distribution of each index out.

A token is an index + 1, or 0 where it is not known. The network has learned with tokens left out (MaskGIT,
arXiv:2202.04200): the same one codes a stage given those before it, and fills in what was lost. FORMAT.md
section 20.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from .arithmetic import exact_arithmetic
from .coder import IndexCoder
from .grid_net import GridNet
from .index_tables import Places, steps, weights_of
from .integers import upsample
from .linear import ExactLinear
from .tables import Int32

STRIDE = 2  # places of the fine grid in one of the coarse grid, each side
SELF_TEST_SIDE = 13  # places; odd, so that the grids do not end together


@dataclass(frozen=True)
class IndexModel:
    """Everything that chooses the probability of an index.

    Stages are numbered over both grids, those of the coarse grid first. A token array is int32 [h, w, stages]
    on the fine grid; a coarse token stands at each of its 2x2 places.

    Attributes:
        coarse, fine: the networks of the grids.
        lift: the coarse features, C to 4C, from which each place below takes a quarter.
        table: int32, see index_tables.weights_of.
    """

    coarse: GridNet
    lift: ExactLinear
    fine: GridNet
    table: Int32

    @property
    def codes(self) -> tuple[int, ...]:
        """The sizes of the codebooks, by stage."""
        return tuple(len(table) - 1 for table in (*self.coarse.embeddings, *self.fine.embeddings))

    @torch.inference_mode()
    def code(self, coder: IndexCoder, stage: int, known: Int32, given: Int32 | None = None) -> Int32:
        """Code one stage of one tile.

        Args:
            coder: an encoder, a decoder or a rate counter.
            stage: 0 to stages - 1.
            known: token array; the stages before this one are complete, the others are not looked at.
            given: the encoder's indices [hs, ws] on the stage's own grid; None when decoding.
        Returns:
            [hs, ws] indices of 0 to codes - 1, the same on both sides.
        Raises:
            ValueError: arrays that do not fit.
            CorruptFileError: from a decoder whose payload is not one.
        """
        self._check(known, stage)
        if stage and known[..., :stage].min() < 1:
            raise ValueError(f"the stages before stage {stage} must be known everywhere")
        found = known.copy()
        found[..., stage:] = 0
        own = self._own(found, stage)
        if given is not None and (given.dtype != np.int32 or given.shape != own.shape[:2]):
            raise ValueError(f"indices must be int32 {own.shape[:2]}, found {given.dtype} {given.shape}")
        column = stage - self._first(stage)
        for places, logits in self._walk(stage, found, own):
            symbols = None if given is None else given[places]
            own[..., column][places] = coder.code_each(symbols, weights_of(logits, self.table)) + 1
        return own[..., column] - 1

    @torch.inference_mode()
    def fill(self, known: Int32, stages: int) -> Int32:
        """Fill in what is not known of the first `stages` stages with what is most probable.

        Args:
            known: token array, 0 where not known; what is known stays as it is.
            stages: 1 to all.
        Returns:
            Token array of the same shape; later stages are as they were.
        """
        self._check(known, stages - 1)
        found = known.copy()
        for stage in range(stages):
            if found[..., stage].all():
                continue
            own = self._own(found, stage)
            layer = own[..., stage - self._first(stage)]
            for places, logits in self._walk(stage, found, own):
                # of equal ones the first, as numpy says and torch does not
                layer[places] = np.where(layer[places] > 0, layer[places], logits.argmax(1) + 1)
            if stage < self._split:
                layer = layer.repeat(STRIDE, 0).repeat(STRIDE, 1)[: found.shape[0], : found.shape[1]]
            found[..., stage] = layer
        return found

    def certify(self) -> int:
        """Prove every sum exact; returns the largest bound. Raises ValueError naming the layer that fails."""
        bound = self.coarse.blocks[0].bound
        lifted = self.lift.certify(bound)
        return max(self.coarse.certify(), lifted, self.fine.certify(self.lift.output_max))

    @torch.inference_mode()
    def self_test(self) -> int:
        """CRC-32 over the logits for fixed tokens, all known, some known and none: the same everywhere."""
        shape = (SELF_TEST_SIDE, SELF_TEST_SIDE, len(self.codes))
        mixed = (np.arange(np.prod(shape), dtype=np.int64).reshape(shape) + 1) * 2654435761 % 2**32 >> 13
        complete = (mixed % np.array(self.codes) + 1).astype(np.int32)
        total = 0
        for known in (complete, np.where(mixed % 3 > 0, complete, 0), np.zeros_like(complete)):
            for stage in range(len(self.codes)):
                for _, logits in self._walk(stage, known, self._own(known, stage)):
                    total = zlib.crc32(logits.astype("<i4").tobytes(), total)
        return total

    @property
    def _split(self) -> int:
        return len(self.coarse.embeddings)

    def _first(self, stage: int) -> int:
        return self._split if stage >= self._split else 0

    def _own(self, tokens: Int32, stage: int) -> Int32:
        """A copy of the tokens of all stages of the stage's own grid, on that grid."""
        if stage < self._split:
            return tokens[::STRIDE, ::STRIDE, : self._split].copy()
        return tokens[..., self._split :].copy()

    def _check(self, tokens: Int32, stage: int) -> None:
        if not 0 <= stage < len(self.codes):
            raise ValueError(f"stage {stage} of {len(self.codes)}")
        if (
            tokens.dtype != np.int32
            or tokens.ndim != 3
            or 0 in tokens.shape
            or tokens.shape[2] != len(self.codes)
        ):
            raise ValueError(
                f"tokens must be int32 [h, w, {len(self.codes)}], found {tokens.dtype} {tokens.shape}"
            )
        if tokens.min() < 0 or (tokens.max((0, 1)) > self.codes).any():
            raise ValueError(
                f"tokens of {tokens.min()} to {tokens.max((0, 1)).tolist()}, of {self.codes} codes"
            )

    def _walk(self, stage: int, tokens: Int32, own: Int32) -> Iterator[tuple[Places, Int32]]:
        """Places and logits [n, codes] of each step of a stage, given what `own` holds by then."""
        with exact_arithmetic():
            net, start = self.coarse, None
            if stage >= self._split:
                net = self.fine
                below = upsample(self.lift(self.coarse(self._own(tokens, 0))))
                start = below[:, : own.shape[0], : own.shape[1]]
        head = net.heads[stage - self._first(stage)]
        for places in steps(*own.shape[:2]):
            with exact_arithmetic():
                feature = net(own, start)[0]
                rows, columns = (torch.from_numpy(axis).to(feature.device) for axis in places)
                logits = head(feature[rows, columns])
            yield places, logits.to(torch.int32).cpu().numpy()
