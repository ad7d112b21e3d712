"""Tokens: what a file holds without its entropy coder, in arrays to train on, and back into pictures."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import vq_samples
from media_samples import exif_block
from PIL import Image
from safetensors import safe_open
from vq_samples import starts, without

import linnet
from linnet.models.vq.config import Stage

STAGES = (Stage(32, 125), Stage(16, 27), Stage(16, 27))


@pytest.fixture(autouse=True)
def _blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vq_samples.install(monkeypatch)


@pytest.fixture
def pixels(photo: Image.Image) -> np.ndarray:
    """An odd size: the last block of either grid is cut."""
    return np.asarray(photo.crop((130, 40, 130 + 203, 40 + 145)))


def file_of(pixels: np.ndarray, stages: int, tile: int = 1024) -> bytes:
    return linnet.encode(pixels, model="blocks", stages=stages, tile=tile).data or b""


def assert_same(one: linnet.Tokens, other: linnet.Tokens) -> None:
    assert (one.stages, one.width, one.height) == (other.stages, other.width, other.height)
    assert (one.model, one.weights_hash) == (other.model, other.weights_hash)
    for left, right in zip(one.grids, other.grids, strict=True):
        assert left.dtype == right.dtype == np.uint16
        assert np.array_equal(left, right)


@pytest.mark.parametrize("tile", [64, 1024])
def test_tokens_of_a_picture_are_those_that_its_file_holds(pixels: np.ndarray, tile: int) -> None:
    made = linnet.tokenize(pixels, model="blocks")
    assert made.stages == STAGES
    assert [grid.shape for grid in made.grids] == [(5, 7), (10, 13), (10, 13)]
    assert made.count == 35 + 2 * 130
    assert len(np.unique(made.grids[0])) > 5
    assert_same(made, linnet.tokenize(file_of(pixels, 3, tile)))


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_any_prefix_of_the_stages_decodes_as_a_file_of_so_many_does(pixels: np.ndarray, stages: int) -> None:
    data = file_of(pixels, stages)
    made = linnet.tokenize(pixels, model="blocks")
    shown = linnet.decode(data).pixels
    assert np.array_equal(linnet.detokenize(made, stages=stages).pixels, shown)
    assert np.array_equal(linnet.detokenize(made.first(stages)).pixels, shown)
    assert_same(linnet.tokenize(pixels, model="blocks", stages=stages), linnet.tokenize(data))
    assert_same(linnet.tokenize(file_of(pixels, 3), stages=stages), linnet.tokenize(data))


def test_a_turned_picture_is_upright_in_either_way(photo: Image.Image, tmp_path: Path) -> None:
    photo.crop((0, 0, 96, 64)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif_block(6))
    linnet.encode(tmp_path / "a.jpg", tmp_path / "a.lnt", model="blocks", stages=3)
    from_picture = linnet.tokenize(tmp_path / "a.jpg", model="blocks")
    from_file = linnet.tokenize(tmp_path / "a.lnt")
    assert (from_picture.name, from_picture.width, from_picture.height) == ("a.jpg", 64, 96)
    assert (from_file.name, from_file.width, from_file.orientation) == ("a.lnt", 96, 6)
    assert linnet.detokenize(from_picture).pixels.shape == (96, 64, 3)
    shown = linnet.detokenize(from_file).pixels
    assert np.array_equal(shown, linnet.decode(tmp_path / "a.lnt").pixels)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_pictures_of_one_size_are_stacked(pixels: np.ndarray, suffix: str, tmp_path: Path) -> None:
    tokens = [
        linnet.tokenize(each, model="blocks", name=f"p{n}") for n, each in enumerate((pixels, pixels[::-1]))
    ]
    path = tmp_path / f"two{suffix}"
    assert linnet.save_tokens(tokens, path) == path.stat().st_size
    arrays, about = arrays_in(path)
    assert {name: array.shape for name, array in arrays.items()} == {
        "stage0": (2, 5, 7),
        "stage1": (2, 10, 13),
        "stage2": (2, 10, 13),
        "width": (2,),
        "height": (2,),
        "orientation": (2,),
    }
    assert np.array_equal(arrays["stage1"][1], tokens[1].grids[1])
    assert about["names"] == ["p0", "p1"]
    assert (about["strides"], about["codes"]) == ([32, 16, 16], [125, 27, 27])
    for read, made in zip(linnet.load_tokens(path), tokens, strict=True):
        assert_same(read, made)
        assert read.name == made.name


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_pictures_of_several_sizes_have_arrays_each(pixels: np.ndarray, suffix: str, tmp_path: Path) -> None:
    tokens = [linnet.tokenize(each, model="blocks", stages=2) for each in (pixels, pixels[:40, :100])]
    path = tmp_path / f"two{suffix}"
    linnet.save_tokens(tokens, path)
    arrays, _ = arrays_in(path)
    assert arrays["stage0/0"].shape == (5, 7)
    assert arrays["stage1/1"].shape == (3, 7)
    for read, made in zip(linnet.load_tokens(path), tokens, strict=True):
        assert_same(read, made)


def arrays_in(path: Path) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """What a file of tokens holds, read with nothing of Linnet."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            arrays = dict(file)
        return arrays, json.loads(str(arrays.pop("about")))
    with safe_open(path, "numpy") as file:
        names = list(file.keys())
        return {name: file.get_tensor(name) for name in names}, json.loads(file.metadata()["about"])


