"""Fewer stages of a still that comes in these: nothing is decoded, no weights are needed."""

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ..bitstream.body import Tile
from ..bitstream.errors import LinnetError
from ..bitstream.header import STAGED_MINOR, Header
from ..bitstream.limits import Limits
from ..bitstream.reader import Reader
from ..bitstream.streams import write_all
from ..bitstream.writer import Writer
from .errors import TargetError
from .files.destination import written
from .files.opening import Source, opened


@dataclass(frozen=True, slots=True)
class CutResult:
    """What a cut made.

    path: where it was written, or None; data: the file's bytes where no destination was given.
    bytes: of the file. stages: that it has; stages_before: that the source had. bpp: bits of it per pixel.
    repairs: damage to the source that its other shares made good.
    """

    path: Path | None
    data: bytes | None
    bytes: int
    stages: int
    stages_before: int
    bpp: float
    repairs: tuple[LinnetError, ...] = ()


def cut(
    source: Source,
    dest: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    stages: int | None = None,
    target_size: int | None = None,
    overwrite: bool = False,
    limits: Limits | None = None,
) -> CutResult:
    """Make a smaller file of a still in stages by leaving the last ones out; what stays is not changed.

    A file in shares becomes one of as many shares, each stage as well protected as before; those of the
    source that are damaged are made anew, if enough are left.

    Args:
        source: a path, the file's bytes, or a binary stream (also a pipe). What comes behind the last stage
            that is wanted is not read: it may be damaged, or not there.
        dest: a path (written atomically) or a binary stream; None to get the bytes in the result.
        stages: how many to keep, or
        target_size: the largest file in bytes: as many stages as fit are kept.
        overwrite: replace an existing file. limits: what to refuse.
    Raises:
        ValueError: neither or both of the two, more stages than there are, or a file that has none.
        TargetError: not even one stage fits. FormatError, LimitExceededError: as `decode`.
        FileExistsError, OSError.
    """
    if (stages is None) == (target_size is None):
        raise ValueError("say either how many stages to keep, or the largest size")
    with opened(source) as stream:
        repairs: list[LinnetError] = []
        reader = Reader(stream, limits, on_repair=repairs.append)
        before = reader.header.stages
        if not before:
            raise ValueError("the file does not come in stages: it cannot be cut, only encoded again")
        if stages is not None and not 1 <= stages <= before:
            raise ValueError(f"the file has {before} stage{'s' * (before > 1)}: {stages} cannot be kept")
        parts = _first(reader, before if stages is None else stages)
    if target_size is not None:
        stages, data = largest(reader, parts, target_size)
    else:
        data = rewritten(reader, parts, reader.header.of_stages(stages or before))
    if dest is not None:
        with written(dest, overwrite) as file:
            write_all(file, data)
    pixels = reader.header.width * reader.header.height
    return CutResult(
        path=Path(dest) if isinstance(dest, (str, os.PathLike)) else None,
        data=data if dest is None else None,
        bytes=len(data),
        stages=stages or before,
        stages_before=before,
        bpp=len(data) * 8 / pixels,
        repairs=tuple(repairs),
    )


def largest(reader: Reader, parts: list[Tile], size: int) -> tuple[int, bytes]:
    """The most stages whose file has at most `size` bytes, and that file. Raises TargetError if none has."""
    data = b""
    for stages in range(reader.header.stages, 0, -1):
        data = rewritten(reader, parts, reader.header.of_stages(stages))
        if len(data) <= size:
            return stages, data
    raise TargetError(f"a target of {size} bytes cannot be met: one stage alone takes {len(data)}")


def rewritten(reader: Reader, parts: list[Tile], header: Header) -> bytes:
    """The file with another header; of `parts` those that belong to its stages.

    Of a newer minor version it becomes one of 1.3: what that version has added cannot be known to stay true.
    """
    stream = io.BytesIO()
    writer = Writer(stream, replace(header, minor=STAGED_MINOR), reader.metadata)
    if reader.alpha is not None:
        writer.write_alpha(reader.alpha)
    for part in parts:
        if part.stage < header.stages:
            writer.write_tile(part.index, part.latent_hash, part.payload, part.stage)
    writer.finish()
    return stream.getvalue()


def _first(reader: Reader, stages: int) -> list[Tile]:
    """The parts of the first stages; of all of them only if the file is whole."""
    parts: list[Tile] = []
    for part in reader.tiles():
        if part.stage >= stages:
            break
        parts.append(part)
        if stages < reader.header.stages and len(parts) == stages * reader.header.tile_count:
            break
    return parts
