"""The quality that meets a target: a file's size, its bits per pixel, or a PSNR."""

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ..bitstream.limits import Limits
from ..bitstream.reader import Reader
from ..bitstream.resampling import FACTORS
from ..bitstream.writer import Writer
from ..models.codecs import StagedCodec, StillCodec
from .alpha import alpha_to_png
from .cutting import rewritten
from .distortion import psnr_db
from .errors import MediaWarning, TargetError
from .frame import Frame
from .resampling import reduced
from .resilience import spread_for
from .staged import quality_of, read_staged, write_staged
from .still import DEFAULT_TILE_LOG2, Coded, header_of, read_still, write_still
from .wish import Aim, Target

Progress = Callable[[int, int], None]

MAX_ENCODES = 14
FINEST = 0.01  # of quality: what a header can hold
CROWDED = 0.5  # of a target: a larger share for metadata and alpha is seldom meant


@dataclass(frozen=True, slots=True)
class Attempt:
    """One encode: its quality and resampling, what was aimed at as it came out, the file, its estimate."""

    quality: float
    found: float
    data: bytes
    estimated_bits: float
    resampling: int = 1


def search(target: Target, make: Callable[[float], Attempt]) -> Attempt:
    """The attempt that meets `target`: the best picture of at most the size, or the smallest with the PSNR.

    Both rise with quality. A straight line through the ends of the bracket guesses well, and halving the
    miss of an end that stays (the Illinois rule) keeps both ends moving.

    Raises:
        TargetError: quality 0 is too large, or quality 100 not good enough.
    """
    low, high = target.accepted
    sized = target.aim is not Aim.PSNR_DB
    below = make(0.0)
    below_miss = target.miss(below.found)
    if sized and below_miss > high:
        raise TargetError(_unreachable(target, "no less than ", below))
    above = make(100.0)
    above_miss = target.miss(above.found)
    if not sized and above_miss < low:
        raise TargetError(_unreachable(target, "", above))
    if sized and above_miss <= high:
        return above
    if low <= below_miss and not (sized and below_miss > high):
        return below
    aim = (low + high) / 2
    for _ in range(MAX_ENCODES - 2):
        share = min(max((aim - below_miss) / (above_miss - below_miss), 0.02), 0.98)
        attempt = make(round(below.quality + share * (above.quality - below.quality), 2))
        miss = target.miss(attempt.found)
        if low <= miss <= high:
            return attempt
        if miss < aim:
            below, below_miss, above_miss = attempt, miss, aim + (above_miss - aim) / 2
        else:
            above, above_miss, below_miss = attempt, miss, aim + (below_miss - aim) / 2
        if above.quality - below.quality <= FINEST * 1.5:
            break
    return below if sized else above


def _unreachable(target: Target, limit: str, nearest: Attempt) -> str:
    smaller = f" at resampling {nearest.resampling}" if nearest.resampling > 1 else ""
    return (
        f"a target of {target.value:g} {target.aim.value} cannot be met: quality {nearest.quality:g}"
        f"{smaller} gives {limit}{nearest.found:.6g}"
    )


def meet(
    target: Target,
    frame: Frame,
    codec: StillCodec,
    progress: Progress,
    tile_log2: int = DEFAULT_TILE_LOG2,
    resampling: int | None = None,
) -> Attempt:
    """Encode `frame` until it meets the target; progress counts the attempts, of which few are needed.

    Args:
        resampling: by which the sides are divided; None for as little as the target's size asks for.
    Raises:
        TargetError: no quality meets it.
    """
    tries = 0
    alpha = None if frame.alpha is None else alpha_to_png(frame.alpha)
    _check_passengers(target, frame, alpha)

    def encoder(factor: int) -> Callable[[float], Attempt]:
        picture = reduced(frame, header_of(frame, codec, 0, tile_log2, resampling=factor))

        @cache
        def make(quality: float) -> Attempt:
            nonlocal tries
            progress(min(tries, MAX_ENCODES - 1), MAX_ENCODES)
            tries += 1
            stream = io.BytesIO()
            header = header_of(frame, codec, quality, tile_log2, resampling=factor)
            writer = Writer(stream, header, frame.metadata)
            bits = write_still(Coded(picture, alpha), writer, header, codec, _silent)
            data = stream.getvalue()
            return Attempt(quality, _found(target, frame, codec, data), data, bits, factor)

        return make

    if resampling is not None or target.aim is Aim.PSNR_DB:
        made = search(target, encoder(resampling or 1))
    else:
        made = _least_resampled(target, _factors(frame), encoder)
    progress(MAX_ENCODES, MAX_ENCODES)
    return made


