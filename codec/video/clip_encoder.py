"""Frames and packets into an open stream: which frames are key frames, their qualities, what they cost."""

from dataclasses import replace
from fractions import Fraction
from typing import BinaryIO

from ...bitstream.clip_frames import FrameHead, FrameKind
from ...bitstream.clip_packets import Packet
from ...bitstream.clip_streams import Stream
from ...bitstream.clip_writer import ClipWriter
from ...bitstream.header import Header
from ...models.codecs import StillCodec
from ..frame import Samples
from .frame_encoder import CodedPicture, FrameEncoder
from .header import with_inter
from .packet_queue import PacketQueue
from .plan import DEFAULT_PLAN, Plan
from .qualities import pattern_of
from .rate import RateControl
from .times import DEFAULT_RATE

_RETRIES = 2  # of the first frame, of which only a try says what it costs


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
            rate = header.clip.rate if header.clip else None
            gap_s = float(1 / (rate or DEFAULT_RATE))
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
        since = self._since_key
        self._since_key = 0  # should anything fail from here on, a key frame comes next
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
