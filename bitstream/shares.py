"""Parts of a still spread over shares, and back from as many shares as are left."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .chunk_types import ChunkType
from .erasure import interpolate
from .errors import CorruptFileError
from .header import Header
from .pieces import Coded, decode_piece, encode_pieces
from .spread import Spread
from .varint import decode_varint, encode_varint

NUMBER_BYTES = 1
_CHUNK = ChunkType.SHARE.name.lower()


def encode_shares(spread: Spread, stages: Sequence[Sequence[Coded]]) -> list[bytes]:
    """The payload of each share's chunk, from the tiles of each stage."""
    data = [encode_pieces(tiles) for tiles in stages]
    data[0] = b"".join(encode_varint(len(each)) for each in data) + data[0]
    numbers = range(spread.count)
    sliced = [
        interpolate(_slices(each, needed), numbers) for each, needed in zip(data, spread.needed, strict=True)
    ]
    length = encode_varint(len(sliced[0][0]))
    return [bytes([number]) + length + b"".join(each[number] for each in sliced) for number in numbers]


def _slices(data: bytes, count: int) -> dict[int, bytes]:
    """Data in `count` pieces of one length, with zeros at the end."""
    length = -(-len(data) // count)
    padded = data.ljust(length * count, b"\0")
    return {number: padded[number * length : (number + 1) * length] for number in range(count)}


def misfits(shares: Mapping[int, bytes]) -> list[int]:
    """Numbers of the shares, given without their number field, that are not of one file with most of them."""
    looks = {number: (_first_length(data), len(data)) for number, data in shares.items()}
    ((usual, _),) = Counter(looks.values()).most_common(1)
    return [number for number, look in looks.items() if look != usual or look[0] is None]


def _first_length(data: bytes) -> int | None:
    """How long a share says that its slice of stage 0 is."""
    try:
        length, position = decode_varint(data, 0)
    except ValueError:
        return None
    return length if 0 < length <= len(data) - position else None


def recover(header: Header, shares: Mapping[int, bytes]) -> Iterator[list[Coded]]:
    """Give the tiles of one stage after the other, of as many as the shares suffice for.

    Args:
        shares: without their number field, by number; such as fit each other.
    Raises:
        CorruptFileError: there are more shares than a stage needs, and they contradict each other; or what
            they give is not valid.
    """
    spread = header.spread
    if spread is None or len(shares) < spread.needed[0]:
        return
    length, start = decode_varint(next(iter(shares.values())), 0)
    first = {number: data[start : start + length] for number, data in shares.items()}
    data = _whole(first, spread.needed[0], 0)
    sizes, position = _sizes(data, header.stages)
    lengths = [-(-size // needed) for size, needed in zip(sizes, spread.needed, strict=True)]
    lengths[0] = -(-(position + sizes[0]) // spread.needed[0])
    if lengths[0] != length or {start + sum(lengths)} != {len(data) for data in shares.values()}:
        raise _invalid("the lengths of the stages do not add up to those of the shares")
    yield _split(data[position:], sizes[0], header.tile_count, 0)
    place = start + length
    for stage, needed in enumerate(spread.needed[1:], 1):
        if len(shares) < needed:
            return
        slices = {number: data[place : place + lengths[stage]] for number, data in shares.items()}
        place += lengths[stage]
        yield _split(_whole(slices, needed, stage), sizes[stage], header.tile_count, stage)


def _whole(slices: Mapping[int, bytes], needed: int, stage: int) -> bytes:
    """The data of a stage, padding included; the slices that it does not need must agree."""
    numbers = sorted(slices)
    used = {number: slices[number] for number in numbers[:needed]}
    spare = numbers[needed:]
    if interpolate(used, spare) != [slices[number] for number in spare]:
        raise _invalid(f"the shares contradict each other in stage {stage}")
    return b"".join(interpolate(used, range(needed)))


def _sizes(data: bytes, stages: int) -> tuple[list[int], int]:
    """The length of each stage's data, and where these end."""
    sizes: list[int] = []
    position = 0
    try:
        for _ in range(stages):
            size, position = decode_varint(data, position)
            sizes.append(size)
    except ValueError:
        raise _invalid("the lengths of the stages are cut off") from None
    return sizes, position


def _split(data: bytes, size: int, tiles: int, stage: int) -> list[Coded]:
    """The tiles of a stage."""
    if size > len(data) or any(data[size:]):
        raise _invalid(f"stage {stage} has {len(data)} bytes of {size}, or no zeros behind them")
    data, position = data[:size], 0
    found: list[Coded] = []
    for tile in range(tiles):
        try:
            piece, position = decode_piece(data, position, f"tile {tile}", is_last=tile == tiles - 1)
        except ValueError:
            raise _invalid(f"stage {stage} ends within tile {tile} of {tiles}") from None
        found.append(piece)
    return found


def _invalid(why: str) -> CorruptFileError:
    return CorruptFileError(why, chunk=_CHUNK)
