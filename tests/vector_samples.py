"""Vectors of a photograph for quantisers to code: small blocks of its luma."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

SIDE = 4  # pixels of a block
_COUNT = 8192


def luma_blocks(photo: Path) -> Tensor:
    """[8192, 16] blocks of a photograph's luma, less their mean, of mean square 1."""
    with Image.open(photo) as image:
        luma = torch.from_numpy(np.asarray(image.convert("L")).copy()).float()
    rows = F.unfold(luma[None, None], SIDE, stride=SIDE)[0].T
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(2))
    rows = rows[order[:_COUNT]]
    rows = rows - rows.mean(0)
    return rows / rows.square().mean().sqrt()
