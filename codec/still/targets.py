"""A picture encoded to meet a target: a file's size, its bits per pixel, or a PSNR."""

import io
import warnings
from collections.abc import Callable, Sequence
from functools import cache

from ...bitstream.limits import Limits
from ...bitstream.reader import Reader
from ...bitstream.resampling import FACTORS
from ...bitstream.writer import Writer
from ...models.codecs import StillCodec
from ..distortion import psnr_db
from ..errors import MediaWarning, TargetError
from ..frame import Frame
from ..progress import Progress, quiet
from ..wish import Aim, Target
from .alpha import alpha_to_png
from .coding import Coded, read_still, write_still
from .header import DEFAULT_TILE_LOG2, header_of
from .resampling import reduced
from .search import MAX_ENCODES, Attempt, search, unreachable

CROWDED = 0.5  # of a target: a larger share for metadata and alpha is seldom meant


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
    check_passengers(target, frame, alpha)

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
            bits = write_still(Coded(picture, alpha), writer, header, codec, quiet)
            data = stream.getvalue()
            return Attempt(quality, _found(target, frame, codec, data), data, bits, factor)

        return make

    if resampling is not None or target.aim is Aim.PSNR_DB:
        made = search(target, encoder(resampling or 1))
    else:
        made = _least_resampled(target, _factors(frame), encoder)
    progress(MAX_ENCODES, MAX_ENCODES)
    return made


def check_passengers(target: Target, frame: Frame, alpha: bytes | None) -> None:
    """Raises TargetError where metadata and alpha, which no quality makes smaller, are too large alone.

    Warns where they take more than half of the target.
    """
    if target.aim is Aim.PSNR_DB:
        return
    metadata, opacity = frame.metadata.byte_count, len(alpha or b"")
    share = measured_size(target, frame, metadata + opacity) / target.value
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
    raise TargetError(unreachable(target, "no less than ", nearest))


def _found(target: Target, frame: Frame, codec: StillCodec, data: bytes) -> float:
    """What was aimed at, as it came out in a file."""
    if target.aim is not Aim.PSNR_DB:
        return measured_size(target, frame, len(data))
    decoded = read_still(Reader(io.BytesIO(data), Limits.none()), codec, None, quiet)
    return psnr_db(frame.oriented().pixels, decoded.pixels)


def measured_size(target: Target, frame: Frame, size: int) -> float:
    """Of so many bytes, in what the target is measured in: bytes, or bits per pixel."""
    return size / (1 if target.aim is Aim.BYTES else frame.width * frame.height / 8)
