"""Training of an inter model: chains of frames, starts from an image model, resumes exactly, exports."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_models_training import assert_same
from torch import Tensor
from video_samples import drifting

from linnet.entropy.motion import Field
from linnet.entropy.rate import RateCounter
from linnet.models.inter import codec as inter_codec
from linnet.models.inter.codec import InterCodec
from linnet.models.spec import ModelSpec
from linnet.models.training import inter as inter_training
from linnet.models.training.__main__ import main
from linnet.models.training.basis import block_basis
from linnet.models.training.checkpoint import save_state
from linnet.models.training.clips import ClipSampler, load_clips
from linnet.models.training.config import TrainConfig, find_config, read_config
from linnet.models.training.export_inter import export_inter
from linnet.models.training.inter import InterTraining
from linnet.models.training.inter_chains import code_chain
from linnet.models.training.objective import TrainingModel
from linnet.models.training.residuals import ResidualSampler
from linnet.models.training.trainer import Trainer
from linnet.models.weights import read_card
from linnet.models.zoo import find_inter

CPU = torch.device("cpu")
SMALL = """
kind = "inter"
data = "clips.npz"
run = "run"
steps = 3
batch = 1
crop_px = 64
frames = 3
late_share = 0.0
warm_up_steps = 1
precision = "float32"
valid_crops = 1
[model]
latent = 32
analysis = 16
analysis_blocks = 1
synthesis = 16
synthesis_blocks = 1
hyper = 8
prior = 32
"""


@pytest.fixture(scope="module")
def packed(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four short clips, one of them held out."""
    path = tmp_path_factory.mktemp("clips") / "clips.npz"
    with Image.open(photo_path) as picture:
        photo = picture.convert("RGB")
    frames = np.stack(drifting(photo, 8, (144, 128)))
    clips = {"a": frames[:4], "b": frames[4:], "c": frames[::2], "d": frames[1::2]}
    np.savez(str(path), allow_pickle=False, **clips)  # as write_packed_clips
    return path


