"""Metrics that look at frames one behind the other: XPSNR and VMAF, by FFmpeg's filters of those names."""

import gc
import json
import re
import tempfile
from fractions import Fraction
from pathlib import Path

from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext

from ..errors import NotInstalledError
from .footage import FORMAT, Planes, Shot, frame_of
from .perception import XPSNR_ADVICE, run_quietly, vmaf_program


class Xpsnr:
    """XPSNR of the luma of a clip in dB, by the filter that PyAV has.

    Raises (add):
        NotInstalledError: this PyAV has no such filter.
    """

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._folder = tempfile.TemporaryDirectory(prefix="linnet-bench-")
        self._log = Path(self._folder.name) / "xpsnr.log"
        self._graph: Graph | None = None  # its parts do not keep it
        self._inputs: list[FilterContext] = []
        self._sink: FilterContext | None = None
        self._count = 0

    def add(self, original: Shot, decoded: Shot) -> None:
        """See Meter. The weights come from the first input: the original."""
        if self._sink is None:
            self._sink = self._begin(original.planes)
        for source, shot in zip(self._inputs, (original, decoded), strict=True):
            frame = frame_of(shot.planes)
            frame.pts, frame.time_base = self._count, 1 / self._rate
            source.push(frame)
        self._sink.pull()
        self._count += 1

    def _begin(self, planes: Planes) -> FilterContext:
        graph = Graph()
        try:
            compare = graph.add("xpsnr", f"stats_file={self._log}")
        except (ValueError, FFmpegError) as error:
            raise NotInstalledError(XPSNR_ADVICE) from error
        height, width = planes[0].shape
        words = f"video_size={width}x{height}:pix_fmt={FORMAT}:time_base={1 / self._rate}"
        # The weights over time depend on the frame rate, which add_buffer cannot state.
        self._inputs = [graph.add("buffer", f"{words}:frame_rate={self._rate}") for _ in "ab"]
        sink = graph.add("buffersink")
        for pad, source in enumerate(self._inputs):
            source.link_to(compare, 0, pad)
        compare.link_to(sink)
        graph.configure()
        self._graph = graph
        return sink

    def value(self) -> float:
        """See Meter."""
        while self._inputs:
            self._inputs.pop().push(None)  # kept in no variable: an input holds on to its graph
        self._sink = self._graph = None
        gc.collect()  # the log is written when the last part of the filter graph goes
        found = re.findall(r"XPSNR average, .* y: *(\S+)", self._log.read_text())
        self._folder.cleanup()
        return float(found[-1])


class Vmaf:
    """VMAF of a clip, 0 to 100, with FFmpeg's default model; the mean over frames.

    Raises (constructor):
        NotInstalledError: as vmaf_program.
    """

    def __init__(self, rate: Fraction) -> None:
        self._program = vmaf_program()
        self._rate = rate
        self._folder = tempfile.TemporaryDirectory(prefix="linnet-bench-")
        self._size = ""
        place = Path(self._folder.name)
        self._files = [(place / name).open("wb") for name in ("original.yuv", "decoded.yuv")]

    def add(self, original: Shot, decoded: Shot) -> None:
        """See Meter. Frames go to a disk, since the program has one standard input."""
        height, width = original.planes[0].shape
        self._size = f"{width}x{height}"
        for file, shot in zip(self._files, (original, decoded), strict=True):
            for plane in shot.planes:
                file.write(plane.tobytes())

    def value(self) -> float:
        """See Meter."""
        for file in self._files:
            file.close()
        form = ["-f", "rawvideo", "-pix_fmt", FORMAT, "-s", self._size, "-r", str(self._rate)]
        inputs = [word for name in ("decoded.yuv", "original.yuv") for word in (*form, "-i", name)]
        graph = "[0][1]libvmaf=log_fmt=json:log_path=vmaf.json"
        place = Path(self._folder.name)
        words = [self._program, "-nostdin", "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"]
        run_quietly(words, place)
        report = json.loads((place / "vmaf.json").read_text())
        self._folder.cleanup()
        return float(report["pooled_metrics"]["vmaf"]["mean"])
