"""bf16 in the float transforms: a picture as good, the same symbols from the same file."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from model_samples import fast, psnr_db
from PIL import Image

from linnet.entropy.processor import cpu_flags
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.models.precision import multiplies_bf16


@pytest.mark.parametrize("quality", [10, 60, 100])
def test_bf16_costs_neither_rate_nor_distortion(quality: float, photo: Image.Image) -> None:
    pixels = np.asarray(photo.crop((0, 0, 512, 592)))  # of less, one block on the edge of rounding shows
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
    bits, psnr = [], []
    for bf16 in (False, True):
        codec = replace(fast(), bf16=bf16)
        counter = RateCounter()
        latents = codec.encode_latents(counter, codec.analyse(x, quality), quality)
        picture = codec.synthesise(latents.y_hat, quality).clamp(0, 1) * 255
        bits.append(counter.bits)
        psnr.append(psnr_db(pixels, picture.round().byte().permute(1, 2, 0).numpy()))
    assert abs(bits[1] / bits[0] - 1) < 0.005
    assert abs(psnr[1] - psnr[0]) < 0.03


def test_a_file_made_in_bf16_has_the_same_symbols_in_float32(photo: Image.Image) -> None:
    x = torch.from_numpy(np.asarray(photo.crop((0, 0, 96, 64))).copy()).permute(2, 0, 1).float() / 255
    quick, plain = (replace(fast(), bf16=bf16) for bf16 in (True, False))
    encoder = SymbolEncoder()
    made = quick.encode_latents(encoder, quick.analyse(x, 70), 70)
    decoder = SymbolDecoder(encoder.finish())
    assert plain.decode_latents(decoder, (4, 6), 70).hash() == made.hash()
    decoder.finish()


def test_an_isa_limit_turns_bf16_off(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu_flags.cache_clear()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert not multiplies_bf16(torch.device("cpu"))
    cpu_flags.cache_clear()
