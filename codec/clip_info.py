"""What a clip has beyond a picture, from its two ends, or from all of it where one of them is missing."""

from dataclasses import dataclass, field
from itertools import pairwise

from ..bitstream.clip_frames import CodedFrame, FrameKind
from ..bitstream.clip_reader import ClipReader
from ..bitstream.clip_streams import Stream
from ..models.zoo import name_of


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """Sound or subtitles of a clip."""

    media: str  # "audio" or "subtitle"
    codec: str  # FFmpeg's name
    rate: int  # samples per second of sound
    channels: int
    language: str | None


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a clip has beyond a picture."""

    frames: int
    key_frames: int
    gop: int  # frames from one key frame to the next, or to the end: the most there are
    duration: float  # seconds
    rate: float  # frames per second, nominal; 0 if unknown or varying
    tick: str  # unit of times in seconds, as a fraction: "1/12800"
    bitrate: float  # bits of the file per second of the clip
    aspect: str  # width to height of a sample, as a fraction; "0" if unknown
    sampling: str  # of the source: "yuv420", "rgb" and so on
    depth: int  # of the source, bits a sample
    range: str  # of the source: "limited", "full" or "unknown"
    primaries: int  # of the source: code points of ITU-T H.273, 2 is unknown
    transfer: int
    matrix: int
    inter_model: str | None = None  # name of the model of inter frames, None if this Linnet does not know it
    inter_wire_id: int | None = None  # None if the clip can have key frames only
    inter_weights_hash: str | None = None  # in hex, likewise
    streams: tuple[StreamInfo, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


def described_clip(reader: ClipReader) -> tuple[VideoInfo, int]:
    """What a clip has beyond a picture, and the bytes of its file; all of it is read only if need be."""
    clip, inter = reader.clip, reader.header.inter
    if reader.seekable and reader.is_complete:
        index, size = reader.index(), reader.size()
        gop = max(after - key for key, after in pairwise([*index.numbers, index.frames]))
        counts = _Counts(index.frames, len(index.numbers), gop, index.times[0], index.end)
    else:
        counts, size = _counted(reader), reader.file_bytes or 0
    duration = float((counts.end - counts.first) * clip.tick)
    video = VideoInfo(
        frames=counts.frames,
        key_frames=counts.keys,
        gop=counts.gop,
        duration=duration,
        rate=float(clip.rate),
        tick=str(clip.tick),
        bitrate=size * 8 / duration if duration else 0.0,
        aspect=str(clip.aspect),
        sampling=clip.sampling.name.lower(),
        depth=clip.depth,
        range=clip.range.name.lower(),
        primaries=clip.primaries,
        transfer=clip.transfer,
        matrix=clip.matrix,
        inter_model=name_of(inter.wire_id, inter.weights_hash) if inter else None,
        inter_wire_id=inter.wire_id if inter else None,
        inter_weights_hash=inter.weights_hash.hex() if inter else None,
        streams=tuple(_stream_info(stream) for stream in reader.streams),
        tags=reader.tags,
    )
    return video, size


@dataclass(slots=True)
class _Counts:
    """Of a clip: frames, key frames, the most from one to the next; ticks of the beginning and the end."""

    frames: int = 0
    keys: int = 0
    gop: int = 0
    first: int = 0
    end: int = 0


def _counted(reader: ClipReader) -> _Counts:
    """The same as in an index, from reading all."""
    counts, key = _Counts(), 0
    for item in reader.items():
        if not isinstance(item, CodedFrame):
            continue
        head = item.head
        if head.kind == FrameKind.KEY:
            counts.keys, key = counts.keys + 1, head.number
        counts.first = head.time if counts.frames == 0 else counts.first
        counts.frames, counts.end = counts.frames + 1, head.time + head.duration
        counts.gop = max(counts.gop, counts.frames - key)
    return counts


def _stream_info(stream: Stream) -> StreamInfo:
    language = stream.tags.get("language")
    return StreamInfo(stream.media.name.lower(), stream.codec, stream.rate, stream.channels, language)
