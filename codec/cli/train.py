"""`linnet train`: hands its arguments to the trainer."""

import sys

from typer import Context, Exit

from .exits import ExitCode


def train(context: Context) -> None:
    """Train a model (linnet train --help). Needs the extra "train"."""
    try:
        from ...models.training.__main__ import main
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("linnet"):
            raise
        print(f"linnet: training needs {error.name}: pip install 'linnet[train]'", file=sys.stderr)
        raise Exit(ExitCode.OTHER) from error
    raise Exit(main(list(context.args)))
