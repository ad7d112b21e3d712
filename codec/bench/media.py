"""Where pictures and clips differ; everything else in a benchmark is the same code for both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .adapters import find_adapter, find_clip_adapter
from .adapters.base import Adapter, CodecOptions
from .clip_metrics import CLIP_METRICS, DEFAULT_CLIP_METRICS, check_clip_metric
from .clip_work import decode_clip, encode_clip, show_clip, show_decoded_clip, shown_frame
from .clips import open_clips
from .items import Item, Kind
from .metrics import DEFAULT_METRICS, METRICS, Metric, check_metric
from .picture_work import decode_picture, encode_picture, show_decoded_picture, show_picture
from .pictures import open_pictures
from .shown import View
from .work import CodecCall, Decoded, Encoded

Opened: TypeAlias = Iterator[tuple[str, Item | Exception]]


@dataclass(frozen=True, slots=True)
class Medium:
    """One kind of files. The functions behind `encode` run in workers, which find them by name.

    codecs: measured where none are named, beside Linnet. match_bpp: size of the files that the slider shows,
    as long as nobody chooses another. speed: what its times are. each: BD figures are of every item, and
    their mean is what counts; otherwise they are of the mean curve. open: reads files, with a folder for what
    is derived of them and a limit of frames. title: of an item in the page.
    """

    kind: Kind
    codecs: Sequence[str]
    metrics: Mapping[str, Metric]
    default_metrics: Sequence[str]
    match_bpp: float
    speed: str
    each: bool
    find_adapter: Callable[[str, CodecOptions], Adapter]
    check_metric: Callable[[str], None]
    open: Callable[[list[tuple[str, Path]], Path, int | None], Opened]
    title: Callable[[Item], str]
    encode: Callable[[CodecCall, float, bytes], Encoded]
    decode: Callable[[CodecCall, bytes, bytes, Sequence[str]], Decoded]
    show: Callable[[bytes, Item, View], bytes]
    show_decoded: Callable[[CodecCall, bytes, bytes, Item, View], bytes]


def _open_pictures(files: list[tuple[str, Path]], folder: Path, limit: int | None) -> Opened:
    if limit is not None:
        raise ValueError("--frames is for clips, and these are pictures")
    return open_pictures(files)


PICTURES = Medium(
    kind=Kind.PICTURES,
    codecs=("jpeg", "webp", "avif", "jpeg2000", "jxl", "x264", "x265", "svtav1"),
    metrics=METRICS,
    default_metrics=DEFAULT_METRICS,
    match_bpp=0.25,
    speed="Means over all pictures and points; one thread; models loaded before; pixels in memory to file "
    "and back. Programs of the user include their start and raw planes on disk.",
    each=False,
    find_adapter=find_adapter,
    check_metric=lambda key: check_metric(METRICS[key]),
    open=_open_pictures,
    title=lambda item: item.name,
    encode=encode_picture,
    decode=decode_picture,
    show=show_picture,
    show_decoded=show_decoded_picture,
)
CLIPS = Medium(
    kind=Kind.CLIPS,
    codecs=("x264:medium", "x265:medium", "svtav1:8"),
    metrics=CLIP_METRICS,
    default_metrics=DEFAULT_CLIP_METRICS,
    match_bpp=0.1,
    speed="Means over all clips and points; one thread (Linnet reads its source ahead in a second one); "
    "models loaded before. Encoders read the source's file and write theirs; decoders go from their file to "
    "frames in memory, RGB of Linnet and 4:2:0 of the others.",
    each=True,
    find_adapter=find_clip_adapter,
    check_metric=lambda key: check_clip_metric(CLIP_METRICS[key]),
    open=open_clips,
    title=lambda item: f"{item.name}, frame {shown_frame(item)}",
    encode=encode_clip,
    decode=decode_clip,
    show=show_clip,
    show_decoded=show_decoded_clip,
)
MEDIA = {medium.kind: medium for medium in (PICTURES, CLIPS)}
