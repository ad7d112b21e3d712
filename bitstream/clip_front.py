"""The front of a clip: signature, header, streams and tags, all that comes before the first frame."""

from dataclasses import dataclass

from .chunk_types import ChunkHead, ChunkType
from .chunks import ChunkSource
from .clip import ClipFormat
from .clip_streams import MAX_STREAMS, Stream, decode_stream, decode_tags
from .errors import CorruptFileError
from .front import read_header, reject, skip_unknown
from .header import Header
from .limits import Limits

_BODY = (ChunkType.FRAME, ChunkType.PACKETS, ChunkType.INDEX, ChunkType.END)


@dataclass(frozen=True, slots=True)
class ClipFront:
    """What stands before the frames, and where they start."""

    header: Header
    clip: ClipFormat  # the header's
    streams: tuple[Stream, ...]
    tags: dict[str, str]
    next_head: ChunkHead  # of the first chunk behind the front; its payload is still to be read
    next_payload: int  # offset of that payload


def read_clip_front(source: ChunkSource, limits: Limits) -> ClipFront:
    """Read up to the first frame or packet.

    Raises:
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError;
        ValueError: the file holds a still image.
    """
    source.read_signature()
    header = read_header(source, limits)
    if header.clip is None:
        raise ValueError("the file holds a picture, not a clip: read it with linnet.decode")
    streams: list[Stream] = []
    tags: dict[str, str] | None = None
    left = limits.max_metadata_bytes
    while True:
        head = source.read_head()
        if head.type in _BODY:
            return ClipFront(header, header.clip, tuple(streams), tags or {}, head, source.offset)
        if head.type in (ChunkType.STREAM, ChunkType.TAGS):
            payload = source.read_payload(head, left, "Limits.max_metadata_bytes, less what came before")
            left -= head.length
            if head.type == ChunkType.STREAM:
                streams.append(decode_stream(payload, head.offset))
            elif tags is None:
                tags = decode_tags(payload, head.offset)
            else:
                raise CorruptFileError("the tags come twice", chunk=head.name, offset=head.offset)
            if len(streams) > MAX_STREAMS:
                raise CorruptFileError(
                    f"more than {MAX_STREAMS} streams", chunk=head.name, offset=head.offset
                )
        elif head.known:
            reject(source, head, "it has no place in a clip")
        else:
            skip_unknown(source, head, header)
