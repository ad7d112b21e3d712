"""VideoWriter: frames in, a .lnt clip out."""

import os
from collections import deque
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from types import TracebackType
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...bitstream.clip import ClipFormat, Range, Sampling
from ...bitstream.clip_frames import FrameHead, FrameKind
from ...bitstream.clip_packets import MAX_PACKETS, Packet
from ...bitstream.clip_streams import Stream
from ...bitstream.clip_writer import ClipWriter
from ...bitstream.header import Colour, Header
from ...models import codecs, zoo
from ...models.codecs import StillCodec
from ..atomic import atomic_write
from ..device import device_name
from ..frame import Frame, Samples
from .coding import CodedPicture, FrameEncoder, clip_header, with_inter
from .plan import DEFAULT_PLAN, Plan, plan_for
from .qualities import pattern_of
from .rate import RateControl
from .times import exact

_RETRIES = 2  # of the first frame, of which only a try says what it costs
_GAP_S = 1 / 25  # between frames, where no rate is known
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
    """Pixels and packets into an open stream, with a key frame every `gop` frames: what every writer uses."""

    def __init__(
        self,
        stream: BinaryIO,
        header: Header,
        codec: StillCodec,
        streams: tuple[Stream, ...] = (),
        tags: dict[str, str] | None = None,
        plan: Plan = DEFAULT_PLAN,
    ) -> None:
        if plan.gop > 1 and codec.spec.quality is None:
            header = with_inter(header, plan.inter)
        self._pattern = pattern_of(header, plan.group)
        self._gop = plan.gop if header.inter else 1
        self._control = None
        if plan.bits_per_s is not None:
            gap_s = float(1 / header.clip.rate) if header.clip and header.clip.rate else _GAP_S
            pixels = header.width * header.height
            self._control = RateControl(plan, self._gop, self._pattern, pixels, gap_s)
            begun = min(max(self._control.nominal, 0.0), 100.0)
            header = replace(header, quality_centi=round(begun * 100))
        self._quality = header.quality
        self._frame_encoder = FrameEncoder(header, codec)
        self.frame_bits = 0  # of the frames so far, as they stand in the file
        self._since_key = self._gop  # frames since the last key frame, with it
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
        self._writer.check_time(time)  # once it is encoded, the next frame may depend on it
        since, self._since_key = (
            self._since_key,
            0,
        )  # should anything fail from here on, a key frame comes next
        place = since % self._gop
        made = self._encode(pixels, place, time, duration)
        self._queue.write_before(time * self._tick)
        head = FrameHead(made.kind, self.frames, time, duration, made.quality_centi)
        before = self.bytes_written
        self._writer.write_frame(head, made.tiles, made.motion)
        self._since_key = 1 if made.kind == FrameKind.KEY else since + 1
        bits = 8 * (self.bytes_written - before)
        self.frame_bits += bits
        if self._control is not None:
            self._control.spend(place, bits, made.kind == FrameKind.KEY)

    def _encode(self, pixels: Samples, place: int, time: int, duration: int) -> CodedPicture:
        """Choose the qualities of a frame and encode it; the first one until its bits are what was meant."""
        if self._control is None:
            return self._encode_at(self._quality, pixels, place)
        nominal = self._control.choose(place, float(time * self._tick), float(duration * self._tick))
        made = self._encode_at(nominal, pixels, place)
        for _ in range(0 if self.frames else _RETRIES):
            better = self._control.reconsider(made.bits)
            if better is None:
                break
            made = self._encode_at(better, pixels, place)
        return made

    def _encode_at(self, nominal: float, pixels: Samples, place: int) -> CodedPicture:
        inter = self._pattern.quality(nominal, place) if place else None
        return self._frame_encoder.encode(pixels, self._pattern.quality(nominal, 0), inter)

    def write_packet(self, stream: int, packet: Packet) -> None:
        """Keep a packet of a stream."""
        self._queue.add(stream, packet)

    def finish(self) -> int:
        """Write what waits, and the end; returns the bytes of the file. Raises ValueError without a frame."""
        self._queue.write_before(None)
        return self._writer.finish()

    @property
    def control(self) -> RateControl | None:
        """What chooses the qualities, if there is a bitrate to meet."""
        return self._control


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
        self._rate = _meant(rate)
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


def _meant(rate: Fraction | float) -> Fraction:
    """Frames per second as a simple fraction, where that is the same rate."""
    found = exact(rate)
    simple = found.limit_denominator(1001)
    return simple if abs(simple - found) <= found / 10**5 else found


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
