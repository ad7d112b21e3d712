"""The wavelet shortcut: a 4-level Haar transform of 16x16 blocks; the networks learn what it lacks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCK_PX = 16  # four levels: the latent's stride


def haar_matrix(size: int) -> Tensor:
    """Orthonormal 1-D Haar analysis matrix [size, size], float64, coarsest row first; size a power of two."""
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while matrix.shape[0] < size:
        n = matrix.shape[0]
        low = torch.kron(matrix, torch.tensor([[1.0, 1.0]], dtype=torch.float64))
        high = torch.kron(torch.eye(n, dtype=torch.float64), torch.tensor([[1.0, -1.0]], dtype=torch.float64))
        matrix = torch.cat([low, high]) / 2**0.5
    return matrix


def block_haar() -> Tensor:
    """[768, 768] float32: the Haar coefficients of an RGB block in the channel order of `pixel_unshuffle`."""
    line = haar_matrix(BLOCK_PX)
    return torch.block_diag(*[torch.kron(line, line)] * 3).float()


class WaveletShortcut(nn.Module):
    """A linear path beside analysis and synthesis: Haar coefficients <-> latents through one 1x1 each.

    Source: AuxT, arXiv:2502.04988 (auxiliary wavelet transforms speed up the training of learned codecs).
    """

    haar: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("haar", block_haar(), persistent=False)
        self.forward_mix = nn.Conv2d(768, latent, 1, bias=False)
        self.inverse_mix = nn.Conv2d(latent, 768, 1, bias=False)

    def analyse(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, latent, H/16, W/16]."""
        with torch.autocast(
            x.device.type, enabled=False
        ):  # the mean of a block needs more than bf16's 8 bits
            weight = self.forward_mix.weight[:, :, 0, 0] @ self.haar
            return F.conv2d(F.pixel_unshuffle(x.float(), BLOCK_PX), weight[:, :, None, None])

    def synthesise(self, y: Tensor) -> Tensor:
        """[N, latent, h, w] -> [N, 3, 16 h, 16 w]."""
        with torch.autocast(y.device.type, enabled=False):
            weight = self.haar.T @ self.inverse_mix.weight[:, :, 0, 0]
            return F.pixel_shuffle(F.conv2d(y.float(), weight[:, :, None, None]), BLOCK_PX)

    @torch.no_grad()
    def start_from_basis(self, basis: Tensor) -> None:
        """Start as the truncated Karhunen-Loeve transform: `basis` [latent, 768] has orthonormal rows."""
        mixed = basis @ self.haar.T
        self.forward_mix.weight.copy_(mixed[:, :, None, None])
        self.inverse_mix.weight.copy_(mixed.T[:, :, None, None])
