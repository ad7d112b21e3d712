"""How far a decoded picture is from its original: the one place that says what PSNR and MS-SSIM are."""

import numpy as np

from .frame import Samples


def psnr_db(original: Samples, decoded: Samples) -> float:
    """Peak signal-to-noise ratio of two equally large uint8 or uint16 pictures, in dB; infinite if equal."""
    peak = np.iinfo(original.dtype).max
    error = np.mean((original.astype(np.float64) - decoded) ** 2)
    return float(10 * np.log10(peak**2 / error)) if error else float("inf")


def ms_ssim(original: Samples, decoded: Samples) -> float:
    """MS-SSIM of two [H, W, 3] uint8 pictures with sides above 160, 0 to 1.

    Raises:
        ImportError: pytorch-msssim is missing.
    """
    try:
        from pytorch_msssim import ms_ssim as measure
    except ImportError as error:
        raise ImportError("MS-SSIM is measured with pytorch-msssim: pip install 'linnet[bench]'") from error
    import torch  # not above: it takes seconds, and PSNR needs none of it

    planes = [torch.from_numpy(p.copy()).permute(2, 0, 1)[None].float() for p in (original, decoded)]
    return float(measure(planes[0], planes[1], data_range=255))
