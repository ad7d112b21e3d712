"""An image model starts from one of fewer latents or smaller transforms, and codes at first as that did."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from model_samples import shape_of, training_folder
from PIL import Image
from torch import Tensor

from linnet.models.training.config import read_config
from linnet.models.training.growth import from_fewer_latents, latents_of, resized
from linnet.models.training.objective import Outcome, TrainingModel
from linnet.models.training.recover import recover, start_state
from linnet.models.training.starting import grown
from linnet.models.training.trainer import Trainer
from linnet.models.training.widening import from_smaller_transforms
from linnet.models.transforms import ImageConfig
from linnet.models.zoo import find

CPU = torch.device("cpu")
LOW, HIGH = torch.full((1,), 10.0), torch.full((1,), 60.0)


@pytest.fixture
def crop(photo: Image.Image) -> Iterator[Tensor]:
    """[1, 3, 128, 128] in 0..1: the medals, rich in detail."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    corner = photo.crop((300, 380, 428, 508))
    pixels = torch.frombuffer(bytearray(corner.tobytes()), dtype=torch.uint8)
    yield pixels.view(128, 128, 3).permute(2, 0, 1)[None].float() / 255
    torch.set_num_threads(threads)


def started_from_fast(folder: Path, photo: Image.Image, shape: str) -> Path:
    """The configuration of a run that starts from `fast`, with that shape but for these lines."""
    path = training_folder(folder, photo)
    head, _ = path.read_text().split("[model]")
    path.write_text(f"start = 'fast'\n{head}[model]\n{shape}\n")
    return path


@torch.no_grad()
def coded(model: TrainingModel, crop: Tensor, level: Tensor) -> Outcome:
    """Rate and picture as a file has them, but for the chosen symbols."""
    return model(crop, level)


def test_added_latents_change_nothing_until_they_are_started(crop: Tensor) -> None:
    config = shape_of("fast")
    few, more = (TrainingModel(replace(config, latent=config.latent + added)).eval() for added in (0, 32))
    recover(find("fast").path, few)
    more.load_state_dict(from_fewer_latents(few.state_dict(), more.state_dict()))
    assert latents_of(more.state_dict()) == config.latent + 32
    for level in (LOW, HIGH):
        before, after = (coded(model, crop, level) for model in (few, more))
        assert torch.allclose(after.picture, before.picture, atol=1e-4)
        assert float(after.bpp) == pytest.approx(float(before.bpp), rel=1e-3)


def test_a_model_of_as_many_latents_is_loaded_as_it_is() -> None:
    state = TrainingModel(ImageConfig()).state_dict()
    assert from_fewer_latents(state, state) is state


