"""Encoders that ask the system for more than their share, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

TELL = """
import os, sys
def policies():
    if sys.platform != "linux":
        return {0}
    return {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}
before = policies()
"""
CLIP = """
import io
import numpy as np
import clip_samples as samples
from linnet.codec.video.containers import find_container
from linnet.codec.video.sink import MediaSink
sink = MediaSink(io.BytesIO(), find_container("mkv"), "av1", samples.header(100, 60), (), {})
sink.write(np.zeros((60, 100, 3), np.uint8), 0, 1)
assert policies() == before, policies()
sink.finish()
"""
STILL = """
import numpy as np
from pathlib import Path
from linnet.codec.bench.adapters import find_adapter
from linnet.codec.bench.adapters.base import CodecOptions
find_adapter("svtav1", CodecOptions()).encode(np.zeros((60, 100, 3), np.uint8), 40, Path(sys.argv[1]))
"""
ASKING = """
from linnet.codec.scheduling import usual_scheduling
with usual_scheduling():
    if sys.platform == "linux":
        os.sched_setscheduler(os.getpid(), os.SCHED_BATCH, os.sched_param(0))
        assert policies() != before
"""


@pytest.mark.parametrize("work", [CLIP, STILL, ASKING])
def test_a_process_is_scheduled_as_before(work: str, tmp_path: Path) -> None:
    program = f"{TELL}{work}assert policies() == before, policies()"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "a.obu"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
