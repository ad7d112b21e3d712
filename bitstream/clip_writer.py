"""Writes a clip from front to back, to any stream, seekable or not."""

from collections.abc import Sequence
from typing import BinaryIO

from .chunk_types import ChunkType
from .clip_frames import FrameHead, FrameKind, encode_frame
from .clip_index import IndexBuilder
from .clip_packets import MAX_PACKETS, Packet, encode_packets
from .clip_streams import MAX_STREAMS, Stream, encode_pairs, encode_stream
from .header import Header
from .sink import ChunkSink


class ClipWriter:
    """Writes signature, header, streams and tags at once; then frames and packets, index and end.

    Every misuse is a ValueError: the file would not be valid. The stream is the caller's and is never closed.
    Memory does not grow with the clip, but for some bytes of index a key frame.
    """

    def __init__(
        self,
        stream: BinaryIO,
        header: Header,
        streams: Sequence[Stream] = (),
        tags: dict[str, str] | None = None,
    ) -> None:
        if header.clip is None:
            raise ValueError("the header is that of a still image")
        if len(streams) > MAX_STREAMS:
            raise ValueError(f"a clip has at most {MAX_STREAMS} streams, not {len(streams)}")
        self._sink = ChunkSink(stream, header)
        self._header = header
        self._streams = len(streams)
        self._index = IndexBuilder()
        self._finished = False
        for each in streams:
            self._sink.write(ChunkType.STREAM, encode_stream(each))
        if tags:
            self._sink.write(ChunkType.TAGS, encode_pairs(tags))

    @property
    def bytes_written(self) -> int:
        """Of the file so far."""
        return self._sink.bytes_written

    @property
    def frames(self) -> int:
        """Frames written."""
        return self._index.frames

    def check_time(self, time: int) -> None:
        """Whether the next frame may be shown then, asked before it is encoded. Raises ValueError if not."""
        self._check_open()
        last = self._index.last_time
        if last is not None and time <= last:
            raise ValueError(
                f"frame {self.frames} is shown at tick {time}, the one before at {last}: "
                "times must rise, by a tick at least"
            )

    def write_frame(
        self, head: FrameHead, tiles: list[tuple[int, bytes]], motion: tuple[int, bytes] | None = None
    ) -> None:
        """Write the next frame.

        Args:
            head: its number must be the next one, its time later than the last one's; the first must be a
                key frame.
            tiles: latent hash and entropy-coded bytes of each tile, in order.
            motion: hash and entropy-coded bytes of an inter frame's motion field.
        Raises:
            ValueError: any of this does not hold, or the file is finished.
        """
        self.check_time(head.time)
        if head.number != self._index.frames:
            raise ValueError(f"the next frame is {self._index.frames}, not {head.number}")
        if len(tiles) != self._header.tile_count:
            raise ValueError(f"a frame has {self._header.tile_count} tiles, not {len(tiles)}")
        if head.kind == FrameKind.INTER and not (head.number and self._header.inter):
            raise ValueError(
                f"frame {head.number} cannot be an inter frame: "
                + ("the header names no inter model" if head.number else "no frame comes before it")
            )
        payload = encode_frame(head, tiles, motion)
        self._index.add(head, self.bytes_written)
        self._sink.write(ChunkType.FRAME, payload)

    def write_packets(self, stream: int, packets: Sequence[Packet]) -> None:
        """Write packets of one stream, in the order in which they were demuxed.

        Raises:
            ValueError: no such stream, no packet, or the file is finished.
        """
        self._check_open()
        if not 0 <= stream < self._streams:
            raise ValueError(f"stream must be one of {self._streams}, not {stream}")
        if not 0 < len(packets) <= MAX_PACKETS:
            raise ValueError(f"a chunk has 1 to {MAX_PACKETS} packets, not {len(packets)}")
        self._sink.write(ChunkType.PACKETS, encode_packets(stream, packets))

    def finish(self) -> int:
        """Write index and end chunk, flush.

        Returns:
            bytes of the whole file.
        Raises:
            ValueError: there is no frame, or the file is finished already.
        """
        self._check_open()
        if not self._index.frames:
            raise ValueError("a clip has at least one frame")
        self._finished = True
        return self._sink.finish(self._index.payload())

    def _check_open(self) -> None:
        if self._finished:
            raise ValueError("the file is finished")
