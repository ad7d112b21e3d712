"""What a file is, from its container: standard library only, no weights, no pixels."""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ..bitstream.limits import Limits
from ..bitstream.reader import Reader
from ..models.zoo import name_of


@dataclass(frozen=True, slots=True)
class Info:
    """Description of a file whose checksums were all right."""

    kind: str  # "image"
    width: int  # pixels as decoded, that is upright
    height: int
    bit_depth: int  # bits a sample, 8 or 16
    colour: str  # "grey" or "rgb"
    has_alpha: bool
    orientation: int  # 1 to 8, EXIF meaning: how the coded pixels are turned to stand upright
    quality: float  # 0 to 100
    model: str | None  # name of the model, None if this Linnet does not know it
    model_wire_id: int
    weights_hash: str  # the first 8 bytes of the weights' SHA-256, in hex
    format_version: str  # such as "1.0"
    tiles: int
    bytes: int  # of the whole file
    bpp: float  # bits of the whole file per pixel
    container_bytes: int  # all that is neither coded pixels nor alpha nor metadata
    alpha_bytes: int
    icc_bytes: int
    exif_bytes: int
    xmp_bytes: int


def info(source: str | os.PathLike[str] | bytes | BinaryIO) -> Info:
    """Describe a file, and check its container to the last byte.

    Args:
        source: a path, the bytes of a file, or a binary stream (also a pipe).
    Returns:
        what the container says.
    Raises:
        FormatError: no Linnet file, a damaged one, or one of a newer version.
        OSError: the disk's fault.
    """
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            return _describe(stream)
    return _describe(BytesIO(source) if isinstance(source, bytes) else source)


def _describe(stream: BinaryIO) -> Info:
    # Nothing is decoded, so that a large picture is no danger here: only a tick for each tile is kept.
    reader = Reader(stream, Limits(max_pixels=2**34, max_side=2**31))
    payload_bytes = sum(len(tile.payload) for tile in reader.tiles())
    header, metadata = reader.header, reader.metadata
    container_bytes = reader.container_bytes or 0  # known once all tiles have been read
    alpha_bytes = len(reader.alpha or b"")
    file_bytes = container_bytes + payload_bytes + alpha_bytes + metadata.byte_count
    turned = header.orientation >= 5  # these swap the sides
    return Info(
        kind=header.kind.name.lower(),
        width=header.height if turned else header.width,
        height=header.width if turned else header.height,
        bit_depth=header.bit_depth,
        colour=header.colour.name.lower(),
        has_alpha=header.has_alpha,
        orientation=header.orientation,
        quality=header.quality,
        model=name_of(header.model, header.weights_hash),
        model_wire_id=header.model,
        weights_hash=header.weights_hash.hex(),
        format_version=header.format_version,
        tiles=header.tile_count,
        bytes=file_bytes,
        bpp=file_bytes * 8 / (header.width * header.height),
        container_bytes=container_bytes,
        alpha_bytes=alpha_bytes,
        icc_bytes=len(metadata.icc or b""),
        exif_bytes=len(metadata.exif or b""),
        xmp_bytes=len(metadata.xmp or b""),
    )
