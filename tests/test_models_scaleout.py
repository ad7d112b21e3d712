"""Several processes train one model: their update is that of one process with the mean of their gradients."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from model_samples import training_folder
from PIL import Image

from linnet.models.training.checkpoint import load_state
from linnet.models.training.config import read_config
from linnet.models.training.curves import read_rows
from linnet.models.training.trainer import Trainer
from linnet.models.training.world import World

CPU = torch.device("cpu")


def by_two(*words: str) -> str:
    """What two processes that train together print."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, *words], capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_step_by_the_mean_of_their_gradients(tmp_path: Path, photo: Image.Image) -> None:
    path = training_folder(tmp_path, photo)
    path.write_text(path.read_text().replace("steps = 80", "steps = 1").replace("= 5\n", "= 1\n", 1))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = Trainer(read_config(path), CPU)
    for rank in range(2):
        alone.learner.world = World(rank, 2)
        alone.learner.gradients()
    for parameter in alone.learner.net.parameters():
        if parameter.grad is not None:
            parameter.grad /= 2
    alone.learner.update()
    torch.set_num_threads(threads)

    said = by_two("-m", "linnet.models.training", str(path), "--device", "cpu", "--threads", "1")
    assert "2 process(es)" in said

    together = load_state(tmp_path / "run" / "state.pt", CPU)
    assert together["step"] == 1
    assert len(read_rows(tmp_path / "run" / "curve.csv")) == 1  # rank 0 alone writes
    for name, value in alone.learner.net.state_dict().items():
        torch.testing.assert_close(together["net"][name], value, rtol=0, atol=2e-6, msg=name)


OWN_DISKS = """
import sys
from dataclasses import replace
from pathlib import Path
from linnet.models.training import learner, trainer
from linnet.models.training.config import read_config
from linnet.models.training.world import join, leave
world, device = join("cpu")
learner.bf16_is_faster = lambda device: world.leads
config = read_config(Path(sys.argv[1]))
run = trainer.Trainer(replace(config, run=config.run / str(world.rank)), device, world)
run.learner.train_step()
total = sum(float(value.double().abs().sum()) for value in run.learner.net.parameters())
Path(sys.argv[1] + f".{world.rank}").write_text(f"{run.learner.step} {run.learner.bf16} {total:.9e}")
leave()
"""


def test_processes_on_disks_of_their_own_go_on_from_the_state_of_the_first(
    tmp_path: Path, photo: Image.Image
) -> None:
    path = training_folder(tmp_path, photo)
    config = read_config(path)
    first = Trainer(replace(config, run=config.run / "0"), CPU)
    first.learner.train_step()
    first.save()
    (tmp_path / "own.py").write_text(OWN_DISKS)
    by_two(str(tmp_path / "own.py"), str(path))
    found = [Path(f"{path}.{rank}").read_text() for rank in range(2)]
    assert found[0] == found[1]
    assert found[0].startswith("2 True")
