"""`linnet.encode`: a picture to a file."""

import io
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from ..bitstream.errors import LimitExceededError
from ..bitstream.limits import Limits
from ..bitstream.metadata import Metadata
from ..models import zoo
from ..models.effort import DEFAULT_EFFORT
from .device import device_name, on_its_devices
from .files.destination import written
from .picture import Picture, as_frame
from .progress import Progress, quiet
from .still.encoders import encoder_for
from .still.hidden import with_hidden_filled
from .wish import TILES, Wish, target_of


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


@on_its_devices
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
    else:
        with written(dest, overwrite) as stream:
            yield stream
