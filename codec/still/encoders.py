"""One picture encoded as it was asked for: by quality, by number of stages, or to meet a target."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import BinaryIO

from ...bitstream.streams import write_all
from ...bitstream.writer import Writer
from ...models import codecs
from ...models.codecs import StagedCodec, StillCodec
from ...models.refinement import RefinedCodec, with_effort
from ...models.spec import ModelSpec
from ..frame import Frame
from ..progress import Progress, quiet
from ..wish import Wish
from .coding import Coded, write_still
from .header import header_of
from .resilience import spread_for
from .staged import quality_of, write_staged
from .staged_targets import meet_staged
from .targets import meet
from .tiles import blocks_of, whole_box


@dataclass(frozen=True, slots=True)
class Made:
    """What an encode made: quality, stages (None of a model without), bytes, estimate, resampling."""

    quality: float
    stages: int | None
    bytes: int
    estimated_bits: float
    resampling: int = 1


Encoder = Callable[[Frame, BinaryIO, Progress], Made]


def encoder_for(spec: ModelSpec, device: str, wish: Wish) -> Encoder:
    """Load the model and give what encodes a frame into a stream, and can raise TargetError.

    Raises:
        ValueError: quality, stages or target that the model does not have.
    """
    quality = wish.quality_of(spec)
    if spec.stages:
        return _StagedEncoder(codecs.load_staged(spec, device), wish, quality).encode
    codec = with_effort(codecs.load(spec, device), wish.effort)
    return _StillEncoder(codec, wish, quality).encode


def _all_windows(progress: Progress, windows: int) -> Progress:
    """What tells the iterations of one window after another as those of the whole picture."""
    told = count(1)
    return lambda done, total: progress(next(told), windows * total)


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
            windows = len(blocks_of(whole_box(header), header))
            codec, progress = replace(codec, step=_all_windows(progress, windows)), quiet  # not of tiles too
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
