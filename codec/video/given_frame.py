"""What a caller gives for a frame: an array, a tensor or a Frame."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..frame import Frame


def frame_of(frame: NDArray[np.generic] | Tensor | Frame) -> Frame:
    """The upright Frame that a caller's frame means.

    Args:
        frame: as VideoWriter.write takes it.
    Raises:
        ValueError: no such shape or type, or it has alpha.
    """
    if isinstance(frame, Tensor):
        frame = _as_array(frame)
    elif not isinstance(frame, (np.ndarray, Frame)):
        raise ValueError(f"expected an array, a tensor or a Frame, not {type(frame).__name__}")
    picture = frame.oriented() if isinstance(frame, Frame) else Frame.from_array(frame)
    if picture.alpha is not None:
        raise ValueError("a clip holds no transparency: give frames of 1 or 3 channels")
    return picture


def _as_array(tensor: Tensor) -> NDArray[np.generic]:
    """[H, W, 3] of a tensor [H, W, 3] or [3, H, W]; floats 0..1 become 8 bits."""
    if tensor.ndim == 3 and tensor.shape[0] in (1, 3) and tensor.shape[2] not in (1, 3):
        tensor = tensor.permute(1, 2, 0)
    if tensor.is_floating_point():
        if not torch.isfinite(tensor).all():
            raise ValueError("a frame of floats must be finite, from 0 to 1")
        tensor = (tensor.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return tensor.cpu().numpy()
