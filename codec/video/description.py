"""Media in: what a clip is like, as its stream and its first frame say."""

import warnings
from fractions import Fraction

from av import VideoFrame
from av.video.stream import VideoStream

from ...bitstream.clip import ClipFormat
from ..errors import MediaWarning, UnreadableMediaError
from .colours import depth_of, has_known_matrix, no_such_matrix, range_of, sampling_of
from .siting import siting_of

_MAX_RATE = 1000  # frames per second; more is not believed


def describe_clip(video: VideoStream, first: VideoFrame, name: str) -> ClipFormat:
    """Times, shape and samples of a clip.

    Args:
        video, first: its stream and first frame. name: what messages call it.
    Warns:
        MediaWarning: transparency or fields, which are not kept.
    Raises:
        UnreadableMediaError: a colour matrix that FFmpeg does not convert with.
    """
    rate, aspect = video.average_rate, video.sample_aspect_ratio
    if rate is not None and rate > _MAX_RATE:  # a tick taken for a rate
        rate = None
    has_alpha = any(part.is_alpha for part in first.format.components)
    if has_alpha and video.codec_context.name != "gif":  # whose frames always have it
        warnings.warn(f"{name} has transparency, which is not kept", MediaWarning, stacklevel=2)
    if first.interlaced_frame:
        warnings.warn(
            f"{name} is interlaced: two fields are coded as one frame, and their order is not kept",
            MediaWarning,
            stacklevel=2,
        )
    sampling, matrix = sampling_of(first.format), int(first.colorspace) & 255
    if not has_known_matrix(sampling, matrix):
        raise UnreadableMediaError(
            f"{name}: {no_such_matrix(matrix)}; ffmpeg -vf zscale=matrix=709 converts to one of them"
        )
    return ClipFormat(
        tick=video.time_base or Fraction(1, 1000),
        rate=rate or Fraction(0),
        aspect=aspect or Fraction(0),
        sampling=sampling,
        range=range_of(first),
        siting=siting_of(first),
        depth=depth_of(first.format),
        primaries=int(first.color_primaries) & 255,
        transfer=int(first.color_trc) & 255,
        matrix=matrix,
    )
