"""Vector quantisers beside each other: latents of photographs through each, at equal raw bits a position.

    python benchmarks/quantisers.py PICTURES --out benchmarks/results/quantisers.json [--cache FILE]

The latents are those of `fast-ms-ssim` at one low level, in quantisation steps. Around each quantiser stand
the same small networks, of one block a side, with the same start, seed, batches and steps; held-out pictures
are those of the training code. Variants already in --out with the same settings are kept.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import log2, prod
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from linnet.models import image_codec, zoo
from linnet.models.blocks import blocks
from linnet.models.training.data import find_pictures, split
from linnet.models.vq.quantisers.base import COMMITMENT, Quantiser
from linnet.models.vq.quantisers.binary import BinarySpherical
from linnet.models.vq.quantisers.fsq import FSQ
from linnet.models.vq.quantisers.grouped import GroupedQuantiser
from linnet.models.vq.quantisers.plain import PlainVQ
from linnet.models.vq.quantisers.residual import ResidualQuantiser
from linnet.models.vq.quantisers.simvq import SimVQ
from linnet.models.vq.start import principal_axes

COMMAND = "python benchmarks/quantisers.py PICTURES --out benchmarks/results/quantisers.json"
CROP_PX, CROPS_OF_A_PHOTO = 256, 4
VECTOR = 32  # channels of a vector where a codebook holds vectors
STARTING_MAPS = 96  # of which the networks and codebooks start: 24576 vectors
COUNTED_MAPS = 512  # of training: the frequencies of the symbols, and which are in use
CODED_WHOLE = 4375  # indices of up to so many codes are counted whole, larger ones symbol by symbol


@dataclass(frozen=True, slots=True)
class Settings:
    """What all variants share; figures of other settings cannot stand beside these."""

    model: str = "fast-ms-ssim"
    level: float = 4.0
    steps: int = 600
    batch: int = 8
    seed: int = 1
    learning_rate: float = 1e-3
    width: int = 96
    maps: int = 1600
    commitment: float = COMMITMENT


@dataclass(frozen=True, slots=True)
class Variant:
    """A quantiser of `channels`; `started`: fitted to samples; `drops`: trained with stage dropout."""

    build: Callable[[], Quantiser | ResidualQuantiser]
    channels: int = VECTOR
    started: bool = True
    drops: bool = False


def sim(codes: int, channels: int = VECTOR) -> SimVQ:
    """As the VQ model has it: the base is learned too."""
    return SimVQ(channels, codes, learned_base=True)


VARIANTS = {
    "12: vq, random start": Variant(lambda: PlainVQ(VECTOR, 4096), started=False),
    "12: vq": Variant(lambda: PlainVQ(VECTOR, 4096)),
    "12: simvq, random start": Variant(lambda: SimVQ(VECTOR, 4096), started=False),
    "12: simvq": Variant(lambda: SimVQ(VECTOR, 4096)),
    "12: simvq, learned base": Variant(lambda: sim(4096)),
    "12: residual 2 x 64": Variant(lambda: ResidualQuantiser([sim(64) for _ in range(2)])),
    "12: grouped 2 x 64": Variant(lambda: GroupedQuantiser([sim(64, VECTOR // 2) for _ in range(2)])),
    "12: fsq 8 8 8 8": Variant(lambda: FSQ((8,) * 4), 4),
    "12.1: fsq 7 5 5 5 5": Variant(lambda: FSQ((7, 5, 5, 5, 5)), 5),
    "12: binary": Variant(lambda: BinarySpherical(12), 12),
    "12: binary, no entropy loss": Variant(lambda: BinarySpherical(12, 0), 12),
    "24: vq, residual 3 x 256": Variant(lambda: ResidualQuantiser([PlainVQ(VECTOR, 256) for _ in range(3)])),
    "24: residual 3 x 256": Variant(lambda: ResidualQuantiser([sim(256) for _ in range(3)])),
    "24: residual 3 x 256, dropout": Variant(
        lambda: ResidualQuantiser([sim(256) for _ in range(3)]), drops=True
    ),
    "24: grouped 3 x 256": Variant(lambda: GroupedQuantiser([sim(256, 11) for _ in range(3)]), 33),
    "24: residual 2 x 4096": Variant(lambda: ResidualQuantiser([sim(4096) for _ in range(2)])),
    "24: fsq 8 of 8": Variant(lambda: FSQ((8,) * 8), 8),
    "24: binary": Variant(lambda: BinarySpherical(24), 24),
}


def crops(path: Path) -> list[Tensor]:
    """Squares of a picture side by side, [3, CROP_PX, CROP_PX] in 0..1."""
    with Image.open(path) as image:
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    squares = pixels.unfold(1, CROP_PX, CROP_PX).unfold(2, CROP_PX, CROP_PX).flatten(1, 2).unbind(1)
    return [square.float() / 255 for square in squares[:CROPS_OF_A_PHOTO]]


def latent_maps(pictures: Path, settings: Settings) -> dict[str, np.ndarray]:
    """Latents [n, 256, 16, 16] float16 of `train` and `held_out` pictures, at most `maps` of either."""
    held_out = set(split(pictures)[1])
    files = [path for path in find_pictures(pictures) if min(Image.open(path).size) >= CROP_PX]
    order = np.random.default_rng(settings.seed).permutation(len(files))
    codec = image_codec.load(zoo.find(settings.model), "cpu")
    found: dict[str, list[Tensor]] = {"train": [], "held_out": []}
    for path in (files[number] for number in order):
        part = found["held_out" if path in held_out else "train"]
        if part is found["train"] and len(part) >= settings.maps:
            continue
        latents = [codec.analyse(crop, settings.level * 100 / 63) for crop in crops(path)]
        part.extend(y.permute(2, 0, 1).half() for y in latents)
    return {name: torch.stack(part[: settings.maps]).numpy() for name, part in found.items()}


class Around(nn.Module):
    """A quantiser between an encoder and a decoder of one block each."""

    def __init__(self, variant: Variant, settings: Settings, latent: int) -> None:
        super().__init__()
        width = settings.width
        self.enter, self.before = nn.Conv2d(latent, width, 1), blocks(width, 1)
        self.to_code = nn.Conv2d(width, variant.channels, 1)
        self.quantiser = variant.build()
        self.from_code = nn.Conv2d(variant.channels, width, 1)
        self.after, self.leave = blocks(width, 1), nn.Conv2d(width, latent, 1)

    def encode(self, y: Tensor) -> Tensor:
        """Latents to vectors."""
        return self.to_code(self.before(self.enter(y)))

    def decode(self, code: Tensor) -> Tensor:
        """Vectors to latents."""
        return self.leave(self.after(self.from_code(code)))

    def quantise(self, x: Tensor, kept: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Value, symbols and loss."""
        if isinstance(self.quantiser, ResidualQuantiser):
            residual = self.quantiser(x, kept)
            return residual.value, residual.indices, residual.loss
        found = self.quantiser(x)
        whole = self.quantiser.codes <= CODED_WHOLE and not isinstance(self.quantiser, GroupedQuantiser)
        symbols = (found.indices,) if whole else self.quantiser.symbols(found.indices)
        return found.value, symbols, found.loss

    def alphabets(self) -> tuple[int, ...]:
        """How many values each of the symbols of `quantise` has."""
        if isinstance(self.quantiser, ResidualQuantiser):
            return tuple(stage.codes for stage in self.quantiser.quantisers())
        whole = self.quantiser.codes <= CODED_WHOLE and not isinstance(self.quantiser, GroupedQuantiser)
        return (self.quantiser.codes,) if whole else self.quantiser.alphabets

    @torch.no_grad()
    def start(self, y: Tensor, started: bool, generator: torch.Generator) -> None:
        """Principal components in and out, of unit mean square as vectors; the codes' best linear decoder."""
        mean, axes = principal_axes(rows(y), self.enter.out_channels)
        channels = self.to_code.out_channels
        self.enter.weight.copy_(axes[:, :, None, None])
        self.leave.weight.copy_(axes.T[:, :, None, None])
        for layer, bias in ((self.enter, -axes @ mean), (self.leave, mean)):
            assert layer.bias is not None
            layer.bias.copy_(bias)
        feature = (rows(y) - mean) @ axes.T
        scale = 1 / feature[:, :channels].square().mean().sqrt()
        self.to_code.weight.copy_((torch.eye(self.enter.out_channels)[:channels] * scale)[:, :, None, None])
        assert self.to_code.bias is not None
        assert self.from_code.bias is not None
        self.to_code.bias.zero_()
        if started:
            self.quantiser.start_from(rows(self.encode(y)), generator)
        value = rows(self.quantise(self.encode(y))[0])
        known = torch.cat([value, torch.ones(len(value), 1)], 1).double()
        gram = known.T @ known + 1e-3 * torch.eye(channels + 1)
        best = torch.linalg.solve(gram, known.T @ feature.double()).float()
        self.from_code.weight.copy_(best[:-1].T[:, :, None, None])
        self.from_code.bias.copy_(best[-1])


