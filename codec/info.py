"""What a file is, from its container: standard library only, no weights, no pixels."""

from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from ..bitstream.clip_reader import ClipReader
from ..bitstream.header import Header
from ..bitstream.limits import Limits
from ..bitstream.metadata import Metadata
from ..bitstream.reader import Reader
from ..models.zoo import name_of, stages_of
from .clip_info import VideoInfo, described_clip
from .files.lookahead import with_lookahead
from .files.opening import Source, opened
from .video.kind import holds_clip


@dataclass(frozen=True, slots=True)
class Info:
    """Description of a file; of a still all checksums were right, of a clip those that had to be read."""

    kind: str  # "image" or "video"
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
    tiles: int  # of a frame
    bytes: int  # of the whole file
    bpp: float  # bits of the whole file per pixel (of a clip: and frame)
    container_bytes: int  # all but coded pixels, parity, alpha and metadata; 0 for clips: not counted
    alpha_bytes: int
    icc_bytes: int
    exif_bytes: int
    xmp_bytes: int
    video: VideoInfo | None = None  # of a clip
    stages: int | None = None  # of a still that comes in these: how many; None of any other
    model_stages: int | None = None  # how many its model has, if this Linnet knows it
    parts: int = 0  # stages of tiles in the file; 0 without stages
    shares: int = 0  # over which these are spread, 0 of a file that is not resilient
    shares_needed: int = 0  # so many intact ones, whichever, give the whole picture
    shares_least: int = 0  # so many give its first stage
    parity_bytes: int = 0  # what the shares have beyond the coded pixels
    resampling: int = 1  # sides of the picture are so many times those of the coded pixels


def info(source: Source) -> Info:
    """Describe a file, and check its container to the last byte; of a clip only its two ends.

    Args:
        source: a path, the bytes of a file, or a binary stream (also a pipe).
    Returns:
        what the container says.
    Raises:
        FormatError: no Linnet file, a damaged one, or one of a newer version.
        OSError: the disk's fault. ValueError: nothing that holds a file.
    """
    with opened(source) as stream:
        return _describe(BytesIO(stream) if isinstance(stream, bytes) else with_lookahead(stream))


def _describe(stream: BinaryIO) -> Info:
    # Nothing is decoded, so that a large picture is no danger here: only a tick for each tile is kept.
    limits = Limits(max_pixels=2**34, max_side=2**31, max_tile_side=2**31)
    if holds_clip(stream):
        return _describe_clip(ClipReader(stream, limits))
    reader = Reader(stream, limits)
    payload_bytes = sum(len(tile.payload) for tile in reader.tiles())
    header, metadata = reader.header, reader.metadata
    container_bytes = reader.container_bytes or 0  # known once all tiles have been read
    alpha_bytes = len(reader.alpha or b"")
    parity_bytes = reader.parity_bytes
    file_bytes = container_bytes + payload_bytes + parity_bytes + alpha_bytes + metadata.byte_count
    found = _assembled(
        header,
        file_bytes,
        container_bytes=container_bytes,
        alpha_bytes=alpha_bytes,
        metadata=metadata,
    )
    if header.spread is None:
        return found
    return replace(
        found,
        shares=header.spread.count,
        shares_needed=header.spread.needed[-1],
        shares_least=header.spread.needed[0],
        parity_bytes=parity_bytes,
    )


def _describe_clip(reader: ClipReader) -> Info:
    header = reader.header
    video, size = described_clip(reader)
    bpp = size * 8 / (header.width * header.height * video.frames)
    return replace(_assembled(header, size), bpp=bpp, video=video)


def _assembled(
    header: Header,
    file_bytes: int,
    container_bytes: int = 0,
    alpha_bytes: int = 0,
    metadata: Metadata | None = None,
) -> Info:
    """The fields that come from the header, with what has been counted."""
    metadata = metadata or Metadata()
    turned = header.orientation >= 5  # these swap the sides
    return Info(
        kind=header.kind.name.lower(),
        width=header.full_height if turned else header.full_width,
        height=header.full_width if turned else header.full_height,
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
        bpp=file_bytes * 8 / (header.full_width * header.full_height),
        container_bytes=container_bytes,
        alpha_bytes=alpha_bytes,
        icc_bytes=len(metadata.icc or b""),
        exif_bytes=len(metadata.exif or b""),
        xmp_bytes=len(metadata.xmp or b""),
        stages=header.stages or None,
        model_stages=stages_of(header.model, header.weights_hash) if header.stages else None,
        parts=header.part_count if header.stages else 0,
        resampling=header.resampling.factor if header.resampling else 1,
    )
