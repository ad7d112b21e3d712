"""`python -m linnet.models.training.perceptual CONFIG`: a second decoder for a trained VQ model.

The tokens stay as they are; the networks behind them learn to make pictures that a patch discriminator takes
for real ones, without leaving the picture too far. No pretrained network is involved.
"""

import sys
import time
from pathlib import Path

import torch
from pytorch_msssim import ms_ssim
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..haar import haar_matrix
from ..vq.discriminator import PatchDiscriminator, feature_distance, hinge
from ..vq.transforms import VqTransforms
from .checkpoint import save_state
from .command import config_of, config_parser
from .config import TrainConfig
from .crops import CropSampler
from .data import load
from .speed import bf16_is_faster
from .vq_dump import trained

ADVERSARIAL_WEIGHT = 0.05
FEATURE_WEIGHT = 0.3
MS_SSIM_WEIGHT, L1_WEIGHT, HAAR_WEIGHT = 1.0, 2.0, 2.0
AVERAGE_DECAY = 0.995
TRAINED = ("fine_net.finish.", "fine_net.count_bias.", "synthesis.")
REPORT_STEPS = 50
DETAIL_LEVELS = 3


class Decoder(nn.Module):
    """What is trained of a VQ model: all behind the coarse guess and the fine vectors."""

    def __init__(self, model: VqTransforms) -> None:
        super().__init__()
        self.fine_net, self.synthesis, self.shortcut = model.fine_net, model.synthesis, model.shortcut


def details(picture: Tensor) -> list[Tensor]:
    """Haar detail coefficients of [N, 3, H, W] at each of a few scales."""
    found: list[Tensor] = []
    weight = haar_matrix(2).float()
    bank = torch.stack([torch.outer(a, b) for a in weight for b in weight])[:, None]
    for _ in range(DETAIL_LEVELS):
        count, channels, height, width = picture.shape
        bands = F.conv2d(picture.reshape(-1, 1, height, width), bank, stride=2)
        found.append(bands[:, 1:])
        picture = bands[:, :1].reshape(count, channels, height // 2, width // 2) / 2
    return found


def fidelity(decoded: Tensor, picture: Tensor) -> Tensor:
    """What keeps the decoded picture near the real one."""
    similar = ms_ssim(decoded.float().clamp(0, 1), picture, data_range=1.0)
    haar = torch.stack([F.l1_loss(a, b) for a, b in zip(details(decoded), details(picture), strict=True)])
    return (
        MS_SSIM_WEIGHT * (1 - similar) + L1_WEIGHT * F.l1_loss(decoded, picture) + HAAR_WEIGHT * haar.mean()
    )


class Perceptual:
    """The training: decoder against discriminator."""

    def __init__(self, config: TrainConfig, learning_rate: float) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.model, _ = trained(config)
        self.fixed, _ = trained(config)
        self.model.requires_grad_(False)
        self.fixed.requires_grad_(False)
        self.decoder = Decoder(self.model)
        for name, parameter in self.decoder.named_parameters():
            parameter.requires_grad_(name.startswith(TRAINED))
        self.judge = PatchDiscriminator().to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.decoder, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))
        chosen = [p for p in self.decoder.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(chosen, lr=learning_rate, betas=(0.5, 0.99), weight_decay=0.0)
        self.judging = torch.optim.AdamW(
            self.judge.parameters(), lr=2e-4, betas=(0.5, 0.99), weight_decay=0.0
        )
        self.generator = torch.Generator().manual_seed(config.seed)
        pictures = load(config.data, False, torch.device("cpu"))
        self.sampler = CropSampler(pictures, config.crop_px)
        self.bf16 = bf16_is_faster(torch.device("cpu"))
        self.step = 0

    def decoded(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """The picture of the decoder in training, and the one that fidelity alone gives."""
        stages = len(self.model.config.stages)
        kept = torch.randint(2, stages + 1, (len(picture),), generator=self.generator)
        with torch.no_grad():
            indices = self.fixed.encode(picture - 0.5)
            count = kept[:, None, None].expand(-1, *indices[-1].shape[1:])
            plain = self.fixed.decode(indices, count)
        return self.model.decode(indices, count).float() + 0.5, plain.float() + 0.5

    def update(self, warm: bool) -> dict[str, float]:
        """One step of each; while `warm` the discriminator alone learns."""
        picture = self.sampler.batch(self.config.batch, self.generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            decoded, plain = self.decoded(picture)
            real, _ = self.judge(picture, plain)
            fake, _ = self.judge(decoded.detach(), plain)
        judging = hinge(real.float(), True) + hinge(fake.float(), False)
        self.judging.zero_grad()
        judging.backward()
        self.judging.step()
        near = fidelity(decoded, picture)
        self.step += 1
        if warm:
            return {"judge": float(judging), "near": float(near)}
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            fake, found = self.judge(decoded, plain)
            with torch.no_grad():
                _, wanted = self.judge(picture, plain)
        fooled, features = -fake.float().mean(), feature_distance(found, wanted)
        loss = near + ADVERSARIAL_WEIGHT * fooled + FEATURE_WEIGHT * features
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.decoder.parameters(), self.config.gradient_clip)
        self.optimiser.step()
        self.average.update_parameters(self.decoder)
        return {
            "judge": float(judging),
            "near": float(near),
            "fake": float(-fooled),
            "features": float(features),
        }

    def save(self, path: Path) -> None:
        """The average decoder's tensors by their names in VqTransforms, and the steps."""
        save_state({"decoder": self.average.module.state_dict(), "step": self.step}, path)


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    top = config_parser("perceptual", __doc__)
    top.add_argument("--out", type=Path, required=True)
    top.add_argument("--minutes", type=float, default=20.0)
    top.add_argument("--warm-up", type=int, default=100, help="steps of the discriminator alone")
    top.add_argument("--learning-rate", type=float, default=1e-4)
    top.add_argument("--threads", type=int, default=1)
    words = top.parse_args(argv)
    torch.set_num_threads(words.threads)
    try:
        run = Perceptual(config_of(words), words.learning_rate)
    except (ValueError, OSError) as error:
        print(f"perceptual: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 3
    end, sums, count = time.monotonic() + 60 * words.minutes, dict[str, float](), 0
    while time.monotonic() < end:
        found = run.update(run.step < words.warm_up)
        count += 1
        sums = {name: sums.get(name, 0.0) + value for name, value in found.items()}
        if run.step % REPORT_STEPS == 0:
            print(run.step, {name: round(value / count, 4) for name, value in sums.items()}, flush=True)
            sums, count = {}, 0
            run.save(words.out)
    run.save(words.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
