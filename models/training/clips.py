"""Training clips: frames packed once as uint8, and batches of short chains of crops cut from them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .config import TrainConfig
from .crops import DRAWS, augment
from .data import Pictures
from .packing import write_arrays
from .staging import STAGE_DRAWS, stage

SUFFIXES = {".mp4", ".mkv", ".webm", ".mov", ".y4m", ".avi"}
HELD_OUT_EVERY, HELD_OUT_PLACE = 8, 3  # of the sorted clips
STILL_SHARE = 0.4  # of the chains are made of still pictures
FAST_SHARE = 0.25  # of the chains take every other frame


@dataclass(frozen=True, slots=True)
class Clips:
    """`frames`: one uint8 tensor [T, H, W, 3] for each clip, on the device."""

    frames: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.frames)


def find_clips(folder: Path) -> list[Path]:
    """All clips in `folder`, sorted. Raises ValueError where there are fewer than a split needs."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if len(files) <= HELD_OUT_PLACE:
        raise ValueError(
            f"{folder} has {len(files)} clips ({', '.join(sorted(SUFFIXES))}), too few to train on"
        )
    return files


def _names_in(source: Path, members: list[str]) -> list[str]:
    """Clips of a packed file, sorted. Raises ValueError where there are fewer than a split needs."""
    names = sorted(set(members) - {"allow_pickle"})  # before 2.1 numpy packs this word as an array too
    if len(names) <= HELD_OUT_PLACE:
        raise ValueError(f"{source} has {len(names)} clips, too few to train on")
    return names


def read_clip(path: Path) -> np.ndarray:
    """[T, H, W, 3] uint8, RGB."""
    import av  # a machine that trains from packed clips need not have it

    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def load_clips(source: Path, held_out: bool, device: torch.device) -> Clips:
    """Clips of a folder, or of the packed `.npz` that `write_packed_clips` made (errors as find_clips)."""
    if source.suffix == ".npz":
        with np.load(source) as packed:
            names = _names_in(source, packed.files)
            arrays = [packed[name] for name in _part(names, held_out)]
    else:
        arrays = [read_clip(path) for path in _part(find_clips(source), held_out)]
    return Clips(tuple(torch.from_numpy(array).to(device) for array in arrays))


def check_clips(clips: Clips, config: TrainConfig) -> None:
    """Raises ValueError where a clip is too short for a chain, or smaller than a crop."""
    side = max(config.crop_px, config.late_crop_px if config.late_share else 0)
    for number, frames in enumerate(clips.frames, 1):
        count, height, width = frames.shape[:3]
        if count < config.frames or min(height, width) < side:
            raise ValueError(
                f"clip {number} has {count} frames of {width}x{height}: a chain takes {config.frames} "
                f"frames and a crop {side} px; leave it out, or lower frames, crop_px or late_crop_px"
            )


def _part(clips: list, held_out: bool) -> list:
    return [c for n, c in enumerate(clips) if (n % HELD_OUT_EVERY == HELD_OUT_PLACE) == held_out]


def write_packed_clips(folder: Path, target: Path) -> None:
    """Decode all clips of `folder` into one `.npz`, to carry to a machine that trains."""
    # numbered, so that the order and with it the split stay those of the folder
    clips = {f"{n:05d}_{path.stem}": read_clip(path) for n, path in enumerate(find_clips(folder))}
    write_arrays(target, clips)


class ClipSampler:
    """Batches of chains of square crops. All randomness comes from the generator (on the CPU) passed in."""

    def __init__(self, clips: Clips, stills: Pictures | None, size_px: int, length: int) -> None:
        self.clips, self.stills, self.size_px, self.length = clips, stills, size_px, length
        self.weights = torch.tensor([float(len(frames)) for frames in clips.frames])

    def batch(self, count: int, generator: torch.Generator) -> Tensor:
        """[count, length, 3, size, size] float in 0..1, on the device of the clips."""
        chains = []
        for _ in range(count):
            draws = torch.rand(1 + STAGE_DRAWS + DRAWS, generator=generator)
            if self.stills is not None and draws[0] < STILL_SHARE:
                chain = stage(self.stills, self.size_px, self.length, draws[1:], generator)
            else:
                chain = self._cut(draws[1:], generator)
            chains.append(augment(chain, draws[-4:].expand(self.length, 4).to(chain.device)))
        return torch.stack(chains)

    def _cut(self, draws: Tensor, generator: torch.Generator) -> Tensor:
        """A crop of a clip through time, forwards or backwards."""
        frames = self.clips.frames[int(torch.multinomial(self.weights, 1, generator=generator))]
        stride = 2 if draws[0] < FAST_SHARE and len(frames) > 2 * self.length else 1
        first = int(draws[1] * (len(frames) - stride * (self.length - 1)))
        top, left = (
            int(d * (n - self.size_px + 1)) for d, n in zip(draws[2:4], frames.shape[1:3], strict=True)
        )
        cut = frames[first : first + stride * (self.length - 1) + 1 : stride]
        cut = cut[:, top : top + self.size_px, left : left + self.size_px]
        chain = cut.permute(0, 3, 1, 2).float() / 255
        return chain.flip(0) if draws[4] < 0.5 else chain
