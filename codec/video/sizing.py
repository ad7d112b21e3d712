"""A clip's file of at most a size: a bitrate that leaves room for all else, and another try if need be."""

import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol, TypeVar

from ..errors import MediaWarning, TargetError
from .plan import Plan
from .rate import TOLERANCE, RateControl
from .survey import Survey

_MARGIN = 0.015  # of the size, which the frames' bitrate may be missed by
_FRONT_BYTES = 400  # header, tags and index, more or less
_TRIES = 3
_LEAST_BITS_PER_S = 1e-3  # the rate control answers it with quality 0 throughout


class Made(Protocol):
    """What an attempt came to."""

    @property
    def bytes(self) -> int:
        """Of the whole file."""
        ...


Result = TypeVar("Result", bound=Made)


def meet_size(
    size: int,
    plan: Plan,
    found: Survey,
    attempt: Callable[[BinaryIO, Plan], tuple[Result, RateControl | None]],
    stream: BinaryIO,
) -> Result:
    """Encode to a file of at most `size` bytes and write it to `stream`.

    One attempt is enough as a rule, as the rate control goes by the frames that are left. Each is kept in a
    file without a name until it is known to be small enough.

    Raises:
        TargetError: quality 0 for every frame takes more, or what travels along does. ValueError: a clip of
        unknown length.
    Warns:
        MediaWarning: the clip is too short to come near the size.
    """
    target = f"a target of {size} bytes"
    if not found.length_s:
        raise ValueError(f"{target} needs a clip whose frames have times")
    room_bits = 8 * (size * (1 - _MARGIN) - found.stream_bytes - _FRONT_BYTES)
    if found.packet_bytes >= size:
        raise TargetError(f"{target} cannot be met: what is no picture takes {found.packet_bytes}")
    rate, tries = max(room_bits / found.length_s, _LEAST_BITS_PER_S), 0
    while True:
        tries += 1
        with TemporaryFile() as file:
            result, control = attempt(file, replace(plan, bits_per_s=rate, length_s=found.length_s))
            assert control is not None, "a plan with a bitrate is controlled"
            if result.bytes <= size:
                if result.bytes < size * (1 - TOLERANCE):
                    warnings.warn(
                        f"{target} is {_why(control)}: it became {result.bytes}", MediaWarning, stacklevel=2
                    )
                file.seek(0)
                shutil.copyfileobj(file, stream)
                return result
        if control.is_lowest_throughout:
            raise TargetError(
                f"{target} cannot be met: quality 0 throughout takes {result.bytes}; "
                "fewer pixels or frames per second would need less"
            )
        others = 8 * result.bytes - control.bits
        # What went wrong once goes wrong again: each time with more room.
        rate *= (8 * size * (1 - _MARGIN * (1 + tries)) - others) / control.bits
        if control.is_at_lowest or tries >= _TRIES or rate < _LEAST_BITS_PER_S:
            rate = _LEAST_BITS_PER_S


def _why(control: RateControl) -> str:
    """Why a file is much smaller than its target."""
    if control.is_at_highest:
        return "more than quality 100 needs"
    return "met with quality 0 throughout alone" if control.is_lowest_throughout else "for a long clip"