def test_tokens_that_cannot_be_are_refused_with_what_was_expected(pixels: np.ndarray) -> None:
    made = linnet.tokenize(pixels, model="blocks")
    coarse, *fine = made.grids
    with pytest.raises(ValueError, match=r"stage 0 .* uint16 \[5, 7\], not uint16 \[5, 6\]"):
        dataclasses.replace(made, grids=(coarse[:, :-1], *fine))
    with pytest.raises(ValueError, match="not int64"):
        dataclasses.replace(made, grids=(coarse.astype(np.int64), *fine))
    with pytest.raises(ValueError, match="index 125, its codes are 0 to 124"):
        dataclasses.replace(
            made, grids=(np.where(coarse == coarse.max(), 125, coarse).astype(np.uint16), *fine)
        )
    with pytest.raises(ValueError, match="stages must be 1 to 3, not 4"):
        linnet.detokenize(made, stages=4)
    with pytest.raises(ValueError, match="stages must be 1 to 2, not 3"):
        linnet.tokenize(file_of(pixels, 2), stages=3)


def test_tokens_of_other_weights_are_refused(pixels: np.ndarray, tmp_path: Path) -> None:
    made = linnet.tokenize(pixels, model="blocks", name="a")
    other = dataclasses.replace(made, weights_hash="0123456789abcdef", name="b")
    with pytest.raises(linnet.ModelMismatchError, match="0123456789abcdef"):
        linnet.detokenize(other)
    with pytest.raises(ValueError, match=r"'b' .* 0123456789abcdef, 'a'"):
        linnet.save_tokens([made, other], tmp_path / "both.npz")
    with pytest.raises(ValueError, match=r"'b' has 2 stages and 'a' 3: ask for 2"):
        linnet.save_tokens([made, dataclasses.replace(made.first(2), name="b")], tmp_path / "both.npz")
    assert not list(tmp_path.iterdir())


def test_models_and_files_without_stages_have_no_tokens(photo: Image.Image) -> None:
    small = photo.crop((0, 0, 64, 48))
    with pytest.raises(ValueError, match="'fast' does not code pictures in stages"):
        linnet.tokenize(small, model="fast")
    with pytest.raises(ValueError, match="a file of model 'fast' has no tokens"):
        linnet.tokenize(linnet.encode(small, model="fast").data or b"")


