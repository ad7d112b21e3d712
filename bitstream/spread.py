"""How the stages of a still are spread over shares: what its header says of them."""

from dataclasses import dataclass, replace

MAX_SHARES = 255
MAX_FRONT = 4  # ICC, EXIF, XMP and alpha


@dataclass(frozen=True, slots=True)
class Spread:
    """Shares of a still in stages, any few of which are a picture.

    Attributes:
        count: shares of the file, 2 to 255.
        needed: of each stage, how many intact shares give it back: 1 to `count`, never fewer than the stage
            before it needs.
        front: chunks of metadata and alpha before the first share: damage behind so many is damage to shares.
    Raises:
        ValueError: outside of that.
    Source: FORMAT.md section 8; Albanese et al. 1996, "Priority encoding transmission".
    """

    count: int
    needed: tuple[int, ...]
    front: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.count <= MAX_SHARES:
            raise ValueError(f"the shares of a file must be 2 to {MAX_SHARES}, not {self.count}")
        if not self.needed or not all(1 <= each <= self.count for each in self.needed):
            raise ValueError(f"each stage must need 1 to {self.count} shares, not {list(self.needed)}")
        if list(self.needed) != sorted(self.needed):
            raise ValueError(f"no stage can need fewer shares than the one before it: {list(self.needed)}")
        if not 0 <= self.front <= MAX_FRONT:
            raise ValueError(f"0 to {MAX_FRONT} chunks can come before the first share, not {self.front}")

    def first(self, stages: int) -> "Spread":
        """The same of fewer stages."""
        return replace(self, needed=self.needed[:stages])

    def encode(self) -> bytes:
        """The fields of the header."""
        return bytes([self.count, *self.needed, self.front])


def parse_spread(payload: bytes, position: int, stages: int) -> tuple[Spread, int]:
    """Read the fields of the header; returns them and the position behind. Raises ValueError: not valid."""
    behind = position + 1 + stages
    if len(payload) <= behind:
        raise ValueError("it is cut off")
    return Spread(payload[position], tuple(payload[position + 1 : behind]), payload[behind]), behind + 1
