"""Times in seconds as people and floats say them, exactly."""

from fractions import Fraction

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
