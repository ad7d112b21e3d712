"""Media out: the pieces of a clip written into a media file, moved so that it begins at 0."""

from collections.abc import Iterable
from typing import BinaryIO

from ...bitstream.clip_packets import PacketGroup
from ...bitstream.clip_reader import ClipReader
from ...bitstream.resync import OnDamage
from .clip_decoder import Piece
from .containers import Container
from .sink import MediaSink
from .timed_frame import TimedFrame


def mux(
    pieces: Iterable[Piece],
    reader: ClipReader,
    stream: BinaryIO,
    container: Container,
    codec: str | None,
    is_from_start: bool,
    told: OnDamage | None = None,
) -> None:
    """Write frames and packets into a media file.

    Args:
        pieces: as ClipDecoder gives them. reader: of the clip, for its header, streams and tags.
        stream, container, codec: as MediaSink has them.
        is_from_start: whether they begin where the clip does, whose first frame may have any time.
        told: as MediaSink has it.
    Raises:
        ValueError, LimitExceededError, UnsupportedVersionError, CorruptFileError: as MediaSink.
    """
    tick = reader.clip.tick
    sink = MediaSink(stream, container, codec, reader.header, reader.streams, reader.tags, told)
    # Ticks, to begin at 0: of a part of a clip, and of frames that have no times where packets do.
    shift: int | None = 0 if is_from_start and container.timed else None
    held: list[PacketGroup] = []  # until the first frame tells by how much they move
    for piece in pieces:
        if isinstance(piece, TimedFrame):
            if shift is None:
                late = not container.timed and container.streams
                shift = -(_begin(held, reader, piece.time) if late else piece.time)
            while held:
                sink.write_packets(held.pop(0), shift * tick)
            sink.write(piece.pixels, piece.time + shift, piece.duration)
        elif shift is None:
            held.append(piece)
        else:
            sink.write_packets(piece, shift * tick)
    sink.finish()


def _begin(groups: list[PacketGroup], reader: ClipReader, time: int) -> int:
    """When the first of some packets begins, or a time that is earlier, in ticks of the clip."""
    tick, streams = reader.clip.tick, reader.streams
    packets = ((packet.time, streams[group.stream].tick) for group in groups for packet in group.packets)
    return min([time, *(int(at * unit / tick // 1) for at, unit in packets if at is not None)])
