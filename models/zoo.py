"""The models at hand: those that ship, with explicit wire ids, never reused, and those of the user."""

from numbers import Real

from ..bitstream.errors import ModelMismatchError
from .added import ADDED_IDS, added_specs, find_added
from .spec import ModelSpec

SPECS = (
    ModelSpec(
        wire_id=1,
        name="fast",
        kind="image",
        file="fast.safetensors",
        sha256="206c013bd356472169901aa8f045431e603bd0d4af68a0919d318b45d747f5dc",
    ),
    ModelSpec(
        wire_id=2,
        name="fast-ms-ssim",
        kind="image",
        file="fast-ms-ssim.safetensors",
        sha256="1adecde470dcabba6aa6d45d9f1737f419d3d6d58ee6107ab6ad96e70459396f",
    ),
    ModelSpec(
        wire_id=3,
        name="video",
        kind="inter",
        file="video.safetensors",
        sha256="f9418ac35303d1f7493911fc4732f0b35987f7236b7e0d8861228854d4725dff",
    ),
    ModelSpec(
        wire_id=4,
        name="vq",
        kind="vq",
        file="vq.safetensors",
        sha256="ab72d62f0f75edc26feb13372ba0996b6a3b86a30ee49860db82795feaeb63aa",
        stages=7,
    ),
    ModelSpec(
        wire_id=5,
        name="high",
        kind="image",
        file="high.safetensors",
        sha256="536d8894f9171db226a4f7884a12b2fd9ed1b254f73e9527a8fb858dced35218",
    ),
)


def all_specs() -> tuple[ModelSpec, ...]:
    """The models that ship, then the added ones."""
    return (*SPECS, *added_specs())


def find(name: str) -> ModelSpec:
    """The newest model called `name`; one that ships goes first. Raises ValueError naming the known ones."""
    for specs in (reversed(SPECS), added_specs()):
        for spec in specs:
            if spec.name == name:
                return spec
    known = sorted({spec.name for spec in all_specs()})
    raise ValueError(f"no model is called '{name}'; known: {', '.join(known)}")


def find_inter(name: str | None = None) -> ModelSpec:
    """The model of inter frames called `name`, or the newest one that ships.

    Raises:
        ValueError: no model is called so, or it codes pictures.
    """
    spec = find(name) if name else next(spec for spec in reversed(SPECS) if spec.kind == "inter")
    if spec.kind != "inter":
        raise ValueError(f"model '{spec.name}' codes pictures, not the frames between key frames")
    return spec


def check_codes_pictures(spec: ModelSpec) -> None:
    """Raises ValueError for a model of inter frames."""
    if spec.kind == "inter":
        raise ValueError(f"model '{spec.name}' codes frames of clips that are predicted, not pictures")


def quality_for(spec: ModelSpec, quality: float | None) -> float:
    """The quality to encode with: the one asked for, else 50 or the model's only one.

    Raises:
        ValueError: out of range, or asked of a model that has one quality only.
    """
    if spec.quality is not None:
        if quality is not None:
            raise ValueError(
                f"model '{spec.name}' has one quality, the {spec.quality:g} that it was imported with: leave "
                "the quality out, or import another one for another rate"
            )
        return spec.quality
    if quality is None:
        return 50.0
    if not isinstance(quality, Real) or not 0 <= quality <= 100:
        raise ValueError(f"quality must be 0 to 100, not {quality!r}")
    return float(quality)


def check_stages(spec: ModelSpec, stages: int | None) -> None:
    """Raises ValueError: stages are asked of a model that has none, or not so many."""
    if stages is None:
        return
    if not spec.stages:
        raise ValueError(f"model '{spec.name}' does not code in stages: choose a quality")
    if not 1 <= stages <= spec.stages:
        raise ValueError(
            f"model '{spec.name}' has {spec.stages} stages: choose 1 to {spec.stages}, not {stages}"
        )


def name_of(wire_id: int, weights_hash: bytes) -> str | None:
    """The name of a file's model, None if this installation does not know it."""
    if wire_id in ADDED_IDS:
        return next((s.name for s in added_specs() if s.weights_hash == weights_hash), None)
    return next((spec.name for spec in SPECS if spec.wire_id == wire_id), None)


def stages_of(wire_id: int, weights_hash: bytes) -> int | None:
    """How many stages a file's model has, None if this installation does not know it."""
    for spec in all_specs():
        if (spec.wire_id, spec.weights_hash) == (wire_id, weights_hash):
            return spec.stages or None
    return None


def find_wire(wire_id: int, weights_hash: bytes, quality: float = 0) -> ModelSpec:
    """The model that a file's header asks for. Raises ModelMismatchError saying what the file needs.

    Args:
        quality: the header's; of an added model it says which checkpoint to import.
    """
    if wire_id in ADDED_IDS:
        return find_added(wire_id, weights_hash, quality)
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


def find_still_wire(wire_id: int, weights_hash: bytes, quality: float = 0, stages: int = 0) -> ModelSpec:
    """As find_wire, for stills and key frames.

    Args:
        stages: the header's; 0 of a clip.
    Raises:
        ModelMismatchError: also for a model of inter frames, or one that does not have these stages.
    """
    spec = find_wire(wire_id, weights_hash, quality)
    if spec.kind == "inter":
        raise ModelMismatchError(
            f"the header names model '{spec.name}' for a picture or key frames: it codes the frames between"
        )
    if stages > spec.stages or bool(stages) != bool(spec.stages):
        raise ModelMismatchError(
            f"the header says {stages or 'no'} stages, model '{spec.name}' has {spec.stages or 'none'}"
        )
    return spec