def test_a_damaged_file_gives_no_tokens(pixels: np.ndarray) -> None:
    data = bytearray(file_of(pixels, 3))
    data[-40] ^= 1
    with pytest.raises(linnet.CorruptFileError):
        linnet.tokenize(bytes(data))
    with pytest.raises(linnet.TruncatedError):
        linnet.tokenize(bytes(data[:-60]), stages=1)


def test_damage_that_shares_make_good_changes_no_token_and_is_told(
    pixels: np.ndarray, tmp_path: Path
) -> None:
    data = linnet.encode(pixels, model="blocks", stages=3, tile=64, resilience=25).data or b""
    whole = linnet.tokenize(data)
    assert whole.repairs == ()
    assert_same(whole, linnet.tokenize(pixels, model="blocks"))
    damaged = bytearray(without(data, [2, 3, 11]))
    for place in starts(bytes(damaged))[4:7]:
        damaged[place + 5] ^= 1
    for stages in (1, 3):
        found = linnet.tokenize(bytes(damaged), stages=stages)
        assert_same(found, whole.first(stages))
        assert "share 4 comes where share 2 should" in str(found.repairs[0])
    (tmp_path / "a.lnt").write_bytes(damaged)
    assert_same(linnet.tokenize(tmp_path / "a.lnt"), whole)
    for stages in (1, 3):  # as of any file: all of it is checked, whatever is wanted
        with pytest.raises(linnet.CorruptFileError, match="17 of 24 shares are left, stage 2 needs 18"):
            linnet.tokenize(without(bytes(damaged), [0]), stages=stages)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_damaged_files_of_tokens_are_refused(pixels: np.ndarray, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    linnet.save_tokens([linnet.tokenize(pixels, model="blocks")], path)
    data = path.read_bytes()
    with pytest.raises(FileExistsError):
        linnet.save_tokens(linnet.load_tokens(path), path)
    for broken in (b"", b"no such thing", data[: len(data) // 2], data[:-1]):
        path.write_bytes(broken)
        with pytest.raises(linnet.CorruptFileError, match="cannot be read as tokens"):
            linnet.load_tokens(path)


def test_arrays_that_do_not_fit_their_description_are_refused(pixels: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    linnet.save_tokens([linnet.tokenize(pixels, model="blocks")], path)
    arrays, about = arrays_in(path)

    def rewritten(changed: dict[str, object], **more: np.ndarray) -> Path:
        np.savez(path, **{"about": np.array(json.dumps({**about, **changed})), **arrays, **more})
        return path

    with pytest.raises(linnet.UnsupportedVersionError, match="layout 2"):
        linnet.load_tokens(rewritten({"linnet_tokens": 2}))
    faults: list[dict[str, object]] = [{"codes": [5, 27, 27]}, {"names": ["a", "b"]}, {"strides": [32, 16]}]
    for changed in faults:
        with pytest.raises(linnet.CorruptFileError):
            linnet.load_tokens(rewritten(changed))
    with pytest.raises(linnet.CorruptFileError, match="stage 1"):
        linnet.load_tokens(rewritten({}, stage1=arrays["stage1"][:, :-1]))
    with pytest.raises(linnet.CorruptFileError):
        linnet.load_tokens(rewritten({}, stage1=arrays["stage1"].astype(np.float64)))
    for width in ([191.5], ["192"], [np.inf], [1j]):
        with pytest.raises(linnet.CorruptFileError):
            linnet.load_tokens(rewritten({}, width=np.array(width)))
    with pytest.raises(linnet.CorruptFileError):
        linnet.load_tokens(rewritten({"strides": [0, 0, 0]}))
    np.savez(path, about=np.array("[" * 200_000), **arrays)
    with pytest.raises(linnet.CorruptFileError):
        linnet.load_tokens(path)
    with pytest.raises(ValueError, match=r"\.npz or \.safetensors"):
        linnet.load_tokens(tmp_path / "a.json")
