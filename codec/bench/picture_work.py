"""What workers do with pictures: encode one into a file, decode a file and measure, show both."""

import tempfile
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from .adapters import find_adapter
from .adapters.base import PictureAdapter, Pixels
from .items import Item
from .metrics import METRICS, find_metrics, measure_all
from .pictures import load_rgb
from .shown import View, stored
from .work import CodecCall, Decoded, Encoded


def encode_picture(codec: CodecCall, value: float, source: bytes) -> Encoded:
    """Encode the picture of a file's bytes; metadata is not part of it. Timed from pixels in memory on."""
    adapter, pixels = _ready(codec), load_rgb(source)
    with tempfile.TemporaryDirectory(prefix="linnet-bench-") as folder:
        path = Path(folder) / f"coded{adapter.suffix}"
        started = time.perf_counter()
        adapter.encode(pixels, value, path)
        seconds = time.perf_counter() - started
        return Encoded(path.read_bytes(), seconds)


def decode_picture(codec: CodecCall, coded: bytes, source: bytes, metrics: Sequence[str]) -> Decoded:
    """Decode a file's bytes, from a disk, and compare with the picture."""
    original = load_rgb(source)
    decoded, seconds = _decode(codec, coded, (original.shape[1], original.shape[0]))
    return Decoded(measure_all(find_metrics(metrics, METRICS), original, decoded), seconds)


def show_picture(source: bytes, item: Item, view: View) -> bytes:
    """The picture of a file's bytes, as the page holds it."""
    return stored(load_rgb(source), view)


def show_decoded_picture(codec: CodecCall, coded: bytes, source: bytes, item: Item, view: View) -> bytes:
    """What a codec decodes, as the page holds it."""
    return stored(_decode(codec, coded, (item.width, item.height))[0], view)


def _decode(codec: CodecCall, coded: bytes, size: tuple[int, int]) -> tuple[Pixels, float]:
    """Pixels of a file's bytes, size (width, height), and the seconds that the decoder took."""
    adapter = _ready(codec)
    with tempfile.TemporaryDirectory(prefix="linnet-bench-") as folder:
        path = Path(folder) / f"coded{adapter.suffix}"
        path.write_bytes(coded)
        started = time.perf_counter()
        pixels = adapter.decode(path, size)
        return pixels, time.perf_counter() - started


@lru_cache
def _ready(codec: CodecCall) -> PictureAdapter:
    """The codec with its model loaded, once in each process."""
    adapter = find_adapter(codec.spec, codec.options)
    adapter.prepare()
    return adapter
