"""The demonstration: one photograph through Linnet, JPEG and WebP at one size, measured and side by side."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .bench.adapters import find_adapter
from .bench.adapters.base import CodecOptions, PictureAdapter, Pixels
from .bench.matching import nearest_value, next_value
from .decode import decode
from .distortion import ms_ssim, psnr_db
from .encode import encode
from .files.atomic import atomic_write
from .image.saving import save_image

PHOTO = "grace_hopper.jpg"
CROP = (150, 20, 390, 260)  # left, upper, right, lower: the face and the embroidery of the cap
ZOOM = 2
CAPTION_PX = 44
WARM_UP_PX = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """One codec's result on the photograph."""

    codec: str
    file: str
    bytes: int
    bpp: float  # bits of the file per pixel
    psnr_db: float  # over all three channels
    ms_ssim: float
    encode_s: float
    decode_s: float


@dataclass(frozen=True, slots=True)
class DemoReport:
    """All results, and where the picture that shows them is."""

    results: tuple[Measured, ...]
    comparison: str

    def fields(self) -> dict[str, str | list[dict[str, str | int | float]]]:
        """The report for JSON."""
        return {"comparison": self.comparison, "results": [asdict(result) for result in self.results]}

    def table(self) -> str:
        """The report for people."""
        lines = [
            f"{'codec':<18}{'bytes':>8}{'bpp':>8}{'PSNR dB':>9}{'MS-SSIM':>9}{'encode s':>10}{'decode s':>10}"
        ]
        for r in self.results:
            figures = f"{r.bytes:>8}{r.bpp:>8.3f}{r.psnr_db:>9.2f}{r.ms_ssim:>9.4f}"
            lines.append(f"{r.codec:<18}{figures}{r.encode_s:>10.3f}{r.decode_s:>10.3f}")
        return "\n".join([*lines, f"side by side: {self.comparison}"])


def run_demo(folder: Path, quality: float = 30, device: str = "auto") -> DemoReport:
    """Encode the photograph, decode it, measure it beside the others and draw the comparison.

    Args:
        folder: is made, and takes photo.lnt, photo.png, photo.jpg, photo.webp and comparison.png.
        quality: Linnet's, 0 to 100; the others are brought to the size that it gives.
        device: where the networks run.
    Raises:
        ImportError: matplotlib or pytorch-msssim is missing.
    """
    source = find_photo()
    original = np.asarray(Image.open(source).convert("RGB"))
    folder.mkdir(parents=True, exist_ok=True)
    ours, decoded = _measure_linnet(source, original, folder, quality, device)
    panels = [("original", original), (_caption(ours), decoded)]
    results = [ours]
    for name in ("jpeg", "webp"):
        codec = find_adapter(name, CodecOptions())
        result, pixels = _measure_other(codec, folder / f"photo{codec.suffix}", original, ours.bytes)
        results.append(result)
        panels.append((_caption(result), pixels))
    comparison = folder / "comparison.png"
    with atomic_write(comparison, overwrite=True) as stream:
        draw_comparison(panels).save(stream, "PNG")
    return DemoReport(tuple(results), str(comparison))


def find_photo() -> Path:
    """The photograph that matplotlib carries: Grace Hopper, US Navy, in the public domain.

    Raises:
        ImportError: matplotlib is missing.
    """
    try:
        from matplotlib import get_data_path
    except ImportError as error:
        raise ImportError("the demo needs matplotlib's photograph: pip install 'linnet[bench]'") from error
    return Path(get_data_path()) / "sample_data" / PHOTO


def draw_comparison(panels: Sequence[tuple[str, Pixels]]) -> Image.Image:
    """Crops of the pictures side by side, enlarged without smoothing, each under its caption."""
    width, height = (CROP[2] - CROP[0]) * ZOOM, (CROP[3] - CROP[1]) * ZOOM
    canvas = Image.new("RGB", (width * len(panels), height + CAPTION_PX), "white")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(18)
    for index, (caption, pixels) in enumerate(panels):
        crop = Image.fromarray(pixels).crop(CROP).resize((width, height), Image.Resampling.NEAREST)
        canvas.paste(crop, (index * width, CAPTION_PX))
        pen.text((index * width + 8, 10), caption, fill="black", font=font)
    return canvas


def _caption(result: Measured) -> str:
    return f"{result.codec}  {result.bytes} bytes  {result.psnr_db:.2f} dB"


def _measure_linnet(
    source: Path, original: Pixels, folder: Path, quality: float, device: str
) -> tuple[Measured, Pixels]:
    """Encode and decode with Linnet; the files stay in the folder."""
    small = encode(original[:WARM_UP_PX, :WARM_UP_PX], quality=quality, device=device)
    decode(small.data or b"", device=device)  # loads the model: its time is not the picture's
    path = folder / "photo.lnt"
    started = time.perf_counter()
    result = encode(source, path, quality=quality, device=device, overwrite=True)
    between = time.perf_counter()
    frame = decode(path, device=device)
    finished = time.perf_counter()
    save_image(frame, folder / "photo.png", overwrite=True)
    pixels = frame.to_eight_bits().pixels.astype(np.uint8)
    codec = f"Linnet {result.model} q{quality:g}"
    measured = _measured(codec, path, original, pixels, between - started, finished - between)
    return measured, pixels


def _measure_other(
    codec: PictureAdapter, path: Path, original: Pixels, target_bytes: int
) -> tuple[Measured, Pixels]:
    """Encode at the value whose size is nearest to the target, decode, and keep the file."""
    sizes: dict[float, int] = {}
    tried: float | None = codec.knob.grid[0]
    while tried is not None:
        codec.encode(original, tried, path)
        sizes[tried] = path.stat().st_size
        largest = codec.knob.grid[-1]
        tried = next_value(sizes, target_bytes, codec.knob) if largest in sizes else largest
    nearest = nearest_value(sizes, target_bytes)
    started = time.perf_counter()
    codec.encode(original, nearest, path)
    between = time.perf_counter()
    pixels = codec.decode(path, (original.shape[1], original.shape[0]))
    finished = time.perf_counter()
    name = f"{codec.label} q{nearest:g}"
    return _measured(name, path, original, pixels, between - started, finished - between), pixels


def _measured(
    codec: str, path: Path, original: Pixels, pixels: Pixels, encode_s: float, decode_s: float
) -> Measured:
    size = path.stat().st_size
    return Measured(
        codec=codec,
        file=str(path),
        bytes=size,
        bpp=size * 8 / (original.shape[0] * original.shape[1]),
        psnr_db=psnr_db(original, pixels),
        ms_ssim=ms_ssim(original, pixels),
        encode_s=encode_s,
        decode_s=decode_s,
    )
