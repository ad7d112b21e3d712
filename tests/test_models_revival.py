"""Revival: a collapsed codebook is used again, on vectors that it has not seen, and what follows in a run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from model_samples import shape_of, training_folder
from PIL import Image
from torch import Tensor
from vector_samples import SIDE, luma_blocks

from linnet.models.training import learner, tasks
from linnet.models.training.config import TrainConfig, read_config
from linnet.models.training.trainer import Trainer
from linnet.models.training.vq import VqTraining
from linnet.models.vq.config import Stage, VqConfig
from linnet.models.vq.quantisers.plain import PlainVQ
from linnet.models.vq.quantisers.residual import ResidualQuantiser
from linnet.models.vq.quantisers.revival import revive, use
from linnet.models.vq.quantisers.simvq import SimVQ

CPU = torch.device("cpu")
CODES = 64  # of a stage


@pytest.fixture(scope="module")
def vectors(photo_path: Path) -> Tensor:
    return luma_blocks(photo_path)


def collapsed(vectors: Tensor, stages: int) -> ResidualQuantiser:
    """Stages of which a few codes are used: the others lie far away, behind a map that scales."""
    generator = torch.Generator().manual_seed(1)
    codes = ResidualQuantiser([SimVQ(SIDE**2, CODES, learned_base=True) for _ in range(stages)])
    codes.start_from(vectors, generator)
    for stage in codes.quantisers():
        assert isinstance(stage, SimVQ)
        stage.base.data[10:] += 100
        stage.mix.data *= 1.5
    return codes


def shares(codes: ResidualQuantiser, vectors: Tensor) -> list[float]:
    """Of each stage: the share of its codes that are used."""
    return [float((count > 0).float().mean()) for count in use(codes, vectors)]


def error(codes: ResidualQuantiser, vectors: Tensor) -> float:
    return float((codes(vectors.T[None, :, :, None]).value[0, :, :, 0].T - vectors).square().mean())


def test_a_collapsed_codebook_is_used_again_and_its_error_falls(vectors: Tensor) -> None:
    seen, held_out = vectors.chunk(2)
    codes = collapsed(seen, 2)
    before = error(codes, held_out)
    assert max(shares(codes, held_out)) < 0.2
    revive(codes, seen, torch.Generator().manual_seed(3))
    assert min(shares(codes, held_out)) >= 0.95
    assert error(codes, held_out) < 0.5 * before


def test_revival_depends_on_the_generator_alone(vectors: Tensor) -> None:
    made = []
    for seed in (4, 4, 5):
        codes = collapsed(vectors, 1)
        revive(codes, vectors, torch.Generator().manual_seed(seed), rounds=1)
        made.append(codes.state_dict()["stages.0.base"])
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_codes_that_cannot_move_alone_are_refused(vectors: Tensor) -> None:
    codes = ResidualQuantiser([PlainVQ(SIDE**2, CODES)])
    with pytest.raises(TypeError, match="SimVQ"):
        revive(codes, vectors, torch.Generator().manual_seed(1))


@pytest.fixture
def config(tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainConfig]:
    """Of a run on crops of a photograph: codes are revived before steps 0, 2 and 4, not before step 6."""
    monkeypatch.setattr(tasks, "START_CROPS", 32)
    monkeypatch.setattr(learner, "CROPS", 16)
    path, threads = training_folder(tmp_path, photo), torch.get_num_threads()
    words = ('kind = "vq"', "batch = 1", "crop_px = 192", "late_share = 0.0", "steps = 10", "valid_crops = 1")
    places = ('data = "pictures"', 'run = "run"', 'precision = "float32"', "decay_share = 1.0")
    path.write_text("\n".join((*words, *places, "revive_steps = 2")))
    torch.set_num_threads(1)
    yield read_config(path)
    torch.set_num_threads(threads)


def bases(net: torch.nn.Module) -> Tensor:
    return torch.cat([value for name, value in net.state_dict().items() if name.endswith(".base")])


def test_a_run_revives_codes_until_its_learning_rate_is_half_and_the_average_follows(
    config: TrainConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Trainer(config, CPU)
    fresh = bases(run.learner.net)
    for step in (1, 2, 6):
        run.learner.step = step
        before = bases(run.learner.net)
        run.learner.train_step()
        moved = float((bases(run.learner.net) - before).abs().max())
        assert (moved > 100 * config.learning_rate) == (step == 2)
        assert (f"step {step}: codes moved" in capsys.readouterr().out) == (step == 2)
    assert (
        float((bases(run.learner.averaged) - bases(run.learner.net)).abs().max()) < 100 * config.learning_rate
    )
    assert not torch.equal(fresh, bases(run.learner.net))


def test_a_run_starts_from_a_model_of_fewer_stages(config: TrainConfig) -> None:
    few = VqConfig(stages=(Stage(32, 1024), Stage(32, 1024), Stage(16, 256)), image=shape_of("fast"))
    torch.manual_seed(1)
    old = VqTraining(few)
    torch.nn.init.normal_(old.model.fine_net.count_bias.weight)
    start = config.run.with_name("few.pt")
    torch.save({"model": old.state_dict()}, start)
    net = Trainer(replace(config, start=start), CPU).learner.net
    assert isinstance(net, VqTraining)
    assert len(net.model.config.stages) > len(few.stages)
    for name, value in old.named_parameters():
        if name != "model.fine_net.count_bias.weight":
            assert torch.equal(net.state_dict()[name], value), name
    bias = net.model.fine_net.count_bias.weight
    assert torch.equal(bias[:4], old.model.fine_net.count_bias.weight)
    assert all(torch.equal(row, bias[3]) for row in bias[4:])
    books = [stage.base for stage in net.model.fine_codes.quantisers() if isinstance(stage, SimVQ)]
    # k-means centres of what ever finer stages leave
    spread = [float(book.detach().std()) for book in books[1:]]
    assert spread == sorted(spread, reverse=True)


def test_more_stages_than_the_config_has_are_refused(config: TrainConfig) -> None:
    many = VqTraining(VqConfig(stages=(*VqConfig().stages, Stage(16, 256)), image=shape_of("fast")))
    start = config.run.with_name("many.pt")
    torch.save({"model": many.state_dict()}, start)
    with pytest.raises(ValueError, match="another architecture"):
        Trainer(replace(config, start=start), CPU)
