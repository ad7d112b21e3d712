"""The Pillow plugin: .lnt opens lazily, decodes when needed, saves with Pillow's own options."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from media_samples import deep_photo, exif_block
from PIL import ExifTags, Image, ImageOps

import linnet
import linnet.pillow
from linnet.bitstream import CorruptFileError, Metadata, TruncatedError
from linnet.codec.frame import Frame


def small(photo: Image.Image) -> Image.Image:
    return photo.crop((190, 60, 290, 140))


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def test_an_image_is_saved_and_opened_by_suffix(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    small(photo).save(path, quality=90)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("LNT", "RGB", (100, 80))
        again = np.array(image)
    frame = linnet.decode(path)
    assert np.array_equal(again, frame.pixels)
    assert psnr_db(again, np.array(small(photo))) > 25


def test_quality_is_linnets(photo: Image.Image, tmp_path: Path) -> None:
    sizes = []
    for quality in (5, 50, 95):
        path = tmp_path / f"{quality}.lnt"
        small(photo).save(path, quality=quality)
        assert linnet.info(path).quality == quality
        sizes.append(path.stat().st_size)
    assert sizes == sorted(set(sizes))
    with pytest.raises(ValueError, match="101"):
        small(photo).save(io.BytesIO(), "LNT", quality=101)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_mode_is_known_before_decoding(photo: Image.Image, channels: int, mode: str, depth: int) -> None:
    samples = deep_photo(photo, channels)[:40, :60]
    frame = Frame.from_array(samples if depth == 16 else (samples >> 8).astype(np.uint8))
    data = linnet.encode(frame, quality=50).data
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        expected = "I;16" if (depth, channels) == (16, 1) else mode
        assert (image.mode, image.size) == (expected, (60, 40))
        image.load()
        assert (image.mode, image.size) == (expected, (60, 40))
        assert np.array_equal(np.array(image), np.array(linnet.decode(data).to_pil()))


def test_opening_does_not_load_torch(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    small(photo).save(path)
    code = (
        "import sys, linnet.pillow\n"
        "from PIL import Image\n"
        "print(Image.open(sys.argv[1]).size, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "(100, 80) False\n"


@pytest.mark.parametrize("orientation", [1, 4, 6, 7])
def test_opened_images_are_upright_and_say_so(photo: Image.Image, orientation: int) -> None:
    exif, xmp = exif_block(orientation), f'<a tiff:Orientation="{orientation}"/>'.encode()
    frame = Frame.from_array(
        np.array(small(photo)), orientation=orientation, metadata=Metadata(b"icc", exif, xmp)
    )
    data = linnet.encode(frame, quality=80).data
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == frame.upright_size
        assert image.info["icc_profile"] == b"icc"
        assert image.info["exif"] == b"Exif\0\0" + exif_block(1)
        assert image.info["xmp"] == b'<a tiff:Orientation="1"/>'
        assert np.array_equal(np.array(ImageOps.exif_transpose(image)), np.array(image))
        assert psnr_db(np.array(image), frame.oriented().pixels) > 25


def test_metadata_follows_pillows_rules(photo: Image.Image, tmp_path: Path) -> None:
    image, path = small(photo), tmp_path / "out.lnt"
    image.info.update(icc_profile=b"own", exif=b"Exif\0\0" + exif_block(6), xmp=b"<own/>")
    image.save(path)
    frame = linnet.decode(path)
    assert frame.metadata == Metadata(icc=b"own")  # EXIF and XMP go along only where they are passed
    assert frame.upright_size == (100, 80)
    image.save(path, exif=image.info["exif"], icc_profile=b"other", xmp=b"<other/>")
    frame = linnet.decode(path)
    assert frame.metadata == Metadata(b"other", exif_block(6), b"<other/>")
    assert frame.upright_size == (80, 100)  # the orientation in the EXIF that was passed counts
    assert image.info["xmp"] == b"<own/>"  # the caller's image is not changed


def test_exif_objects_are_taken(photo: Image.Image, tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "Linnet Optical"
    small(photo).save(tmp_path / "out.lnt", exif=tags)
    with Image.open(tmp_path / "out.lnt") as image:
        assert image.getexif()[ExifTags.Base.Make] == "Linnet Optical"


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "LA", "I;16"])
def test_every_mode_can_be_saved(photo: Image.Image, tmp_path: Path, mode: str) -> None:
    image = small(photo)
    image = image.convert("L").convert(mode) if mode in ("LA", "I;16") else image.convert(mode)
    image.save(tmp_path / "out.lnt")
    with Image.open(tmp_path / "out.lnt") as again:
        assert again.size == image.size
        again.load()


def test_an_opened_image_can_be_used_as_any_other(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    small(photo).save(path)
    image = Image.open(path)  # without `with`: the file is closed when the pixels are there
    assert image.crop((10, 10, 20, 20)).size == (10, 10)
    image.putpixel((0, 0), (1, 2, 3))
    assert image.getpixel((0, 0)) == (1, 2, 3)
    assert image.copy().getpixel((0, 0)) == (1, 2, 3)
    image.save(tmp_path / "out.png")
    image.save(path)  # over itself
    with Image.open(path) as again:
        assert again.size == (100, 80)


def test_damage_is_reported_with_its_place(photo: Image.Image) -> None:
    stream = io.BytesIO()
    small(photo).save(stream, "LNT")
    data = stream.getvalue()
    with pytest.raises(TruncatedError), Image.open(io.BytesIO(data[:20])) as image:
        image.load()
    middle = len(data) // 2
    broken = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    with Image.open(io.BytesIO(broken)) as image, pytest.raises(CorruptFileError, match="at byte"):
        image.load()
    with Image.open(io.BytesIO(broken)) as image, pytest.raises(CorruptFileError, match="at byte"):
        image.verify()
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
