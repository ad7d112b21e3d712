"""What may be wrong with an image that is not a Linnet file: the caller's ValueError, and warnings."""


class UnreadableImageError(ValueError):
    """The input cannot be read as an image: unknown format, damaged, or pixels of an unsupported kind."""


class TargetError(ValueError):
    """No quality of the model meets the target."""


class MediaWarning(UserWarning):
    """Something of an image is not kept (frames, bit depth, a profile), or takes up a target beside it."""


class UnreadableMediaError(UnreadableImageError):
    """The input cannot be read as a clip: no video in it, damaged, or frames that do not belong together."""


class NotInstalledError(ImportError):
    """A codec, tool, metric or executor that is not installed here; the message says what to install."""
