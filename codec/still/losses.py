"""What a damaged still has lost, and what is shown in its place. No numpy, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...bitstream.errors import LinnetError
from ...bitstream.header import Header

_NAMED = 8  # tiles that a sentence names


@dataclass(frozen=True, slots=True)
class Losses:
    """What is not as it was encoded.

    Attributes:
        damage: what was found wrong with the file, in the order in which it was met.
        parts: of the whole file, tiles or stages of tiles; lost: how many of them are not shown.
        stages: that the file had, 0 if it has none.
        concealed: numbers of the tiles of which nothing is left. Of a still in stages they show what their
            neighbours make probable, of any other nothing but grey.
        coarser: of a still in stages, tile and number of stages shown, where these are fewer than `stages`.
        alpha: whether the alpha plane is lost.
        shares, shares_lost: of a still whose stages are spread over shares; 0 of any other.
    """

    damage: tuple[LinnetError, ...]
    parts: int
    lost: int
    stages: int
    concealed: tuple[int, ...] = ()
    coarser: tuple[tuple[int, int], ...] = ()
    alpha: bool = False
    shares: int = 0
    shares_lost: int = 0

    def describe(self) -> str:
        """In a line, such as "3 of 24 parts lost: tile 2 concealed from its neighbours"."""
        what = "parts" if self.stages else "tiles"
        counts = set(dict(self.coarser).values())
        if self.shares and len(counts) == 1 and len(self.coarser) * self.stages == self.parts:
            shown = [f"shown with {counts.pop()} of {self.stages} stages"]
        elif self.stages:
            shown = [
                _listed(self.concealed, "concealed from its neighbours", "concealed from their neighbours")
            ]
            for count in sorted({count for _, count in self.coarser}, reverse=True):
                tiles = [tile for tile, stages in self.coarser if stages == count]
                shown.append(_listed(tiles, f"shown with {count} of {self.stages} stages"))
        else:
            shown = [_listed(self.concealed, "shown grey")]
        if self.alpha:
            shown.append("alpha lost: shown opaque")
        words = ", ".join(each for each in shown if each)
        lost, count = (self.shares_lost, self.shares) if self.shares else (self.lost, self.parts)
        what = "shares" if self.shares else what
        return f"{lost or 'none'} of {count} {what} lost" + (f": {words}" if words else "")


def losses_of(
    header: Header,
    damage: Sequence[LinnetError],
    known: dict[int, int],
    alpha: bool,
    intact_shares: int | None = None,
) -> Losses | None:
    """What is lost of a file.

    Args:
        damage: what was found wrong.
        known: for each tile of which something was decoded, how many stages (1 without stages).
        alpha: whether the alpha plane is lost.
        intact_shares: of a still in shares.
    Returns:
        None if nothing was wrong.
    """
    if not damage:
        return None
    stages = max(1, header.stages)
    tiles = range(header.tile_count)
    return Losses(
        damage=tuple(damage),
        parts=header.part_count,
        lost=header.part_count - sum(known.values()),
        stages=header.stages,
        concealed=tuple(tile for tile in tiles if tile not in known),
        coarser=tuple((tile, known[tile]) for tile in tiles if 0 < known.get(tile, 0) < stages),
        alpha=alpha,
        shares=header.spread.count if header.spread else 0,
        shares_lost=header.spread.count - (intact_shares or 0) if header.spread else 0,
    )


def _listed(tiles: Sequence[int], one: str, many: str | None = None) -> str:
    """ "tile 2 shown", "tiles 2, 3 shown", or nothing."""
    if not tiles:
        return ""
    if len(tiles) == 1:
        return f"tile {tiles[0]} {one}"
    named = ", ".join(map(str, tiles[:_NAMED]))
    more = f" and {len(tiles) - _NAMED} more" if len(tiles) > _NAMED else ""
    return f"tiles {named}{more} {many or one}"
