"""How much smaller the coded pixels of a still are than the picture it shows: what its header says of it."""

from dataclasses import dataclass

FACTORS = (1, 2, 4, 8)  # by which the sides of a picture may be divided before it is coded


@dataclass(frozen=True, slots=True)
class Resampling:
    """A factor, and what the enlarged picture is cut by, since sides need not be multiples of it.

    Attributes:
        factor: sides of the enlarged picture are so many times those of the coded one: 2, 4 or 8.
        columns, rows: how many of the last ones of the enlarged picture are not shown, 0 to factor - 1.
    Raises:
        ValueError: outside of that.
    Source: FORMAT.md section 5.
    """

    factor: int
    columns: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        if self.factor not in FACTORS[1:]:
            raise ValueError(f"the factor of a resampled picture must be 2, 4 or 8, not {self.factor}")
        if not (0 <= self.columns < self.factor and 0 <= self.rows < self.factor):
            raise ValueError(
                f"{self.columns} columns and {self.rows} rows are cut off: 0 to {self.factor - 1} can be"
            )

    @classmethod
    def of(cls, factor: int, width: int, height: int) -> "Resampling | None":
        """That of a picture of width x height pixels; None for the factor 1."""
        return cls(factor, -width % factor, -height % factor) if factor > 1 else None

    def encode(self) -> bytes:
        """The field of the header."""
        return bytes([self.factor.bit_length() - 1 | self.columns << 2 | self.rows << 5])


def parse_resampling(field: int) -> Resampling:
    """Read the field of the header. Raises ValueError where it has no meaning."""
    return Resampling(1 << (field & 3), field >> 2 & 7, field >> 5)
