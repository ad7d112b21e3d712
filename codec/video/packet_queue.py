"""Packets that wait for the frame they belong to, so that a file holds together what is shown together."""

from collections import deque
from fractions import Fraction

from ...bitstream.clip_packets import MAX_PACKETS, Packet
from ...bitstream.clip_streams import Stream
from ...bitstream.clip_writer import ClipWriter
from .times import begin_s

_PENDING_BYTES = 2**24  # packets that wait for their frame; more of them are written early


class PacketQueue:
    """Holds packets until the last frame that is not shown later is written, so that seeking finds them."""

    def __init__(self, writer: ClipWriter, streams: tuple[Stream, ...]) -> None:
        self._writer, self._streams = writer, streams
        self._waiting: list[deque[tuple[Fraction, Packet]]] = [deque() for _ in streams]
        self._bytes = 0

    def add(self, stream: int, packet: Packet) -> None:
        """Take a packet."""
        seconds, queue = begin_s(packet, self._streams[stream]), self._waiting[stream]
        if seconds is None:  # one without any time stays with the one before it
            seconds = queue[-1][0] if queue else Fraction(0)
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
