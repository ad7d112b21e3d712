"""Whether what decodes is what was encoded, and whose fault it is where it is not: file or machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...bitstream.body import Tile
from ...bitstream.errors import CorruptFileError, ModelMismatchError


@contextmanager
def decoding(tile: Tile, name: str, chunk: str) -> Iterator[None]:
    """Say of a damaged payload where it is. Raises CorruptFileError."""
    try:
        yield
    except CorruptFileError as error:
        raise CorruptFileError(
            f"{name} does not decode: {error.message}", chunk=chunk, offset=tile.offset
        ) from error


def check_hash(found: int, tile: Tile, name: str, chunk: str) -> None:
    """Compare the hash of decoded integers. Raises ModelMismatchError: they are not those of the encoder."""
    if found != tile.latent_hash:
        raise ModelMismatchError(
            f"{name} has hash {found:08x}, the encoder had {tile.latent_hash:08x}: "
            "this machine is out of step with it; try --device cpu, and report it",
            chunk=chunk,
            offset=tile.offset,
        )
