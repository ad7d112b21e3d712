"""What workers do with clips: encode one into a file, decode a file and measure its frames, show one."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path

from .adapters import find_clip_adapter
from .adapters.base import ClipAdapter
from .clip_metrics import CLIP_METRICS, measure_clip
from .footage import ClipFrame, Footage, Look, Shot
from .items import Item
from .metrics import find_metrics
from .shown import View, stored
from .work import CodecCall, Decoded, Encoded


def encode_clip(codec: CodecCall, value: float, source: bytes) -> Encoded:
    """Encode the clip of a file's bytes. Timed from the source's file on: reading it is part of it."""
    adapter = _ready(codec)
    with _footage(source) as footage:
        path = footage.path.with_name(f"coded{adapter.suffix}")
        started = time.perf_counter()
        adapter.encode(footage, value, path)
        seconds = time.perf_counter() - started
        return Encoded(path.read_bytes(), seconds)


def decode_clip(codec: CodecCall, coded: bytes, source: bytes, metrics: Sequence[str]) -> Decoded:
    """Decode a file's bytes, from a disk, and compare every frame with the source's."""
    adapter = _ready(codec)
    with _footage(source) as footage:
        path = footage.path.with_name(f"coded{adapter.suffix}")
        path.write_bytes(coded)
        frames = _Clock(adapter.decode(path))
        shots = map(Look(footage.clip), frames)
        wanted = find_metrics(metrics, CLIP_METRICS)
        figures = measure_clip(wanted, footage.shots(), shots, footage.rate)
        return Decoded(figures.metrics, frames.seconds, figures.series)


def show_clip(source: bytes, item: Item, view: View) -> bytes:
    """The middle frame of the clip of a file's bytes, as the page holds it."""
    with _footage(source) as footage:
        return stored(_middle(footage.shots(), item).rgb, view)


def show_decoded_clip(codec: CodecCall, coded: bytes, source: bytes, item: Item, view: View) -> bytes:
    """The middle frame of what a codec decodes, as the page holds it."""
    adapter = _ready(codec)
    with _footage(source) as footage:
        path = footage.path.with_name(f"coded{adapter.suffix}")
        path.write_bytes(coded)
        return stored(_middle(map(Look(footage.clip), adapter.decode(path)), item).rgb, view)


def shown_frame(item: Item) -> int:
    """The number of the frame of a clip that the page shows."""
    return item.frames // 2


def _middle(shots: Iterator[Shot], item: Item) -> Shot:
    return next(islice(shots, shown_frame(item), None))


class _Clock:
    """Frames as they come, and the seconds that their decoder took for them."""

    def __init__(self, frames: Iterable[ClipFrame]) -> None:
        self._frames = iter(frames)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[ClipFrame]:
        return self

    def __next__(self) -> ClipFrame:
        started = time.perf_counter()
        try:
            return next(self._frames)
        finally:
            self.seconds += time.perf_counter() - started


@contextmanager
def _footage(source: bytes) -> Iterator[Footage]:
    """The clip in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="linnet-bench-") as folder:
        path = Path(folder) / "source"
        path.write_bytes(source)
        yield Footage(path)


@lru_cache
def _ready(codec: CodecCall) -> ClipAdapter:
    """The codec with its model loaded, once in each process."""
    adapter = find_clip_adapter(codec.spec, codec.options)
    adapter.prepare()
    return adapter
