"""`linnet info`: what the container says, for people and for programs."""

import dataclasses
import io
from pathlib import Path

import bitstream_samples as samples
import pytest
from cli_process import linnet

import linnet as package
from linnet.bitstream import Writer

FILE = samples.full_file()


@pytest.fixture
def lnt(tmp_path: Path) -> Path:
    path = tmp_path / "a.lnt"
    path.write_bytes(FILE)
    return path


def test_info_says_what_the_header_says(lnt: Path) -> None:
    found = package.info(lnt)
    assert (found.width, found.height, found.orientation) == (100, 150, 6)  # coded 150x100, turned upright
    assert (found.kind, found.colour, found.bit_depth, found.has_alpha) == ("image", "rgb", 8, True)
    assert (found.quality, found.model_wire_id, found.weights_hash) == (40.25, 1, "a1b2c3d4e5f60718")
    assert (found.format_version, found.tiles) == ("1.0", 6)


def test_info_accounts_for_every_byte(lnt: Path) -> None:
    found = package.info(lnt)
    payload_bytes = sum(len(samples.payload(tile)) for tile in range(samples.TILES))
    carried = found.alpha_bytes + found.icc_bytes + found.exif_bytes + found.xmp_bytes
    assert found.bytes == len(FILE) == found.container_bytes + payload_bytes + carried
    assert found.alpha_bytes == len(samples.ALPHA)
    assert found.bpp == len(FILE) * 8 / (100 * 150)


def test_info_takes_bytes_and_streams_as_it_takes_paths(lnt: Path) -> None:
    assert package.info(lnt) == package.info(str(lnt)) == package.info(FILE) == package.info(io.BytesIO(FILE))


def test_what_is_too_large_to_decode_is_told_all_the_same() -> None:
    data = samples.write_file(samples.header(70_000, 5000, tile_log2=15))
    with pytest.raises(package.LimitExceededError):
        package.verify(data)
    assert package.info(data).tiles == 3


def test_a_model_that_this_linnet_does_not_know_has_no_name() -> None:
    stream = io.BytesIO()
    writer = Writer(stream, dataclasses.replace(samples.header(60, 60), model=999_999))
    writer.write_tile(0, 0, b"")
    writer.finish()
    found = package.info(stream.getvalue())
    assert (found.model, found.model_wire_id) == (None, 999_999)


def test_text_goes_to_stdout_and_names_the_file(lnt: Path) -> None:
    done = linnet("info", lnt)
    assert (done.code, done.err) == (0, "")
    shown = done.out.decode()
    assert shown.startswith(f"{lnt}\n")
    for part in (
        "100 x 150",
        "rgb + alpha",
        "40.25",
        "1.0, 6 tiles",
        "ICC 7 bytes, EXIF 8 bytes, XMP 4 bytes",
    ):
        assert part in shown


def test_json_is_one_object_a_line_with_every_field(lnt: Path) -> None:
    done = linnet("info", "--json", lnt, lnt)
    first, second, summary = done.records
    assert first == second
    expected = {"schema": 1, "type": "result", "verb": "info", "input": str(lnt)}
    assert first == expected | dataclasses.asdict(package.info(lnt))
    assert (summary["type"], summary["done"], summary["failed"], summary["exit_code"]) == ("summary", 2, 0, 0)


def test_a_pipe_is_read_as_a_file_is(lnt: Path) -> None:
    piped = linnet("info", "--json", "-", stdin=FILE).records[0]
    named = linnet("info", "--json", lnt).records[0]
    assert {**piped, "input": ""} == {**named, "input": ""}


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (FILE[:-3], 5, "the file ends"),
        (FILE[:60] + bytes([FILE[60] ^ 1]) + FILE[61:], 5, "checksum"),
        (FILE + b"more", 5, "bytes follow the end"),
        (samples.SIGNATURE + b"H\x01\x20\x66\x12\x6c\x5c", 5, "checksum"),
    ],
)
def test_damage_is_an_error_with_its_place(data: bytes, code: int, reason: str, tmp_path: Path) -> None:
    (tmp_path / "bad.lnt").write_bytes(data)
    done = linnet("info", "bad.lnt", cwd=tmp_path)
    assert (done.code, done.out) == (code, b"")
    assert done.complaint.startswith("linnet: bad.lnt: ")
    assert reason in done.complaint
    assert "at byte" in done.complaint


def test_json_errors_carry_chunk_and_offset(tmp_path: Path) -> None:
    (tmp_path / "bad.lnt").write_bytes(FILE[:-3])
    error, summary = linnet("info", "--json", "bad.lnt", cwd=tmp_path).records
    assert (error["type"], error["error"], error["exit_code"]) == ("error", "TruncatedError", 5)
    assert (error["chunk"], error["offset"]) == ("end", len(FILE) - 14)
    assert (summary["failed"], summary["exit_code"]) == (1, 5)


def test_verbose_shows_the_traceback(tmp_path: Path) -> None:
    done = linnet("info", "-v", "missing.lnt", cwd=tmp_path)
    assert done.code == 3
    assert "Traceback" in done.err
