"""What a benchmark measures on: the files of a dataset, all of them pictures or all of them clips."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..errors import UnreadableImageError


class Kind(str, Enum):
    """What the files of a dataset are."""

    PICTURES = "pictures"
    CLIPS = "clips"

    def counted(self, number: int) -> str:
        """So many of them, in words."""
        return f"{number} {self.value.removesuffix('s') if number == 1 else self.value}"


@dataclass(frozen=True, slots=True)
class Item:
    """A file that can be read.

    name: inside the dataset. path: of what codecs get. width, height: in pixels, of a picture upright.
    frames: 1 of a picture. seconds: the duration of a clip.
    """

    name: str
    path: Path
    sha256: str
    width: int
    height: int
    frames: int = 1
    seconds: float = 0.0

    @property
    def pixels(self) -> int:
        """Of all frames: what bits per pixel are counted over."""
        return self.width * self.height * self.frames


@dataclass(frozen=True, slots=True)
class Dataset:
    """The files to measure, with their names, sorted; none of them read yet."""

    kind: Kind
    files: list[tuple[str, Path]]


def find_dataset(
    place: Path,
    suffixes: dict[Kind, frozenset[str]],
    kind: Kind | None = None,
    leaving_out: Path | None = None,
) -> Dataset:
    """One file, or all files in a folder and below whose suffixes are those of one kind.

    Args:
        suffixes: of each kind, lower case, with the dot.
        kind: the one to take; None for the only one that is there.
        leaving_out: a folder whose files are not taken: that of a report.
    Raises:
        ValueError: a folder with files of both kinds, and `kind` is None.
        UnreadableImageError: no such place, or a folder without any file of the kind.
    """
    if place.is_file():
        is_clip = place.suffix.lower() in suffixes[Kind.CLIPS]
        return Dataset(kind or (Kind.CLIPS if is_clip else Kind.PICTURES), [(place.name, place)])
    if not place.is_dir():
        raise UnreadableImageError(f"{place}: no such file or folder")
    own = leaving_out and leaving_out.resolve()
    every = (path for path in place.rglob("*") if path.is_file())
    files = sorted(path for path in every if own is None or own not in path.resolve().parents)
    found = {each: [path for path in files if path.suffix.lower() in suffixes[each]] for each in Kind}
    pictures, clips = found[Kind.PICTURES], found[Kind.CLIPS]
    if kind is None and pictures and clips:
        raise ValueError(
            f"{place} holds {len(pictures)} pictures and {len(clips)} clips, whose rates and metrics are not "
            "comparable: say which with --kind pictures or --kind clips"
        )
    chosen = kind or (Kind.CLIPS if clips else Kind.PICTURES)
    if not found[chosen]:
        wanted = "picture or clip" if kind is None else chosen.value.removesuffix("s")
        raise UnreadableImageError(f"{place}: no {wanted} in this folder")
    return Dataset(chosen, [(path.relative_to(place).as_posix(), path) for path in found[chosen]])
