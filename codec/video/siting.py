"""Where the colour samples of a clip lie, which PyAV's frames do not say."""

from fractions import Fraction

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from ...bitstream.clip import Sampling, Siting
from ...bitstream.header import Colour
from .colours import depth_of, sampling_of
from .pixels import SitingTagger, ToRgb

_PROBE_PX = 32


def siting_of(frame: VideoFrame) -> Siting:
    """Where the colour samples of a frame lie, found by what FFmpeg makes of a pattern that is like it."""
    if sampling_of(frame.format) not in (Sampling.YUV420, Sampling.YUV422):
        return Siting.UNKNOWN
    side = _PROBE_PX if frame.width != _PROBE_PX else 2 * _PROBE_PX
    probe = VideoReformatter().reformat(frame, width=side, height=side)
    for seed, plane in enumerate(probe.planes):
        noise = np.random.default_rng(seed).integers(0, 4, plane.buffer_size, np.uint8)
        plane.update((noise if depth_of(frame.format) > 8 else noise * 60).tobytes())
    probe.time_base, probe.pts = Fraction(1, 1000), 0
    given = ToRgb(Colour.RGB, 8)(probe)
    for siting in (Siting.LEFT, Siting.CENTER, Siting.TOP_LEFT):
        if np.array_equal(given, ToRgb(Colour.RGB, 8)(SitingTagger(probe, siting)(probe))):
            return siting
    return Siting.UNKNOWN
