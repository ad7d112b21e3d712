"""VideoWriter: frames in, a .lnt clip out."""

import os
from collections import deque
from contextlib import ExitStack
from fractions import Fraction
from types import TracebackType
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...bitstream.clip import ClipFormat, Range, Sampling
from ...bitstream.clip_frames import FrameHead, FrameKind
from ...bitstream.clip_streams import MAX_PACKETS, Packet, Stream
from ...bitstream.clip_writer import ClipWriter
from ...bitstream.header import Colour, Header
from ...models import codecs, zoo
from ...models.codecs import StillCodec
from ..atomic import atomic_write
from ..device import device_name
from ..frame import Frame, Samples
from .coding import clip_header, encode_pixels

_PENDING_BYTES = 2**24  # packets that wait for their frame; more of them are written early
_MAX_TERM = 2**31 - 1


class PacketQueue:
    """Holds packets until the last frame that is not shown later is written, so that seeking finds them."""

    def __init__(self, writer: ClipWriter, streams: tuple[Stream, ...]) -> None:
        self._writer, self._streams = writer, streams
        self._waiting: list[deque[tuple[Fraction, Packet]]] = [deque() for _ in streams]
        self._bytes = 0

    def add(self, stream: int, packet: Packet) -> None:
        """Take a packet."""
        ticks = packet.time if packet.time is not None else packet.decode_time
        queue = self._waiting[stream]
        # One without any time stays with the one before it.
        seconds = queue[-1][0] if ticks is None and queue else (ticks or 0) * self._streams[stream].tick
        queue.append((seconds, packet))
        self._bytes += len(packet.data)
        if self._bytes > _PENDING_BYTES:
            self.write_before(None)

    def write_before(self, seconds: Fraction | None) -> None:
        """Write all packets that are presented before a time; None for all."""
        for number, queue in enumerate(self._waiting):
            due: list[Packet] = []
            while queue and (seconds is None or queue[0][0] < seconds) and len(due) < MAX_PACKETS:
                due.append(queue.popleft()[1])
                self._bytes -= len(due[-1].data)
            if due:
                self._writer.write_packets(number, due)
        if seconds is None and any(self._waiting):
            self.write_before(None)


class ClipEncoder:
    """Pixels and packets into an open stream, as key frames: the last step of whatever writes clips."""

    def __init__(
        self,
        stream: BinaryIO,
        header: Header,
        codec: StillCodec,
        streams: tuple[Stream, ...] = (),
        tags: dict[str, str] | None = None,
    ) -> None:
        self._header, self._codec = header, codec
        self._writer = ClipWriter(stream, header, streams, tags)
        self._queue = PacketQueue(self._writer, streams)
        self._tick = header.clip.tick if header.clip else Fraction(1)

    @property
    def frames(self) -> int:
        """Frames written."""
        return self._writer.frames

    @property
    def bytes_written(self) -> int:
        """Bytes of the file so far."""
        return self._writer.bytes_written

    def write(self, pixels: Samples, time: int, duration: int) -> None:
        """Encode the next frame [H, W, channels]; its time and duration (0: until the next) are in ticks."""
        tiles = encode_pixels(pixels, self._header, self._codec)
        self._queue.write_before(time * self._tick)
        self._writer.write_frame(FrameHead(FrameKind.KEY, self.frames, time, duration), tiles)

    def write_packet(self, stream: int, packet: Packet) -> None:
        """Keep a packet of a stream."""
        self._queue.add(stream, packet)

    def finish(self) -> int:
        """Write what waits, and the end; returns the bytes of the file. Raises ValueError without a frame."""
        self._queue.write_before(None)
        return self._writer.finish()


class VideoWriter:
    """Writes a clip; a context manager. The file appears when the block ends, and only if it ends well.

        with linnet.VideoWriter("v.lnt", rate=25, quality=50) as video:
            for pixels in frames: video.write(pixels)

    Args:
        dest: a path (written atomically) or a binary stream.
        rate: frames per second.
        quality: 0 to 100; None for 50, or the only quality of an imported model.
        tick: unit of times in seconds, for frames whose times are given; None for 1 / rate.
        model, device: as for linnet.encode. tags: title and so on. overwrite: replace an existing file.
    Raises:
        ValueError: rate, tick, quality, model or device out of range. FileExistsError, OSError.
    """

    def __init__(
        self,
        dest: str | os.PathLike[str] | BinaryIO,
        *,
        rate: Fraction | float = 25,
        quality: float | None = None,
        tick: Fraction | None = None,
        model: str = "fast",
        device: str = "auto",
        tags: dict[str, str] | None = None,
        overwrite: bool = False,
    ) -> None:
        self._rate = Fraction(rate).limit_denominator(1001)
        if not 0 < self._rate <= _MAX_TERM:
            raise ValueError(f"rate must be more than 0 frames per second, not {rate}")
        self._tick = tick or 1 / self._rate
        spec = zoo.find(model)
        self._quality = zoo.quality_for(spec, quality)
        self._codec = codecs.load(spec, device_name(device))
        self._tags = tags
        self._encoder: ClipEncoder | None = None
        self._shape: tuple[int, ...] = ()
        self._stack = ExitStack()
        is_path = isinstance(dest, (str, os.PathLike))
        self._stream = self._stack.enter_context(atomic_write(dest, overwrite)) if is_path else dest
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
        picture = _as_frame(frame)
        number = self._encoder.frames if self._encoder else 0
        seconds = number / self._rate if time is None else Fraction(time)
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
        return ClipEncoder(self._stream, header, self._codec, tags=self._tags)

    def close(self) -> None:
        """Write the end and give the file its name; ValueError without a frame: then there is no file."""
        if self._closed:
            return
        self._closed = True
        with self._stack:
            if self._encoder is None:
                raise ValueError("a clip has at least one frame")
            self._encoder.finish()


def _as_frame(frame: NDArray[np.generic] | Tensor | Frame) -> Frame:
    """An upright Frame without alpha. Raises ValueError."""
    if isinstance(frame, Tensor):
        frame = _as_array(frame)
    picture = frame.oriented() if isinstance(frame, Frame) else Frame.from_array(frame)
    if picture.alpha is not None:
        raise ValueError("a clip holds no transparency: give frames of 1 or 3 channels")
    return picture


def _as_array(tensor: Tensor) -> NDArray[np.generic]:
    """[H, W, 3] of a tensor [H, W, 3] or [3, H, W]; floats 0..1 become 8 bits."""
    if tensor.ndim == 3 and tensor.shape[0] in (1, 3) and tensor.shape[2] not in (1, 3):
        tensor = tensor.permute(1, 2, 0)
    if tensor.is_floating_point():
        tensor = (tensor.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return tensor.cpu().numpy()
