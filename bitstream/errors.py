"""Errors by who is at fault: the file (FormatError and its children) or the limits the caller has set."""


class LinnetError(Exception):
    """Base of every error that is neither the caller's fault (ValueError) nor the disk's (OSError).

    Attributes:
        message: the text without the place.
        chunk: name of the chunk where it happened (FORMAT.md section 4, or "signature"), None if nowhere.
        offset: byte offset of that chunk from the signature, None if nowhere.
    """

    def __init__(self, message: str, *, chunk: str | None = None, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.chunk = chunk
        self.offset = offset

    def __str__(self) -> str:
        places: list[str] = []
        if self.chunk is not None:
            places.append(f"in chunk '{self.chunk}'")
        if self.offset is not None:
            places.append(f"at byte {self.offset}")
        return f"{self.message} ({' '.join(places)})" if places else self.message


class FormatError(LinnetError):
    """The file is at fault: it cannot be read as what it claims to be."""


class NotLinnetError(FormatError):
    """The file does not start with Linnet's signature."""


class TruncatedError(FormatError):
    """The file stops before its end chunk."""


class CorruptFileError(FormatError):
    """The file is damaged, or was written by a faulty encoder."""


class UnsupportedVersionError(FormatError):
    """The file is intact but needs a newer Linnet."""


class ModelMismatchError(FormatError):
    """The file was written for other weights than those at hand."""


class LimitExceededError(LinnetError):
    """The file may be fine, but is larger than the caller allows."""
