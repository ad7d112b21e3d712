"""The header: what a file holds and which model decodes it, readable without weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from .chunks import ChunkType, decode_varint, encode_varint
from .clip import ClipFormat, Range, Sampling, Siting, decode_times, encode_clip, unknown_source
from .errors import CorruptFileError, UnsupportedVersionError
from .resampling import Resampling, parse_resampling
from .spread import Spread, parse_spread

MAJOR, MINOR = 1, 4  # the newest format this code reads; a file has the lowest that describes it
CLIP_MINOR = 1  # the first version with clips, and the one of clips of key frames only
INTER_MINOR = 2  # the first version with inter frames, and the one of clips that may have them
STAGED_MINOR = 3  # the first version with stills in stages, and the one of these
RESAMPLED_MINOR = 4  # the first version with resampled stills, and the one of these
MAX_STAGES = 16
RESAMPLED_BIT = 0x80  # of the geometry
SPREAD_BIT = 0x80  # of the byte with the number of stages: they are spread over shares
MAX_HEADER_BYTES = 255
MAX_SIDE = 2**31 - 1  # the format's own end; Limits is stricter
MIN_TILE_LOG2, MAX_TILE_LOG2 = 6, 15
MAX_TILES = 2**32
QUALITY_MAX_CENTI = 10000
MAX_WIRE_ID = 2**31 - 1
WEIGHTS_HASH_BYTES = 8
SOURCE_BYTES = 5  # the fields of a clip behind its fractions
_CHUNK = ChunkType.HEADER.name.lower()


class Kind(IntEnum):
    """What a file holds."""

    IMAGE = 0
    VIDEO = 1


class Colour(IntEnum):
    """The channels of the coded pixels."""

    GREY = 0
    RGB = 1


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which weights a file needs. Raises ValueError where a field is outside its range."""

    wire_id: int  # 0 to 2**31 - 1
    weights_hash: bytes  # the first 8 bytes of the weights' SHA-256

    def __post_init__(self) -> None:
        if not 0 <= self.wire_id <= MAX_WIRE_ID:
            raise ValueError(f"the wire id of a model must be 0 to {MAX_WIRE_ID}, not {self.wire_id}")
        if len(self.weights_hash) != WEIGHTS_HASH_BYTES:
            raise ValueError(f"weights_hash must have 8 bytes, not {len(self.weights_hash)}")


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of the header chunk. Raises ValueError where one is outside its range.

    Source: FORMAT.md section 5.
    """

    kind: Kind
    width: int  # coded pixels, before the orientation is applied; 1 to 2**31 - 1
    height: int
    bit_depth: int  # bits a sample, 8 or 16
    colour: Colour
    has_alpha: bool
    orientation: int  # EXIF meaning, 1 to 8
    quality_centi: int  # quality * 100, 0 to 10000
    model: int  # wire id
    weights_hash: bytes  # the first 8 bytes of the weights' SHA-256
    tile_log2: int = 10  # log2 of the tile side in pixels, 6 to 15
    minor: int = 0  # minor format version of the file, 0 to 15
    clip: ClipFormat | None = None  # of a video, and only there
    inter: ModelRef | None = (
        None  # the model of inter frames, of a video of format 1.2 or newer, and only there
    )
    stages: int = 0  # of each tile, 1 to 16, of a still in stages; 0 of all others
    spread: Spread | None = None  # of a still whose stages are spread over shares
    resampling: Resampling | None = None  # of a still that shows more pixels than it codes

    def __post_init__(self) -> None:
        ranges = (
            ("width", self.width, 1, MAX_SIDE),
            ("height", self.height, 1, MAX_SIDE),
            ("orientation", self.orientation, 1, 8),
            ("quality_centi", self.quality_centi, 0, QUALITY_MAX_CENTI),
            ("model", self.model, 0, MAX_WIRE_ID),
            ("tile_log2", self.tile_log2, MIN_TILE_LOG2, MAX_TILE_LOG2),
            ("minor", self.minor, 0, 15),
            ("stages", self.stages, 0, MAX_STAGES),
            ("full_width", self.full_width, 1, MAX_SIDE),
            ("full_height", self.full_height, 1, MAX_SIDE),
        )
        for name, value, low, high in ranges:
            if not low <= value <= high:
                raise ValueError(f"{name} must be {low} to {high}, not {value}")
        if self.bit_depth not in (8, 16):
            raise ValueError(f"bit_depth must be 8 or 16, not {self.bit_depth}")
        if (self.kind == Kind.VIDEO) != (self.clip is not None) or (self.clip and self.minor < CLIP_MINOR):
            raise ValueError(
                f"a video, and no still, has video fields and format {MAJOR}.{CLIP_MINOR} or newer"
            )
        if (self.inter is not None) != (self.clip is not None and self.minor >= INTER_MINOR):
            raise ValueError(
                f"a video of format {MAJOR}.{INTER_MINOR} or newer, and nothing else, names an inter model"
            )
        if self.stages and (self.clip is not None or self.minor < STAGED_MINOR):
            raise ValueError(f"only a still of format {MAJOR}.{STAGED_MINOR} or newer has stages")
        if self.resampling is not None and (self.stages or self.clip or self.minor < RESAMPLED_MINOR):
            raise ValueError(
                f"only a still of format {MAJOR}.{RESAMPLED_MINOR} or newer, and without stages, is resampled"
            )
        if self.spread is not None and len(self.spread.needed) != self.stages:
            raise ValueError(
                f"{len(self.spread.needed)} numbers of shares for {self.stages} stages: one is due for each"
            )
        if self.clip is not None and self.has_alpha:
            raise ValueError("a video has no alpha")
        if len(self.weights_hash) != WEIGHTS_HASH_BYTES:
            raise ValueError(f"weights_hash must have 8 bytes, not {len(self.weights_hash)}")
        if self.tile_count > MAX_TILES:
            raise ValueError(f"{self.tile_count} tiles are more than {MAX_TILES}: use larger tiles")

    @property
    def format_version(self) -> str:
        """The file's format version, such as "1.0"."""
        return f"{MAJOR}.{self.minor}"

    @property
    def quality(self) -> float:
        """Quality, 0 to 100."""
        return self.quality_centi / 100

    @property
    def channels(self) -> int:
        """Colour channels, 1 or 3 (alpha is not one of them)."""
        return 1 if self.colour == Colour.GREY else 3

    @property
    def full_width(self) -> int:
        """Columns of the picture to show, before the orientation is applied."""
        scale = self.resampling
        return self.width if scale is None else self.width * scale.factor - scale.columns

    @property
    def full_height(self) -> int:
        """Rows of the picture to show, before the orientation is applied."""
        scale = self.resampling
        return self.height if scale is None else self.height * scale.factor - scale.rows

    @property
    def tile_size(self) -> int:
        """Side of a tile, pixels."""
        return 1 << self.tile_log2

    @property
    def tiles_across(self) -> int:
        """Tiles in a row."""
        return -(-self.width // self.tile_size)

    @property
    def tiles_down(self) -> int:
        """Tiles in a column."""
        return -(-self.height // self.tile_size)

    @property
    def tile_count(self) -> int:
        """Tiles in the file."""
        return self.tiles_across * self.tiles_down

    @property
    def part_count(self) -> int:
        """Tiles, or stages of tiles."""
        return max(1, self.stages) * self.tile_count

    @property
    def chunk_count(self) -> int:
        """Tile, part or share chunks in the file."""
        return self.spread.count if self.spread else self.part_count

    @property
    def tile_index_bytes(self) -> int:
        """Width of the index field of a tile, part or share chunk (FORMAT.md section 8).

        It is the same however many stages a file has, so that dropping some leaves the others as they are.
        """
        if self.spread:
            return 1
        most = self.tile_count * (MAX_STAGES if self.stages else 1)
        return ((most - 1).bit_length() + 7) // 8

    def of_stages(self, stages: int) -> "Header":
        """The header of the file that has only the first stages."""
        return replace(self, stages=stages, spread=self.spread and self.spread.first(stages))

    def tile_box(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a tile in coded pixels, cut to the picture.

        Raises:
            ValueError: no such tile.
        """
        if not 0 <= index < self.tile_count:
            raise ValueError(f"tile must be 0 to {self.tile_count - 1}, not {index}")
        row, column = divmod(index, self.tiles_across)
        left, top = column * self.tile_size, row * self.tile_size
        return left, top, min(self.tile_size, self.width - left), min(self.tile_size, self.height - top)

    def tiles_in(self, box: tuple[int, int, int, int]) -> Iterator[int]:
        """Numbers of the tiles whose corner lies in a box (left, top, width, height), in raster order."""
        side, across = self.tile_size, self.tiles_across
        for row in range(-(-box[1] // side), -(-(box[1] + box[3]) // side)):
            for column in range(-(-box[0] // side), -(-(box[0] + box[2]) // side)):
                yield row * across + column


def encode_header(header: Header) -> bytes:
    """Write the payload of the header chunk."""
    picture = header.kind | header.colour << 2 | (header.bit_depth == 16) << 4 | header.has_alpha << 5
    geometry = header.orientation - 1 | header.tile_log2 << 3
    geometry |= RESAMPLED_BIT if header.resampling else 0
    return (
        bytes([MAJOR << 4 | header.minor, picture, geometry])
        + header.quality_centi.to_bytes(2, "little")
        + encode_varint(header.width)
        + encode_varint(header.height)
        + encode_varint(header.model)
        + header.weights_hash
        + (encode_clip(header.clip) if header.clip else b"")
        + (encode_varint(header.inter.wire_id) + header.inter.weights_hash if header.inter else b"")
        + (_encode_stages(header) if header.clip is None and header.minor >= STAGED_MINOR else b"")
        + (header.resampling.encode() if header.resampling else b"")
    )


def _encode_stages(header: Header) -> bytes:
    if header.spread is None:
        return bytes([header.stages])
    return bytes([header.stages | SPREAD_BIT]) + header.spread.encode()


def decode_header(payload: bytes, offset: int) -> Header:
    """Read the payload of the header chunk, whose CRC was right.

    Args:
        payload: at most 255 bytes.
        offset: of the chunk, for messages.
    Raises:
        UnsupportedVersionError: another major version, or a code or bit that only newer versions define.
        CorruptFileError: too short, too long, or a value out of range.
    """
    _check_version(payload, offset)
    try:
        return _parse_fields(payload, offset)
    except ValueError as error:
        raise CorruptFileError(f"bad header: {error}", chunk=_CHUNK, offset=offset) from None


def _check_version(payload: bytes, offset: int) -> None:
    """Refuse another major version before anything else is interpreted."""
    if not payload:
        raise CorruptFileError("the header is empty", chunk=_CHUNK, offset=offset)
    major, minor = payload[0] >> 4, payload[0] & 0x0F
    if major != MAJOR:
        raise UnsupportedVersionError(
            f"the file has format {major}.{minor}, this Linnet reads {MAJOR}.x: "
            f"it needs {'a newer Linnet' if major > MAJOR else 'the Linnet that wrote it'}",
            chunk=_CHUNK,
            offset=offset,
        )


def _parse_fields(payload: bytes, offset: int) -> Header:
    """Read the fields; ValueError says what is out of range."""
    if len(payload) < 5:
        raise ValueError("it is cut off")
    minor, picture, geometry = payload[0] & 0x0F, payload[1], payload[2]
    is_video, is_resampled = picture & 3 == Kind.VIDEO, geometry >= RESAMPLED_BIT
    known_bits = picture < 0x40 and (minor >= RESAMPLED_MINOR or not is_resampled)
    _check_known(minor, offset, (f"reserved header bits ({picture:02x} {geometry:02x})", known_bits))
    _check_known(minor, offset, (f"kind {picture & 3}", picture & 3 in set(Kind)))
    _check_known(minor, offset, (f"colour {picture >> 2 & 3}", picture >> 2 & 3 in set(Colour)))
    _check_known(minor, offset, ("a video with alpha", not (is_video and picture & 0x20)))
    _check_known(minor, offset, ("a video that is resampled", not (is_video and is_resampled)))
    width, position = decode_varint(payload, 5)
    height, position = decode_varint(payload, position)
    model, end = _parse_model(payload, position)
    clip, end = _parse_clip(payload, end, offset) if is_video else (None, end)
    inter, end = _parse_model(payload, end) if is_video and minor >= INTER_MINOR else (None, end)
    staged = not is_video and minor >= STAGED_MINOR
    stages, end = _parse_byte(payload, end) if staged else (0, end)
    spread = None
    if stages & SPREAD_BIT:
        stages ^= SPREAD_BIT
        spread, end = parse_spread(payload, end, stages)
    _check_known(minor, offset, ("a still in stages that is resampled", not (stages and is_resampled)))
    resampling, end = _parse_byte(payload, end) if is_resampled else (0, end)
    if len(payload) > end and minor <= MINOR:  # a newer minor version may have added fields
        raise ValueError(f"{len(payload) - end} bytes too many")
    return Header(
        kind=Kind(picture & 3),
        width=width,
        height=height,
        bit_depth=16 if picture & 0x10 else 8,
        colour=Colour(picture >> 2 & 3),
        has_alpha=bool(picture & 0x20),
        orientation=(geometry & 7) + 1,
        quality_centi=int.from_bytes(payload[3:5], "little"),
        model=model.wire_id,
        weights_hash=model.weights_hash,
        tile_log2=geometry >> 3 & 15,
        minor=minor,
        clip=clip,
        inter=inter,
        stages=stages,
        spread=spread,
        resampling=parse_resampling(resampling) if is_resampled else None,
    )


def _parse_byte(payload: bytes, position: int) -> tuple[int, int]:
    """Read a u8; returns it and the position behind it."""
    if position >= len(payload):
        raise ValueError("it is cut off")
    return payload[position], position + 1


def _parse_model(payload: bytes, position: int) -> tuple[ModelRef, int]:
    """Read a wire id and a weights hash; returns them and the position behind them."""
    wire_id, position = decode_varint(payload, position)
    end = position + WEIGHTS_HASH_BYTES
    if len(payload) < end:
        raise ValueError("it is cut off")
    return ModelRef(wire_id, payload[position:end]), end


def _check_known(minor: int, offset: int, what: tuple[str, bool]) -> None:
    """Refuse what only a newer version defines; `what` is its name, and whether this one knows it."""
    if not what[1]:
        raise UnsupportedVersionError(
            f"the file (format {MAJOR}.{minor}) uses {what[0]}, unknown to format {MAJOR}.{MINOR}: "
            "it needs a newer Linnet",
            chunk=_CHUNK,
            offset=offset,
        )


def _parse_clip(payload: bytes, position: int, offset: int) -> tuple[ClipFormat, int]:
    """Read the video fields; returns them and the position behind them."""
    (tick, rate, aspect), position = decode_times(payload, position)
    end = position + SOURCE_BYTES
    if len(payload) < end:
        raise ValueError("it is cut off")
    unknown = unknown_source(payload, position)
    _check_known(payload[0] & 0x0F, offset, (unknown or "", unknown is None))
    source, depth, primaries, transfer, matrix = payload[position:end]
    clip = ClipFormat(
        tick=tick,
        rate=rate,
        aspect=aspect,
        sampling=Sampling(source & 7),
        range=Range(source >> 3 & 3),
        siting=Siting(source >> 5),
        depth=depth,
        primaries=primaries,
        transfer=transfer,
        matrix=matrix,
    )
    return clip, end
