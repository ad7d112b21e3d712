"""Pictures for the eye: for every picture and codec the file nearest to one size, as a browser shows it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PIL import Image

from .adapters.base import Pixels
from .cache import Cache
from .crew import Crew, Role, Task, run_all
from .matching import nearest_value
from .page import BROWSER_FORMATS, PagePicture, Version, data_uri
from .pictures import Picture, load_rgb
from .runner import Plan, Row
from .work import CodecCall, decode_timed


class View(str, Enum):
    """How the report holds pictures: lossy is a tenth of the size, and off by less than can be seen."""

    LOSSY = "lossy"
    EXACT = "exact"
    NONE = "none"


NOTES = {
    View.LOSSY: "JPEG, WebP and AVIF files are shown as they are; originals and what other codecs decoded "
    "are stored in the page as AVIF 4:4:4 of quality 90, which differs by less than the codecs do.",
    View.EXACT: "JPEG, WebP and AVIF files are shown as they are; all else is stored without loss.",
    View.NONE: "",
}
_FORMATS = {
    View.LOSSY: (".avif", "AVIF", {"quality": 90, "subsampling": "4:4:4", "speed": 8, "max_threads": 1}),
    View.EXACT: (".webp", "WEBP", {"lossless": True, "method": 3}),
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture that the page shows: the row of a codec, or the original where there is none."""

    picture: Picture
    row: Row | None = None


def show_original(picture: bytes, view: View) -> bytes:
    """The original of a file's bytes, as the page holds it."""
    return _stored(load_rgb(picture), view)


def show_decoded(codec: CodecCall, coded: bytes, size: tuple[int, int], view: View) -> bytes:
    """What a codec decodes, as the page holds it."""
    return _stored(decode_timed(codec, coded, size)[0], view)


def _stored(pixels: Pixels, view: View) -> bytes:
    _, format, options = _FORMATS[view]
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **options)
    return stream.getvalue()


def page_pictures(plan: Plan, rows: Sequence[Row], cache: Cache, crew: Crew, view: View) -> list[PagePicture]:
    """Make every picture of the slider, in parallel; those made before come from the cache."""
    wanted = [each for picture in plan.pictures for each in _wanted(plan, rows, picture)]
    suffix = _FORMATS[view][0]
    uris: dict[int, str] = {}
    tasks: list[tuple[int, Task]] = []
    for index, each in enumerate(wanted):
        native = each.row and plan.adapters[each.row.point.codec].suffix
        if each.row and native in BROWSER_FORMATS:
            uris[index] = data_uri(cache.coded(each.row.key), native)
        elif (known := cache.read_view(_key(each), suffix)) is not None:
            uris[index] = data_uri(known, suffix)
        else:
            tasks.append((index, _task(plan, cache, each, view)))
    for index, result in run_all(crew, tasks):
        if isinstance(result, bytes):
            cache.write_view(_key(wanted[index]), suffix, result)
            uris[index] = data_uri(result, suffix)
    return _grouped(plan, wanted, uris)


def _wanted(plan: Plan, rows: Sequence[Row], picture: Picture) -> list[_Wanted]:
    target = round((plan.match_bpp or 0) * picture.width * picture.height / 8)
    found = [_Wanted(picture)]
    for spec in plan.adapters:
        ours = {
            row.point.value: row
            for row in rows
            if row.point.picture == picture and row.point.codec == spec and not row.error
        }
        if ours:
            nearest = nearest_value({value: row.bytes for value, row in ours.items()}, target)
            found.append(_Wanted(picture, ours[nearest]))
    return found


def _key(wanted: _Wanted) -> str:
    return wanted.row.key if wanted.row else wanted.picture.sha256


def _task(plan: Plan, cache: Cache, wanted: _Wanted, view: View) -> Task:
    picture, row = wanted.picture, wanted.row
    if row is None:
        return Task(Role.DECODE, show_original, (picture.path.read_bytes(), view))
    call = CodecCall(row.point.codec, plan.options)
    size = (picture.width, picture.height)
    return Task(Role.DECODE, show_decoded, (call, cache.coded(row.key), size, view))


def _grouped(plan: Plan, wanted: Sequence[_Wanted], uris: dict[int, str]) -> list[PagePicture]:
    pages: dict[str, list[Version]] = {picture.name: [] for picture in plan.pictures}
    for index, each in enumerate(wanted):
        if index not in uris:
            continue
        row = each.row
        if row is None:
            version = Version("original", uris[index])
        else:
            adapter = plan.adapters[row.point.codec]
            place = (adapter.label, uris[index], adapter.knob.name, row.point.value)
            version = Version(*place, row.bytes, row.bpp, dict(row.metrics))
        pages[each.picture.name].append(version)
    return [PagePicture(p.name, p.width, p.height, pages[p.name]) for p in plan.pictures if pages[p.name]]
