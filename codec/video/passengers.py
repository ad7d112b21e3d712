"""Streams that travel untouched: the codec parameters of sound and subtitles, and their packets."""

import io
import warnings
from fractions import Fraction

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.stream import Stream as AvStream

from ...bitstream.clip_packets import Packet
from ...bitstream.clip_streams import Form, Media, Stream
from ..errors import MediaWarning

_MEDIA = {"audio": Media.AUDIO, "subtitle": Media.SUBTITLE}
_FORMS = {Form.MATROSKA: "matroska", Form.MP4: "mp4", Form.QUICKTIME: "mov"}
_DISPOSITIONS = 2**31 - 1  # FFmpeg keeps them in an int
_UNTIMED = {"aac", "vorbis", "opus", "flac"}  # whose packets have no length that an AVI could state
_STAND_IN = bytes(64)  # a packet, since FFmpeg reads no file without any


def describe(stream: AvStream) -> Stream | None:
    """What a muxer will need to know of a stream; None, with a warning, if FFmpeg cannot write it down.

    Warns:
        MediaWarning: the stream cannot be kept.
    """
    context = stream.codec_context
    for form, name in _FORMS.items():
        if context is None:
            break
        try:
            parameters = _parameters(stream, name)
        except (FFmpegError, ValueError, IndexError):
            continue
        return Stream(
            media=_MEDIA[stream.type],
            codec=context.name,
            tick=stream.time_base or Fraction(1, 1000),
            form=form,
            parameters=parameters,
            disposition=int(stream.disposition),
            rate=getattr(context, "sample_rate", 0) or 0,
            channels=getattr(context, "channels", 0) or 0,
            tags=dict(stream.metadata),
        )
    codec = "of an unknown codec" if context is None else f"({context.name})"
    warnings.warn(f"{stream.type} stream {stream.index} {codec} cannot be kept", MediaWarning, stacklevel=2)
    return None


def _parameters(stream: AvStream, form: str) -> bytes:
    """A file of one track like this one, with one packet that means nothing."""
    data = _lone(stream, form)
    with _opened(data, form) as file:
        if file.streams[0].codec_context.name != stream.codec_context.name:
            raise ValueError(f"{form} has no place for {stream.codec_context.name}")
    return data


def _lone(stream: AvStream, form: str) -> bytes:
    """As _parameters, unchecked. Raises FFmpegError, ValueError."""
    data = io.BytesIO()
    with av.open(data, "w", format=form) as file:
        copy = file.add_stream_from_template(stream)
        packet = av.Packet(_STAND_IN)
        packet.stream = copy
        packet.time_base, packet.pts, packet.dts, packet.duration = Fraction(1, 1000), 0, 0, 1
        file.mux(packet)
    return data.getvalue()


def _check_takes(form: str, stream: AvStream) -> None:
    """Raises FFmpegError or ValueError where a container does not hold a stream, which it may say late."""
    if form == "avi" and stream.codec_context.name in _UNTIMED:
        raise ValueError("it would lose its times")
    _lone(stream, form)


def _opened(data: bytes, form: str) -> InputContainer:
    # The format is named, so that FFmpeg does not look for one that opens other files.
    file = av.open(io.BytesIO(data), "r", format=form)
    assert isinstance(file, InputContainer)
    return file


def add_stream(file: OutputContainer, stream: Stream) -> AvStream | None:
    """Add a stream to an output; None, with a warning, if the output cannot hold it.

    Warns:
        MediaWarning: it is left out.
    """
    try:
        with _opened(stream.parameters, _FORMS[stream.form]) as parameters:
            _check_takes(file.format.name, parameters.streams[0])
            added = file.add_stream_from_template(parameters.streams[0])
    except (FFmpegError, ValueError, IndexError, KeyError) as error:
        kind = stream.media.name.lower()
        reason = error.strerror if isinstance(error, FFmpegError) else str(error)
        warnings.warn(
            f"the {kind} ({stream.codec}) is left out: {file.format.name} does not take it ({reason}), "
            "mkv may",
            MediaWarning,
            stacklevel=2,
        )
        return None
    added.time_base = stream.tick
    added.metadata.update(stream.tags)
    added.disposition = stream.disposition & _DISPOSITIONS
    return added


def from_av(packet: av.Packet) -> Packet:
    """A packet as it was demuxed."""
    decode_time = None if packet.dts == packet.pts else packet.dts
    return Packet(
        bytes(packet), packet.pts, decode_time, packet.duration or 0, packet.is_keyframe, packet.is_discard
    )


def to_av(packet: Packet, stream: Stream, target: AvStream, shift: int) -> av.Packet:
    """A packet to mux, its times moved by `shift` ticks of the stream."""
    made = av.Packet(packet.data)
    made.stream = target
    made.time_base = stream.tick
    time, decode_time = packet.time, packet.decode_time if packet.decode_time is not None else packet.time
    made.pts = None if time is None else time + shift
    made.dts = None if decode_time is None else decode_time + shift
    made.duration = packet.duration
    made.is_keyframe = packet.is_key
    return made
