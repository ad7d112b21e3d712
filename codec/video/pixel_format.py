"""The pixel format to write a clip in: the one that holds most of it, of those that an encoder takes."""

import warnings

import av
from av.codec import Codec

from ...bitstream.clip import ClipFormat, Sampling
from ..errors import MediaWarning

_EVEN_SIDES = {"libx264", "libx265", "libvpx-vp9", "libsvtav1"}  # those that halve no odd side


def choose_format(encoder: str, clip: ClipFormat, size: tuple[int, int], rgb: bool = True) -> str:
    """The pixel format that holds the clip best, of those that an encoder takes.

    Args:
        rgb: whether the container takes RGB; 4:4:4 holds it nearly as well.
    Warns:
        MediaWarning: it holds fewer bits or colour samples than the source had.
    """
    names = [name for name in _names_for(clip) if rgb or name.startswith(("gray", "yuv"))]
    if encoder in _EVEN_SIDES and (size[0] % 2 or size[1] % 2):
        names = [name for name in names if not name.startswith(("yuv420p", "yuv422p"))]
    offered = [form.name for form in Codec(encoder, "w").video_formats or []]
    chosen = next(
        (name for name in names if not offered or name in offered), offered[0] if offered else names[0]
    )
    depth = max(part.bits for part in av.VideoFormat(chosen).components)
    if depth < clip.depth:
        warnings.warn(
            f"{encoder} takes {depth} bits a sample: rounded from {clip.depth}", MediaWarning, stacklevel=2
        )
    return chosen


def _names_for(clip: ClipFormat) -> list[str]:
    """FFmpeg's pixel formats that hold the clip's samples, the best first."""
    depths = [depth for depth in (8, 10, 12, 16) if depth >= clip.depth] + [
        depth for depth in (16, 12, 10, 8) if depth < clip.depth
    ]
    finer = {
        Sampling.GREY: ("gray", "yuv420p", "yuv444p"),
        Sampling.YUV420: ("yuv420p", "yuv422p", "yuv444p"),
        Sampling.YUV422: ("yuv422p", "yuv444p", "yuv420p"),
        Sampling.YUV444: ("yuv444p", "yuv420p"),
        Sampling.RGB: ("rgb24", "gbrp", "bgr0", "yuv444p", "yuv420p"),
    }[clip.sampling]
    suffixed = [(base, depth) for depth in depths for base in finer]
    return [base if depth == 8 else f"{base}{depth}le" for base, depth in suffixed]
