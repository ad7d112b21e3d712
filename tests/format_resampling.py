"""Enlarges resampled stills, written from section 21 of FORMAT.md alone."""

import numpy as np
import numpy.typing as npt
from format_decoder import Header


def lanczos(full: int, coded: int, n: int) -> npt.NDArray[np.float64]:
    """[full, coded]: by what each coded sample of a line counts for each one of the full picture."""
    t = (np.arange(full)[:, None] + 0.5) / 2**n - 0.5 - np.arange(coded)
    window = np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0)
    return window / window.sum(1, keepdims=True)


def enlarged(coded: npt.NDArray[np.uint8], header: Header) -> npt.NDArray[np.float64]:
    """The full picture, of samples of 8 bits, from the coded one [height, width, channels]."""
    n, columns, rows = header.resampling
    down = lanczos(header.height * 2**n - rows, header.height, n)
    across = lanczos(header.width * 2**n - columns, header.width, n)
    samples = np.einsum("Yy,yxc,Xx->YXc", down, coded.astype(float), across, optimize=True)
    return np.clip(np.rint(samples), 0, 255)
