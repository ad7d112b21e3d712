"""Colour of 16 bits through PyAV: Pillow would cut it to 8."""

from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from ..errors import UnreadableImageError

# Packed formats of 16 bits, and their channels: grey, grey + alpha, RGB, RGBA.
_FORMATS = {1: "gray16", 2: "ya16", 3: "rgb48", 4: "rgba64"}
_CHANNELS = {name: channels for channels, name in _FORMATS.items()}


def _context(codec: str, mode: Literal["r", "w"]) -> VideoCodecContext:
    context = av.CodecContext.create(codec, "r") if mode == "r" else av.CodecContext.create(codec, "w")
    if not isinstance(context, VideoCodecContext):
        raise ValueError(f"{codec} is not an image codec")
    return context


def decode_deep(data: bytes, codec: str) -> NDArray[np.uint16]:
    """Decode an image file of 16 bits a sample.

    Args:
        data: the file.
        codec: FFmpeg's name: png, tiff or ppm.
    Returns:
        [H, W, C] uint16, full range, C from 1 to 4.
    Raises:
        UnreadableImageError: damaged, or not of 16 bits.
    """
    try:
        context = _context(codec, "r")
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except FFmpegError as error:
        raise UnreadableImageError(f"the {codec.upper()} data is damaged: {error.strerror}") from error
    if not frames or frames[0].is_corrupt:
        raise UnreadableImageError(f"the {codec.upper()} data is damaged: no picture in it")
    frame = frames[0]
    name, order = frame.format.name[:-2], {"be": ">u2", "le": "<u2"}.get(frame.format.name[-2:], "")
    if name not in _CHANNELS or not order:
        raise UnreadableImageError(f"{codec.upper()} pixels of the kind {frame.format.name} cannot be read")
    channels = _CHANNELS[name]
    plane = frame.planes[0]
    # Rows are padded to line_size. Source: FFmpeg, libavutil/frame.h, AVFrame.linesize.
    rows = np.frombuffer(memoryview(plane), order).reshape(-1, plane.line_size // 2)
    samples = rows[: frame.height, : frame.width * channels]
    return samples.astype(np.uint16).reshape(frame.height, frame.width, channels)


def encode_deep(samples: NDArray[np.uint16], codec: str) -> bytes:
    """Code an image of 16 bits a sample.

    Args:
        samples: [H, W, C] uint16, full range.
        codec: png (C from 1 to 4), ppm (C = 3) or pgm (C = 1).
    Returns:
        a file without metadata.
    Raises:
        ValueError: the codec does not take this picture.
    """
    height, width, channels = samples.shape
    pixel_format = _FORMATS[channels] + "be"
    frame = av.VideoFrame(width, height, pixel_format)
    plane = frame.planes[0]
    rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size // 2), ">u2")
    rows[:height, : width * channels] = samples.reshape(height, -1)
    plane.update(rows.tobytes())
    try:
        context = _context(codec, "w")
        context.width, context.height, context.pix_fmt = width, height, pixel_format
        context.time_base = Fraction(1)  # a rate is required, and means nothing for a still
        if codec == "png":
            context.options = {"pred": "mixed"}  # the default, no prediction, makes photographs much larger
        packets = [*context.encode(frame), *context.encode(None)]
    except FFmpegError as error:
        raise ValueError(
            f"cannot write {width}x{height} pixels as {codec.upper()}: {error.strerror}"
        ) from error
    return b"".join(bytes(packet) for packet in packets)
