"""Tokens of which nothing is left: filled with what their neighbours make probable.

What is shown there are other pixels (see inpainting.py); these tokens are what the synthesis of the
neighbours sees beyond its edge.
"""

from ...bitstream.header import Header
from ...entropy.tables import Int32
from ...models.codecs import STRIDE, StagedCodec
from .tiles import Box, blocks_of, grown, latents_across

# What a neighbour says reaches no further. Probable indices of later stages would only be invented detail.
_MARGIN_PX = 256
_STAGES = 1


def conceal(tokens: Int32, header: Header, codec: StagedCodec) -> None:
    """Fill, in place, the tokens [h, w, stages] of a whole picture where not even the first stage is known.

    It goes from what is known into what is not, a window at a time, so that memory stays bounded.
    """
    whole = (0, 0, header.width, header.height)
    pending = [block for block in blocks_of(whole, header) if not _part(tokens, block)[..., 0].all()]
    while pending:
        near = [block for block in pending if _part(tokens, _window(block, header, codec))[..., 0].any()]
        for block in near or pending:
            _fill(tokens, block, header, codec)
        pending = [block for block in pending if near and block not in near]


def _fill(tokens: Int32, block: Box, header: Header, codec: StagedCodec) -> None:
    """Fill the holes of one block."""
    window = _window(block, header, codec)
    filled = codec.fill(_part(tokens, window).copy(), _STAGES)
    inside = (block[0] - window[0], block[1] - window[1], block[2], block[3])
    target, source = _part(tokens, block), _part(filled, inside)
    holes = target[..., 0] == 0
    target[holes, :_STAGES] = source[holes, :_STAGES]


def _window(block: Box, header: Header, codec: StagedCodec) -> Box:
    """A block with what is around it."""
    return grown(block, _MARGIN_PX, header.width, header.height, codec.alignment)


def _part(tokens: Int32, box: Box) -> Int32:
    """A view of the tokens of a box whose corner is a multiple of 16."""
    row, column = box[1] // STRIDE, box[0] // STRIDE
    return tokens[row : row + latents_across(box[3]), column : column + latents_across(box[2])]
