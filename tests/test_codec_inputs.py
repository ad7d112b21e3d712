"""What programs and people hand over: other types, raised limits, pipes, odd metadata; all taken or named."""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from cli_process import linnet as run_linnet
from PIL import Image, PngImagePlugin

import linnet
from linnet.codec.cli.jobs import Placement
from linnet.codec.errors import MediaWarning, UnreadableImageError
from linnet.codec.image.loading import load_image
from linnet.codec.scheduling import usual_scheduling
from linnet.codec.video.containers import find_encoder
from linnet.models import store
from linnet.models.added import added_specs


@pytest.fixture
def small(photo: Image.Image) -> Image.Image:
    return photo.crop((180, 60, 276, 140))


def test_raised_limits_hold_for_what_is_read_back_too(tmp_path: Path) -> None:
    strip = (np.arange(66_000) // 300 % 256).astype(np.uint8)[None]
    limits = linnet.Limits(max_side=70_000)
    assert linnet.encode(strip, limits=limits, target_psnr=20, effort=0).quality >= 0
    Image.fromarray(strip).save(tmp_path / "s.png")
    made = run_linnet("encode", "s.png", "--effort", "0", "--verify", "--size-limit", "70000", cwd=tmp_path)
    assert made.code == 0, made.err
    for verb in (["verify", "s.lnt"], ["compare", "s.png", "s.lnt", "--metrics", "psnr"]):
        refused = run_linnet(*verb, cwd=tmp_path)
        assert (refused.code, "--size-limit allows more" in refused.err) == (6, True)
        assert run_linnet(*verb, "--size-limit", "70000", cwd=tmp_path).code == 0
    benched = run_linnet("bench", "s.png", "--codecs", "jpeg", "-o", "report", cwd=tmp_path)
    assert "(Limits.max_side)" in benched.err
    assert "--size-limit" not in benched.err  # which it does not have


class Endless(io.BytesIO):
    """Zeros for ever."""

    def seekable(self) -> bool:
        return False

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 <= size < 2**20, "it is read to its end though its first bytes say that it is no picture"
        return bytes(size)


def test_a_pipe_without_a_picture_is_not_read_to_its_end() -> None:
    with pytest.raises(UnreadableImageError, match="it starts with"):
        load_image(Endless())


def test_folders_that_may_not_be_read_and_links_to_nowhere_are_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("src/ok", "src/secret"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.png").write_bytes(b"x")
    (tmp_path / "src" / "gone.png").symlink_to("nowhere")
    scan = os.scandir

    def guarded(path: str) -> object:
        if os.path.basename(path) == "secret":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    placement = Placement(str(tmp_path / "out"), ".lnt", True, frozenset({".png"}))
    sources = [os.path.relpath(job.source, tmp_path) for job in placement.jobs([str(tmp_path / "src")])]
    assert sources == ["src/gone.png", "src/ok/a.png", "src/secret"]
    monkeypatch.undo()
    done = run_linnet("encode", "-r", "src", "-o", "out", cwd=tmp_path)
    assert "src/gone.png: No such file" in done.err


def test_colours_that_alpha_hides_are_not_compared(tmp_path: Path, small: Image.Image) -> None:
    pixels = np.asarray(small.convert("RGBA")).copy()
    pixels[:40, :, 3] = 0
    pixels[:40, :, :3] = [255, 0, 255]
    Image.fromarray(pixels).save(tmp_path / "t.png")
    linnet.encode(tmp_path / "t.png", tmp_path / "t.lnt", target_psnr=38)
    done = run_linnet("compare", "t.png", "t.lnt", "--metrics", "psnr", "--json", cwd=tmp_path)
    figures: Any = done.records[0]["metrics"]
    assert 37.5 < next(iter(figures.values())) < 40


def test_warnings_are_said_for_each_file_with_its_name(tmp_path: Path, small: Image.Image) -> None:
    deep = (np.asarray(small).astype(np.uint16) * 257).astype(np.uint16)
    for name in ("a", "b"):
        linnet.encode(deep, tmp_path / f"{name}.lnt", quality=10)
    for options in ([], ["-j", "2"]):
        done = run_linnet("decode", "a.lnt", "b.lnt", "-f", "--format", "jpg", *options, cwd=tmp_path)
        for name in ("a", "b"):
            assert done.err.count(f"warning: {name}.lnt: JPEG holds 8 bits") == 1


def test_a_large_profile_comes_back_from_png(tmp_path: Path, small: Image.Image) -> None:
    profile = np.random.default_rng(2).bytes(1_300_000)
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "x" * 1_100_000, zip=True)
    small.save(tmp_path / "a.png", icc_profile=profile, pnginfo=info)
    with pytest.warns(MediaWarning, match="more than a mebibyte of compressed metadata"):
        frame = load_image(tmp_path / "a.png")
    assert frame.metadata.icc == profile
    assert np.array_equal(frame.pixels, np.asarray(small))
    small.save(tmp_path / "b.png", icc_profile=profile)
    data = linnet.encode(tmp_path / "b.png").data or b""
    assert linnet.decode(data).metadata.icc == profile


def test_metadata_that_a_jpeg_has_no_room_for_is_left_out(tmp_path: Path, small: Image.Image) -> None:
    xmp = b"<x:xmpmeta>" + b" " * 70_000 + b"</x:xmpmeta>"
    small.save(tmp_path / "a.webp", xmp=xmp, icc_profile=b"profile", lossless=True)
    linnet.encode(tmp_path / "a.webp", tmp_path / "a.lnt", quality=10)
    done = run_linnet("decode", "a.lnt", "-o", "a.jpg", cwd=tmp_path)
    assert done.code == 0
    assert "JPEG cannot hold metadata: XMP of 70023 bytes left out" in done.err
    assert load_image(tmp_path / "a.jpg").metadata.icc == b"profile"


def test_a_deep_avif_is_read_with_a_warning(tmp_path: Path, small: Image.Image) -> None:
    for form in ("yuv420p", "yuv420p10le"):
        with av.open(tmp_path / f"{form}.avif", "w", format="avif") as file:
            stream = file.add_stream(find_encoder("av1")[0], rate=1)
            stream.width, stream.height, stream.pix_fmt = *small.size, form
            with usual_scheduling():
                packets = stream.encode(av.VideoFrame.from_image(small).reformat(format=form))
            file.mux([*packets, *stream.encode(None)])
    with pytest.warns(MediaWarning, match="has 10 bits a sample: read as 8"):
        load_image(tmp_path / "yuv420p10le.avif")
    with warnings.catch_warnings():
        warnings.simplefilter("error", MediaWarning)
        load_image(tmp_path / "yuv420p.avif")


def test_bytes_of_every_kind_and_numbers_of_every_kind_are_taken(small: Image.Image) -> None:
    number: Any = np.int64(30)
    data = linnet.encode(small, quality=number, resampling=2).data or b""
    region: Any = np.array([16, 8, 40, 24], np.uint32)
    part = linnet.decode(data, region=tuple(region)).pixels
    assert np.array_equal(part, linnet.decode(data).pixels[8:32, 16:56])
    for kind in (bytearray, memoryview):
        assert np.array_equal(linnet.decode(kind(data)).pixels, linnet.decode(data).pixels)
        assert linnet.info(kind(data)) == linnet.info(data)
        assert linnet.verify(kind(data)).ok


@pytest.mark.parametrize(
    "options", [{"quality": "50"}, {"stages": 2.0, "model": "vq"}, {"resilience": "20", "model": "vq"}]
)
def test_what_is_no_number_is_the_callers_fault(small: Image.Image, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        linnet.encode(small, **options)


@pytest.mark.parametrize("source", [None, [1, 2], torch.zeros(3, 8, 8)])
def test_what_holds_no_picture_is_named_by_its_type(source: Any) -> None:
    with pytest.raises(ValueError, match=f"not {type(source).__name__}"):
        linnet.encode(source)
    with pytest.raises(ValueError, match=f"not {type(source).__name__}"):
        linnet.decode(source)


def test_a_model_file_of_nonsense_stops_nothing(
    small: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evil" / f"{'a' * 64}.safetensors"
    path.parent.mkdir()
    header = b'{"__metadata__":{"card":"' + b"[" * 100_000 + b'"}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path))
    assert [spec.kind for spec in added_specs()] == ["damaged"]
    assert linnet.encode(small, quality=10).bytes > 0


def test_without_a_home_there_are_the_models_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("LINNET_MODELS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert store.stored_files() == []
