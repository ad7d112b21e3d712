"""`linnet.verify`: every checksum of a file, and if asked for every symbol, without a picture."""

from collections.abc import Callable
from dataclasses import dataclass

from ..bitstream.body import Tile
from ..bitstream.clip_frames import CodedFrame
from ..bitstream.clip_reader import ClipReader
from ..bitstream.errors import CorruptFileError, LinnetError
from ..bitstream.limits import Limits
from ..bitstream.reader import Reader
from .files.lookahead import with_lookahead
from .files.opening import Source, opened
from .video.kind import holds_clip


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verify looked at: `tiles` in a file of `bytes`; full: symbols decoded and hashes compared.

    frames: of a clip, 0 of a picture. parts: stages of tiles, 0 of a file without stages.
    """

    tiles: int
    bytes: int
    full: bool
    ok: bool = True
    frames: int = 0
    parts: int = 0


def verify(
    source: Source, *, full: bool = False, device: str = "auto", limits: Limits | None = None
) -> VerifyReport:
    """Check a file: every checksum, every tile there once, nothing behind the end.

    Args:
        full: also decode all symbols, compare the hashes and read the alpha plane; needs the model.
    Raises:
        FormatError, also for damage that shares can make good, LimitExceededError, OSError: as `decode`.
    """
    with opened(source) as given:
        stream = given if isinstance(given, bytes) else with_lookahead(given)
        if holds_clip(stream):
            return _verify_clip(ClipReader(stream, limits), device if full else None)
        repairs: list[LinnetError] = []
        reader = Reader(stream, limits, on_repair=repairs.append)
        header, size = reader.header, 0
        check: Callable[[Tile], object] | None = None
        if full:
            from .full_check import check_alpha, tile_check  # torch takes seconds to load

            check = tile_check(header, device)
            if reader.alpha is not None:
                check_alpha(reader.alpha, header)
        for tile in reader.tiles():
            size += len(tile.payload)
            if check is not None:
                check(tile)
        if repairs:
            raise _repairable(repairs[0], reader)
        size += reader.parity_bytes
        extra = (reader.container_bytes or 0) + len(reader.alpha or b"") + reader.metadata.byte_count
        parts = header.part_count if header.stages else 0
        return VerifyReport(header.tile_count, size + extra, full, parts=parts)


def _repairable(error: LinnetError, reader: Reader) -> LinnetError:
    """Damage to a file in shares, with the good news."""
    assert reader.header.spread is not None
    left = f"{reader.intact_shares} of {reader.header.spread.count} shares"
    return type(error)(
        f"{error.message}; {left} are left, enough for the whole picture: linnet cut --stages "
        f"{reader.header.stages} makes the file whole",
        chunk=error.chunk,
        offset=error.offset,
    )


def _verify_clip(reader: ClipReader, device: str | None) -> VerifyReport:
    """Read all chunks of a clip; with a device decode all symbols there too."""
    check: Callable[[CodedFrame], object] | None = None
    if device is not None:
        from .full_check import frame_check

        check = frame_check(reader.header, device)
    frames = 0
    for item in reader.items():
        if isinstance(item, CodedFrame):
            frames += 1
            if check is not None:
                check(item)
    if reader.index_valid is False:
        raise CorruptFileError(
            f"the index does not fit the {frames} frames that are there: some, or packets, are missing; the "
            "others decode",
            chunk="index",
        )
    tiles = frames * reader.header.tile_count
    return VerifyReport(tiles, reader.file_bytes or 0, check is not None, frames=frames)