def test_a_run_with_more_latents_than_its_start_shows_more_at_high_quality(
    crop: Tensor, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linnet.models.training.growth.CROPS", 256)
    path = training_folder(tmp_path, photo)
    whole, few = (
        TrainingModel(replace(shape_of("fast"), latent=latent)).eval()
        for latent in (shape_of("fast").latent, 128)
    )
    few.load_state_dict(resized(start_state(find("fast").path, whole), few.state_dict()))
    torch.save({"model": few.state_dict()}, tmp_path / "few.pt")
    head, _ = path.read_text().split("[model]")
    path.write_text(f"start = 'few.pt'\n{head}[model]\nlatent = 192\n")
    more = Trainer(read_config(path), CPU).learner.averaged.eval()
    assert isinstance(more, TrainingModel)
    low = [coded(model, crop, LOW) for model in (few, more)]
    assert float(low[1].bpp) == pytest.approx(float(low[0].bpp), rel=0.01)
    assert float(low[1].psnr_db) == pytest.approx(float(low[0].psnr_db), abs=0.02)
    high = [coded(model, crop, HIGH) for model in (few, more)]
    assert float(high[1].psnr_db) > float(high[0].psnr_db) + 0.5


def test_wider_and_deeper_transforms_code_as_before_and_learn(crop: Tensor) -> None:
    config = shape_of("fast")
    wider = replace(config, analysis=176, analysis_blocks=5, synthesis=160, synthesis_blocks=9)
    small, large = (TrainingModel(each) for each in (config, wider))
    recover(find("fast").path, small)
    large.load_state_dict(from_smaller_transforms(small.state_dict(), large.state_dict()))
    for level in (LOW, HIGH):
        before, after = (coded(model.eval(), crop, level) for model in (small, large))
        assert torch.allclose(after.picture, before.picture, atol=1e-4)
        assert float(after.bpp) == pytest.approx(float(before.bpp), rel=1e-3)
    large.train()(crop, HIGH).loss(HIGH).backward()
    taught = {name: p.grad for name, p in large.model.named_parameters() if p.grad is not None}
    for part, width in (("analysis", config.analysis), ("synthesis", config.synthesis)):
        inside, out = (taught[f"{part}.{layer}.weight"] for layer in ("blocks.0.leave", "leave"))
        assert inside[:width, width:].abs().max() > 0  # from what was added to what was there
        assert out[:, width:].abs().max() > 0


def test_a_run_starts_wider_than_the_model_file_that_it_starts_from(
    crop: Tensor, photo: Image.Image, tmp_path: Path
) -> None:
    path = started_from_fast(tmp_path, photo, "synthesis = 144\nanalysis_blocks = 5")
    started = Trainer(read_config(path), CPU).learner.averaged.eval()
    assert isinstance(started, TrainingModel)
    assert started.model.config == replace(shape_of("fast"), synthesis=144, analysis_blocks=5)
    small = TrainingModel(shape_of("fast")).eval()
    recover(find("fast").path, small)
    before, after = (coded(model, crop, HIGH) for model in (small, started))
    assert float(after.psnr_db) == pytest.approx(float(before.psnr_db), abs=0.02)
    assert float(after.bpp) == pytest.approx(float(before.bpp), rel=1e-3)


def test_latents_and_widths_grow_together(crop: Tensor) -> None:
    config = shape_of("fast")
    small = TrainingModel(config).eval()
    recover(find("fast").path, small)
    # 16 more latents and 32 wider blocks: what grew by twice the latents need not be one
    large = TrainingModel(replace(config, latent=config.latent + 16, synthesis=160, analysis=192)).eval()
    large.load_state_dict(grown(small.state_dict(), large))
    before, after = (coded(model, crop, HIGH) for model in (small, large))
    assert float(after.psnr_db) == pytest.approx(float(before.psnr_db), abs=0.02)


@pytest.mark.parametrize("smaller", ["synthesis = 64", "analysis_blocks = 2"])
def test_a_model_of_larger_transforms_is_no_start_for_a_smaller_one(
    smaller: str, photo: Image.Image, tmp_path: Path
) -> None:
    path = started_from_fast(tmp_path, photo, smaller)
    with pytest.raises(ValueError, match="of another architecture"):
        Trainer(read_config(path), CPU)


def test_a_run_that_goes_on_keeps_its_shape(photo: Image.Image, tmp_path: Path) -> None:
    path = training_folder(tmp_path, photo)
    Trainer(read_config(path), CPU).save()
    path.write_text(path.read_text().replace("latent = 64", "latent = 96"))
    with pytest.raises(ValueError, match="of another architecture"):
        Trainer(read_config(path), CPU)


def test_a_start_that_differs_in_more_than_latents_is_refused(photo: Image.Image, tmp_path: Path) -> None:
    path = training_folder(tmp_path, photo)
    Trainer(read_config(path), CPU).run(minutes=0.001)
    text = path.read_text().replace("latent = 64", "latent = 96").replace("hyper = 16", "hyper = 48")
    path.write_text(text.replace('run = "run"', 'run = "other"\nstart = "run/best.pt"'))
    with pytest.raises(ValueError, match="of another architecture"):
        Trainer(read_config(path), CPU)


def test_a_model_of_more_latents_is_no_start_for_one_of_fewer(photo: Image.Image, tmp_path: Path) -> None:
    path = started_from_fast(tmp_path, photo, "latent = 192")
    with pytest.raises(ValueError, match="of another architecture"):
        Trainer(read_config(path), CPU)
