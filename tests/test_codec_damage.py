"""Damaged, foreign and future files: an error with its place, never a picture."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import linnet
from linnet.bitstream import Reader, Writer


@pytest.fixture(scope="module")
def small(photo_path: str) -> bytes:
    """A file of a few hundred bytes."""
    with Image.open(photo_path) as photo:
        crop = np.asarray(photo.convert("RGB"))[100:148, 200:264]
    return linnet.encode(crop, quality=20).data or b""


def rewritten(data: bytes, **changes: object) -> bytes:
    """The same tile in a valid container, with another hash or payload."""
    reader = Reader(data)
    tile = next(reader.tiles())
    stream = io.BytesIO()
    writer = Writer(stream, reader.header)
    latent_hash, payload = changes.get("latent_hash", tile.latent_hash), changes.get("payload", tile.payload)
    assert isinstance(latent_hash, int)
    assert isinstance(payload, bytes)
    writer.write_tile(0, latent_hash, payload)
    writer.finish()
    return stream.getvalue()


def test_every_truncation_is_an_error_with_its_place(small: bytes) -> None:
    for length in range(len(small)):
        with pytest.raises(linnet.FormatError) as caught:
            linnet.decode(small[:length])
        assert caught.value.offset is not None or length == 0


def test_every_bit_flip_is_an_error(small: bytes) -> None:
    for bit in range(len(small) * 8):
        flipped = bytearray(small)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((linnet.FormatError, linnet.LimitExceededError)):
            linnet.decode(bytes(flipped))


def test_a_wrong_latent_hash_is_out_of_step_not_a_picture(small: bytes) -> None:
    tile = next(Reader(small).tiles())
    with pytest.raises(linnet.ModelMismatchError, match="out of step"):
        linnet.decode(rewritten(small, latent_hash=tile.latent_hash ^ 1))


def test_random_payloads_behind_a_right_checksum_never_decode(small: bytes) -> None:
    rng = np.random.default_rng(5)
    length = len(next(Reader(small).tiles()).payload)
    for _ in range(40):
        payload = rng.integers(0, 256, length, np.uint8).tobytes()
        with pytest.raises(linnet.FormatError, match="tile 0"):
            linnet.decode(rewritten(small, payload=payload))


@pytest.mark.parametrize("cut", [0, 4, -4, -1])
def test_a_payload_of_another_length_is_corrupt(small: bytes, cut: int) -> None:
    payload = next(Reader(small).tiles()).payload
    shorter = payload[:cut] if cut <= 0 else payload + bytes(cut)
    with pytest.raises(linnet.FormatError, match="tile 0"):
        linnet.decode(rewritten(small, payload=shorter))


def test_a_full_check_reads_the_alpha_plane_too(small: bytes) -> None:
    reader = Reader(small)
    stream = io.BytesIO()
    writer = Writer(stream, replace(reader.header, has_alpha=True))
    writer.write_alpha(b"no PNG")
    tile = next(reader.tiles())
    writer.write_tile(0, tile.latent_hash, tile.payload)
    writer.finish()
    assert linnet.verify(stream.getvalue()).ok
    with pytest.raises(linnet.CorruptFileError, match="alpha"):
        linnet.verify(stream.getvalue(), full=True)
