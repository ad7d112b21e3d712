"""The models that ship: explicit wire ids, never reused, so that a file always finds its decoder."""

from dataclasses import dataclass
from pathlib import Path

from ..bitstream.errors import ModelMismatchError

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One set of weights.

    wire_id stands in files. sha256 is of the weights file; its first 8 bytes stand in files too.
    """

    wire_id: int
    name: str
    kind: str
    file: str
    sha256: str

    @property
    def path(self) -> Path:
        return WEIGHTS / self.file

    @property
    def weights_hash(self) -> bytes:
        """First 8 bytes of the SHA-256, as the header of a file carries them."""
        return bytes.fromhex(self.sha256)[:8]


SPECS = (
    ModelSpec(
        wire_id=1,
        name="fast",
        kind="image",
        file="fast.safetensors",
        sha256="c6bdfa6672fe05014c176d684fd5e9bea335bbfc3d16ae1afbf7d08fa16174dc",
    ),
)


def find(name: str) -> ModelSpec:
    """The newest model called `name`. Raises ValueError naming the known ones."""
    for spec in reversed(SPECS):
        if spec.name == name:
            return spec
    raise ValueError(f"no model is called '{name}'; known: {', '.join(sorted({s.name for s in SPECS}))}")


def find_wire(wire_id: int, weights_hash: bytes) -> ModelSpec:
    """The model that a file's header asks for. Raises ModelMismatchError saying what the file needs."""
    for spec in SPECS:
        if spec.wire_id == wire_id:
            if spec.weights_hash == weights_hash:
                return spec
            raise ModelMismatchError(
                f"the file was written with other weights of model '{spec.name}' ({weights_hash.hex()}); "
                f"this Linnet has {spec.weights_hash.hex()}: install the version that wrote the file"
            )
    raise ModelMismatchError(
        f"the file needs model {wire_id} (weights {weights_hash.hex()}), which this Linnet does not have; "
        f"it has {', '.join(f'{s.wire_id} ({s.name})' for s in SPECS)}: a newer version may decode it"
    )
