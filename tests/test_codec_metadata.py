"""ICC, EXIF and XMP: byte for byte through every format that has a place for the bytes."""

import io
from dataclasses import replace

import numpy as np
import pytest
from media_samples import exif_block, saved
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from linnet.bitstream import Metadata
from linnet.codec.errors import MediaWarning
from linnet.codec.frame import Frame
from linnet.codec.image.exif import without_orientation
from linnet.codec.image.loading import load_image
from linnet.codec.image.saving import save_image

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>Łinnet</rdf:RDF></x:xmpmeta>'.encode()
BLOCK_FORMATS = ["PNG", "JPEG", "WEBP", "AVIF"]  # these hold EXIF as a block of bytes


def small(photo: Image.Image) -> Image.Image:
    return photo.crop((200, 100, 264, 148))


def through(frame: Frame, form: str) -> Metadata:
    """The metadata after writing and reading again."""
    stream = io.BytesIO()
    save_image(frame, stream, form)
    return load_image(stream.getvalue()).metadata


@pytest.mark.parametrize("form", BLOCK_FORMATS)
def test_metadata_is_read_byte_for_byte(photo: Image.Image, form: str) -> None:
    exif = without_orientation(exif_block(1))
    data = saved(small(photo), form, icc_profile=ICC, exif=b"Exif\0\0" + exif, xmp=XMP, **xmp_chunk(form))
    assert load_image(data).metadata == Metadata(ICC, exif, XMP)


def xmp_chunk(form: str) -> dict[str, object]:
    """Pillow writes XMP into PNG only as a text chunk."""
    if form != "PNG":
        return {}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return {"pnginfo": chunks}


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("form", ["png", "jpg", "webp"])
def test_metadata_is_written_byte_for_byte(photo: Image.Image, form: str, depth: int, endian: str) -> None:
    metadata = Metadata(ICC, exif_block(1, endian), XMP)
    pixels = (
        np.array(small(photo)) if depth == 8 or form != "png" else np.array(small(photo), np.uint16) * 257
    )
    assert through(Frame.from_array(pixels, metadata=metadata), form) == metadata


def test_avif_keeps_all_but_the_orientation_tag(photo: Image.Image) -> None:
    metadata = Metadata(ICC, exif_block(1), XMP)
    expected = Metadata(ICC, without_orientation(exif_block(1)), XMP)
    assert through(Frame.from_array(np.array(small(photo)), metadata=metadata), "avif") == expected


@pytest.mark.parametrize("depth", [8, 16])
def test_tiff_keeps_bytes_of_icc_and_xmp_and_values_of_exif(photo: Image.Image, depth: int) -> None:
    pixels = np.array(small(photo), np.uint8) if depth == 8 else np.array(small(photo), np.uint16) * 257
    metadata = through(Frame.from_array(pixels, metadata=Metadata(ICC, exif_block(1), XMP)), "tif")
    assert (metadata.icc, metadata.xmp) == (ICC, XMP)
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + (metadata.exif or b""))
    assert dict(tags) | {ExifTags.IFD.Exif: 0, ExifTags.IFD.GPSInfo: 0} == {
        ExifTags.Base.Make: "Linnet Optical",
        ExifTags.Base.Orientation: 1,
        ExifTags.IFD.Exif: 0,
        ExifTags.IFD.GPSInfo: 0,
    }
    assert tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"
    assert tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_a_tiff_written_by_pillow_gives_icc_xmp_and_exif_values(photo: Image.Image) -> None:
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + exif_block(1))
    tags[700] = XMP
    metadata = load_image(saved(small(photo), "TIFF", exif=tags, icc_profile=ICC)).metadata
    assert (metadata.icc, metadata.xmp) == (ICC, XMP)
    found = Image.Exif()
    found.load(b"Exif\0\0" + (metadata.exif or b""))
    assert found[ExifTags.Base.Make] == "Linnet Optical"
    assert ExifTags.Base.ImageWidth not in found
    assert found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "avif", "tif"])
