"""One model, every quality: no level of the shipped weights is broken."""

import numpy as np
import torch
from model_samples import fast, psnr_db
from PIL import Image

from linnet.entropy.rate import RateCounter


def test_every_step_of_quality_costs_bits_and_gains_psnr(photo: Image.Image) -> None:
    pixels = np.asarray(photo.crop((160, 32, 352, 224)))
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
    codec, bits, psnr = fast(), [], []
    for quality in range(101):
        counter = RateCounter()
        latents = codec.encode_latents(counter, codec.analyse(x, quality), quality)
        picture = (codec.synthesise(latents.y_hat, quality).clamp(0, 1) * 255).round().byte()
        bits.append(counter.bits)
        psnr.append(psnr_db(pixels, picture.permute(1, 2, 0).numpy()))
    assert np.diff(np.log(bits)).min() > 0
    assert np.diff(psnr).min() > 0
    assert np.diff(psnr).max() < 0.6  # and none jumps
