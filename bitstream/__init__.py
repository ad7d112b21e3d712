"""The container: FORMAT.md in code. Standard library only."""

from .chunks import SIGNATURE
from .errors import (
    CorruptFileError,
    FormatError,
    LimitExceededError,
    LinnetError,
    ModelMismatchError,
    NotLinnetError,
    TruncatedError,
    UnsupportedVersionError,
)
from .header import MAJOR, MINOR, Colour, Header, Kind
from .limits import Limits
from .metadata import Metadata
from .reader import Reader, Tile
from .writer import Writer

__all__ = [
    "MAJOR",
    "MINOR",
    "SIGNATURE",
    "Colour",
    "CorruptFileError",
    "FormatError",
    "Header",
    "Kind",
    "LimitExceededError",
    "Limits",
    "LinnetError",
    "Metadata",
    "ModelMismatchError",
    "NotLinnetError",
    "Reader",
    "Tile",
    "TruncatedError",
    "UnsupportedVersionError",
    "Writer",
]
