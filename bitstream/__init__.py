"""The container: FORMAT.md in code. Standard library only.

From the bottom up: varint.py writes and reads numbers, chunks.py chunks of the types of chunk_types.py,
header.py and header_fields.py the header. Of a still, writer.py and reader.py are what others call, and
body.py, pieces.py and shares.py its payloads; of a clip, clip_writer.py and clip_reader.py, and
clip_frames.py, clip_packets.py and clip_streams.py. Both write through sink.py and read with chunk_walk.py.
"""

from .body import Tile
from .chunks import SIGNATURE
from .clip import ClipFormat, Range, Sampling, Siting
from .clip_frames import CodedFrame, FrameHead, FrameKind, Motion
from .clip_packets import Packet, PacketGroup
from .clip_reader import ClipReader
from .clip_streams import Form, Media, Stream
from .clip_writer import ClipWriter
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
from .header import MAJOR, MINOR, Colour, Header, Kind, ModelRef
from .limits import Limits
from .metadata import Metadata
from .reader import Reader
from .resampling import Resampling
from .spread import Spread
from .writer import Writer

__all__ = [
    "MAJOR",
    "MINOR",
    "SIGNATURE",
    "ClipFormat",
    "ClipReader",
    "ClipWriter",
    "CodedFrame",
    "Colour",
    "CorruptFileError",
    "Form",
    "FormatError",
    "FrameHead",
    "FrameKind",
    "Header",
    "Kind",
    "LimitExceededError",
    "Limits",
    "LinnetError",
    "Media",
    "Metadata",
    "ModelMismatchError",
    "ModelRef",
    "Motion",
    "NotLinnetError",
    "Packet",
    "PacketGroup",
    "Range",
    "Reader",
    "Resampling",
    "Sampling",
    "Siting",
    "Spread",
    "Stream",
    "Tile",
    "TruncatedError",
    "UnsupportedVersionError",
    "Writer",
]
