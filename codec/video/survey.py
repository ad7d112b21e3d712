"""What a clip is made of, found without decoding it: what a target size is shared among."""

import math
import os
from dataclasses import dataclass

from ...bitstream.clip_packets import encode_packets
from ...bitstream.clip_streams import encode_stream
from .media_file import blaming, chosen_streams, open_media
from .passengers import from_av


@dataclass(frozen=True, slots=True)
class Survey:
    """What a clip is made of.

    length_s: of its video. stream_bytes: what all that travels along takes in a .lnt file at most.
    packet_bytes: its data alone, which no file can do without.
    """

    length_s: float
    stream_bytes: int
    packet_bytes: int = 0


def survey(source: str | os.PathLike[str]) -> Survey:
    """Read a file without decoding it. Raises UnreadableMediaError, OSError."""
    name = os.fspath(source)
    first_s, end_s, total, data = math.inf, 0.0, 0, 0
    with blaming(name), open_media(name) as file:
        video, kept = chosen_streams(file, name)
        numbers = {stream.index: number for number, (stream, _) in enumerate(kept)}
        total += sum(len(encode_stream(stream)) for _, stream in kept)
        for packet in file.demux([video, *(stream for stream, _ in kept)]):
            if packet.stream.index in numbers:
                data += packet.size
                total += len(encode_packets(numbers[packet.stream.index], [from_av(packet)]))
            elif packet.pts is not None and packet.time_base:
                first_s = min(first_s, float(packet.pts * packet.time_base))
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return Survey(max(0.0, end_s - first_s), total, data)
