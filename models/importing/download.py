"""Checkpoints from where CompressAI publishes them; the only part that asks for compressai."""

import sys
import tempfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

import torch

from .errors import DownloadError


def download(architecture: str, metric: str, quality: int) -> bytes:
    """The bytes of a published checkpoint, whose hash is the one in its address.

    Raises:
        ModuleNotFoundError: compressai, which knows the address, is not installed.
        DownloadError: no such checkpoint, no network, or other bytes than were published.
    """
    advice = "download it elsewhere and name it with --checkpoint FILE"
    try:
        from compressai.zoo.image import model_urls  # only now: it takes seconds
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "where checkpoints are published is known to compressai, which is not installed: "
            "pip install 'linnet[train]', or name a checkpoint with --checkpoint FILE",
            name=error.name,
        ) from error
    try:
        address = model_urls[architecture][metric][quality]
    except KeyError:
        raise DownloadError(
            f"CompressAI publishes no {architecture} of quality {quality} for {metric}: choose another one, "
            "or name a checkpoint with --checkpoint FILE"
        ) from None
    shown = sys.stderr.isatty()
    prefix = address.rpartition("-")[2].partition(".")[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        try:
            torch.hub.download_url_to_file(address, str(path), hash_prefix=prefix, progress=shown)
        except (OSError, HTTPException, RuntimeError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise DownloadError(f"the download of {address} failed ({reason}): {advice}") from error
        return path.read_bytes()
