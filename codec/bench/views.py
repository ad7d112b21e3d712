"""Pictures for the eye: for every item and codec the file nearest to one size, as a browser shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..workers.tasks import Crew, Role, Task, run_all
from .cache import Cache
from .items import Item
from .matching import nearest_value
from .page import BROWSER_FORMATS, PagePicture, Version, data_uri
from .plan import Plan, Row
from .shown import View, view_suffix
from .work import CodecCall

NOTES = {
    View.LOSSY: "JPEG, WebP and AVIF files are shown as they are; originals and what other codecs decoded "
    "are stored in the page as AVIF 4:4:4 of quality 90, which differs by less than the codecs do.",
    View.EXACT: "JPEG, WebP and AVIF files are shown as they are; all else is stored without loss.",
    View.NONE: "",
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture that the page shows: of a codec's row, or of the original where there is none."""

    item: Item
    row: Row | None = None


def page_pictures(plan: Plan, rows: Sequence[Row], cache: Cache, crew: Crew, view: View) -> list[PagePicture]:
    """Make every picture of the slider, in parallel; those made before come from the cache."""
    wanted = [each for item in plan.items for each in _wanted(plan, rows, item)]
    suffix = view_suffix(view)
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


def _wanted(plan: Plan, rows: Sequence[Row], item: Item) -> list[_Wanted]:
    target = round((plan.match_bpp or 0) * item.pixels / 8)
    found = [_Wanted(item)]
    for spec in plan.adapters:
        ours = {
            row.point.value: row
            for row in rows
            if row.point.item == item and row.point.codec == spec and not row.error
        }
        if ours:
            nearest = nearest_value({value: row.bytes for value, row in ours.items()}, target)
            found.append(_Wanted(item, ours[nearest]))
    return found


def _key(wanted: _Wanted) -> str:
    return wanted.row.key if wanted.row else wanted.item.sha256


def _task(plan: Plan, cache: Cache, wanted: _Wanted, view: View) -> Task:
    item, row, medium = wanted.item, wanted.row, plan.medium
    source = item.path.read_bytes()
    if row is None:
        return Task(Role.DECODE, medium.show, (source, item, view))
    call = CodecCall(row.point.codec, plan.options)
    return Task(Role.DECODE, medium.show_decoded, (call, cache.coded(row.key), source, item, view))


def _grouped(plan: Plan, wanted: Sequence[_Wanted], uris: dict[int, str]) -> list[PagePicture]:
    pages: dict[str, list[Version]] = {item.name: [] for item in plan.items}
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
        pages[each.item.name].append(version)
    return [
        PagePicture(plan.medium.title(item), item.width, item.height, pages[item.name])
        for item in plan.items
        if pages[item.name]
    ]
