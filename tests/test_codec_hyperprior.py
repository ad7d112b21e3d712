"""Imported models code pictures as CompressAI does, and the same on every machine."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hyperprior_samples import ARCHITECTURES, own
from machine_settings import outputs_of
from model_samples import psnr_db
from PIL import Image

import linnet
from linnet.bitstream import ModelMismatchError, Reader, Writer
from linnet.codec.frame import Frame
from linnet.codec.still.coding import Coded, read_still, write_still
from linnet.codec.still.header import header_of
from linnet.codec.still.tiles import analyse_tile, to_planes
from linnet.models import codecs, zoo
from linnet.models.hyperprior import codec as hyperprior
from linnet.models.hyperprior.codec import HyperpriorCodec

MEAN = "mbt2018-mean"


@pytest.fixture(autouse=True)
def _imported(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_MODELS", str(models_folder))


@pytest.fixture
def pixels(photo: Image.Image) -> np.ndarray:
    """[384, 448, 3]: sides that CompressAI takes without padding."""
    return np.asarray(photo)[64:448, :448]


def load(architecture: str) -> HyperpriorCodec:
    return hyperprior.load(zoo.find(architecture))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_files_are_as_large_and_as_good_as_those_of_compressai(
    architecture: str, pixels: np.ndarray, checkpoints: dict[str, Path]
) -> None:
    net = own(architecture, checkpoints[architecture])
    with torch.no_grad():
        coded = net.compress(to_planes(pixels)[None])
        shown = net.decompress(coded["strings"], coded["shape"])["x_hat"][0]
    expected = (shown.permute(1, 2, 0) * 255).round().byte().numpy()
    expected_bytes = sum(len(strings[0]) for strings in coded["strings"])

    made = linnet.encode(pixels, model=architecture)
    assert made.data is not None
    found = linnet.decode(made.data).pixels
    container = linnet.info(made.data).container_bytes
    assert made.bytes - container == pytest.approx(expected_bytes, rel=0.01)
    assert psnr_db(found.astype(np.uint8), pixels) == pytest.approx(psnr_db(expected, pixels), abs=0.02)
    assert made.estimated_bytes == pytest.approx(made.bytes - container, rel=0.01)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_exact_hyper_decoder_is_the_float_one_but_for_rounding(
    architecture: str, pixels: np.ndarray, checkpoints: dict[str, Path]
) -> None:
    codec, net = load(architecture), own(architecture, checkpoints[architecture])
    z = codec.hyper_latents(codec.analyse(to_planes(pixels), 0))
    mean, index = codec.entropy.hyper(torch.from_numpy(z)[None].double())
    medians = net.entropy_bottleneck.quantiles[:, 0, 1].detach()
    with torch.no_grad():
        given = net.h_s((torch.from_numpy(z) + medians).permute(2, 0, 1)[None])
    scale, *means = given.chunk(2, 1) if architecture == MEAN else (given,)
    same = index == net.gaussian_conditional.build_indexes(scale).permute(0, 2, 3, 1)
    assert same.float().mean() > 0.99
    if means:
        assert (mean / 64 - means[0].permute(0, 2, 3, 1)).abs().max() < 1 / 64
    assert 2**40 < codec.entropy.hyper.certify() < 2**53


def test_the_tables_are_those_of_the_density(checkpoints: dict[str, Path]) -> None:
    table, net = load(MEAN).entropy.z_table, own(MEAN, checkpoints[MEAN])
    medians = net.entropy_bottleneck.quantiles[:, 0, 1].detach()
    for row in range(table.rows):
        steps = torch.arange(int(table.size[row]) - 1) + int(table.offset[row])
        values = (medians[:, None] + steps)[:, None]
        likelihood, *_ = net.entropy_bottleneck._likelihood(values)
        found = table.weights(row)[:-1] / 2**16
        assert np.abs(found - likelihood[row, 0].detach().numpy()).max() < 2e-3


@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 65), (130, 64), (200, 100)])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sides_need_not_be_multiples_of_anything(
    architecture: str, width: int, height: int, pixels: np.ndarray
) -> None:
    part = pixels[:height, :width]
    found = linnet.decode(linnet.encode(part, model=architecture).data or b"").pixels
    assert found.shape == part.shape
    assert psnr_db(found.astype(np.uint8), part) > 12


def test_grey_16_bits_and_alpha_survive(photo: Image.Image) -> None:
    pixels = np.asarray(photo.convert("LA").resize((96, 80)), np.uint16) * np.uint16(257)
    found = linnet.decode(linnet.encode(pixels, model=MEAN).data or b"")
    assert (found.pixels.shape, found.pixels.dtype) == ((80, 96, 1), np.uint16)
    assert found.alpha is not None


def test_latents_of_a_tile_are_those_of_the_whole_picture(pixels: np.ndarray) -> None:
    codec, frame = load(MEAN), Frame.from_array(pixels)
    whole = codec.analyse(to_planes(pixels), 0)
    for left, top in ((0, 0), (128, 128), (384, 256), (64, 320)):
        tile = analyse_tile(codec, frame, (left, top, 64, 64), 0)
        part = whole[top // 16 : top // 16 + 4, left // 16 : left // 16 + 4]
        assert torch.allclose(tile, part, atol=1e-3 * float(whole.abs().max()))
        bare = codec.analyse(to_planes(pixels[top : top + 64, left : left + 64]), 0)
        assert (bare - part).abs().max() > 100 * (tile - part).abs().max()


def test_tiles_decode_on_their_own_and_join_without_a_seam(pixels: np.ndarray) -> None:
    codec, frame = codecs.load(zoo.find(MEAN)), Frame.from_array(pixels)
    header = header_of(frame, codec, 3.0, tile_log2=7)

    stream = io.BytesIO()
    write_still(
        Coded.of(frame, header),
        Writer(stream, header, frame.metadata),
        header,
        codec,
        lambda done, total: None,
    )
    data = stream.getvalue()
    whole = read_still(Reader(data), codec, None, lambda done, total: None).pixels
    for left, top, width, height in ((100, 90, 70, 60), (0, 0, 16, 16), (431, 300, 17, 84)):
        region = linnet.decode(data, region=(left, top, width, height)).pixels
        apart = region.astype(int) - whole[top : top + height, left : left + width]
        assert np.abs(apart).max() <= 1
    untiled = linnet.decode(linnet.encode(pixels, model=MEAN).data or b"").pixels
    # Hyper-latents see their tile only, so other symbols are chosen; but at seams no more than elsewhere.
    apart = np.abs(whole.astype(float) - untiled).mean(2)
    assert apart[:, 126:130].mean() < 3 * apart.mean() + 0.5


def test_a_damaged_payload_is_reported(pixels: np.ndarray) -> None:
    data = linnet.encode(pixels[:128, :128], model=MEAN).data or b""
    reader = Reader(data)
    (tile,) = reader.tiles()
    payload = bytearray(tile.payload)
    payload[len(payload) // 2] ^= 64
    stream = io.BytesIO()
    writer = Writer(stream, reader.header, reader.metadata)
    writer.write_tile(0, tile.latent_hash, bytes(payload))
    writer.finish()
    with pytest.raises(linnet.FormatError):
        linnet.decode(stream.getvalue())


def test_without_the_model_a_file_says_how_to_make_it(
    pixels: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = linnet.encode(pixels[:64, :64], model=MEAN).data or b""
    assert linnet.info(data).model == MEAN
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path))
    with pytest.raises(ModelMismatchError, match="compressai:mbt2018-mean --quality 3 --metric mse"):
        linnet.decode(data)
    assert linnet.info(data).model is None


def test_a_model_of_one_quality_refuses_another(pixels: np.ndarray) -> None:
    assert linnet.encode(pixels[:64, :64], model=MEAN).quality == 3.0
    with pytest.raises(ValueError, match="has one quality"):
        linnet.encode(pixels[:64, :64], model=MEAN, quality=50)


def test_one_changed_weight_fails_the_self_test(models_folder: Path) -> None:
    codec = load(MEAN)
    layers = codec.entropy.hyper.layers
    changed = layers[1].weight.clone()
    changed[3, 2, 1, 1] += 50
    expected = codec.entropy.hyper.self_test()
    other = replace(codec.entropy.hyper, layers=(layers[0], replace(layers[1], weight=changed), layers[2]))
    assert other.self_test() != expected


PROGRAM = """
import sys, torch
torch.set_num_threads(int(sys.argv[1]))
import linnet
from linnet.bitstream import Reader
from linnet.codec.still.tile_coding import decode_tile
from linnet.models import codecs, zoo
reader = Reader(open(sys.argv[2], "rb").read())
codec = codecs.load(zoo.find("mbt2018-mean"))
print([decode_tile(tile, reader.header, codec).hash() for tile in reader.tiles()])
linnet.encode(sys.argv[3], sys.argv[4], model="mbt2018-mean")
assert "compressai" not in sys.modules
"""
OLDEST = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
SETTINGS = [
    ("1", {"ONEDNN_MAX_CPU_ISA": "SSE41", **OLDEST}),
    ("3", {"ONEDNN_MAX_CPU_ISA": "AVX2", **AVX2}),
]


@pytest.fixture(scope="module")
def outcomes(
    photo_path: Path, models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A folder with one file written here and one by each setting, and what each setting read of ours."""
    folder = tmp_path_factory.mktemp("machines")
    environment = {**os.environ, "LINNET_MODELS": str(models_folder)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNET_MODELS", str(models_folder))
        linnet.encode(photo_path, folder / "here.lnt", model=MEAN)

    runs = [
        (
            [threads, str(folder / "here.lnt"), str(photo_path), str(folder / f"{number}.lnt")],
            {**environment, **settings},
        )
        for number, (threads, settings) in enumerate(SETTINGS)
    ]
    return folder, outputs_of(PROGRAM, runs)


def test_every_setting_decodes_our_file_to_the_hash_in_it(outcomes: tuple[Path, list[str]]) -> None:
    folder, read = outcomes
    expected = [tile.latent_hash for tile in Reader((folder / "here.lnt").read_bytes()).tiles()]
    assert read == [str(expected)] * len(SETTINGS)


def test_files_of_every_setting_decode_here(outcomes: tuple[Path, list[str]]) -> None:
    folder, _ = outcomes
    for number in range(len(SETTINGS)):
        assert linnet.verify(folder / f"{number}.lnt", full=True).ok
