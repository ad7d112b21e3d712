"""The results of a benchmark in JSON: a row by itself, and all of them."""

import platform
from dataclasses import asdict
from typing import Any

from ... import __version__
from .adapters.base import Adapter
from .curves import common_items
from .deltas import METHOD
from .plan import Row
from .results import Results

SCHEMA = 1


def row_fields(row: Row, adapter: Adapter) -> dict[str, Any]:
    """A row as JSON has it."""
    point = row.point
    place = {
        "file": point.item.name,
        "codec": point.codec,
        "knob": adapter.knob.name,
        "value": point.value,
        "matched": point.matched,
    }
    if row.error:
        return {**place, "error": row.error}
    return {
        **place,
        "bytes": row.bytes,
        "bpp": round(row.bpp, 6),
        **_clip_fields(row),
        "metrics": dict(row.metrics),
        "encode_s": round(row.encode_s, 4),
        "decode_s": round(row.decode_s, 4),
        "versions": dict(adapter.versions),
        "command": adapter.command(point.value),
    }


def _clip_fields(row: Row) -> dict[str, Any]:
    """What rows of clips have beside those of pictures."""
    item = row.point.item
    if not item.seconds:
        return {}
    return {
        "frames": item.frames,
        "kbps": round(row.bytes * 8 / 1000 / item.seconds, 3),
        "encode_fps": round(item.frames / row.encode_s, 3) if row.encode_s else None,
        "decode_fps": round(item.frames / row.decode_s, 3) if row.decode_s else None,
        "by_frame": {key: list(values) for key, values in row.series.items()},
    }


def json_of(results: Results) -> dict[str, Any]:
    """Everything, as results.json has it."""
    adapters = results.plan.adapters
    rows = [row_fields(row, adapters[row.point.codec]) for row in results.rows]
    broken = [{"file": name, "codec": None, "error": why} for name, why in results.unreadable.items()]
    return {
        "schema": SCHEMA,
        "dataset": results.dataset,
        "command": results.command,
        "linnet": __version__,
        "machine": {
            "processor": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        f"counted_{results.plan.medium.kind.value}": common_items(results.rows),
        "codecs": {
            spec: {"label": each.label, "settings": each.settings, "versions": dict(each.versions)}
            for spec, each in adapters.items()
        },
        "missing_codecs": dict(results.missing),
        "curves": [asdict(curve) for curve in results.curves],
        "bd": {
            "method": METHOD,
            "rate": "logarithmic",
            "deltas": [asdict(delta) for delta in results.deltas],
        },
        "rows": [*broken, *rows],
    }
