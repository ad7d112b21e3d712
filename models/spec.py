"""One set of weights by its facts: what it is called, where it is, what files carry of it."""

from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One set of weights.

    wire_id stands in files. sha256 is of the weights file; its first 8 bytes stand in files too.
    quality: the only one the model has, as files of it state it; None if it has all of 0 to 100.
    stages: of a model whose files come in stages (kind "vq"), how many it has; 0 of all others.
    """

    wire_id: int
    name: str
    kind: str
    file: str
    sha256: str
    folder: Path = WEIGHTS
    quality: float | None = None
    stages: int = 0

    @property
    def path(self) -> Path:
        return self.folder / self.file

    @property
    def weights_hash(self) -> bytes:
        """First 8 bytes of the SHA-256, as the header of a file carries them."""
        return bytes.fromhex(self.sha256)[:8]
