"""What clips can be written as: containers, and encoders by the names that people know."""

import os
from dataclasses import dataclass
from pathlib import PurePath

from av.codec import Codec

Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of output.

    turns: it can say how to turn the picture; timed: frames have their own times; streams, rgb: it takes
    them; tagged: it can say what the colours mean.
    """

    name: str  # FFmpeg's
    codec: str
    turns: bool = False
    timed: bool = True
    streams: bool = True
    rgb: bool = True
    tagged: bool = True


CONTAINERS = {
    "mp4": Container("mp4", "libx264", turns=True),
    "m4v": Container("mp4", "libx264", turns=True),
    "mov": Container("mov", "libx264", turns=True),
    "mkv": Container("matroska", "libx264"),
    "webm": Container("webm", "libvpx-vp9"),
    "nut": Container("nut", "ffv1"),
    "avi": Container("avi", "libx264", timed=False),
    "y4m": Container("yuv4mpegpipe", "rawvideo", timed=False, streams=False, rgb=False, tagged=False),
}
# Names that people know, and what their encoder needs so that the loss is Linnet's.
_ENCODERS: dict[str, tuple[str, Words]] = {
    "h264": ("libx264", {}),
    "libx264": ("libx264", {"crf": "14", "preset": "medium"}),
    "hevc": ("libx265", {}),
    "h265": ("libx265", {}),
    "libx265": ("libx265", {"crf": "16", "x265-params": "log-level=none"}),
    "vp9": ("libvpx-vp9", {}),
    "libvpx-vp9": ("libvpx-vp9", {"crf": "14", "b": "0", "cpu-used": "4"}),
    "av1": ("libsvtav1", {}),
    "libsvtav1": ("libsvtav1", {"crf": "16", "preset": "8"}),
    "ffv1": ("ffv1", {"level": "3"}),
}


def find_container(name: str) -> Container:
    """The container of a suffix. Raises ValueError."""
    found = CONTAINERS.get(name.lower().lstrip("."))
    if found is None:
        raise ValueError(
            f"cannot write clips as {name!r}: expected one of {', '.join(CONTAINERS)}, "
            "or a pattern of pictures such as frame%04d.png"
        )
    return found


def find_encoder(name: str) -> tuple[str, Words]:
    """FFmpeg's encoder of a name, and its options. Raises ValueError."""
    encoder = _ENCODERS[name][0] if name in _ENCODERS else name
    os.environ.setdefault("SVT_LOG", "1")  # errors only: that encoder describes itself on stderr
    try:
        codec = Codec(encoder, "w")
    except ValueError:
        raise ValueError(
            f"no video codec is called '{name}' here: try h264, hevc, av1, vp9 or ffv1"
        ) from None
    if codec.type != "video":
        raise ValueError(f"'{name}' is a codec for {codec.type}, not for video")
    return encoder, _ENCODERS.get(encoder, (encoder, {}))[1]


def suffix_of(dest: str | os.PathLike[str]) -> str:
    """The suffix that says how to write a file, without the dot."""
    return PurePath(dest).suffix.lower().lstrip(".")
