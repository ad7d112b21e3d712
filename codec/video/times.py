"""Times and rates as people, floats and packets say them, exactly."""

from fractions import Fraction

from ...bitstream.clip_packets import Packet
from ...bitstream.clip_streams import Stream

DEFAULT_RATE = Fraction(25)  # frames per second, where none is known and one is needed
_HAIR = Fraction(1, 1000)  # of a tick
_FINEST = 10**9  # denominators up to here are meant, finer ones are a float's last bits


def exact(seconds: Fraction | float) -> Fraction:
    """The fraction that a float stands for: 4/25 for 0.16, 1001/6000 for 0.16683333333333333.

    Raises:
        ValueError: infinite, or no number.
    """
    try:
        return Fraction(seconds).limit_denominator(_FINEST)
    except OverflowError:
        raise ValueError(f"expected a finite number, not {seconds}") from None


def meant_ticks(seconds: Fraction | float, tick: Fraction) -> Fraction:
    """The time that is meant, in ticks: a whole one, where that is no further off than a float's last bits.

    Late in a clip a float holds too few digits for `exact` alone to find the fraction.
    Raises:
        ValueError: infinite, or no number.
    """
    ticks = exact(seconds) / tick
    near = round(ticks)
    return Fraction(near) if abs(ticks - near) < _HAIR else ticks


def meant_rate(rate: Fraction | float) -> Fraction:
    """Frames per second as a simple fraction, where that is the same rate.

    Raises:
        ValueError: infinite, or no number.
    """
    found = exact(rate)
    simple = found.limit_denominator(1001)
    return simple if abs(simple - found) <= found / 10**5 else found


def begin_s(packet: Packet, stream: Stream) -> Fraction | None:
    """When a packet of a stream is presented, or decoded if that is all that it says; None if nothing."""
    ticks = packet.time if packet.time is not None else packet.decode_time
    return None if ticks is None else ticks * stream.tick
