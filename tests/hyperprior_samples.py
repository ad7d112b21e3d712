"""Small CompressAI models, really trained: seconds on crops of one photograph."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from compressai.models import MeanScaleHyperprior, ScaleHyperprior
from PIL import Image

ARCHITECTURES: dict[str, Callable[[int, int], ScaleHyperprior]] = {
    "mbt2018-mean": MeanScaleHyperprior,
    "bmshj2018-hyperprior": ScaleHyperprior,
}
CHANNELS, LATENT = 12, 16
STEPS = 160
CROP = 64  # pixels


def trained(architecture: str, photo: Image.Image) -> ScaleHyperprior:
    """A model of 12 and 16 channels that has seen crops of the photograph, with tables made."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    pixels = np.asarray(photo)
    net = ARCHITECTURES[architecture](CHANNELS, LATENT).train()
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 5e-3 * min(1.0, 2 - 2 * step / STEPS)
        corners = rng.integers(0, (pixels.shape[0] - CROP, pixels.shape[1] - CROP), size=(2, 2))
        crops = np.stack([pixels[y : y + CROP, x : x + CROP] for y, x in corners])
        batch = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
        out = net(batch)
        bits = sum(-torch.log2(likelihood).sum() for likelihood in out["likelihoods"].values())
        error = (out["x_hat"] - batch).square().mean()
        loss = 0.2 * 255**2 * error + bits / batch[:, 0].numel() + 0.01 * net.aux_loss()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    refine(net, 8.0)
    net.update(force=True)
    return net.eval()


@torch.no_grad()
def refine(net: ScaleHyperprior, factor: float) -> None:
    """The same model with latents `factor` times as large: a finer step, so that more symbols are coded."""
    weights = net.state_dict()  # shares its memory with the model
    for name in ("g_a.6.weight", "g_a.6.bias", "h_s.4.weight", "h_s.4.bias"):
        weights[name] *= factor
    for name in ("h_a.0.weight", "g_s.0.weight"):
        weights[name] /= factor


def save_trained(architecture: str, photo_path: Path, folder: Path) -> Path:
    """A checkpoint as CompressAI saves it."""
    with Image.open(photo_path) as image:
        net = trained(architecture, image.convert("RGB"))
    path = folder / f"{architecture}.pth.tar"
    torch.save(net.state_dict(), path)
    return path


def own(architecture: str, checkpoint: Path) -> ScaleHyperprior:
    """CompressAI's own model of a checkpoint."""
    state = torch.load(checkpoint, weights_only=True)
    net = ARCHITECTURES[architecture](CHANNELS, LATENT)
    net.load_state_dict(state)
    return net.eval()
