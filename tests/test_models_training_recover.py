"""A model file becomes networks to train on: quantised again, they code as the file's own integers do."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from model_samples import shape_of, training_folder
from PIL import Image
from torch import Tensor
from video_samples import drifting

from linnet.entropy.latents import MEAN_BITS
from linnet.entropy.motion import Field
from linnet.entropy.prior import EntropyModel
from linnet.entropy.rate import RateCounter
from linnet.models import image_codec
from linnet.models.inter import codec as inter_codec
from linnet.models.inter.codec import InterCodec, Past
from linnet.models.inter.model import motion_features
from linnet.models.latent_coding import LatentCodec
from linnet.models.recovery import Recovery
from linnet.models.training.__main__ import main
from linnet.models.training.calibrate import calibrate
from linnet.models.training.config import read_config
from linnet.models.training.export import entropy_model
from linnet.models.training.inter import InterTraining, from_image_model
from linnet.models.training.objective import LatentCoding, TrainingModel
from linnet.models.training.quantise import quantise
from linnet.models.training.recover import fit_density, model_file, recover, start_state
from linnet.models.training.tasks import shipped_transforms
from linnet.models.training.trainer import Trainer
from linnet.models.weights import part, read_tensors
from linnet.models.zoo import find

CPU = torch.device("cpu")
QUALITY = 50.0
SAME = 0.005  # of the bits: weights of 8 bits, quantised again on other grids
CONFIG = """
data = "pictures"
run = "run"
start = "{start}"
steps = 2
crop_px = 64
late_share = 0.0
batch = 1
"""


@pytest.fixture
def frames(photo: Image.Image) -> Tensor:
    """[3, 3, 64, 128] in 0..1: a hand-held camera."""
    return torch.from_numpy(np.stack(drifting(photo, 3, (128, 64)))).permute(0, 3, 1, 2).float() / 255


def bits(codec: LatentCodec, model: EntropyModel, y: Tensor, context: Tensor | None = None) -> float:
    """What `model` takes for latents of `codec`, rounded and not chosen."""
    counter = RateCounter()
    given = codec.hyper_latents(y, QUALITY), y
    model = replace(model, error_bits=math.inf)
    model.code(counter, (y.shape[0], y.shape[1]), int(codec.level(QUALITY).round()), given, context)
    return counter.bits


def quantised(
    net: LatentCoding, codec: LatentCodec, sample: Tensor
) -> tuple[EntropyModel, dict[str, Tensor]]:
    """The networks as an export would write them, with the tables of the file."""
    integers = quantise(net.model, calibrate(net, [sample] * 16))
    return entropy_model(integers, codec.entropy.z_table, codec.entropy.y_table), integers


def test_an_image_model_codes_as_its_file(frames: Tensor) -> None:
    net, codec = TrainingModel(shape_of("fast")), image_codec.load(find("fast"))
    recover(find("fast").path, net)
    y = codec.analyse(frames[0], QUALITY)
    again, _ = quantised(net, codec, frames[:1])
    assert bits(codec, again, y) == pytest.approx(bits(codec, codec.entropy, y), rel=SAME)
    levels = torch.tensor([0.0, 20.0, 63.0])
    found = net.model.analyse(frames, levels)
    assert torch.equal(found, image_codec.load(find("fast")).transforms.analyse(frames, levels))


@torch.no_grad()
def test_the_temporal_context_of_an_inter_model_is_that_of_its_file(frames: Tensor) -> None:
    net = InterTraining(shape_of("video"), shipped_transforms("fast", CPU))
    tensors = read_tensors(find("video").path, find("video").sha256)
    recovery = Recovery(part(tensors, "exact."))
    feature = recovery.hyper(net.model.hyper_synthesis)
    recovery.prior(net.model.prior, feature)
    recovery.temporal(net.model.temporal, feature)
    codec = inter_codec.load(find("video"))
    past, motion = past_of_second_inter_frame(codec, frames)
    octave = torch.exp2(net.model.prior.octaves[int(codec.level(QUALITY).round())])
    finest = 2.0 ** (MEAN_BITS - tensors["exact.temporal.context_shift"].float())
    before = torch.floor(torch.from_numpy(past.y_hat) / 2**MEAN_BITS / octave * finest + 0.5) / finest
    features = motion_features(torch.from_numpy(motion)[None].float())
    found = net.model.temporal(before.permute(2, 0, 1)[None].float(), features)[0].permute(1, 2, 0)
    expected = codec.context(past, motion).double()
    apart = (found.double() * 2.0**feature - expected).abs()
    assert apart.max() <= 0.51  # of the last bit, which is rounded
    assert expected.abs().mean() > 5


def past_of_second_inter_frame(codec: InterCodec, frames: Tensor) -> tuple[Past, Field]:
    """And its motion."""
    field = codec.find_motion(frames[1], frames[0], QUALITY)
    past = Past(frames[0])
    y = codec.analyse(frames[1], codec.predict(past, field), QUALITY)
    coded = codec.encode_latents(RateCounter(), y, QUALITY, codec.context(past, field))
    past = past.then(frames[1], field, coded.y_hat, QUALITY, np.zeros(y.shape[:2], np.bool_))
    return past, codec.find_motion(frames[2], frames[1], QUALITY)


def test_the_density_of_the_hyper_latents_is_that_of_the_table() -> None:
    net = TrainingModel(shape_of("fast"))
    assert fit_density(net, image_codec.load(find("fast")).entropy.z_table) < 0.02  # bits a symbol


def test_a_model_that_ships_is_named_and_one_of_the_user_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_file(Path("fast")) == find("fast").path
    assert model_file(tmp_path / "fast") is None
    assert model_file(tmp_path / "mine.safetensors") == tmp_path / "mine.safetensors"
    assert model_file(tmp_path / "best.pt") is None
    Path("fast").write_bytes(b"a checkpoint of that name")
    assert model_file(Path("fast")) is None


def test_an_inter_model_starts_from_the_file_of_an_image_model() -> None:
    net = InterTraining(shape_of("video"), shipped_transforms("fast", CPU))
    state = start_state(find("fast").path, net)
    assert "model.temporal.adaptor.weight" not in state  # the trainer then silences what looks at the past
    gains = shipped_transforms("fast", CPU).analysis.gain.values
    assert torch.equal(state["model.analysis.gain.values"], gains)
    taken = from_image_model(state, net.state_dict())
    net.load_state_dict(taken)
    kept = min(gains.shape[1], net.model.config.latent)
    assert torch.equal(taken["model.analysis.gain.values"][:, :kept], gains[:, :kept])
    heads = [values["model.prior.heads.1.bias"] for values in (state, taken)]
    assert torch.equal(*(torch.cat([half[:kept] for half in head.chunk(2)]) for head in heads))


def test_training_goes_on_from_what_ships(photo: Image.Image, tmp_path: Path) -> None:
    config = training_config(tmp_path, photo, "fast")
    trainer = Trainer(read_config(config), CPU)
    shipped = shipped_transforms("fast", CPU)
    taken = trainer.learner.net.model.shortcut.state_dict()["forward_mix.weight"]
    expected = shipped.shortcut.state_dict()["forward_mix.weight"]
    assert torch.equal(taken[: len(expected)], expected)
    trainer.run(minutes=5)
    assert trainer.learner.step == 2


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("video", "another architecture"),
        ("vq", "another architecture"),
        ("broken.safetensors", "not a model file"),
        ("missing.safetensors", "missing.safetensors"),
    ],
)
def test_a_file_that_cannot_be_trained_on_is_one_clear_line(
    start: str, reason: str, photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.safetensors").write_bytes(find("fast").path.read_bytes()[:100])
    assert main([str(training_config(tmp_path, photo, start))]) in (2, 3)
    told = capsys.readouterr().err
    assert reason in told
    assert len(told.splitlines()) == 1


def training_config(folder: Path, photo: Image.Image, start: str) -> Path:
    """A run of two steps on parts of one photo."""
    training_folder(folder / "pictures", photo)
    path = folder / "config.toml"
    path.write_text(CONFIG.format(start=start))
    return path
