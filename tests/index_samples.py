"""What the tests of the index model share: networks of random integers, tokens of a photograph."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from linnet.entropy.index_file import read_index_model
from linnet.entropy.index_tables import exp_table
from linnet.entropy.indices import IndexModel
from linnet.entropy.tensor_source import TensorSource

CODES = (27, 20, 9, 8, 8)
COARSE = 2
WIDTH, INNER = 16, 8


def random_tensors(seed: int = 0) -> dict[str, Tensor]:
    """The tensors of an index model that no training made: every layer moves its inputs about."""
    generator = np.random.default_rng(seed)
    tensors: dict[str, NDArray[np.integer]] = {"index.exp": exp_table()}

    def layer(name: str, shape: tuple[int, int], outputs: int, shift: int, clamp: tuple[int, int]) -> None:
        tensors[f"{name}.weight"] = generator.integers(-127, 128, shape)
        tensors[f"{name}.bias"] = generator.integers(-20000, 20000, outputs)
        tensors[f"{name}.shift"] = generator.integers(shift, shift + 2, outputs)
        tensors[f"{name}.clamp"] = np.array(clamp)

    def grid(name: str, codes: tuple[int, ...], blocks: int) -> None:
        for stage, number in enumerate(codes):
            tensors[f"{name}.embedding{stage}"] = generator.integers(-700, 701, (number + 1, WIDTH))
            layer(f"{name}.head{stage}", (number, WIDTH), number, 13, (-(2**15), 2**15))
        for number in range(blocks):
            block = f"{name}.block{number}"
            layer(f"{block}.enter", (INNER, WIDTH), INNER, 9, (0, 2047))
            layer(f"{block}.depthwise", (9, INNER), INNER, 9, (-2047, 2047))
            layer(f"{block}.leave", (WIDTH, INNER), WIDTH, 9, (-2047, 2047))
            layer(f"{block}.expand", (4 * INNER, WIDTH), 4 * INNER, 10, (0, 2047))
            layer(f"{block}.contract", (WIDTH, INNER), WIDTH, 9, (-2047, 2047))
            tensors[f"{block}.bound"] = np.array([2047])

    grid("index.coarse", CODES[:COARSE], 2)
    grid("index.fine", CODES[COARSE:], 1)
    layer("index.lift", (4 * WIDTH, WIDTH), 4 * WIDTH, 9, (-2047, 2047))
    tensors["index.shape"] = np.array([COARSE, len(CODES) - COARSE, 2, 1])
    return {name: torch.from_numpy(array.astype(np.int32)) for name, array in tensors.items()}


def model_of(tensors: dict[str, Tensor], dtype: torch.dtype = torch.float32) -> IndexModel:
    """The model that these tensors make on the CPU."""
    return read_index_model(TensorSource(tensors, dtype, torch.device("cpu")))


def random_tokens(height: int, width: int, seed: int = 0) -> NDArray[np.int32]:
    """A token array in which everything is known."""
    generator = np.random.default_rng(seed)
    tokens = (generator.random((height, width, len(CODES))) * CODES).astype(np.int32) + 1
    return spread(tokens)


def spread(tokens: NDArray[np.int32]) -> NDArray[np.int32]:
    """The same with each coarse token at all its places."""
    for stage in range(COARSE):
        own = tokens[::2, ::2, stage]
        tokens[..., stage] = own.repeat(2, 0).repeat(2, 1)[: tokens.shape[0], : tokens.shape[1]]
    return tokens


def own_grid(tokens: NDArray[np.int32], stage: int) -> NDArray[np.int32]:
    """The indices of a stage on its own grid."""
    return np.ascontiguousarray(tokens[::2, ::2, stage] if stage < COARSE else tokens[..., stage]) - 1


def photo_tokens(photo: Image.Image) -> NDArray[np.int32]:
    """Tokens of a photograph: colours of its blocks of 32 px, then what those of 16 px differ from them."""
    size = photo.width // 32 * 2, photo.height // 32 * 2
    fine = np.asarray(photo.resize(size, Image.Resampling.BOX)).astype(np.int32)
    means = fine.reshape(size[1] // 2, 2, size[0] // 2, 2, 3).mean((1, 3)).astype(np.int32)
    coarse = means.repeat(2, 0).repeat(2, 1)
    stages = [
        (coarse // 86) @ [9, 3, 1],
        (coarse[..., 1] % 86 * 20) // 86,
        np.clip((fine - coarse)[..., 1] // 8 + 4, 0, 8),
        np.clip((fine - coarse)[..., 0] // 16 + 4, 0, 7),
        fine[..., 2] // 32,
    ]
    return np.stack(stages, -1).astype(np.int32) + 1
