"""Times in seconds as people and floats say them, exactly."""

from fractions import Fraction

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


def meant(seconds: Fraction | float, tick: Fraction) -> Fraction:
    """The time that is meant, seconds: that of a tick, where it is no further off than a float's last bits.

    Late in a clip a float holds too few digits for `exact` alone to find the fraction.
    Raises:
        ValueError: infinite, or no number.
    """
    ticks = exact(seconds) / tick
    near = round(ticks)
    return (near if abs(ticks - near) < _HAIR else ticks) * tick
