"""What may be wrong with a checkpoint, and with getting one."""


class CheckpointError(ValueError):
    """The checkpoint cannot become a model: no checkpoint, another architecture, not whole or not trained."""


class DownloadError(OSError):
    """A checkpoint could not be downloaded."""
