"""What workers are given and give back, whatever the files hold. Bytes in, bytes out.

Workers get the bytes of files rather than paths, so that they need not share a disk with whoever asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .adapters.base import CodecOptions


@dataclass(frozen=True, slots=True)
class CodecCall:
    """A codec as workers find it."""

    spec: str
    options: CodecOptions


@dataclass(frozen=True, slots=True)
class Encoded:
    """The whole file, and the wall time of the encoder until the file is on disk."""

    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """The metrics asked for, and the wall time of the decoder, file on disk to frames in memory.

    series: metrics of each frame of a clip.
    """

    metrics: Mapping[str, float | None]
    seconds: float
    series: Mapping[str, list[float | None]] = field(default_factory=dict)
