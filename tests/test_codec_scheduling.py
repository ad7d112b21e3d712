"""Encoders that ask the system for more than their share."""

import io
import os
import sys
from pathlib import Path

import clip_samples as samples
import numpy as np
from PIL import Image

from linnet.codec.bench.adapters import find_adapter
from linnet.codec.bench.adapters.base import CodecOptions
from linnet.codec.scheduling import usual_scheduling
from linnet.codec.video.containers import find_container
from linnet.codec.video.sink import MediaSink

USUAL = 0  # SCHED_OTHER


def policies() -> set[int]:
    """How the threads of this process are scheduled."""
    if sys.platform != "linux":
        return {USUAL}
    return {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}


def test_svt_av1_leaves_no_real_time_threads_behind(photo: Image.Image, tmp_path: Path) -> None:
    pixels = np.asarray(photo.crop((0, 0, 100, 60)))
    sink = MediaSink(io.BytesIO(), find_container("mkv"), "av1", samples.header(100, 60), (), {})
    sink.write(pixels, 0, 1)
    assert policies() == {USUAL}
    sink.finish()
    find_adapter("svtav1", CodecOptions()).encode(pixels, 40, tmp_path / "a.obu")
    assert policies() == {USUAL}


def test_what_a_block_asks_for_ends_with_it() -> None:
    with usual_scheduling():
        if sys.platform == "linux":
            os.sched_setscheduler(os.getpid(), os.SCHED_BATCH, os.sched_param(0))
    assert policies() == {USUAL}
