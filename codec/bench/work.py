"""What workers do: encode a picture into a file, decode a file and measure. Bytes in, bytes out.

Workers get the bytes of files rather than paths, so that they need not share a disk with whoever asks.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .adapters import find_adapter
from .adapters.base import Adapter, CodecOptions, Pixels
from .metrics import find_metrics, measure_all
from .pictures import load_rgb


@dataclass(frozen=True, slots=True)
class CodecCall:
    """A codec as workers find it."""

    spec: str
    options: CodecOptions


@dataclass(frozen=True, slots=True)
class Encoded:
    """The whole file, and the wall time of the encoder, pixels in memory to file on disk."""

    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """The metrics asked for, and the wall time of the decoder, file on disk to pixels in memory."""

    metrics: dict[str, float | None]
    seconds: float


def encode_point(codec: CodecCall, value: float, picture: bytes) -> Encoded:
    """Encode the picture of a file's bytes; metadata is not part of it."""
    adapter, pixels = _ready(codec), load_rgb(picture)
    with tempfile.TemporaryDirectory(prefix="linnet-bench-") as folder:
        path = Path(folder) / f"coded{adapter.suffix}"
        started = time.perf_counter()
        adapter.encode(pixels, value, path)
        seconds = time.perf_counter() - started
        return Encoded(path.read_bytes(), seconds)


def decode_point(codec: CodecCall, coded: bytes, picture: bytes, metrics: Sequence[str]) -> Decoded:
    """Decode a file's bytes, from a disk, and compare with the picture."""
    original = load_rgb(picture)
    decoded, seconds = decode_timed(codec, coded, (original.shape[1], original.shape[0]))
    return Decoded(measure_all(find_metrics(metrics), original, decoded), seconds)


def decode_timed(codec: CodecCall, coded: bytes, size: tuple[int, int]) -> tuple[Pixels, float]:
    """Pixels of a file's bytes, size (width, height), and the seconds that the decoder took."""
    adapter = _ready(codec)
    with tempfile.TemporaryDirectory(prefix="linnet-bench-") as folder:
        path = Path(folder) / f"coded{adapter.suffix}"
        path.write_bytes(coded)
        started = time.perf_counter()
        pixels = adapter.decode(path, size)
        return pixels, time.perf_counter() - started


@lru_cache
def _ready(codec: CodecCall) -> Adapter:
    """The codec with its model loaded, once in each process."""
    adapter = find_adapter(codec.spec, codec.options)
    adapter.prepare()
    return adapter
