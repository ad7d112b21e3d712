"""The index model of a model file: the tensors below `index.`, checked before anything runs."""

import numpy as np

from ..bitstream.errors import FormatError
from .grid_net import GridNet
from .index_tables import EXP_BITS
from .indices import IndexModel
from .integers import checked_integers
from .tables import MAX_ROW_SYMBOLS
from .tensor_source import TensorSource

MAX_PARTS = 16  # stages or blocks of a grid, whatever a model file says
MAX_EMBEDDING = 2**15


def read_index_model(source: TensorSource) -> IndexModel:
    """The tensors below `index.` as a model. Raises FormatError where they are none."""
    shape = checked_integers(source.tensor("index.shape"), 1, 1, MAX_PARTS, "index.shape").tolist()
    if len(shape) != 4:
        raise FormatError(f"index.shape must hold 4 numbers, found {len(shape)}")
    stages, blocks = shape[:2], shape[2:]
    coarse, fine = (
        _read_grid(source, f"index.{name}", *sizes)
        for name, sizes in zip(("coarse", "fine"), zip(stages, blocks, strict=True), strict=True)
    )
    lift = source.linear("index.lift", coarse.blocks[0].bound)
    width_in, width_out = coarse.embeddings[0].shape[1], fine.embeddings[0].shape[1]
    if lift.weight.shape != (4 * width_out, width_in):
        raise _damaged(f"lift has weights of {list(lift.weight.shape)}")
    table = checked_integers(source.tensor("index.exp"), 1, 0, 1 << EXP_BITS, "index.exp")
    if table[0] < 1:
        raise _damaged("the most probable index has no share")
    return IndexModel(coarse, lift, fine, table.numpy().astype(np.int32))


def _read_grid(source: TensorSource, name: str, stages: int, count: int) -> GridNet:
    embeddings = []
    for stage in range(stages):
        part = f"{name}.embedding{stage}"
        table = checked_integers(source.tensor(part), 2, -MAX_EMBEDDING, MAX_EMBEDDING, part)
        embeddings.append(table.to(source.device, source.dtype))
    blocks = tuple(source.block(f"{name}.block{number}") for number in range(count))
    heads = tuple(source.linear(f"{name}.head{stage}", blocks[0].bound) for stage in range(stages))
    width = embeddings[0].shape[1]
    for table, head in zip(embeddings, heads, strict=True):
        codes = len(table) - 1
        if head.weight.shape != (codes, width) or table.shape[1] != width:
            raise _damaged(
                f"{head.name} has weights of {list(head.weight.shape)}, tokens {list(table.shape)}"
            )
        if not 2 <= codes <= MAX_ROW_SYMBOLS:
            raise _damaged(f"{head.name} has {codes} codes")
    for block in blocks:
        inner = block.enter.weight.shape[0]
        shapes = [
            layer.weight.shape
            for layer in (block.enter, block.depthwise, block.leave, block.expand, block.contract)
        ]
        expected = [(inner, width), (9, inner), (width, inner), (4 * inner, width), (width, inner)]
        if [tuple(found) for found in shapes] != expected or not 0 < block.bound == blocks[0].bound:
            raise _damaged(f"{block.enter.name} does not fit {width} channels")
    return GridNet(tuple(embeddings), blocks, heads)


def _damaged(what: str) -> FormatError:
    return FormatError(f"the model file's index model does not fit together, it is damaged: {what}")
