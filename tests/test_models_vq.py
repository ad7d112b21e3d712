"""The VQ model: its start is a codec already, stages add up, training resumes exactly."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from model_samples import shape_of, training_folder
from PIL import Image
from torch import Tensor

from linnet.models.training import tasks
from linnet.models.training.config import read_config
from linnet.models.training.tasks import shipped_transforms
from linnet.models.training.trainer import Trainer
from linnet.models.training.vq import VqTraining
from linnet.models.vq.config import Stage, VqConfig

CPU = torch.device("cpu")
STAGES = (Stage(32, 64), Stage(32, 64), Stage(16, 32), Stage(16, 32), Stage(16, 32))


@pytest.fixture(scope="module")
def pixels(photo_path: Path) -> Tensor:
    """[1, 3, H, W] in 0..1, sides multiples of 32."""
    with Image.open(photo_path) as photo:
        array = np.asarray(photo.convert("RGB"))[:256, :384]
    return torch.from_numpy(array.copy()).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def started(pixels: Tensor) -> VqTraining:
    """A model that has seen nothing but the start."""
    net = VqTraining(VqConfig(stages=STAGES, image=shape_of("fast-ms-ssim")))
    net.model.take_over(shipped_transforms("fast-ms-ssim", CPU))
    crops = pixels.unfold(2, 192, 16).unfold(3, 192, 16).permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 192, 192)
    net.model.start_from_basis(crops[::7], torch.tensor(1))
    return net.eval()


def psnr_db(net: VqTraining, pixels: Tensor, stages: int) -> float:
    with torch.inference_mode():
        indices = net.model.encode(pixels - 0.5)
        count = torch.full((1, *indices[-1].shape[1:]), stages)
        decoded = net.model.decode(indices, count) + 0.5
    return float(-10 * torch.log10(((decoded - pixels) ** 2).mean()))


def test_the_start_is_a_codec_and_every_stage_adds_to_it(started: VqTraining, pixels: Tensor) -> None:
    found = [psnr_db(started, pixels, stages) for stages in range(1, 6)]
    assert found[0] > 14
    assert all(after > before + 0.1 for before, after in pairwise(found)), found


def test_what_is_not_known_is_not_looked_at(started: VqTraining, pixels: Tensor) -> None:
    model = started.model
    with torch.inference_mode():
        indices = model.encode(pixels - 0.5)
        count = torch.full((1, *indices[-1].shape[1:]), 3)
        other = (*indices[:3], (indices[3] + 1) % 32, (indices[4] + 5) % 32)
        assert torch.equal(model.decode(indices, count), model.decode(other, count))
        assert not torch.equal(model.decode(indices, count + 1), model.decode(other, count + 1))


def test_a_search_finds_nearer_sums_than_stage_by_stage(started: VqTraining, pixels: Tensor) -> None:
    model = started.model
    with torch.inference_mode():
        y = model.latents(pixels - 0.5)
        vectors = model.coarse_net.encode(y)
        codes = model.coarse_codes
        greedy = codes(vectors)
        assert [torch.equal(a, b) for a, b in zip(codes.search(vectors, 1), greedy.indices, strict=True)] == [
            True,
            True,
        ]
        errors = [
            float(((codes.look_up(found) - vectors) ** 2).mean())
            for found in (greedy.indices, codes.search(vectors, 2))
        ]
    assert errors[1] < 0.98 * errors[0]


@pytest.fixture
def config_path(tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tasks, "START_CROPS", 32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield training_folder(tmp_path, photo)
    torch.set_num_threads(threads)


def test_a_stopped_and_resumed_run_gives_the_weights_of_an_unbroken_one(config_path: Path) -> None:
    words = ('kind = "vq"', "batch = 1", "crop_px = 192", "late_share = 0.0", "steps = 10", "valid_crops = 1")
    config_path.write_text("\n".join((*words, 'data = "pictures"', 'run = "run"', 'precision = "float32"')))
    config = read_config(config_path)
    unbroken = Trainer(config, CPU)
    stopped = Trainer(replace(config, run=config.run.with_name("other")), CPU)
    for _ in range(2):
        unbroken.learner.train_step()
    stopped.learner.train_step()
    stopped.save()
    resumed = Trainer(stopped.config, CPU)
    resumed.learner.train_step()
    for name, value in unbroken.learner.net.state_dict().items():
        assert torch.equal(value, resumed.learner.net.state_dict()[name]), name


def test_crops_too_small_for_ms_ssim_are_refused(config_path: Path) -> None:
    config_path.write_text('kind = "vq"\ncrop_px = 128\ndata = "pictures"\nrun = "run"\n')
    with pytest.raises(ValueError, match="multiple of 32, 192 px or more for ms-ssim"):
        read_config(config_path)
