"""`linnet verify`: damage, other weights and newer versions are told apart."""

from pathlib import Path

import bitstream_samples as samples
import pytest
from cli_process import linnet
from PIL import Image

import linnet as package
from linnet.bitstream import Reader, Writer


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A sound file of weights that nobody has."""
    path = tmp_path / "foreign.lnt"
    path.write_bytes(samples.full_file())
    return path


def test_a_sound_container_passes(foreign: Path) -> None:
    done = linnet("verify", foreign)
    assert (done.code, done.out, done.err) == (0, f"{foreign}: ok\n".encode(), "")


def test_a_full_check_needs_the_weights_and_says_so(foreign: Path) -> None:
    done = linnet("verify", "--full", foreign)
    assert done.code == 4
    assert "a1b2c3d4e5f60718" in done.complaint


def test_decode_asks_for_the_same_weights(foreign: Path) -> None:
    done = linnet("decode", foreign)
    assert done.code == 4
    assert "a1b2c3d4e5f60718" in done.complaint


def test_a_file_of_a_newer_version_says_what_it_needs(tmp_path: Path) -> None:
    newer = samples.raw_file(head=samples.header_payload(version=0x20))
    (tmp_path / "newer.lnt").write_bytes(newer)
    done = linnet("verify", "newer.lnt", cwd=tmp_path)
    assert done.code == 4
    assert "it needs a newer Linnet" in done.complaint


def test_only_a_full_check_sees_wrong_symbols_behind_right_checksums(
    tmp_path: Path, photo: Image.Image
) -> None:
    data = package.encode(photo.crop((160, 60, 260, 140)), quality=60).data or b""
    reader = Reader(data)
    (tile,) = reader.tiles()
    with (tmp_path / "wrong.lnt").open("wb") as stream:
        writer = Writer(stream, reader.header)
        writer.write_tile(tile.index, tile.latent_hash ^ 1, tile.payload)
        writer.finish()
    (tmp_path / "right.lnt").write_bytes(data)
    assert linnet("verify", "wrong.lnt", "right.lnt", cwd=tmp_path).code == 0
    done = linnet("verify", "--full", "wrong.lnt", "right.lnt", cwd=tmp_path)
    assert done.code == 9
    assert done.out == b"right.lnt: ok\n"
    assert "linnet: wrong.lnt: " in done.err
    assert "tile 0" in done.err
