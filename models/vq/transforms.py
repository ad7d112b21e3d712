"""The float networks of the VQ model: picture to vectors on two grids, and back."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import blocks
from ..haar import WaveletShortcut
from ..transforms import Analysis, Synthesis, Transforms
from .config import VqConfig
from .quantisers.residual import ResidualQuantiser
from .quantisers.soft import SoftVQ

_LINEAR = ("enter", "leave", "to_code", "from_code")


class GridNet(nn.Module):
    """What stands before and behind the codes of one grid; `seen` channels in, `made` out."""

    def __init__(self, config: VqConfig, seen: int, made: int) -> None:
        super().__init__()
        width = config.width
        self.enter = nn.Conv2d(seen, width, 1)
        self.before = blocks(width, config.blocks)
        self.to_code = nn.Conv2d(width, config.vector, 1)
        self.from_code = nn.Conv2d(config.vector, width, 1)
        self.leave = nn.Conv2d(width, made, 1)


class CoarseNet(GridNet):
    """Latents [N, latent, h, w] <-> vectors [N, vector, h/2, w/2]; h and w are even."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__(config, 4 * config.image.latent, 4 * config.image.latent)
        self.after = blocks(config.width, config.blocks)

    def encode(self, y: Tensor) -> Tensor:
        """Latents to vectors."""
        return self.to_code(self.before(self.enter(F.pixel_unshuffle(y, 2))))

    def decode(self, code: Tensor) -> Tensor:
        """Vectors to a guess of the latents."""
        return F.pixel_shuffle(self.leave(self.after(self.from_code(code))), 2)


class FineNet(GridNet):
    """What the guess lacks [N, latent, h, w] <-> vectors [N, vector, h, w]."""

    def __init__(self, config: VqConfig) -> None:
        latent = config.image.latent
        super().__init__(config, 2 * latent, latent)
        self.count_bias = nn.Embedding(len(config.stages) + 1, latent)
        self.finish = blocks(latent, config.finish_blocks)
        nn.init.zeros_(self.count_bias.weight)

    def encode(self, y: Tensor, guess: Tensor) -> Tensor:
        """Latents and the guess of them to vectors."""
        return self.to_code(self.before(self.enter(torch.cat([y - guess, guess], 1))))

    def decode(self, guess: Tensor, code: Tensor, count: Tensor) -> Tensor:
        """Guess and vectors to latents [N, latent, h, w]; `count` [N, h, w]: stages known at each place."""
        bias = self.count_bias(count).permute(0, 3, 1, 2)
        return self.finish(guess + self.leave(self.from_code(code)) + bias)


class VqTransforms(nn.Module):
    """All float parts, with the codebooks."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        self.config = config
        self.shortcut = WaveletShortcut(config.image.latent)
        self.analysis = Analysis(config.image)
        self.synthesis = Synthesis(config.image)
        self.coarse_net, self.fine_net = CoarseNet(config), FineNet(config)
        self.coarse_codes, self.fine_codes = (
            ResidualQuantiser([SoftVQ(config.vector, stage.codes, learned_base=True) for stage in part])
            for part in (config.coarse, config.fine)
        )

    def take_over(self, image: Transforms) -> None:
        """Start with the outer transforms of an image model. Raises ValueError for one of another shape."""
        if image.config != self.config.image:
            raise ValueError(
                f"the key model has the shape {image.config}, the VQ model {self.config.image}: set [model]"
            )
        for name in ("shortcut", "analysis", "synthesis"):
            getattr(self, name).load_state_dict(getattr(image, name).state_dict())

    def solved_parts(self) -> list[nn.Module]:
        """What `start.start_from_latents` and an image model give."""
        coarse, fine = self.coarse_net, self.fine_net
        linear = [net.get_submodule(n) for net in (coarse, fine) for n in _LINEAR]
        return [self.shortcut, *linear, self.coarse_codes, self.fine_codes]

    def latents(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] in [-0.5, 0.5], sides multiples of 32 -> [N, latent, H/16, W/16]."""
        return self.analysis(x, self._level(x), self.shortcut)

    def encode(self, x: Tensor, stages: int | None = None) -> tuple[Tensor, ...]:
        """As `latents` -> the indices of all stages, int64, as `decode` takes them.

        Args:
            stages: how many of them are to make the best picture; None for all.
        """
        stages = stages or len(self.config.stages)
        y = self.latents(x).float()
        coarse = self.coarse_codes.search(self.coarse_net.encode(y), stages)
        guess = self.coarse_net.decode(self.coarse_codes.look_up(coarse)).float()
        return coarse + self.fine_codes.search(self.fine_net.encode(y, guess), stages - len(coarse))

    def picture(self, guess: Tensor, code: Tensor, count: Tensor) -> Tensor:
        """What `latents` took, from the coarse guess, fine vectors and the stages known at each place."""
        y = self.fine_net.decode(guess, code, count).float()
        return self.synthesis(y, self._level(y), self.shortcut)

    def decode(self, indices: tuple[Tensor, ...], count: Tensor) -> Tensor:
        """[N, 3, 16 h, 16 w] of the indices of all stages, those beyond `count` [N, h, w] ignored.

        Args:
            indices: int64, [N, h/2, w/2] of coarse and [N, h, w] of fine stages; h and w even.
        """
        split = len(self.config.coarse)
        guess = self.coarse_net.decode(self._vectors(self.coarse_codes, indices[:split], count[:, ::2, ::2]))
        code = self._vectors(self.fine_codes, indices[split:], count - split)
        return self.picture(guess, code, count)

    @staticmethod
    def _vectors(codes: ResidualQuantiser, indices: tuple[Tensor, ...], count: Tensor) -> Tensor:
        """[N, vector, h, w]: the sum of the codes of the first `count` [N, h, w] stages."""
        parts = [
            stage.look_up(each) * (count > number)[:, None]
            for number, (stage, each) in enumerate(zip(codes.quantisers(), indices, strict=True))
        ]
        return torch.stack(parts).sum(0)

    def _level(self, x: Tensor) -> Tensor:
        return torch.full((x.shape[0],), self.config.level, dtype=torch.float32, device=x.device)
