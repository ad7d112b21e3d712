"""Writes a clip from front to back, to any stream, seekable or not."""

from collections.abc import Sequence
from typing import BinaryIO

from .chunk_types import ChunkType
from .chunks import SIGNATURE, encode_chunk
from .clip_frames import FrameHead, FrameKind, encode_frame
from .clip_index import IndexBuilder
from .clip_streams import (
    MAX_PACKETS,
    MAX_STREAMS,
    Packet,
    Stream,
    encode_packets,
    encode_pairs,
    encode_stream,
)
from .header import Header
from .header_fields import encode_header
from .index import OFFSET_BYTES
from .writer import write_all


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
        self._stream = stream
        self._header = header
        self._streams = len(streams)
        self._index = IndexBuilder()
        self._last_time: int | None = None
        self._finished = False
        self.bytes_written = 0
        self._write(SIGNATURE + encode_chunk(ChunkType.HEADER, encode_header(header)))
        for each in streams:
            self._write(encode_chunk(ChunkType.STREAM, encode_stream(each)))
        if tags:
            self._write(encode_chunk(ChunkType.TAGS, encode_pairs(tags)))

    @property
    def frames(self) -> int:
        """Frames written."""
        return self._index.frames

    def check_time(self, time: int) -> None:
        """Whether the next frame may be shown then, asked before it is encoded. Raises ValueError if not."""
        self._check_open()
        if self._last_time is not None and time <= self._last_time:
            raise ValueError(
                f"frame {self.frames} is shown at tick {time}, the one before at {self._last_time}: "
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
        chunk = encode_chunk(ChunkType.FRAME, encode_frame(head, tiles, motion))
        self._index.add(head, self.bytes_written)
        self._last_time = head.time
        self._write(chunk)

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
        self._write(encode_chunk(ChunkType.PACKETS, encode_packets(stream, packets)))

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
        pointer = self.bytes_written.to_bytes(OFFSET_BYTES, "little")
        self._write(encode_chunk(ChunkType.INDEX, self._index.payload()))
        self._write(encode_chunk(ChunkType.END, pointer))
        self._stream.flush()
        return self.bytes_written

    def _check_open(self) -> None:
        if self._finished:
            raise ValueError("the file is finished")

    def _write(self, data: bytes) -> None:
        write_all(self._stream, data)
        self.bytes_written += len(data)
