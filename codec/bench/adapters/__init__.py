"""Codecs to compare, a family in each file; families are imported when one of theirs is asked for."""

from functools import lru_cache
from importlib import import_module

from .base import Adapter, CodecOptions

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
NAMES = tuple(_FAMILIES)


@lru_cache
def find_adapter(spec: str, options: CodecOptions) -> Adapter:
    """The codec that a spec such as "jpeg", "avif:444" or "linnet:fast" names, ready to run.

    Raises:
        ValueError: no codec of this name.
        NotInstalledError: it is not installed; the message says what to install.
    """
    name, _, variant = spec.partition(":")
    family = _FAMILIES.get(name)
    if family is None:
        raise ValueError(f"no codec is called '{name}'; known: {', '.join(NAMES)}")
    return import_module(f".{family}", __name__).make(name, variant, options)
