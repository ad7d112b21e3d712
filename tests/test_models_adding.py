"""A model that a user trained: added, used by name, found again by the files it wrote."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from cli_process import linnet as run_linnet
from model_samples import psnr_db
from PIL import Image
from safetensors import safe_open
from video_samples import drifting

import linnet
from linnet.entropy.hyper_net import read_hyper_net
from linnet.entropy.index_file import read_index_model
from linnet.entropy.prior_net import read_prior_net
from linnet.entropy.temporal_net import read_temporal_net
from linnet.entropy.tensor_source import TensorSource
from linnet.models import weights, zoo
from linnet.models.added import TRAINED_ID
from linnet.models.adding import add_model
from linnet.models.importing.errors import CheckpointError
from linnet.models.selftest import self_test


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file of other bytes than the one that ships."""
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path / "models"))
    config, card = weights.read_card(zoo.find("fast").path)
    target = tmp_path / "mine.safetensors"
    weights.write_model(
        target, config, safetensors.torch.load_file(zoo.find("fast").path), {**card, "seed": 7}
    )
    return target


def test_an_added_model_encodes_and_its_files_find_it(trained: Path, photo: Image.Image) -> None:
    spec = add_model(trained)
    assert (spec.name, spec.wire_id) == ("mine", TRAINED_ID)
    picture = np.asarray(photo.crop((0, 0, 96, 64)))
    made = linnet.encode(picture, model="mine", quality=70)
    assert made.data is not None
    assert linnet.info(made.data).model == "mine"
    assert linnet.decode(made.data).pixels.shape == picture.shape
    with pytest.raises(FileExistsError):
        add_model(trained)
    spec.path.unlink()
    with pytest.raises(linnet.ModelMismatchError, match="models add"):
        linnet.decode(made.data)


def test_a_layer_whose_sums_may_not_be_exact_is_refused(trained: Path) -> None:
    config, card = weights.read_card(trained)
    tensors = safetensors.torch.load_file(trained)
    name = "exact.prior.fuse1.contract.weight"
    tensors[name] = torch.full_like(tensors[name], 2047, dtype=torch.int16)
    source = TensorSource(weights.part(tensors, "exact."), torch.float64, torch.device("cpu"))
    tensors["selftest.hash"] = torch.tensor(self_test(read_hyper_net(source), read_prior_net(source)))
    weights.write_model(trained, config, tensors, card)
    with pytest.raises(CheckpointError, match="other machines"):
        add_model(trained)


@pytest.mark.parametrize(
    ("name", "damaged", "said"),
    [
        ("encoder.correction", lambda tensor: tensor + 5, "must be -1 to 1"),
        ("table.z.cdf", lambda tensor: tensor[:32], "table.z"),
        ("transform.synthesis.gain.values", lambda tensor: tensor / 0, "not finite"),
    ],
)
def test_a_model_that_could_not_code_is_refused(
    trained: Path, name: str, damaged: Callable[[torch.Tensor], torch.Tensor], said: str
) -> None:
    config, card = weights.read_card(trained)
    tensors = safetensors.torch.load_file(trained)
    tensors[name] = damaged(tensors[name])
    if name == "table.z.cdf":
        tensors |= {f"table.z.{part}": tensors[f"table.z.{part}"][:32] for part in ("size", "offset")}
    weights.write_model(trained, config, tensors, card)
    with pytest.raises(CheckpointError, match=said):
        add_model(trained)


