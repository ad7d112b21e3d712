"""Reads a clip: forwards from any stream, or from any key frame of a seekable one.

How bytes become frames: clip_front.py reads up to the first of them, clip_walk.py goes on chunk by chunk
(past damage with clip_resync.py), and clip_frames.py and clip_packets.py take chunks apart. Where to begin in
the middle is what clip_key_frames.py says.
"""

from collections.abc import Iterator
from typing import BinaryIO

from .chunks import ChunkSource
from .clip_front import read_clip_front
from .clip_index import ClipIndex
from .clip_key_frames import KeyFrames
from .clip_walk import ClipWalk, Item
from .limits import Limits
from .resync import OnDamage


class ClipReader:
    """Reads all up to the first frame at once; items() reads the rest.

    Attributes:
        header, clip, streams, tags: what the front says.
        seekable: whether items() can be called again, and the index be used.
        file_bytes: of the whole file, known when items() from the start has come to its end.
        index_valid: whether the index is right (None: no index, or not known yet). Reading never depends
            on it.

    Raises (constructor):
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError;
        ValueError: the file holds a still image.
    """

    def __init__(self, source: bytes | BinaryIO, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._source = ChunkSource(source)
        self._front = read_clip_front(self._source, self._limits)
        self._keys = KeyFrames(self._source, self._front)
        self.header, self.clip = self._front.header, self._front.clip
        self.streams, self.tags = self._front.streams, self._front.tags
        self.seekable = self._source.seekable
        self.file_bytes: int | None = None
        self.index_valid: bool | None = None
        self._started = False

    def items(self, on_damage: OnDamage | None = None) -> Iterator[Item]:
        """Give all frames and packets in the order of the file, and check the file to its last byte.

        Behind damage come inter frames too that depend on a lost frame: who decodes must leave them out.

        Args:
            on_damage: told of each damage, which is then passed over up to the next whole frame (in a source
                that cannot seek, up to where the damaged chunk says that it ends); None to raise it.
        Raises:
            TruncatedError, CorruptFileError (damage; wrong order; bytes after the end), LimitExceededError,
            UnsupportedVersionError (something of a newer version);
            ValueError: a second call on a source that cannot seek.
        """
        if self._started and not self.seekable:
            raise ValueError("the source cannot seek: it can be read only once")
        self._started = True
        return self._walk(ClipWalk(self._source, self._front, self._limits, on_damage))

    def items_from(
        self, number: int | None = None, time: int | None = None, on_damage: OnDamage | None = None
    ) -> Iterator[Item]:
        """Give the items from the last key frame up to a frame number, or to a time in ticks (seekable only).

        Raises:
            as items(); ValueError: the source cannot seek.
        """
        if not self.seekable:
            raise ValueError("the source cannot seek: give a file, or read it from the start on")
        key = self._keys.seek(number, time, on_damage)
        return self._walk(ClipWalk(self._source, self._front, self._limits, on_damage, key))

    def index(self) -> ClipIndex:
        """The index of a seekable source, from its end; made by a scan where there is none.

        Raises:
            CorruptFileError: there is no frame. ValueError: the source cannot seek.
        """
        if not self.seekable:
            raise ValueError("the source cannot seek: it has no index before its end")
        return self._keys.index()

    def size(self) -> int:
        """Bytes of the whole file, of a seekable source."""
        return self._source.size()

    @property
    def is_complete(self) -> bool:
        """Whether a seekable source ends with an index and an end chunk."""
        return self._keys.stored() is not None

    def _walk(self, walk: ClipWalk) -> Iterator[Item]:
        """Give the items, and keep what the walk over them finds."""
        yield from walk.items()
        if walk.size is not None:
            self.file_bytes, self.index_valid = walk.size, walk.index_valid