@pytest.fixture
def config(packed: Path, tmp_path: Path) -> Iterator[TrainConfig]:
    """A small run that starts from an image model, which is quicker than from the clips."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    config = read_config(path, {"data": packed, "start": tmp_path / "image.pt"})
    image_checkpoint(config)
    yield config
    torch.set_num_threads(threads)


class Frames:
    """The same frames, not predicted."""

    def __init__(self, chains: ClipSampler) -> None:
        self.chains = chains

    def batch(self, count: int, generator: torch.Generator) -> Tensor:
        """See block_basis."""
        return self.chains.batch(count, generator)[:, 1]


def test_a_run_on_clips_counts_rate_and_distortion_and_says_how_it_goes(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inter_training, "UNSKIPPED_SHARE", 1.0)  # random weights skip nearly all
    trainer = Trainer(config, CPU)
    before = {name: value.clone() for name, value in trainer.learner.net.state_dict().items()}
    losses = [float(trainer.learner.train_step()) for _ in range(2)]
    assert np.isfinite(losses).all()
    assert min(losses) > 0
    assert trainer.learner.skipped == 0
    after = trainer.learner.net.state_dict()
    for part in ("analysis", "synthesis", "shortcut", "hyper_synthesis", "temporal", "prior"):
        assert any(
            not torch.equal(after[name], old)
            for name, old in before.items()
            if name.startswith(f"model.{part}")
        )
    same = trainer.task.batch(1, 64, trainer.learner.generator).expand(2, -1, -1, -1, -1)
    outcome = trainer.learner.net(same, torch.tensor([10.0, 50.0]))
    assert outcome.bpp[0] < outcome.bpp[1]


def test_skipped_places_have_their_means_as_latents_and_cost_nothing(config: TrainConfig) -> None:
    net = Trainer(config, CPU).learner.net.eval()
    assert isinstance(net, InterTraining)
    y, feature = 20 * torch.randn(1, 32, 4, 4), torch.randn(1, 32, 4, 4)
    skipped = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    skipped[..., 2:] = True
    y_hat, bits = net.code_latents(y, feature, torch.tensor([30.0]), skipped)
    changed = torch.where(skipped, torch.randn_like(y), y)
    assert torch.equal(net.code_latents(changed, feature, torch.tensor([30.0]), skipped)[0], y_hat)
    assert not bits[..., 2:].any()
    assert bits[..., :2].all()
    assert (y_hat - y).abs()[..., :2].max() <= 0.5 < (y_hat - y).abs()[..., 2:].max()


def test_a_stopped_and_resumed_run_on_clips_gives_the_weights_of_an_unbroken_one(config: TrainConfig) -> None:
    unbroken, stopped = Trainer(config, CPU), Trainer(config, CPU)
    for _ in range(3):
        unbroken.learner.train_step()
    stopped.learner.train_step()
    stopped.save()
    resumed = Trainer(config, CPU)
    assert resumed.learner.step == 1
    for _ in range(2):
        resumed.learner.train_step()
    assert_same(unbroken.learner.net, resumed.learner.net)
    assert_same(unbroken.learner.averaged, resumed.learner.averaged)


def image_checkpoint(config: TrainConfig) -> TrainingModel:
    """An image model of these widths whose every weight does something, saved for a run to start from."""
    assert config.start is not None
    torch.manual_seed(1)
    image = TrainingModel(config.model).eval()
    with torch.no_grad():
        for parameter in image.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    save_state({"model": image.state_dict(), "step": 7, "loss": 1.0, "seconds": 1.0}, config.start)
    return image


def test_a_start_from_an_image_model_codes_the_residual_as_it_codes_pictures(config: TrainConfig) -> None:
    image = image_checkpoint(config)
    trainer = Trainer(config, CPU)
    net = trainer.learner.net.eval()
    assert isinstance(net, InterTraining)
    assert_same(trainer.learner.net, trainer.learner.averaged)
    old, new = image.state_dict(), net.state_dict()
    widened = "model.analysis.enter.weight"
    assert [name for name, value in old.items() if not torch.equal(value, new[name])] == [widened]
    assert torch.equal(new[widened][:, :192], old[widened])
    silent = {name for name in new if name not in old and not new[name].any()}
    assert silent == {name for name in new if name not in old}
    random = torch.Generator().manual_seed(2)
    frame, predicted = torch.rand(1, 3, 64, 64, generator=random), torch.rand(1, 6, 64, 64, generator=random)
    level = torch.tensor([33.0])
    with torch.no_grad():
        rest = frame - predicted[:, :3]
        y = image.model.analyse(rest, level)
        torch.testing.assert_close(net.model.analyse(frame, predicted, level), y, rtol=1e-4, atol=1e-4)
        y = torch.round(y)
        decoded = predicted[:, :3] + image.model.synthesise(y, level)
        torch.testing.assert_close(net.model.synthesise(y, predicted, level), decoded, rtol=1e-4, atol=1e-4)
        assert not net.model.temporal(y, torch.ones(1, 8, 4, 4)).any()


def test_an_image_model_of_other_widths_is_no_start(config: TrainConfig) -> None:
    image_checkpoint(replace(config, model=replace(config.model, synthesis=48)))
    with pytest.raises(ValueError, match="another architecture"):
        Trainer(config, CPU)


@pytest.mark.parametrize("latent", [16, 48])
def test_an_image_model_of_other_latents_is_a_start(config: TrainConfig, latent: int) -> None:
    image_checkpoint(replace(config, model=replace(config.model, latent=latent)))
    trainer = Trainer(config, CPU)
    assert math.isfinite(float(trainer.learner.train_step()))


def test_a_start_from_the_clips_is_the_basis_of_what_prediction_leaves(packed: Path) -> None:
    chains = ClipSampler(load_clips(packed, False, CPU), None, 64, 2)
    basis, spread = block_basis(ResidualSampler(chains), 1, 32, torch.Generator().manual_seed(4))
    torch.testing.assert_close(basis @ basis.T, torch.eye(32), rtol=0, atol=1e-5)
    assert (spread.diff() <= 0).all()
    of_frames = block_basis(Frames(chains), 1, 32, torch.Generator().manual_seed(4))[1]
    assert spread.sum() < 0.5 * of_frames.sum()


def test_chains_are_of_one_clip_or_of_a_still_in_motion(packed: Path) -> None:
    clips = load_clips(packed, False, CPU)
    assert [len(load_clips(packed, part, CPU)) for part in (False, True)] == [3, 1]
    generator = torch.Generator().manual_seed(3)
    chains = ClipSampler(clips, None, 64, 3).batch(4, generator)
    assert chains.shape == (4, 3, 3, 64, 64)
    assert 0 <= chains.min() < chains.max() <= 1
    near = (chains[:, 0] - chains[:, 1]).abs().mean((1, 2, 3))
    apart = (chains[0, 0] - chains[1:, 0]).abs().mean((1, 2, 3))
    assert near.max() < apart.min()


def test_an_export_of_an_inter_model_loads(config: TrainConfig, tmp_path: Path) -> None:
    trainer = Trainer(replace(config, steps=1, frames=2), CPU)
    trainer.learner.train_step()
    best = {"model": trainer.learner.averaged.state_dict(), "step": 1, "loss": 2.0, "seconds": 3.0}
    save_state(best, config.run / "best.pt")
    target = tmp_path / "small.safetensors"
    sha256 = export_inter(config, config.run / "best.pt", target, {"name": "small"}, chains=1, side=64)
    shape, card = read_card(target)
    assert shape == config.model
    assert (card["kind"], card["name"], card["steps"], card["levels"]) == ("inter", "small", 1, 64)
    spec = ModelSpec(9, "small", "inter", target.name, sha256, target.parent)
    codec = inter_codec.load(spec)
    assert codec.temporal.certify() < 2**24
    assert codec.motion_table.rows == 54
    assert codec.entropy.latent == 32


def test_an_export_codes_chains_with_the_motion_that_the_encoder_finds(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = inter_codec.load(find_inter())
    key, *chain = (torch.from_numpy(f).permute(2, 0, 1) / 255 for f in drifting(photo, 3, (64, 64)))
    found: list[tuple[Field | None, Field]] = []
    original = InterCodec.find_motion

    def noted(self: InterCodec, new: Tensor, old: Tensor, quality: float, before: Field | None) -> Field:
        found.append((before, original(self, new, old, quality, before)))
        return found[-1][1]

    monkeypatch.setattr(InterCodec, "find_motion", noted)
    frames = list(code_chain(codec, torch.stack(chain), key, 50, RateCounter(), RateCounter()))
    assert len(frames) == 2
    assert found[0][0] is None
    assert found[1][0] is found[0][1]  # goes on from the field before


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"data": "'nowhere'"}, 2, "nowhere has 0 clips"),
        ({"data": "'few'"}, 2, "few has 3 clips"),
        ({"data": "'few.npz'"}, 2, "few.npz has 2 clips"),
        ({"data": "'nowhere.npz'"}, 3, "nowhere.npz"),
        ({"frames": "1"}, 2, "2 frames or more"),
        ({"frames": "0"}, 2, "frames = 0"),
        ({"metric": "'ms-ssim'"}, 2, "metric = 'mse'"),
        ({"key_model": "'video'"}, 2, "key_model = 'video'"),
        ({"kind": "'clips'"}, 2, "kind = 'clips'"),
        ({"stills": "3"}, 2, "stills"),
    ],
    ids=lambda value: "".join(f"{k}-{v}" for k, v in value.items()) if isinstance(value, dict) else None,
)
def test_a_bad_configuration_of_clips_is_one_clear_line(
    tmp_path: Path, changes: dict[str, str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few").mkdir()
    for number in range(3):
        (tmp_path / "few" / f"{number}.mp4").touch()
    np.savez(str(tmp_path / "few.npz"), a=np.zeros(1), b=np.zeros(1))
    path = tmp_path / "video.toml"
    values = {"kind": "'inter'", "data": "'clips.npz'", "run": "'run'", **changes}
    path.write_text("\n".join(f"{name} = {value}" for name, value in values.items()))
    assert main([str(path)]) == code
    complaint = capsys.readouterr().err
    assert said in complaint
    assert len(complaint.splitlines()) == 1


def test_the_shipped_configuration_of_clips_is_found_by_name(tmp_path: Path) -> None:
    config = read_config(find_config("video"), {"data": tmp_path, "run": tmp_path / "run"})
    assert (config.kind, config.key_model) == ("inter", "fast")
    assert config.frames >= 3