def rows(x: Tensor) -> Tensor:
    """[N, C, h, w] -> [N h w, C]."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def train(net: Around, maps: Tensor, drops: bool, settings: Settings) -> float:
    """Train to the end; returns seconds of the processor per step."""
    generator = torch.Generator().manual_seed(settings.seed)
    optimiser = torch.optim.AdamW(net.parameters(), settings.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    energy = (maps[:STARTING_MAPS].float() - mean_of(maps[:STARTING_MAPS])).square().mean()
    started = time.process_time()
    for _ in range(settings.steps):
        y = maps[torch.randint(len(maps), (settings.batch,), generator=generator)].float()
        kept = torch.randint(1, len(net.alphabets()) + 1, (len(y),), generator=generator) if drops else None
        value, _, penalty = net.quantise(net.encode(y), kept)
        loss = (net.decode(value) - y).square().mean() / energy + penalty.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return (time.process_time() - started) / settings.steps


def mean_of(maps: Tensor) -> Tensor:
    """The mean latent, [1, C, 1, 1]."""
    return maps.float().mean((0, 2, 3), keepdim=True)


@torch.no_grad()
def all_symbols(net: Around, maps: Tensor) -> list[Tensor]:
    """Every symbol of the maps, one flat tensor for each that an index has."""
    found = [net.quantise(net.encode(part.float()))[1] for part in maps.split(16)]
    return [torch.cat([each.flatten() for each in symbol]) for symbol in zip(*found, strict=True)]


@torch.no_grad()
def explained_db(net: Around, maps: Tensor, kept: int | None = None, rounded: bool = True) -> float:
    """Energy of the latents about their mean, over that of what the decoder leaves."""
    left, mean = torch.zeros(2, dtype=torch.float64), mean_of(maps)
    for part in maps.split(16):
        y = part.float()
        x = net.encode(y)
        value = net.quantise(x, None if kept is None else torch.full((len(y),), kept))[0]
        if not rounded:
            value = net.quantiser.prepare(x) if isinstance(net.quantiser, Quantiser) else x
        left += torch.stack([(y - mean).square().sum(), (net.decode(value) - y).square().sum()]).double()
    return round(float(10 * torch.log10(left[0] / left[1])), 3)


def coded_bits(counted: list[Tensor], held_out: list[Tensor], alphabets: tuple[int, ...]) -> float:
    """Bits a position of held-out symbols under the frequencies of counted ones."""
    bits = 0.0
    for one, other, count in zip(counted, held_out, alphabets, strict=True):
        frequency = torch.bincount(one, minlength=count).double() + 0.5
        bits -= float(torch.log2(frequency / frequency.sum())[other].mean())
    return round(bits, 3)


def joined(symbols: list[Tensor], alphabets: tuple[int, ...]) -> Tensor:
    """Symbols of a position as one."""
    return sum(symbol * prod(alphabets[:n]) for n, symbol in enumerate(symbols[1:], 1)) + symbols[0]


def measure(variant: Variant, data: dict[str, Tensor], settings: Settings) -> dict[str, object]:
    """Train a variant; its figures."""
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    net = Around(variant, settings, data["train"].shape[1])
    net.start(data["train"][:STARTING_MAPS].float(), variant.started, generator)
    before = explained_db(net, data["held_out"])
    step_s = train(net, data["train"], variant.drops, settings)
    alphabets = net.alphabets()
    counted = all_symbols(net, data["train"][:COUNTED_MAPS])
    held_out = all_symbols(net, data["held_out"])
    uses = [100 * len(each.unique()) / count for each, count in zip(counted, alphabets, strict=True)]
    found: dict[str, object] = {
        "raw_bits": round(log2(prod(alphabets)), 2),
        "explained_db": explained_db(net, data["held_out"]),
        "coded_bits": coded_bits(counted, held_out, alphabets),
        "use_percent": round(min(uses), 1),
        "cpu_s_per_step": round(step_s, 4),
        "explained_db_before_training": before,
        "explained_db_unrounded": explained_db(net, data["held_out"], rounded=False),
    }
    if len(alphabets) > 1 and prod(alphabets) <= CODED_WHOLE:
        pair = [joined(counted, alphabets)], [joined(held_out, alphabets)]
        found["coded_bits_jointly"] = coded_bits(*pair, (prod(alphabets),))
    if isinstance(net.quantiser, ResidualQuantiser):
        prefixes = [explained_db(net, data["held_out"], kept) for kept in range(1, len(alphabets) + 1)]
        found["explained_db_of_prefixes"] = prefixes
    return found


def read_maps(pictures: Path, cache: Path | None, settings: Settings) -> dict[str, Tensor]:
    """The latents, from the cache where there is one."""
    if cache is not None and cache.exists():
        with np.load(cache) as stored:
            return {name: torch.from_numpy(stored[name]) for name in ("train", "held_out")}
    maps = latent_maps(pictures, settings)
    if cache is not None:
        with cache.open("wb") as file:
            np.savez(file, **maps)
    return {name: torch.from_numpy(part) for name, part in maps.items()}


def main() -> None:
    """Run what is missing, write after each variant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="file of the latents: made if missing, else read")
    parser.add_argument("--only", help="names of variants, with ; between them", default=";".join(VARIANTS))
    words = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings()
    results = json.loads(words.out.read_text()) if words.out.exists() else {}
    if results.get("settings") != asdict(settings):
        results = {"settings": asdict(settings), "variants": {}}
    data = read_maps(words.pictures, words.cache, settings)
    for name in words.only.split(";"):
        if name in results["variants"]:
            continue
        results["variants"][name] = measure(VARIANTS[name], data, settings)
        results["held_out_positions"] = data["held_out"][:, 0].numel()
        results["command"] = COMMAND
        results["machine"] = {"processor": platform.machine(), "device": "cpu", "threads": 1}
        results["versions"] = {package: version(package) for package in ("linnet", "torch", "numpy")}
        words.out.write_text(json.dumps(results, indent=1) + "\n")
        print(name, results["variants"][name], flush=True)


if __name__ == "__main__":
    main()
