"""`python -m linnet.models.training`: train from a TOML file, export, or pack pictures to carry elsewhere.

Several processes train one model together under torchrun, on one machine or on many:

    torchrun --nproc-per-node 2 -m linnet.models.training CONFIG

The paths then stand in CONFIG: torchrun takes `--run` for an option of its own.
"""

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path

from .command import code_of
from .config import TrainConfig, find_config, read_config


def parser() -> argparse.ArgumentParser:
    """The command line; `linnet train` passes its words here."""
    top = argparse.ArgumentParser(
        "linnet train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument(
        "config", help="TOML file with the fields of TrainConfig, or fast, high, fast_ms_ssim, video, vq"
    )
    top.add_argument("--data", type=Path, help="folder of pictures (video: of clips), or what --pack made")
    top.add_argument("--stills", type=Path, help="video: folder of pictures that are set in motion as well")
    top.add_argument("--run", type=Path, help="folder of checkpoints and curves; a run there is resumed")
    top.add_argument(
        "--start",
        type=Path,
        metavar="BEST.pt",
        help="fine-tune this checkpoint, model file (.safetensors) or model that ships (fast, video, ...)",
    )
    top.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop and save after so many minutes"
    )
    top.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N")
    top.add_argument("--threads", type=_threads, help="CPU threads")
    top.add_argument(
        "--export", type=Path, metavar="FILE.safetensors", help="only export the best checkpoint"
    )
    top.add_argument(
        "--card", type=Path, metavar="FILE.json", help="with --export: more entries of the model card"
    )
    top.add_argument("--pack", type=Path, metavar="FILE.npz", help="only pack the pictures into one file")
    return top


def _threads(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"'{word}' must be a whole number, 1 or more")
    return int(word)


def _run(words: argparse.Namespace, config: TrainConfig) -> int:
    """Export, pack or train. What takes seconds to import is imported here: mistakes above show at once."""
    import torch

    from ..allocator import keep_freed_memory
    from ..whole_file import check_writable
    from .claim import claimed
    from .clips import write_packed_clips
    from .data import write_packed
    from .export import export
    from .export_inter import export_inter
    from .packing import check_packed
    from .trainer import Trainer
    from .world import join, leave

    if words.pack:
        check_packed(words.pack)
    for target in filter(None, (words.export, words.pack)):
        check_writable(target.parent)
    if words.export and config.kind == "vq":
        raise ValueError(
            "a VQ model is exported with its index model: first python -m linnet.models.training.vq_rates, "
            "vq_dump and vq_prior, then export_vq"
        )
    if words.export:
        best = config.run / "best.pt"
        if not best.exists():
            raise ValueError(f"{best} is not there yet: train first, by the same command without --export")
        card = json.loads(words.card.read_text(encoding="utf-8")) if words.card else {}
        if not isinstance(card, dict):
            raise ValueError(f"{words.card} must hold a JSON object of card entries")
        make = export_inter if config.kind == "inter" else export
        print(make(config, best, words.export, card))
        print(f"to encode with it: linnet models add {words.export}", file=sys.stderr)
        return 0
    if words.pack:
        (write_packed_clips if config.kind == "inter" else write_packed)(config.data, words.pack)
        return 0
    if words.threads:
        torch.set_num_threads(words.threads)
    keep_freed_memory()
    world, device = join(words.device)
    try:
        with claimed(config.run) if world.leads else nullcontext():
            trainer = Trainer(config, device, world)
            if world.leads:
                steps = f"step {trainer.learner.step} of {config.steps}"
                print(f"training from {steps} on {device}, {world.size} process(es)", flush=True)
            trainer.run(words.minutes)
    finally:
        leave()
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    words = parser().parse_args(argv)
    try:
        paths = {"data": words.data, "run": words.run, "start": words.start, "stills": words.stills}
        config = read_config(find_config(words.config), paths)
        return _run(words, config)
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"linnet train: {error}", file=sys.stderr)
        return code_of(error)
    except KeyboardInterrupt as error:
        print(f"linnet train: {str(error) or 'interrupted'}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
