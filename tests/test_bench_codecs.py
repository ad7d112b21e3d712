"""The codecs of a benchmark: real files that decode to the picture, at sizes that the knob sets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from compressai.zoo.image import bmshj2018_factorized, model_urls
from PIL import Image

import linnet
from linnet.codec.bench.adapters import NAMES, find_adapter
from linnet.codec.bench.adapters.base import CodecOptions
from linnet.codec.bench.adapters.linnet import SOURCES
from linnet.codec.bench.colour import to_planes, to_rgb
from linnet.codec.distortion import psnr_db
from linnet.codec.errors import NotInstalledError

QUICK = (
    "linnet:fast",
    "jpeg",
    "jpeg:444",
    "webp",
    "avif",
    "avif:444",
    "jpeg2000",
    "jxl",
    "x264",
    "x265",
    "svtav1",
)


@pytest.fixture
def pixels(photo: Image.Image) -> np.ndarray:
    """[183, 241, 3]: odd sides."""
    return np.asarray(photo.crop((150, 20, 391, 203)))


@pytest.mark.parametrize("spec", QUICK)
def test_files_grow_along_the_grid_and_get_nearer_to_the_picture(
    spec: str, pixels: np.ndarray, tmp_path: Path
) -> None:
    codec = find_adapter(spec, CodecOptions())
    found: list[tuple[int, float]] = []
    for value in (codec.knob.grid[len(codec.knob.grid) // 2], codec.knob.grid[-2]):
        path = tmp_path / f"{value}{codec.suffix}"
        codec.encode(pixels, value, path)
        decoded = codec.decode(path, (241, 183))
        assert decoded.shape == pixels.shape
        assert decoded.dtype == np.uint8
        found.append((path.stat().st_size, psnr_db(pixels, decoded)))
    (small, low), (large, high) = found
    assert small < large
    assert 22 < low < high


@pytest.mark.parametrize("spec", QUICK)
def test_codecs_say_what_they_are(spec: str) -> None:
    codec = find_adapter(spec, CodecOptions())
    assert codec.versions
    assert all(version and version != "unknown" for version in codec.versions.values())
    value = codec.knob.grid[3]
    assert f"{value:g}" in codec.command(value) or codec.knob.name == "bpp"


def test_a_variant_of_linnet_is_an_argument_of_encode(pixels: np.ndarray, tmp_path: Path) -> None:
    codec = find_adapter("linnet:fast:effort=2", CodecOptions())
    small = np.ascontiguousarray(pixels[:64, :64])
    codec.encode(small, 80, tmp_path / "a.lnt")
    made = linnet.encode(small, quality=80, effort=2, device="cpu")
    assert (tmp_path / "a.lnt").read_bytes() == made.data
    assert codec.command(80).endswith("--effort 2")
    assert codec.label == "Linnet fast, effort 2"
    assert codec.settings.endswith(", effort=2")


def test_jpeg_files_are_those_of_pillow(pixels: np.ndarray, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.jpg", tmp_path / "theirs.jpg"
    find_adapter("jpeg", CodecOptions()).encode(pixels, 30, ours)
    Image.fromarray(pixels).save(theirs, quality=30, optimize=True, subsampling="4:2:0")
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    "spec", ["gif", "jpeg:410", "x265:fast", "linnet:nothing", "linnet:fast:quality=3", "compressai:nothing"]
)
def test_unknown_codecs_are_the_callers_fault(spec: str) -> None:
    with pytest.raises(ValueError, match=r"no codec is called|no variant|no model"):
        find_adapter(spec, CodecOptions())


@pytest.mark.parametrize(
    ("spec", "options", "advice"),
    [
        ("vtm", CodecOptions(vtm="/nowhere"), "build VTM .* --vtm"),
        ("vvenc", CodecOptions(vvenc="/nowhere"), "build VVenC .* --vvenc"),
        ("compressai:mbt2018-mean", CodecOptions(checkpoints="/nowhere"), "download .* --checkpoints"),
    ],
)
def test_what_is_not_installed_is_said_with_what_to_do(spec: str, options: CodecOptions, advice: str) -> None:
    with pytest.raises(NotInstalledError, match=advice) as caught:
        find_adapter(spec, options)
    assert "\n" not in str(caught.value)


def test_all_code_that_files_depend_on_makes_old_ones_old() -> None:
    root = Path(str(linnet.__file__)).parent
    hashed = {path for pattern in SOURCES for path in root.glob(pattern)}
    apart = {"training", "importing", "inter", "bench", "cli", "video", "workers", "tokens"}
    for folder in ("bitstream", "entropy", "models", "codec"):
        for path in (root / folder).rglob("*.py"):
            assert path in hashed or apart & set(path.relative_to(root).parts), path


def test_every_name_has_a_family() -> None:
    assert set(NAMES) >= {
        "linnet",
        "jpeg",
        "webp",
        "avif",
        "jpeg2000",
        "jxl",
        "x265",
        "svtav1",
        "vtm",
        "vvenc",
    }


def test_files_of_zoo_models_hold_all_that_decoding_needs(pixels: np.ndarray, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = bmshj2018_factorized(1).eval()
    model.update()
    name = model_urls["bmshj2018-factorized"]["mse"][1].rpartition("/")[2]
    torch.save(model.state_dict(), tmp_path / name)
    codec = find_adapter("compressai:bmshj2018-factorized", CodecOptions(checkpoints=str(tmp_path)))
    assert codec.knob.grid == (1,)
    path = tmp_path / "a.cai"
    codec.encode(pixels, 1, path)
    x = torch.nn.functional.pad(
        torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255, (0, 15, 0, 9), mode="replicate"
    )
    with torch.inference_mode():
        coded = model.compress(x)
        expected = model.decompress(coded["strings"], coded["shape"])["x_hat"]
    assert path.stat().st_size == len(coded["strings"][0][0]) + 14
    expected = expected[0, :, :183, :241].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(codec.decode(path, (0, 0)), expected)


@pytest.mark.parametrize(("depth", "least_db"), [(8, 52.5), (10, 61)])
def test_colour_conversion_costs_no_more_than_rounding(
    pixels: np.ndarray, depth: int, least_db: float
) -> None:
    assert psnr_db(pixels, to_rgb(to_planes(pixels, depth), depth)) > least_db


def test_grey_survives_halved_chroma(pixels: np.ndarray) -> None:
    grey = np.repeat(pixels[:182, :240, :1], 3, axis=2)
    assert np.array_equal(to_rgb(to_planes(grey, 8, halved=True)), grey)
