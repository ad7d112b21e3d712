"""Files of imported models: golden ones still decode, and FORMAT.md says enough to decode them."""

from pathlib import Path

import numpy as np
import pytest
from format_decoder import read_file
from format_hyperprior import HyperpriorModel, decode_tile
from PIL import Image

import linnet
from linnet.models import zoo

CONFORMANCE = Path(__file__).parent / "conformance"
GOLDEN = sorted((CONFORMANCE / "hyperprior").glob("*.lnt"))


@pytest.fixture(autouse=True)
def _golden_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_MODELS", str(CONFORMANCE / "models"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_file_still_decodes(path: Path) -> None:
    assert linnet.verify(path, full=True).ok  # the hashes in the file are the golden integers
    decoded = linnet.decode(path).pixels.astype(int)
    with Image.open(path.with_suffix(".png")) as stored:
        assert np.abs(decoded - np.asarray(stored)).max() <= 1


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_file_decodes_from_the_text_alone(path: Path) -> None:
    header, tiles = read_file(path.read_bytes())
    model = HyperpriorModel(zoo.find_wire(header.model, header.weights_hash).path)
    assert model.hash == header.weights_hash
    found = [decode_tile(tile, model) for tile in tiles]
    assert [tile.latent_hash for tile in found] == [tile.latent_hash for tile in tiles]
    assert [tile.payload for tile in found] == [tile.payload for tile in tiles]
    assert np.abs(found[0].symbols).max() > 3


def test_there_is_a_golden_file_of_each_architecture() -> None:
    ids = {linnet.info(path).model_wire_id for path in GOLDEN}
    assert ids == {1024, 1026}
