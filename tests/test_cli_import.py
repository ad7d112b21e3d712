"""`linnet models import`: a CompressAI checkpoint becomes a model that every other verb takes."""

import os
from pathlib import Path

import numpy as np
import pytest
from cli_process import linnet
from PIL import Image

import linnet as package
from linnet.models import zoo

SOURCE = "compressai:mbt2018-mean"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path / "models"))


def test_an_imported_model_works_like_a_built_in_one(
    checkpoints: dict[str, Path], models_folder: Path, tmp_path: Path, photo: Image.Image
) -> None:
    words = ("models", "import", SOURCE, "--quality", "3", "--checkpoint", checkpoints["mbt2018-mean"])
    done = linnet(*words, "--name", "mine")
    assert done.code == 0, done.err
    (made,) = (tmp_path / "models" / "mine").iterdir()
    # Made by another process than the fixture's, it has the same hash.
    assert (models_folder / "mbt2018-mean" / made.name).is_file()

    *models, _ = linnet("models", "list", "--json").records
    assert [model["model"] for model in models] == [*(spec.name for spec in zoo.SPECS), "mine"]
    record = linnet("models", "show", "mine", "--json").records[0]
    card = record["card"]
    assert isinstance(card, dict)
    assert (card["source"], card["quality"], card["metric"]) == (SOURCE, 3, "mse")

    picture, coded, back = (tmp_path / name for name in ("photo.png", "photo.lnt", "back.png"))
    photo.crop((100, 50, 230, 150)).save(picture)
    assert linnet("encode", "-m", "mine", picture).code == 0
    assert linnet("decode", coded, "-o", back).code == 0
    shown = np.asarray(Image.open(back)).astype(int)
    assert np.abs(shown - package.decode(coded).pixels).max() <= 1


def test_a_quality_that_the_model_does_not_have_is_a_usage_error(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch, photo_path: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("LINNET_MODELS", str(models_folder))
    done = linnet("encode", "-m", "mbt2018-mean", "-q", "70", photo_path, "-o", tmp_path / "out.lnt")
    assert done.code == 2
    assert "has one quality" in done.complaint


def test_damage_to_a_stored_model_shows(models_folder: Path, tmp_path: Path, photo_path: Path) -> None:
    source = next((models_folder / "mbt2018-mean").iterdir())
    data = bytearray(source.read_bytes())
    data[-1000] ^= 1
    damaged = tmp_path / "models" / "mine" / source.name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(data)
    assert linnet("models", "verify").out.decode().splitlines()[-1].startswith("mine: damaged")
    done = linnet("encode", "-m", "mine", photo_path, "-o", tmp_path / "out.lnt")
    assert done.code == 4
    assert "SHA-256" in done.complaint
    damaged.write_bytes(b"no model")
    assert linnet("models", "list").code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tensorflow:bls2017", "--quality", "3"], 2, "is no source"),
        ([SOURCE, "--quality", "3", "--checkpoint", "missing.pth"], 3, "No such file"),
        ([SOURCE, "--quality", "3", "--checkpoint", os.path.abspath(__file__)], 3, "no checkpoint"),
    ],
)
def test_a_bad_request_is_one_line_and_a_code(words: list[str], code: int, said: str) -> None:
    done = linnet("models", "import", *words)
    assert done.code == code
    assert said in done.complaint
