"""One picture encoded as it was asked for: by quality, by number of stages, or to meet a target."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from operator import index
from typing import BinaryIO, SupportsIndex

from ..bitstream.resampling import FACTORS
from ..bitstream.writer import Writer, write_all
from ..models import codecs, zoo
from ..models.codecs import StagedCodec, StillCodec
from ..models.refinement import DEFAULT_EFFORT, EFFORTS, REFINABLE, RefinedCodec, with_effort
from .frame import Frame
from .resilience import check_resilience, spread_for
from .staged import quality_of, write_staged
from .still import Coded, header_of, write_still
from .targets import Target, meet, meet_staged
from .tiles import blocks_of

Progress = Callable[[int, int], None]

TILES = tuple(1 << log2 for log2 in range(6, 11))  # sides that can be asked for, pixels


@dataclass(frozen=True, slots=True)
class Wish:
    """How a picture is to be encoded.

    quality, stages, target: at most one is not None. tile: side of the tiles, pixels. resilience: how much of
    the file may be lost and the picture be whole, percent. resampling: by which the sides are divided before
    they are coded; None for 1, or for what a target's size asks for.
    Raises:
        ValueError: several of the three, no such tile or resampling, or a resilience out of range.
    """

    quality: float | None = None
    stages: int | None = None
    target: Target | None = None
    tile: int = TILES[-1]
    resilience: int | None = None
    effort: int = DEFAULT_EFFORT
    resampling: int | None = None

    def __post_init__(self) -> None:
        for name in ("effort", "tile", "resampling"):
            object.__setattr__(self, name, _whole(name, getattr(self, name)))
        check_resilience(self.resilience)
        if not 0 <= self.effort < len(EFFORTS):
            raise ValueError(f"effort must be 0 to {len(EFFORTS) - 1}, not {self.effort}")
        if self.tile not in TILES:
            raise ValueError(f"tile must be one of {', '.join(map(str, TILES))} pixels, not {self.tile}")
        if self.resampling not in (None, *FACTORS):
            raise ValueError(
                f"resampling must be one of {', '.join(map(str, FACTORS))}, not {self.resampling}"
            )
        if sum(each is not None for each in (self.quality, self.stages, self.target)) > 1:
            raise ValueError(
                "quality, stages and target exclude each other: each of them chooses the quality"
            )

    @property
    def tile_log2(self) -> int:
        return self.tile.bit_length() - 1


def _whole(name: str, value: SupportsIndex | None) -> int | None:
    """An int of any kind of whole number, such as numpy's; None of None. Raises ValueError for others."""
    try:
        return None if value is None else index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None


@dataclass(frozen=True, slots=True)
class Made:
    """What an encode made: quality, stages (None of a model without), bytes, estimate, resampling."""

    quality: float
    stages: int | None
    bytes: int
    estimated_bits: float
    resampling: int = 1


Encoder = Callable[[Frame, BinaryIO, Progress], Made]


def encoder_for(spec: zoo.ModelSpec, device: str, wish: Wish) -> Encoder:
    """Load the model and give what encodes a frame into a stream, and can raise TargetError.

    Raises:
        ValueError: quality, stages or target that the model does not have.
    """
    if wish.target and spec.quality is not None:
        raise ValueError("a target chooses the quality: give a model that has more than one")
    zoo.check_stages(spec, wish.stages)
    quality = zoo.quality_for(spec, wish.quality)
    if wish.resilience is not None and not spec.stages:
        raise ValueError(
            f"model '{spec.name}' does not code in stages: only files of one that does are resilient"
        )
    if spec.stages:
        if (wish.resampling or 1) > 1:
            raise ValueError(f"model '{spec.name}' codes in stages: such pictures are not resampled")
        if wish.effort > DEFAULT_EFFORT:
            raise ValueError(f"model '{spec.name}' takes no effort of {wish.effort}: {REFINABLE}")
        return _StagedEncoder(codecs.load_staged(spec, device), wish, quality).encode
    codec = with_effort(codecs.load(spec, device), wish.effort)
    return _StillEncoder(codec, wish, quality).encode


def _all_windows(progress: Progress, windows: int) -> Progress:
    """What tells the iterations of one window after another as those of the whole picture."""
    told = count(1)
    return lambda done, total: progress(next(told), windows * total)


def _quiet(done: int, total: int) -> None:
    """Of tiles, where iterations are told."""


@dataclass(frozen=True, slots=True)
class _StillEncoder:
    codec: StillCodec
    wish: Wish
    quality: float

    def encode(self, frame: Frame, stream: BinaryIO, progress: Progress) -> Made:
        wish, codec = self.wish, self.codec
        if wish.target:
            made = meet(wish.target, frame, codec, progress, wish.tile_log2, wish.resampling)
            write_all(stream, made.data)
            return Made(made.quality, None, len(made.data), made.estimated_bits, made.resampling)
        resampling = wish.resampling or 1
        header = header_of(frame, codec, self.quality, wish.tile_log2, resampling=resampling)
        writer = Writer(stream, header, frame.metadata)
        if isinstance(codec, RefinedCodec):
            windows = len(blocks_of((0, 0, header.width, header.height), header))
            codec, progress = replace(codec, step=_all_windows(progress, windows)), _quiet
        bits = write_still(Coded.of(frame, header), writer, header, codec, progress)
        return Made(self.quality, None, writer.bytes_written, bits, resampling)


@dataclass(frozen=True, slots=True)
class _StagedEncoder:
    codec: StagedCodec
    wish: Wish
    quality: float

    def encode(self, frame: Frame, stream: BinaryIO, progress: Progress) -> Made:
        if self.wish.target:
            made, stages = meet_staged(
                self.wish.target, frame, self.codec, progress, self.wish.tile_log2, self.wish.resilience
            )
            write_all(stream, made.data)
            return Made(made.quality, stages, len(made.data), made.estimated_bits)
        stages, quality = self.wish.stages, self.quality
        if stages is None:
            stages = self.codec.stages_for(quality)
        else:
            quality = quality_of(stages, len(self.codec.strides))
        header = header_of(frame, self.codec, quality, self.wish.tile_log2, stages)
        if self.wish.resilience is not None:
            header = replace(
                header, spread=spread_for(frame.width * frame.height, stages, self.wish.resilience)
            )
        writer = Writer(stream, header, frame.metadata)
        bits = write_staged(frame, writer, header, self.codec, progress)
        return Made(quality, stages, writer.bytes_written, sum(bits))
