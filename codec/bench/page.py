"""One self-contained page: curves, tables and a slider, with all pictures inside. Works without a network."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

from .curves import Curve
from .deltas import METHOD, Delta
from .metrics import Metric

_SCRIPTS = ("common.js", "curves.js", "slider.js", "tables.js")
_MIME = {".jpg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif", ".png": "image/png"}
BROWSER_FORMATS = frozenset(_MIME)  # files of these are shown as they are


@dataclass(frozen=True, slots=True)
class Version:
    """A picture as one codec left it, as a data URI; its codec's knob and value, its file's bytes and bpp."""

    label: str
    uri: str
    knob: str = ""
    value: float | None = None
    bytes: int | None = None
    bpp: float | None = None
    metrics: dict[str, float | None] | None = None


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A picture of the slider; sizes in pixels."""

    name: str
    width: int
    height: int
    versions: Sequence[Version]


@dataclass(frozen=True, slots=True)
class Speed:
    """Mean seconds of a codec over its curve, megapixels and, of clips, frames a second."""

    label: str
    encode_s: float
    decode_s: float
    encode_mpx_s: float
    decode_mpx_s: float
    encode_fps: float | None = None
    decode_fps: float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a codec was."""

    label: str
    settings: str
    versions: str
    command: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that failed, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that a page shows; a section without data is left out.

    curves: means over files. item_curves: of each file by its name, where those are told apart. knobs: of the
    measured curves, by label.
    """

    title: str
    summary: str
    metrics: Sequence[Metric]
    curves: Sequence[Curve] = ()
    item_curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)
    knobs: dict[str, str] | None = None
    deltas: Sequence[Delta] = ()
    speed: Sequence[Speed] = ()
    speed_note: str = ""
    pictures: Sequence[PagePicture] = ()
    view_note: str = ""
    comparison: Sequence[Version] = ()
    settings: Sequence[Setting] = ()
    troubles: Sequence[Trouble] = ()
    command: str = ""

    def html(self) -> str:
        """The page."""
        folder = files(__package__ or "") / "page"

        def text(name: str) -> str:
            return (folder / name).read_text(encoding="utf-8")

        # "<" would end the script element that holds the data where a file is called "</script>".
        data = json.dumps(self._data(), allow_nan=False).replace("<", "\\u003c")
        script = "\n".join(text(name) for name in _SCRIPTS)
        page = text("page.html")
        page = page.replace("/*STYLE*/", text("page.css")).replace("/*SCRIPT*/", script)
        return page.replace("/*DATA*/", data)

    def _data(self) -> dict[str, Any]:
        knobs = self.knobs or {}
        labels = [curve.label for curve in self.curves]

        def fields(curve: Curve) -> dict[str, Any]:
            return {**asdict(curve), "measured": bool(curve.spec), "knob": knobs.get(curve.label, "")}

        anchored = next((d.anchor for d in self.deltas if d.rate_percent is not None), "")
        return {
            "title": self.title,
            "summary": self.summary,
            "command": self.command,
            "metrics": [{"key": metric.key, "label": metric.label} for metric in self.metrics],
            "curves": [fields(curve) for curve in self.curves],
            "item_curves": [
                {"item": name, "curves": [fields(curve) for curve in curves]}
                for name, curves in self.item_curves.items()
            ],
            "deltas": [asdict(delta) for delta in self.deltas],
            "delta_note": DELTA_NOTE,
            "anchor": labels.index(anchored) if anchored in labels else 0,
            "speed": [asdict(each) for each in self.speed],
            "speed_note": self.speed_note,
            "pictures": [asdict(picture) for picture in self.pictures],
            "view_note": self.view_note,
            "comparison": [
                {**asdict(each), "uri": "", "metrics": each.metrics or {}} for each in self.comparison
            ],
            "settings": [asdict(each) for each in self.settings],
            "troubles": [asdict(each) for each in self.troubles],
        }


DELTA_NOTE = (
    f"Mean distance of two curves by the bjontegaard package: {METHOD}, rate logarithmic, over the values "
    "that both curves reach (overlap). BD-rate: change of file size at equal quality, negative is smaller. "
    "BD-quality: change of the metric at equal size. Where files are told apart, the figures are means of "
    "theirs."
)


def data_uri(data: bytes, suffix: str) -> str:
    """A picture file as a data URI. Raises KeyError: no format of browsers."""
    return f"data:{_MIME[suffix]};base64,{base64.b64encode(data).decode('ascii')}"
