"""Chains of frames coded as a clip is, by an inter model that is being exported: bits, errors, symbols."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ...entropy.coder import SymbolCoder
from ...entropy.rate import RateCounter
from ..inter.codec import InterCodec, Past
from ..inter.offsets import INTER_OFFSETS
from ..quality import LEVELS
from .clips import Clips
from .inter import InterTraining
from .tables import SymbolCounter
from .validation import VALID_LEVELS, held_out_chain

CHAIN = 6  # frames, the key frame included


@dataclass
class Coded:
    """What coding some frames took."""

    motion_bits: float = 0.0
    latent_bits: float = 0.0
    pixels: int = 0
    error: float = 0.0  # sum of squared errors, pixels 0..1, mean over the colours

    def row(self) -> dict[str, float]:
        """Bits per pixel and PSNR (dB)."""
        return {
            "bpp": round((self.motion_bits + self.latent_bits) / self.pixels, 4),
            "motion_bpp": round(self.motion_bits / self.pixels, 4),
            "psnr_db": round(-10 * math.log10(self.error / self.pixels), 2),
        }


@torch.no_grad()
def code_chain(codec: InterCodec, chain: Tensor, reference: Tensor, quality: float, motion: SymbolCoder,
               latents: SymbolCoder) -> Iterator[Tensor]:  # fmt: skip
    """Code frames [T, 3, H, W] behind a decoded key frame, as a clip of that nominal quality is coded.

    Gives the decoded frames.
    """
    past, nominal = Past(reference), quality
    for place, frame in enumerate(chain):
        quality = min(max(nominal + INTER_OFFSETS[place % len(INTER_OFFSETS)], 0.0), 100.0)
        field = codec.find_motion(frame, reference, quality, past.motion)
        codec.code_motion(motion, (frame.shape[1], frame.shape[2]), field)
        predicted = codec.predict(past, field)
        y = codec.analyse(frame, predicted, quality)
        skipped = codec.choose_skips(frame, predicted, y, quality)
        codec.code_skips(motion, past, field, quality, skipped)
        y_hat = codec.encode_latents(latents, y, quality, codec.context(past, field), skipped).y_hat
        reference = codec.synthesise(y_hat, skipped, predicted, quality).clamp(0, 1)
        past = past.then(reference, field, y_hat, quality, skipped)
        yield reference


class Measure:
    """Codes chains of clips with a codec under construction."""

    def __init__(self, net: InterTraining, clips: Clips, side: int) -> None:
        self.net, self.clips, self.side = net, clips, side

    def _frames(self, number: int, level: float) -> tuple[Tensor, Tensor]:
        chain = held_out_chain(self.clips, number, CHAIN, self.side)[0]
        key = self.net.key_frame(chain[:1], torch.full((1,), level))
        return chain[1:], key[0]

    def count(self, codec: InterCodec, chains: int) -> SymbolCounter:
        """Symbols of `chains` chains, each at one level."""
        counter = SymbolCounter()
        for number in range(chains):
            level = float(number * 23 % LEVELS)
            chain, key = self._frames(number, level)
            for _ in code_chain(codec, chain, key, level * 100 / 63, counter, counter):
                pass
        return counter

    def curve(self, codec: InterCodec, chains: int) -> dict[str, dict[str, float]]:
        """Bits per pixel and PSNR per level, of the frames behind the key frame."""
        found = {}
        for level in VALID_LEVELS:
            coded = Coded()
            for number in range(chains):
                chain, key = self._frames(number, float(level))
                motion, latents = RateCounter(), RateCounter()
                decoded = code_chain(codec, chain, key, level * 100 / 63, motion, latents)
                for frame, got in zip(chain, decoded, strict=True):
                    coded.error += float(((frame - got) ** 2).mean(0).sum())
                    coded.pixels += frame.shape[1] * frame.shape[2]
                coded.motion_bits += motion.bits
                coded.latent_bits += latents.bits
            found[f"level_{level}"] = coded.row()
        return found
