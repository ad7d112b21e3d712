"""Training pictures: packed once as uint8, held on the device that trains."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .packing import read_arrays, write_arrays

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".ppm", ".bmp", ".tif", ".tiff"}
VALIDATION_SHARE = 32  # one photo in 32 is held out


@dataclass(frozen=True, slots=True)
class Pictures:
    """Packed pictures: `pixels` flat uint8 on the device, `shapes` [n, 2] height and width, `starts` [n]."""

    pixels: Tensor
    shapes: Tensor
    starts: Tensor

    def __len__(self) -> int:
        return len(self.starts)

    def picture(self, number: int) -> Tensor:
        """[3, H, W] uint8."""
        height, width = self.shapes[number].tolist()
        start = int(self.starts[number])
        return self.pixels[start : start + 3 * height * width].view(height, width, 3).permute(2, 0, 1)


def photo_of(path: Path) -> str:
    """The photo of a tile: `tag_id` of `tag_id_number.ext`, so that a split never parts a photo."""
    return "_".join(path.stem.split("_")[:2])


def is_held_out(photo: str) -> bool:
    """A fixed pseudo-random choice by name: the same files on every machine."""
    return sum(ord(c) * (31**i) for i, c in enumerate(photo)) % VALIDATION_SHARE == 0


def find_pictures(folder: Path) -> list[Path]:
    """All pictures below `folder`, sorted. Raises ValueError where there are none."""
    if not folder.is_dir():
        raise ValueError(f"no folder of pictures at {folder}")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"no pictures ({', '.join(sorted(SUFFIXES))}) below {folder}")
    return files


def split(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures below `folder` to train on, and those held out.

    Raises:
        ValueError: no such folder, or one of the parts is empty.
    """
    files = find_pictures(folder)
    for name_of in (photo_of, lambda path: path.stem):  # names that begin alike are no tiles of one photo
        parts = [[f for f in files if is_held_out(name_of(f)) == held_out] for held_out in (False, True)]
        if all(parts):
            return parts[0], parts[1]
    part = "training" if parts[1] else "held-out"
    raise ValueError(f"{folder} has no picture for the {part} part, one in {VALIDATION_SHARE}: add more")


def pack(files: list[Path]) -> dict[str, np.ndarray]:
    """Decode `files` into one flat uint8 array with shapes, ready for `np.savez`."""
    arrays = [np.asarray(Image.open(path).convert("RGB")) for path in files]
    shapes = np.array([a.shape[:2] for a in arrays], np.int32)
    return {"pixels": np.concatenate([a.reshape(-1) for a in arrays]), "shapes": shapes}


def unpack(data: dict[str, np.ndarray], device: torch.device) -> Pictures:
    """Move packed pictures to the device."""
    sizes = data["shapes"].astype(np.int64).prod(1) * 3
    starts = np.concatenate([[0], sizes.cumsum()[:-1]])
    return Pictures(
        torch.from_numpy(data["pixels"]).to(device),
        torch.from_numpy(data["shapes"]),
        torch.from_numpy(starts),
    )


def load(source: Path, held_out: bool, device: torch.device) -> Pictures:
    """Pictures of a folder, or of the packed `.npz` that `pack` made with keys `train_*` and `valid_*`."""
    if source.suffix == ".npz":
        prefix = "valid_" if held_out else "train_"
        keys = ("pixels", "shapes")
        packed = read_arrays(source, [prefix + key for key in keys])
        return unpack({key: packed[prefix + key] for key in keys}, device)
    return unpack(pack(split(source)[held_out]), device)


def write_packed(folder: Path, target: Path) -> None:
    """Pack both parts of `folder` into one `.npz`, to carry to a machine that trains."""
    packed = {
        prefix + key: value
        for prefix, part in zip(("train_", "valid_"), split(folder), strict=True)
        for key, value in pack(part).items()
    }
    write_arrays(target, packed)
