"""FORMAT.md says enough to decode: what is written here decodes with a reader made from that text alone."""

import io

import format_decoder
import numpy as np
import pytest
import torch
from format_decoder import Decoded, Model, decode_tile, read_file
from PIL import Image

import linnet
from linnet.bitstream.header import Colour, Header, Kind
from linnet.bitstream.writer import Writer
from linnet.entropy.range_coder import SymbolEncoder
from linnet.models import image_codec, zoo

# Section 17 of FORMAT.md.
EXAMPLE = bytes.fromhex("""
    89 4c 4e 54 0d 0a 1a 0a 48 10 10 04 30 a0 0f 03 02 01 00 01 02 03 04 05 06 07 0f 73 7f 1c
    54 06 ef be ad de 00 00 af d1 6d a7 45 00 bf a9 d7 cc
""")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(zoo.find("fast").path)


def encode(picture: Image.Image, quality: float) -> bytes:
    """The file of a picture."""
    data = linnet.encode(picture, quality=quality).data
    assert data is not None
    return data


def decode_and_check(data: bytes, model: Model) -> list[Decoded]:
    """Decode all tiles; hashes and payloads must be those of the file."""
    header, tiles = read_file(data)
    assert header.weights_hash == model.hash
    found = [decode_tile(tile, header.quality_centi, model) for tile in tiles]
    assert [tile.latent_hash for tile in found] == [tile.latent_hash for tile in tiles]
    assert [tile.payload for tile in found] == [tile.payload for tile in tiles]
    return found


@pytest.mark.parametrize("quality", [0, 35.25, 70, 100])
def test_a_photo_decodes_from_the_text_alone(photo: Image.Image, model: Model, quality: float) -> None:
    crop = photo.crop((230, 120, 300, 168))
    (tile,) = decode_and_check(encode(crop, quality), model)
    assert tile.latents.shape[:2] == (3, 5)
    assert tile.hyper_latents.shape[:2] == (1, 2)


@pytest.mark.parametrize("size", [(1, 1), (17, 16), (16, 33)])
def test_steps_without_latents_decode_from_the_text_alone(
    photo: Image.Image, model: Model, size: tuple[int, int]
) -> None:
    decode_and_check(encode(photo.resize(size), 60), model)


def test_several_tiles_and_their_index_decode_from_the_text_alone(photo: Image.Image, model: Model) -> None:
    wide = encode(photo.resize((1040, 20)), 40)
    assert [tile.latents.shape[:2] for tile in decode_and_check(wide, model)] == [(2, 64), (2, 1)]


def test_a_resampled_photo_decodes_from_the_text_alone(photo: Image.Image, model: Model) -> None:
    data = linnet.encode(photo.crop((230, 120, 325, 183)), quality=40, resampling=4).data or b""
    (tile,) = decode_and_check(data, model)
    assert tile.latents.shape[:2] == (1, 2)
    header, _ = read_file(data)
    assert (header.width, header.height, header.resampling) == (24, 16, (2, 1, 1))


def test_escapes_decode_from_the_text_alone(model: Model) -> None:
    # Far from what the model has seen: most symbols leave their rows, some at the limit of 2^14.
    random = np.random.default_rng(1)
    y = random.normal(0, 1, (3, 5, model.architecture["latent"])) * 10 ** random.uniform(0, 5, (3, 5, 1))
    spec, coder = zoo.find("fast"), SymbolEncoder()
    latents = image_codec.load(spec).encode_latents(coder, torch.from_numpy(y).float(), 80)
    header = Header(Kind.IMAGE, 80, 48, 8, Colour.RGB, False, 1, 8000, spec.wire_id, spec.weights_hash)
    stream = io.BytesIO()
    writer = Writer(stream, header)
    writer.write_tile(0, latents.hash(), coder.finish())
    writer.finish()
    (tile,) = decode_and_check(stream.getvalue(), model)
    np.testing.assert_array_equal(tile.latents, latents.y_hat)
    assert tile.escapes > 500
    assert np.abs(tile.symbols).max() == 2**14


def test_a_word_too_many_is_no_valid_payload(photo: Image.Image, model: Model) -> None:
    header, (tile,) = read_file(encode(photo.crop((0, 0, 16, 16)), 50))
    longer = format_decoder.Tile(tile.width, tile.height, tile.latent_hash, tile.payload + bytes(4))
    found = decode_tile(longer, header.quality_centi, model)
    assert found.latent_hash == tile.latent_hash
    assert found.payload == tile.payload


def test_the_example_of_the_text_reads_as_it_says() -> None:
    header, (tile,) = read_file(EXAMPLE)
    assert (header.width, header.height, header.quality_centi, header.model) == (3, 2, 4000, 1)
    assert (header.weights_hash, header.tile_side) == (bytes(range(8)), 64)
    assert (tile.latent_hash, tile.payload) == (0xDEADBEEF, bytes(2))
