"""What the commands of a VQ model's training share: its configuration, and the exit codes of mistakes."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from .config import TrainConfig, find_config, read_config


def config_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """The words that name a trained VQ model, of `python -m linnet.models.training.NAME`."""
    top = argparse.ArgumentParser(prog=f"python -m linnet.models.training.{name}", description=about)
    top.add_argument("config", help="the configuration that the VQ model was trained with")
    top.add_argument("--data", type=Path)
    top.add_argument("--run", type=Path)
    return top


def config_of(words: argparse.Namespace) -> TrainConfig:
    """The configuration that these words name. Raises ValueError, OSError."""
    return read_config(find_config(words.config), {"data": words.data, "run": words.run})


def exit_code_of(name: str, work: Callable[[], object]) -> int:
    """Work; what is wrong with words, files or the run is said in a line."""
    try:
        work()
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return code_of(error)
    return 0


def code_of(error: Exception) -> int:
    """2 for wrong words, 3 for an input that cannot be read, 1 for others, such as a full disk."""
    if isinstance(error, ValueError):
        return 2
    unreadable = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
    return 3 if isinstance(error, unreadable) else 1
