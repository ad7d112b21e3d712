"""The encoders of clips that FFmpeg has, and how each is told preset, flags and quality."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .base import Knob

Words = Mapping[str, str]
_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
_SVT_PRESETS = tuple(str(number) for number in range(14))


@dataclass(frozen=True)
class Family:
    """One encoder of FFmpeg. words: its options, from preset, flags and a value of the knob.

    flags: what a variant may say behind its preset, with what the codec's label says then.
    filter: what takes out of the bitstream what no decoder needs.
    """

    label: str
    encoder: str
    decoder: str
    presets: Sequence[str]
    preset: str
    flags: Mapping[str, str]
    knob: Knob
    words: Callable[[str, frozenset[str], str], Words]
    filter: str = ""


def _group(flags: frozenset[str]) -> Words:
    """Frames from one key frame to the next, where the encoder does not choose."""
    return {"g": "1"} if "intra" in flags else {}


def _x264(preset: str, flags: frozenset[str], crf: str) -> Words:
    tunings = sorted(flags - {"intra"})
    tune = {"tune": "+".join(tunings)} if tunings else {}
    return {"preset": preset, **tune, **_group(flags), "crf": crf}


def _x265(preset: str, flags: frozenset[str], crf: str) -> Words:
    # It takes one tuning: that for PSNR is written out.
    tune = {"tune": "zerolatency"} if "zerolatency" in flags else {}
    psnr = ":aq-mode=0:psy-rd=0:psy-rdoq=0" if "psnr" in flags else ""
    # info=0: no note of 2 kB about the encoder. wpp=0: one thread needs no entry points.
    params = f"info=0:wpp=0:pools=none:frame-threads=1:log-level=none{psnr}"
    return {"preset": preset, **tune, **_group(flags), "crf": crf, "x265-params": params}


def _svtav1(preset: str, flags: frozenset[str], crf: str) -> Words:
    structure = ":pred-struct=1" if "zerolatency" in flags else ""
    return {"preset": preset, "crf": crf, "svtav1-params": f"lp=1{structure}"}


_LATENCY = {"zerolatency": "zero latency"}
_TUNINGS = {**_LATENCY, "psnr": "tuned for PSNR", "intra": "key frames only"}
FAMILIES = {
    "x264": Family(
        "x264",
        "libx264",
        "h264",
        _PRESETS,
        "medium",
        _TUNINGS,
        Knob("crf", (28, 23, 18, 13, 9), step=0.25),
        _x264,
        filter="filter_units=remove_types=6",  # the note of 700 bytes about the encoder
    ),
    "x265": Family(
        "x265",
        "libx265",
        "hevc",
        _PRESETS,
        "medium",
        _TUNINGS,
        Knob("crf", (32, 27, 22, 17, 12), step=0.25),
        _x265,
    ),
    "svtav1": Family(
        "SVT-AV1",
        "libsvtav1",
        "libdav1d",
        _SVT_PRESETS,
        "8",
        _LATENCY,
        Knob("crf", (55, 43, 31, 19, 7)),
        _svtav1,
    ),
}