def _check_passengers(target: Target, frame: Frame, alpha: bytes | None) -> None:
    """Raises TargetError where metadata and alpha, which no quality makes smaller, are too large alone.

    Warns where they take more than half of the target.
    """
    if target.aim is Aim.PSNR_DB:
        return
    metadata, opacity = frame.metadata.byte_count, len(alpha or b"")
    share = _measured_size(target, frame, metadata + opacity) / target.value
    what = f"{metadata} bytes of metadata and {opacity} of alpha are kept as they are"
    if share >= 1:
        raise TargetError(
            f"a target of {target.value:g} {target.aim.value} cannot be met: {what} "
            "(--metadata none leaves out the former)"
        )
    if share > CROWDED:
        warnings.warn(f"{what}: {share:.0%} of the target, and the picture gets the rest", MediaWarning, 2)


def _factors(frame: Frame) -> list[int]:
    """Those that make a picture smaller than the one before, from 1 on."""
    sizes = {(-(-frame.width // factor), -(-frame.height // factor)): factor for factor in FACTORS[::-1]}
    return sorted(sizes.values())


def _least_resampled(
    target: Target, factors: Sequence[int], encoder: Callable[[int], Callable[[float], Attempt]]
) -> Attempt:
    """The attempt that meets the target's size with the picture as large as can be.

    At equal size the larger picture of quality 0 has the better PSNR: the models were trained so low.

    Raises:
        TargetError: no quality at any factor meets it.
    """
    smallest: list[Attempt] = []
    for factor in factors:
        make = encoder(factor)
        smallest.append(make(0.0))
        if target.miss(smallest[-1].found) <= target.accepted[1]:
            return search(target, make)
    nearest = min(smallest, key=lambda attempt: attempt.found)
    raise TargetError(_unreachable(target, "no less than ", nearest))


def _found(target: Target, frame: Frame, codec: StillCodec, data: bytes) -> float:
    """What was aimed at, as it came out in a file."""
    if target.aim is not Aim.PSNR_DB:
        return _measured_size(target, frame, len(data))
    decoded = read_still(Reader(io.BytesIO(data), Limits.none()), codec, None, _silent)
    return psnr_db(frame.oriented().pixels, decoded.pixels)


def meet_staged(
    target: Target,
    frame: Frame,
    codec: StagedCodec,
    progress: Progress,
    tile_log2: int,
    resilience: int | None = None,
) -> tuple[Attempt, int]:
    """The file that meets the target, and its stages: the most of at most a size, the fewest with a PSNR.

    It is encoded once, with all stages.
    Raises:
        TargetError: one stage is too large, or all are not good enough.
    """
    count = len(codec.strides)
    stream = io.BytesIO()
    header = header_of(frame, codec, quality_of(count, count), tile_log2, count)
    bits = write_staged(frame, Writer(stream, header, frame.metadata), header, codec, progress)
    reader = Reader(stream.getvalue(), Limits.none())
    _check_passengers(target, frame, reader.alpha)
    parts = list(reader.tiles())
    sized = target.aim is not Aim.PSNR_DB
    attempt = None
    for stages in range(count, 0, -1) if sized else range(1, count + 1):
        quality = quality_of(stages, count)
        data = rewritten(
            reader,
            parts,
            replace(
                header,
                stages=stages,
                quality_centi=round(quality * 100),
                spread=spread_for(frame.width * frame.height, stages, resilience) if resilience else None,
            ),
        )
        if sized:
            found = _measured_size(target, frame, len(data))
        else:
            decoded = read_staged(Reader(data, Limits.none()), codec, None, _silent)
            found = psnr_db(frame.oriented().pixels, decoded.pixels)
        attempt = Attempt(quality, found, data, sum(bits[:stages]))
        if found <= target.value if sized else found >= target.value:
            return attempt, stages
    assert attempt is not None, "a model has at least one stage"
    raise TargetError(_unreachable(target, "no less than " if sized else "", attempt))


def _measured_size(target: Target, frame: Frame, size: int) -> float:
    """Of so many bytes, in what the target is measured in: bytes, or bits per pixel."""
    return size / (1 if target.aim is Aim.BYTES else frame.width * frame.height / 8)


def _silent(done: int, total: int) -> None:
    """Tiles of one attempt: the attempts are what is counted."""
