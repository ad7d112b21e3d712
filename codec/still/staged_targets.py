"""The stages that meet a target: encoded once, a file in stages is made of as many as there is room for."""

import io
from dataclasses import replace

from ...bitstream.limits import Limits
from ...bitstream.reader import Reader
from ...bitstream.writer import Writer
from ...models.codecs import StagedCodec
from ..cutting import rewritten
from ..distortion import psnr_db
from ..errors import TargetError
from ..frame import Frame
from ..progress import Progress, quiet
from ..wish import Aim, Target
from .header import header_of
from .resilience import spread_for
from .search import Attempt, unreachable
from .staged import quality_of, read_staged, write_staged
from .targets import check_passengers, measured_size


def meet_staged(
    target: Target,
    frame: Frame,
    codec: StagedCodec,
    progress: Progress,
    tile_log2: int,
    resilience: int | None = None,
) -> tuple[Attempt, int]:
    """The file that meets the target, and its stages: the most of at most a size, the fewest with a PSNR.

    It is encoded once, with all stages.
    Raises:
        TargetError: one stage is too large, or all are not good enough.
    """
    count = len(codec.strides)
    stream = io.BytesIO()
    header = header_of(frame, codec, quality_of(count, count), tile_log2, count)
    bits = write_staged(frame, Writer(stream, header, frame.metadata), header, codec, progress)
    reader = Reader(stream.getvalue(), Limits.none())
    check_passengers(target, frame, reader.alpha)
    parts = list(reader.tiles())
    sized = target.aim is not Aim.PSNR_DB
    attempt = None
    for stages in range(count, 0, -1) if sized else range(1, count + 1):
        quality = quality_of(stages, count)
        data = rewritten(
            reader,
            parts,
            replace(
                header,
                stages=stages,
                quality_centi=round(quality * 100),
                spread=spread_for(frame.width * frame.height, stages, resilience) if resilience else None,
            ),
        )
        if sized:
            found = measured_size(target, frame, len(data))
        else:
            decoded = read_staged(Reader(data, Limits.none()), codec, None, quiet)
            found = psnr_db(frame.oriented().pixels, decoded.pixels)
        attempt = Attempt(quality, found, data, sum(bits[:stages]))
        if found <= target.value if sized else found >= target.value:
            return attempt, stages
    assert attempt is not None, "a model has at least one stage"
    raise TargetError(unreachable(target, "no less than " if sized else "", attempt))
