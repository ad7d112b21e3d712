"""The shares of one file, taken together: as many stages as they suffice for, and what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .chunk_types import ChunkType
from .errors import CorruptFileError, LinnetError
from .header import Header
from .pieces import Coded
from .shares import misfits, recover

_CHUNK = ChunkType.SHARE.name.lower()


class Share(Protocol):
    """A share's chunk: its number, its payload behind that, and where it stands."""

    @property
    def index(self) -> int: ...

    @property
    def payload(self) -> bytes: ...

    @property
    def offset(self) -> int: ...


@dataclass(slots=True)
class Gathered:
    """What a file in shares still holds.

    Attributes:
        intact: shares that could be used.
        stages: the tiles of each stage that could be recovered, from the first one on.
        errors: what is wrong, in the order of the file.
        share_bytes: of the payloads of all shares.
    """

    intact: int = 0
    stages: list[list[Coded]] = field(default_factory=list)
    errors: list[LinnetError] = field(default_factory=list)
    share_bytes: int = 0

    @property
    def coded_bytes(self) -> int:
        """Of the entropy-coded payloads."""
        return sum(len(tile.payload) for tiles in self.stages for tile in tiles)


def gather(header: Header, shares: Iterable[Share], errors: list[LinnetError]) -> Gathered:
    """Take all shares of a file together.

    Args:
        shares: in the order of the file.
        errors: what whoever reads the shares adds damage to as it is met.
    """
    found = {share.index: share for share in shares}
    out = Gathered(errors=errors, share_bytes=sum(len(share.payload) for share in found.values()))
    if not found:
        return out
    for number in misfits({number: share.payload for number, share in found.items()}):
        share = found.pop(number)
        errors.append(
            CorruptFileError(f"share {number} does not fit the others", chunk=_CHUNK, offset=share.offset)
        )
    out.intact = len(found)
    try:
        for tiles in recover(header, {number: share.payload for number, share in found.items()}):
            out.stages.append(tiles)
    except CorruptFileError as error:
        errors.append(error)
    return out


def too_few(error: LinnetError, header: Header, shares: Gathered) -> LinnetError:
    """Damage that cannot be made good, with the reason why not."""
    spread, stage = header.spread, len(shares.stages)
    if spread is None or stage == header.stages or shares.intact >= spread.needed[stage]:
        return error
    left = f"{shares.intact} of {spread.count} shares are left, stage {stage} needs {spread.needed[stage]}"
    return type(error)(f"{error.message}; {left}", chunk=error.chunk, offset=error.offset)