def test_absent_metadata_stays_absent(photo: Image.Image, form: str) -> None:
    assert through(Frame.from_array(np.array(small(photo))), form) == Metadata()


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "avif", "tif"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_turned_pixels_are_written_upright_and_say_so(
    photo: Image.Image, form: str, orientation: int
) -> None:
    xmp = f'<rdf:Description tiff:Orientation="{orientation}"/>'.encode()
    metadata = Metadata(exif=exif_block(orientation), xmp=xmp)
    frame = Frame.from_array(np.array(small(photo)), orientation=orientation, metadata=metadata)
    stream = io.BytesIO()
    save_image(frame, stream, form)
    again = load_image(stream.getvalue())
    assert again.orientation == 1
    assert again.upright_size == frame.upright_size
    assert again.metadata.xmp == b'<rdf:Description tiff:Orientation="1"/>'
    if form in ("png", "jpg", "webp"):
        assert again.metadata.exif == exif_block(1)
    image = Image.open(stream)
    assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    assert image.getexif()[ExifTags.Base.Make] == "Linnet Optical"


def test_exif_in_an_old_png_text_chunk_is_found(photo: Image.Image) -> None:
    block = b"Exif\0\0" + exif_block(6)
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n", zip=True)
    frame = load_image(saved(small(photo), "PNG", pnginfo=chunks))
    assert frame.metadata.exif == exif_block(6)
    assert frame.orientation == 6


def test_exif_behind_the_pixels_of_a_png_is_found(photo: Image.Image) -> None:
    data = saved(small(photo), "PNG")
    chunk = io.BytesIO()
    PngImagePlugin.putchunk(chunk, b"eXIf", exif_block(6))
    frame = load_image(data[:-12] + chunk.getvalue() + data[-12:])
    assert frame.metadata.exif == exif_block(6)
    assert frame.orientation == 6


@pytest.mark.parametrize("form", ["ppm", "bmp"])
def test_formats_without_metadata_say_what_is_left_out(photo: Image.Image, form: str) -> None:
    frame = Frame.from_array(np.array(small(photo)), metadata=Metadata(icc=ICC, xmp=XMP))
    with pytest.warns(MediaWarning, match="cannot hold metadata: ICC profile, XMP left out"):
        save_image(frame, io.BytesIO(), form)


@pytest.mark.parametrize("metadata", [Metadata(exif=bytes(70000)), Metadata(xmp=bytes(70000))])
def test_metadata_too_long_for_jpeg_is_left_out_and_said_so(photo: Image.Image, metadata: Metadata) -> None:
    frame = Frame.from_array(np.array(small(photo)), metadata=replace(metadata, icc=ICC))
    with pytest.warns(MediaWarning, match="JPEG cannot hold metadata: (EXIF|XMP) of 70000 bytes left out"):
        assert through(frame, "jpg") == Metadata(icc=ICC)


def test_what_just_fits_into_a_jpeg_is_kept(photo: Image.Image) -> None:
    fitting = Metadata(exif=b"II*\0" + bytes(65523), xmp=b" " * 65504)
    assert through(Frame.from_array(np.array(small(photo)), metadata=fitting), "jpg") == fitting
    for more in (replace(fitting, exif=b"II*\0" + bytes(65524)), replace(fitting, xmp=b" " * 65505)):
        with pytest.warns(MediaWarning, match="left out"):
            through(Frame.from_array(np.array(small(photo)), metadata=more), "jpg")


def test_damaged_exif_is_kept_as_bytes_and_left_out_of_tiff_with_a_warning(photo: Image.Image) -> None:
    frame = Frame.from_array(np.array(small(photo)), metadata=Metadata(exif=b"no EXIF at all"))
    assert through(frame, "png") == frame.metadata
    with pytest.warns(MediaWarning, match="could not be written as TIFF tags"):
        save_image(frame, io.BytesIO(), "tif")
