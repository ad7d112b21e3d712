"""What every codec of a benchmark can do: frames into a file, a file into frames, and say what it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..footage import ClipFrame, Footage

Pixels: TypeAlias = NDArray[np.uint8]  # [H, W, 3], RGB


PERCENT_GRID = (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95)
QP_GRID = (47, 42, 37, 34, 32, 29, 27, 24, 22, 17)


@dataclass(frozen=True, slots=True)
class CodecOptions:
    """What the command line says about codecs: a device, and where the user's binaries and weights are."""

    device: str = "cpu"
    vtm: str = ""
    vvenc: str = ""
    checkpoints: str = ""


@dataclass(frozen=True, slots=True)
class Knob:
    """What sets the size of a codec's files.

    name: "quality", "qp" or "bpp". grid: values from the smallest file to the largest.
    step: the smallest change that means anything.
    """

    name: str
    grid: tuple[float, ...]
    step: float = 1


VVC_QP = Knob("qp", (47, 42, 37, 32, 27, 22, 17))  # both encoders of VVC


class Adapter(Protocol):
    """One codec with one set of settings. Every codec runs on one thread."""

    @property
    def label(self) -> str:
        """Its name for people."""
        ...

    @property
    def settings(self) -> str:
        """All that its files depend on beside the knob and the versions."""
        ...

    @property
    def suffix(self) -> str:
        """Of its files, with the dot."""
        ...

    @property
    def knob(self) -> Knob:
        """What sets the size."""
        ...

    @property
    def versions(self) -> Mapping[str, str]:
        """Of all that its files depend on."""
        ...

    def command(self, value: float) -> str:
        """The command line, or the call, that encodes at a value of the knob."""
        ...

    def prepare(self) -> None:
        """Load what the first file should not pay for."""
        ...


class PictureAdapter(Adapter, Protocol):
    """A codec of pictures."""

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Write a complete file. Raises whatever the codec raises."""
        ...

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Read it; size (width, height) is for formats that do not hold it, or hold a padded one."""
        ...


class ClipAdapter(Adapter, Protocol):
    """A codec of clips, whose samples are 4:2:0 of 8 bits."""

    def encode(self, source: "Footage", value: float, path: Path) -> None:
        """Write a complete file with all frames. Raises whatever the codec raises."""
        ...

    def decode(self, path: Path) -> "Iterator[ClipFrame]":
        """Give its frames in the order in which they are shown, each as soon as it is decoded."""
        ...
