"""The library's verbs: encode, decode, verify."""

import io
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..bitstream.clip_frames import CodedFrame
from ..bitstream.clip_reader import ClipReader
from ..bitstream.errors import CorruptFileError, LimitExceededError, LinnetError
from ..bitstream.header import Header
from ..bitstream.limits import Limits
from ..bitstream.metadata import Metadata
from ..bitstream.reader import Reader, Tile
from ..models import codecs, zoo
from ..models.effort import DEFAULT_EFFORT
from .alpha import alpha_from_png
from .atomic import atomic_write
from .device import device_name
from .encoding import encoder_for
from .frame import Frame
from .hidden import with_hidden_filled
from .images import load_image
from .lookahead import with_lookahead
from .opening import Source, opened
from .staged import PartDecoder, read_staged
from .still import decode_tile, read_still
from .tiles import Box
from .video.frame_decoder import FrameDecoder
from .video.kind import holds_clip
from .wish import TILES, Wish, target_of

Picture: TypeAlias = Source | Image.Image | NDArray[np.uint8] | NDArray[np.uint16] | Frame
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class EncodeResult:
    """What an encode made.

    path: where it was written, or None; data: the file's bytes where no destination was given.
    bytes: of the file. bpp: bits of the file per pixel. seconds: wall time without loading the model.
    estimated_bytes: payload that the model's own probabilities predict, container excluded.
    stages: that the file has, of a model that codes in stages; None of any other.
    resampling: by which the sides were divided before they were coded, 1 if they were not.
    """

    path: Path | None
    data: bytes | None
    bytes: int
    bpp: float
    seconds: float
    width: int
    height: int
    quality: float
    model: str
    estimated_bytes: float
    stages: int | None = None
    resampling: int = 1


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verify looked at: `tiles` in a file of `bytes`; full: symbols decoded and hashes compared.

    frames: of a clip, 0 of a picture. parts: stages of tiles, 0 of a file without stages.
    """

    tiles: int
    bytes: int
    full: bool
    ok: bool = True
    frames: int = 0
    parts: int = 0


def quiet(done: int, total: int) -> None:
    """The progress of those who do not ask."""


def as_frame(source: Picture, limits: Limits) -> Frame:
    """A Frame of whatever holds a picture."""
    if isinstance(source, np.ndarray):
        source = Frame.from_array(source)
    if isinstance(source, Frame):
        limits.check_size(source.width, source.height)
        return source
    return load_image(source, limits)


def encode(
    source: Picture,
    dest: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    quality: float | None = None,
    target_size: int | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    stages: int | None = None,
    tile: int = TILES[-1],
    resilience: int | None = None,
    effort: int = DEFAULT_EFFORT,
    resampling: int | None = None,
    model: str = "fast",
    device: str = "auto",
    metadata: Literal["all", "none"] = "all",
    overwrite: bool = False,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> EncodeResult:
    """Encode a picture. Alpha is kept without loss, but not the colours of pixels that it hides.

    Args:
        source: a path, the bytes of an image file, a binary stream, a Pillow image, an array [H, W] or
            [H, W, 1..4] of uint8 or uint16, or a Frame.
        dest: a path (written atomically) or a binary stream; None to get the bytes in the result.
        quality: 0 (smallest) to 100, in steps of 0.01; None for 50, or the only quality of an imported model.
        target_size, target_bpp, target_psnr: in place of a quality, one of: a file of at most so many bytes,
            or bits per pixel (within 1 % where the model reaches it), or a PSNR of at least so many dB
            (within 0.05); found by encoding six times or so, up to nine for a size below that of quality 0.
            A model that codes in stages is as near to it as whole stages can be.
        stages: in place of a quality, of a model that codes in stages: how many of them.
        tile: side in pixels of what is coded on its own, 64 to 1024, a power of two: damage costs less of a
            picture of small tiles, which are larger in bytes.
        resilience: of a model that codes in stages: how many percent of the file, 1 to 40, may be lost and
            the picture still be whole; of up to twice as many it is coarser. The file grows by two to
            two and a half times as many percent. Metadata and alpha are not protected.
        effort: 0 to 7: for how long better latents are sought picture by picture. 1 corrects once what the
            analysis gives, 0 does not. From 2 on each takes twice the time of the one before, for a file that
            is better by the model's own measure; only of models that were trained for MSE. Decoding is the
            same.
        resampling: 1, 2, 4 or 8, by which the sides are divided before the picture is coded, for files below
            those of quality 0; it is decoded to its full size. None for 1 or, with a target of bytes
            or bits per pixel, the least that meets it. Not of models that code in stages.
        model: see `linnet models list`.
        device: auto, cpu or cuda:N. Files are decodable everywhere, whatever wrote them.
        metadata: "none" strips ICC profile, EXIF and XMP.
        overwrite: replace an existing file.
        limits: the largest picture to accept.
        progress: called with (tiles done, tiles), or from effort 2 on (iterations done, iterations).
    Raises:
        ValueError: quality, stages, tile, resilience, effort, resampling, model, device or array out of
            range; UnreadableImageError: no picture.
        TargetError: no quality meets the target. LimitExceededError: larger than `limits`.
        FileExistsError, OSError: the destination.
    """
    if metadata not in ("all", "none"):
        raise ValueError(f"metadata must be 'all' or 'none', not {metadata!r}")
    limits = limits or Limits()
    spec = zoo.find(model)
    target = target_of(target_size, target_bpp, target_psnr)
    wish = Wish(quality, stages, target, tile, resilience, effort, resampling)
    encode_frame = encoder_for(spec, device_name(device), wish)
    frame = with_hidden_filled(as_frame(source, limits))
    if metadata == "none":
        frame = replace(frame.oriented(), metadata=Metadata())
    if frame.metadata.byte_count > limits.max_metadata_bytes:
        raise LimitExceededError(
            f"{frame.metadata.byte_count} bytes of metadata are more than Limits.max_metadata_bytes = "
            f"{limits.max_metadata_bytes}: strip them (metadata='none') or raise the limit"
        )
    started = time.perf_counter()
    path = Path(dest) if isinstance(dest, (str, os.PathLike)) else None
    with _destination(dest, overwrite) as stream:
        made = encode_frame(frame, stream, progress or quiet)
    return EncodeResult(
        path=path,
        data=stream.getvalue() if isinstance(stream, io.BytesIO) and dest is None else None,
        bytes=made.bytes,
        bpp=made.bytes * 8 / (frame.width * frame.height),
        seconds=time.perf_counter() - started,
        width=frame.width,
        height=frame.height,
        quality=round(made.quality, 2),
        model=model,
        estimated_bytes=made.estimated_bits / 8,
        stages=made.stages,
        resampling=made.resampling,
    )


@contextmanager
def _destination(dest: str | os.PathLike[str] | BinaryIO | None, overwrite: bool):
    if dest is None:
        yield io.BytesIO()
    elif isinstance(dest, (str, os.PathLike)):
        with atomic_write(dest, overwrite) as stream:
            yield stream
    else:
        yield dest


def _model_of(header: Header) -> zoo.ModelSpec:
    return zoo.find_still_wire(header.model, header.weights_hash, header.quality, header.stages)


def decode(
    source: Source,
    *,
    device: str = "auto",
    region: Box | None = None,
    limits: Limits | None = None,
    allow_partial: bool = False,
    tune: Literal["fidelity", "perceptual"] = "fidelity",
    progress: Progress | None = None,
) -> Frame:
    """Decode a picture, upright.

    Damage that enough other shares of a resilient file make good is no error: the frame's `repairs` tell it.

    Args:
        source: a path, the file's bytes, or a binary stream (also a pipe).
        device: auto, cpu or cuda:N.
        region: (left, top, width, height) of the upright picture; only the tiles that it needs are decoded.
        limits: what to refuse before anything is allocated.
        allow_partial: make a picture of what is left of a damaged file; the frame's `losses` say what is not.
            A file that begins with damage has nothing left.
        tune: "perceptual" for the decoder that adds probable detail, of models that have one.
        progress: called with (steps done, steps).
    Raises:
        FormatError: a child says whether it is damaged, cut off, no Linnet file, or made by a newer one.
        LimitExceededError: larger than `limits`. OSError.
        ValueError: region or device out of range, or a decoder that the model does not have.
    """
    name = device_name(device)
    with opened(source) as stream:
        damage: list[LinnetError] | None = [] if allow_partial else None
        repairs: list[LinnetError] = []
        reader = Reader(stream, limits, None if damage is None else damage.append, repairs.append)
        spec = _model_of(reader.header)
        if spec.stages:
            codec = codecs.load_staged(spec, name, tune)
            frame = read_staged(reader, codec, region, progress or quiet, damage)
            return replace(frame, repairs=tuple(repairs))
        if tune != "fidelity":
            raise ValueError(f"model '{spec.name}' has one decoder: leave out tune='{tune}'")
        return read_still(reader, codecs.load(spec, name), region, progress or quiet, damage)


def verify(
    source: Source, *, full: bool = False, device: str = "auto", limits: Limits | None = None
) -> VerifyReport:
    """Check a file: every checksum, every tile there once, nothing behind the end.

    Args:
        full: also decode all symbols, compare the hashes and read the alpha plane; needs the model.
    Raises:
        FormatError, also for damage that shares can make good, LimitExceededError, OSError: as `decode`.
    """
    with opened(source) as given:
        stream = given if isinstance(given, bytes) else with_lookahead(given)
        if holds_clip(stream):
            return _verify_clip(ClipReader(stream, limits), device_name(device) if full else None)
        repairs: list[LinnetError] = []
        reader = Reader(stream, limits, on_repair=repairs.append)
        header, size = reader.header, 0
        check = _check_of(header, device_name(device)) if full else None
        if full and reader.alpha is not None:
            alpha_from_png(reader.alpha, header.full_width, header.full_height, header.bit_depth)
        for tile in reader.tiles():
            size += len(tile.payload)
            if check is not None:
                check(tile)
        if repairs:
            raise _repairable(repairs[0], reader)
        size += reader.parity_bytes
        extra = (reader.container_bytes or 0) + len(reader.alpha or b"") + reader.metadata.byte_count
        parts = header.part_count if header.stages else 0
        return VerifyReport(header.tile_count, size + extra, full, parts=parts)


def _repairable(error: LinnetError, reader: Reader) -> LinnetError:
    """Damage to a file in shares, with the good news."""
    assert reader.header.spread is not None
    left = f"{reader.intact_shares} of {reader.header.spread.count} shares"
    return type(error)(
        f"{error.message}; {left} are left, enough for the whole picture: linnet cut --stages "
        f"{reader.header.stages} makes the file whole",
        chunk=error.chunk,
        offset=error.offset,
    )


def _check_of(header: Header, device: str) -> Callable[[Tile], object]:
    """What decodes the tiles or parts of a still and compares their hashes."""
    spec = _model_of(header)
    if spec.stages:
        return PartDecoder(header, codecs.load_staged(spec, device)).take
    codec = codecs.load(spec, device)
    return lambda tile: decode_tile(tile, header, codec)


def _verify_clip(reader: ClipReader, device: str | None) -> VerifyReport:
    """Read all chunks of a clip; with a device decode all symbols there too."""
    decoder = None if device is None else FrameDecoder.load(reader.header, device)
    frames = 0
    for item in reader.items():
        if isinstance(item, CodedFrame):
            frames += 1
            if decoder is not None:
                decoder.read(item)
    if reader.index_valid is False:
        raise CorruptFileError(
            f"the index does not fit the {frames} frames that are there: some, or packets, are missing; the "
            "others decode",
            chunk="index",
        )
    tiles = frames * reader.header.tile_count
    return VerifyReport(tiles, reader.file_bytes or 0, decoder is not None, frames=frames)
