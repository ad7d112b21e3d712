"""Codecs to compare, a family in each file; families are imported when one of theirs is asked for."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module

from .base import ClipAdapter, CodecOptions, PictureAdapter

# The name before the colon -> its family's module, which has make(variant, options).
_FAMILIES = {
    "linnet": "linnet",
    "jpeg": "pillow",
    "webp": "pillow",
    "avif": "pillow",
    "jpeg2000": "pillow",
    "jxl": "pillow",
    "x264": "pyav",
    "x265": "pyav",
    "svtav1": "pyav",
    "vtm": "vtm",
    "vvenc": "vvenc",
    "compressai": "compressai",
}
# The same for clips; the modules have make_clip_codec(name, variant, options).
_CLIP_FAMILIES = {
    "linnet": "linnet_clips",
    "x264": "pyav_clips",
    "x265": "pyav_clips",
    "svtav1": "pyav_clips",
}
NAMES = tuple(_FAMILIES)
CLIP_NAMES = tuple(_CLIP_FAMILIES)


@lru_cache
def find_adapter(spec: str, options: CodecOptions) -> PictureAdapter:
    """The codec that a spec such as "jpeg", "avif:444" or "linnet:fast" names, ready to run.

    Raises:
        ValueError: no codec of this name.
        NotInstalledError: it is not installed; the message says what to install.
    """
    name, _, variant = spec.partition(":")
    family = _family(name, _FAMILIES, "pictures")
    return import_module(f".{family}", __name__).make(name, variant, options)


@lru_cache
def find_clip_adapter(spec: str, options: CodecOptions) -> ClipAdapter:
    """The codec of clips that a spec such as "x265:veryslow-zerolatency" or "linnet:fast" names.

    Raises:
        ValueError: no codec of this name.
        NotInstalledError: it is not installed; the message says what to install.
    """
    name, _, variant = spec.partition(":")
    family = _family(name, _CLIP_FAMILIES, "clips")
    return import_module(f".{family}", __name__).make_clip_codec(name, variant, options)


def _family(name: str, families: Mapping[str, str], kind: str) -> str:
    if name not in families:
        fault = f"no codec is called '{name}'"
        if name in _FAMILIES or name in _CLIP_FAMILIES:
            fault = f"'{name}' is no codec for {kind}"
        raise ValueError(f"{fault}; known: {', '.join(families)}")
    return families[name]
