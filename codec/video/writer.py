"""VideoWriter: frames in, a .lnt clip out."""

import os
from contextlib import ExitStack
from fractions import Fraction
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ...bitstream.clip import ClipFormat, Range, Sampling
from ...bitstream.header import Colour
from ...models import codecs, zoo
from ..device import device_name, on_its_devices
from ..files.destination import written
from ..frame import Frame
from .clip_encoder import ClipEncoder
from .given_frame import frame_of
from .header import clip_header
from .plan import plan_for
from .times import exact, meant_rate

_MAX_TERM = 2**31 - 1


class VideoWriter:
    """Writes a clip; a context manager. The file appears when the block ends, and only if it ends well.

        with linnet.VideoWriter("v.lnt", rate=25, quality=50) as video:
            for pixels in frames: video.write(pixels)

    Args:
        dest: a path (written atomically) or a binary stream.
        rate: frames per second.
        quality: 0 to 100; None for 50, or the only quality of an imported model.
        target_bitrate: bits per second of the frames on average, instead of a quality.
        tick: unit of times in seconds, for frames whose times are given; None for 1 / rate.
        model, device: as for linnet.encode. tags: title and so on. overwrite: replace an existing file.
        gop: frames from one key frame to the next, 1 for key frames only; None for the default.
        inter_model: for the frames between key frames; None for the newest that ships.
    Raises:
        ValueError: rate, tick, quality, bitrate, models, device or gop. FileExistsError, OSError.
    """

    @on_its_devices
    def __init__(
        self,
        dest: str | os.PathLike[str] | BinaryIO,
        *,
        rate: Fraction | float = 25,
        quality: float | None = None,
        target_bitrate: float | None = None,
        tick: Fraction | None = None,
        model: str = "fast",
        device: str = "auto",
        tags: dict[str, str] | None = None,
        overwrite: bool = False,
        gop: int | None = None,
        inter_model: str | None = None,
    ) -> None:
        spec = zoo.find(model)
        self._plan = plan_for(gop, target_bitrate, None, quality, spec.quality, inter_model)
        self._rate = meant_rate(rate)
        if not 0 < self._rate <= _MAX_TERM:
            raise ValueError(f"rate must be more than 0 frames per second, not {rate}")
        self._tick = 1 / self._rate if tick is None else exact(tick)
        if self._tick <= 0:
            raise ValueError(f"tick must be more than 0 seconds, not {tick}")
        self._quality = zoo.quality_for(spec, quality)
        self._codec = codecs.load(spec, device_name(device))
        self._tags = tags
        self._encoder: ClipEncoder | None = None
        self._shape: tuple[int, ...] = ()
        self._stack = ExitStack()
        self._stream = self._stack.enter_context(written(dest, overwrite))
        self._closed = False

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif not self._closed:
            self._closed = True
            self._stack.__exit__(kind, error, trace)

    @on_its_devices
    def write(
        self, frame: NDArray[np.generic] | Tensor | Frame, time: float | Fraction | None = None
    ) -> None:
        """Encode the next frame.

        Args:
            frame: [H, W], [H, W, 1] or [H, W, 3] of uint8 or uint16, a tensor of uint8 [H, W, 3] or [3, H, W]
                or of floats 0..1, or a Frame. All of one shape and depth.
            time: when it is shown, seconds, later than the one before; None for number / rate.
        Raises:
            ValueError: another shape or depth than the first one, alpha, or a time that does not rise.
        """
        if self._closed:
            raise ValueError("the clip is closed")
        picture = frame_of(frame)
        number = self._encoder.frames if self._encoder else 0
        seconds = number / self._rate if time is None else exact(time)
        if self._encoder is None:
            self._shape = picture.pixels.shape
            self._encoder = self._begin(picture)
        if picture.pixels.shape != self._shape or picture.bit_depth != self._depth:
            raise ValueError(
                f"frame {number} is {list(picture.pixels.shape)} of {picture.bit_depth} bits, the first one "
                f"{list(self._shape)} of {self._depth}: a clip has one size"
            )
        duration = round(1 / self._rate / self._tick) if time is None else 0
        self._encoder.write(picture.pixels, round(seconds / self._tick), duration)

    def _begin(self, first: Frame) -> ClipEncoder:
        self._depth = first.bit_depth
        sampling = Sampling.GREY if first.colour is Colour.GREY else Sampling.RGB
        clip = ClipFormat(self._tick, self._rate, sampling=sampling, range=Range.FULL, depth=first.bit_depth)
        header = clip_header(
            (first.width, first.height), first.colour, first.bit_depth, clip, self._codec, self._quality
        )
        return ClipEncoder(self._stream, header, self._codec, tags=self._tags, plan=self._plan)

    @on_its_devices
    def close(self) -> None:
        """Write the end and give the file its name; there is no file where this raises.

        Raises:
            ValueError: no frame. TargetError: not even quality 0 meets the bitrate.
        """
        if self._closed:
            return
        self._closed = True
        with self._stack:
            if self._encoder is None:
                raise ValueError("a clip has at least one frame")
            self._encoder.finish()
            if self._encoder.control is not None:
                self._encoder.control.check()
