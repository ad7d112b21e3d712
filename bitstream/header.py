"""The header: what a file holds and which model decodes it, readable without weights."""

from dataclasses import dataclass, replace
from enum import IntEnum

from .clip import ClipFormat
from .resampling import Resampling
from .spread import Spread
from .tiling import Tiling

MAJOR, MINOR = 1, 4  # the newest format this code reads; a file has the lowest that describes it
CLIP_MINOR = 1  # the first version with clips, and the one of clips of key frames only
INTER_MINOR = 2  # the first version with inter frames, and the one of clips that may have them
STAGED_MINOR = 3  # the first version with stills in stages, and the one of these
RESAMPLED_MINOR = 4  # the first version with resampled stills, and the one of these
MAX_STAGES = 16
MAX_HEADER_BYTES = 255
MAX_SIDE = 2**31 - 1  # the format's own end; Limits is stricter
MIN_TILE_LOG2, MAX_TILE_LOG2 = 6, 15
MAX_TILES = 2**32
QUALITY_MAX_CENTI = 10000
MAX_WIRE_ID = 2**31 - 1
WEIGHTS_HASH_BYTES = 8


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
class Header(Tiling):
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
        self._check_kind()
        if len(self.weights_hash) != WEIGHTS_HASH_BYTES:
            raise ValueError(f"weights_hash must have 8 bytes, not {len(self.weights_hash)}")
        if self.tile_count > MAX_TILES:
            raise ValueError(f"{self.tile_count} tiles are more than {MAX_TILES}: use larger tiles")

    def _check_kind(self) -> None:
        """Raises ValueError for a field that this kind of file, or its version, does not have."""
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

    def part_number(self, tile: int, stage: int) -> int:
        """Number of a stage of a tile among all parts, or of the tile of a still without stages.

        Raises:
            ValueError: no such tile or stage.
        """
        self.check_tile(tile)
        stages = max(1, self.stages)
        if not 0 <= stage < stages:
            raise ValueError(f"stage must be 0 to {stages - 1}, not {stage}")
        return stage * self.tile_count + tile