def test_what_is_no_model_file_is_refused(trained: Path) -> None:
    whole = trained.read_bytes()
    torch.save({"model": {}}, trained)
    for content in (trained.read_bytes(), b"", b"no model", whole[: len(whole) // 2]):
        trained.write_bytes(content)
        with pytest.raises(CheckpointError, match="no whole model file"):
            add_model(trained)
    done = run_linnet("models", "add", trained)
    assert done.code == 3
    assert "no whole model file" in done.complaint


@pytest.fixture
def trained_inter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inter model of other bytes than the one that ships."""
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path / "models"))
    shipped = zoo.find_inter()
    config, card = weights.read_card(shipped.path)
    target = tmp_path / "between.safetensors"
    weights.write_model(target, config, safetensors.torch.load_file(shipped.path), {**card, "seed": 7})
    return target


def test_an_added_inter_model_codes_between_key_frames_and_its_clips_find_it(
    trained_inter: Path, photo: Image.Image, tmp_path: Path
) -> None:
    done = run_linnet("models", "add", trained_inter)
    assert (done.code, "use it with --inter-model between" in done.err) == (0, True)
    spec = zoo.find("between")
    assert (spec.kind, spec.wire_id) == ("inter", TRAINED_ID)
    frames = drifting(photo, 3, (64, 64))
    path = tmp_path / "clip.lnt"
    with linnet.VideoWriter(path, quality=50, inter_model="between") as video:
        for frame in frames:
            video.write(frame)
    info = linnet.info(path).video
    assert info is not None
    assert (info.inter_model, info.key_frames) == ("between", 1)
    with linnet.VideoReader(path) as video:
        assert all(psnr_db(a.pixels.astype(np.uint8), b) > 25 for a, b in zip(video, frames, strict=True))
    assert run_linnet("models", "show", "between").code == 0
    spec.path.unlink()
    with pytest.raises(linnet.ModelMismatchError, match="models add"), linnet.VideoReader(path) as video:
        next(iter(video))


def test_an_inter_model_stays_in_its_place(trained_inter: Path, photo: Image.Image) -> None:
    add_model(trained_inter)
    with pytest.raises(ValueError, match="not pictures"):
        linnet.encode(photo, model="between")
    with pytest.raises(ValueError, match="'fast' codes pictures"):
        linnet.VideoWriter("never.lnt", inter_model="fast")
    with pytest.raises(ValueError, match="nothing to do"):
        linnet.VideoWriter("never.lnt", inter_model="between", gop=1)
    with pytest.raises(ValueError, match="no model is called 'absent'"):
        linnet.VideoWriter("never.lnt", inter_model="absent")
    assert not Path("never.lnt").exists()


def test_an_inter_model_whose_temporal_sums_may_not_be_exact_is_refused(trained_inter: Path) -> None:
    config, card = weights.read_card(trained_inter)
    tensors = safetensors.torch.load_file(trained_inter)
    tensors["exact.temporal.adaptor.weight"].fill_(2047)
    source = TensorSource(weights.part(tensors, "exact."), torch.float64, torch.device("cpu"))
    nets = read_hyper_net(source), read_prior_net(source), read_temporal_net(source)
    tensors["selftest.hash"] = torch.tensor(self_test(*nets))
    weights.write_model(trained_inter, config, tensors, card)
    with pytest.raises(CheckpointError, match=r"other machines.*temporal"):
        add_model(trained_inter)


def test_an_added_vq_model_codes_in_stages_and_its_files_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Image.Image
) -> None:
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path / "models"))
    shipped, mine = zoo.find("vq"), tmp_path / "tiles.safetensors"
    with safe_open(shipped.path, framework="pt") as stored:
        metadata = stored.metadata()
    card = {**json.loads(metadata["card"]), "seed": 7}
    tensors = safetensors.torch.load_file(shipped.path)
    safetensors.torch.save_file(tensors, mine, {**metadata, "card": json.dumps(card)})
    spec = add_model(mine)
    assert (spec.name, spec.kind, spec.wire_id, spec.stages) == ("tiles", "vq", TRAINED_ID, 7)
    picture = photo.crop((0, 0, 96, 64))
    made = linnet.encode(picture, model="tiles", stages=3)
    assert made.data is not None
    info = linnet.info(made.data)
    assert (info.model, info.stages, info.model_stages) == ("tiles", 3, 7)
    plain, sharp = (linnet.decode(made.data, tune=tune) for tune in ("fidelity", "perceptual"))
    assert psnr_db(plain.pixels.astype(np.uint8), np.asarray(picture)) > 15
    assert not np.array_equal(plain.pixels, sharp.pixels)
    assert len(linnet.tokenize(picture, model="tiles").grids) == 7
    spec.path.unlink()
    with pytest.raises(linnet.ModelMismatchError, match="models add"):
        linnet.decode(made.data)
    tensors["exact.index.lift.weight"].fill_(2047)
    source = TensorSource(weights.part(tensors, "exact."), torch.float64, torch.device("cpu"))
    tensors["selftest.hash"] = torch.tensor(read_index_model(source).self_test())
    safetensors.torch.save_file(tensors, mine, metadata)
    with pytest.raises(CheckpointError, match="other machines"):
        add_model(mine)
