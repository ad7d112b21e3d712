"""Linnet: a neural image codec that decodes identically on every machine.

The public names are loaded when first used, so that `import linnet` costs nothing and `linnet.info` needs
neither torch nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bitstream.errors import (
        CorruptFileError,
        FormatError,
        LimitExceededError,
        LinnetError,
        ModelMismatchError,
        NotLinnetError,
        TruncatedError,
        UnsupportedVersionError,
    )
    from .bitstream.limits import Limits
    from .codec.cutting import CutResult, cut
    from .codec.decode import decode
    from .codec.encode import EncodeResult, encode
    from .codec.errors import TargetError
    from .codec.frame import Frame
    from .codec.info import Info, info
    from .codec.still.losses import Losses
    from .codec.tokens.files import load_tokens, save_tokens
    from .codec.tokens.tokenise import detokenize, tokenize
    from .codec.tokens.tokens import Tokens
    from .codec.verify import VerifyReport, verify
    from .codec.video.decode import VideoDecodeResult, decode_video
    from .codec.video.encode import VideoEncodeResult, encode_video
    from .codec.video.reader import VideoReader
    from .codec.video.video_frame import VideoFrame
    from .codec.video.writer import VideoWriter

__version__ = "0.1.0"

__all__ = [
    "CorruptFileError",
    "CutResult",
    "EncodeResult",
    "FormatError",
    "Frame",
    "Info",
    "LimitExceededError",
    "Limits",
    "LinnetError",
    "Losses",
    "ModelMismatchError",
    "NotLinnetError",
    "TargetError",
    "Tokens",
    "TruncatedError",
    "UnsupportedVersionError",
    "VerifyReport",
    "VideoDecodeResult",
    "VideoEncodeResult",
    "VideoFrame",
    "VideoReader",
    "VideoWriter",
    "cut",
    "decode",
    "decode_video",
    "detokenize",
    "encode",
    "encode_video",
    "info",
    "load_tokens",
    "save_tokens",
    "tokenize",
    "verify",
]

_HOMES = {  # module of this package -> the public names it holds
    "bitstream.errors": {name for name in __all__ if name.endswith("Error")} - {"TargetError"},
    "bitstream.limits": {"Limits"},
    "codec.cutting": {"CutResult", "cut"},
    "codec.decode": {"decode"},
    "codec.encode": {"EncodeResult", "encode"},
    "codec.errors": {"TargetError"},
    "codec.frame": {"Frame"},
    "codec.info": {"Info", "info"},
    "codec.still.losses": {"Losses"},
    "codec.tokens.files": {"load_tokens", "save_tokens"},
    "codec.tokens.tokenise": {"detokenize", "tokenize"},
    "codec.tokens.tokens": {"Tokens"},
    "codec.verify": {"VerifyReport", "verify"},
    "codec.video.decode": {"VideoDecodeResult", "decode_video"},
    "codec.video.encode": {"VideoEncodeResult", "encode_video"},
    "codec.video.reader": {"VideoReader"},
    "codec.video.video_frame": {"VideoFrame"},
    "codec.video.writer": {"VideoWriter"},
}


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f".{home}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
