"""Finished points on disk, keyed by all that they depend on: a run that was killed goes on where it was."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..files.atomic import atomic_write
from .adapters.base import Adapter

FORMAT = 1  # of the entries: a new number makes the old ones unknown


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one point, beside the coded file itself.

    encode_s, decode_s: wall time. metrics: those measured so far; None where one is not defined. series: some
    of them frame by frame, of clips.
    """

    encode_s: float
    decode_s: float | None
    metrics: Mapping[str, float | None]
    series: Mapping[str, list[float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of entries and coded files."""

    folder: Path

    def key(self, item_sha256: str, spec: str, adapter: Adapter, value: float) -> str:
        """Name of a point: the content, the codec with its settings and versions, and the knob."""
        depends = [FORMAT, item_sha256, spec, adapter.settings, dict(adapter.versions), float(value)]
        return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()

    def read(self, key: str) -> Entry | None:
        """The entry, or None; one that cannot be read, or whose coded file is gone, is none."""
        if not self._path(key, ".coded").is_file():
            return None
        try:
            fields = json.loads(self._path(key, ".json").read_text())
            return Entry(**fields)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def coded(self, key: str) -> bytes:
        """The coded file. Raises OSError."""
        return self._path(key, ".coded").read_bytes()

    def write(self, key: str, entry: Entry, coded: bytes | None = None) -> None:
        """Keep an entry, and the coded file before it."""
        self._path(key, "").parent.mkdir(parents=True, exist_ok=True)
        if coded is not None:
            with atomic_write(self._path(key, ".coded"), overwrite=True) as stream:
                stream.write(coded)
        with atomic_write(self._path(key, ".json"), overwrite=True) as stream:
            stream.write(json.dumps(asdict(entry)).encode())

    def read_view(self, key: str, suffix: str) -> bytes | None:
        """A point, or an original by its hash, as a browser shows it; None if that is not made yet."""
        path = self._path(key, f".view{suffix}")
        return path.read_bytes() if path.is_file() else None

    def write_view(self, key: str, suffix: str, data: bytes) -> None:
        """Keep it."""
        path = self._path(key, f".view{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, overwrite=True) as stream:
            stream.write(data)

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}{suffix}"
