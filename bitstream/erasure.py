"""An erasure code: from any k of n slices all others, byte by byte, over the field of 256 elements.

Reed and Solomon 1960, "Polynomial codes over certain finite fields", in the systematic form that disk arrays
use: the first k slices are the data itself.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import accumulate

_POLYNOMIAL = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1, of which 2 generates all elements but 0
_ORDER = 255


def _doubled(element: int, _: int) -> int:
    return element << 1 ^ (_POLYNOMIAL if element & 0x80 else 0)


_POWERS = tuple(accumulate(range(_ORDER - 1), _doubled, initial=1))  # of 2
_LOGS = {power: exponent for exponent, power in enumerate(_POWERS)}


@lru_cache(maxsize=_ORDER)
def _times(exponent: int) -> bytes:
    """A table: each byte multiplied by 2 to the exponent."""
    products = (_POWERS[(_LOGS[element] + exponent) % _ORDER] for element in range(1, 256))
    return bytes([0, *products])


def interpolate(known: Mapping[int, bytes], wanted: Iterable[int]) -> list[bytes]:
    """Evaluate, at each byte, the polynomial of lowest degree through what is known.

    Args:
        known: slices of one length by their point, 0 to 255; at least one.
        wanted: points.
    Returns:
        the slice at each point that is wanted, by Lagrange's formula.
    """
    size = len(next(iter(known.values())))
    spans = {
        point: sum(_LOGS[point ^ other] for other in known if other != point) for point in known
    }  # the denominators
    found: list[bytes] = []
    for point in wanted:
        if point in known:
            found.append(known[point])
            continue
        product = sum(_LOGS[point ^ other] for other in known)
        total = 0
        for other, data in known.items():
            share = (product - _LOGS[point ^ other] - spans[other]) % _ORDER
            total ^= int.from_bytes(data.translate(_times(share)), "little")
        found.append(total.to_bytes(size, "little"))
    return found
