"""The same second decoder for hyperprior models: FORMAT.md section 10, "Hyperprior models", in int64."""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from format_decoder import Decoded, Ints, Payload, Row, Tile, regrid, require, words_of
from safetensors.numpy import load

BOUND = 2**26 - 1


class HyperpriorModel:
    """The integers of a model file."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.hash = hashlib.sha256(data).digest()[:8]
        (length,) = struct.unpack_from("<Q", data)
        card = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["card"])
        self.architecture = card["architecture"]
        tensors = load(data)
        self.tensors = {name: tensors[name].astype(np.int64) for name in tensors if "transform" not in name}
        self.y, self.z = self.table("table.y"), self.table("table.z")

    def table(self, name: str) -> list[Row]:
        """The rows of a table."""
        cdf, size, offset = (self.tensors[f"{name}.{part}"].tolist() for part in ("cdf", "size", "offset"))
        return [Row.of(c[: n + 1], o) for c, n, o in zip(cdf, size, offset, strict=True)]

    def get(self, name: str) -> Ints:
        """A tensor of the exact path."""
        return self.tensors[f"exact.hyper.{name}"]

    def convolution(self, name: str, x: Ints) -> Ints:
        """A layer, by its sums over the inputs that each output sees."""
        weight = self.get(f"{name}.weight")
        scale = 2 if weight.shape[2] == 5 else 1
        h, w, _ = x.shape
        wide = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        sums = np.zeros((scale * h, scale * w, len(weight)), np.int64)
        for a, b, d, e in np.ndindex(scale, scale, 3, 3):
            row, column = (a + 2 - 2 * (d - 1), b + 2 - 2 * (e - 1)) if scale == 2 else (d, e)
            if 0 <= row < weight.shape[2] and 0 <= column < weight.shape[3]:
                sums[a::scale, b::scale] += wide[d : d + h, e : e + w] @ weight[:, :, row, column].T
        v = np.clip(regrid(sums + self.get(f"{name}.bias"), self.get(f"{name}.shift")), -BOUND, BOUND)
        return np.where(v >= 0, v, (v * self.get(f"{name}.slope") + 2**19) >> 20)

    def predict(self, z: Ints, h: int, w: int) -> tuple[Ints, Ints]:
        """Means and rows of all latents."""
        x = np.clip(4096 * z + self.get("median"), -BOUND, BOUND)
        for name in ("layer0", "layer1", "layer2"):
            x = self.convolution(name, x)
        channels = self.architecture["latent"]
        scale, m = x[:h, :w, :channels], x[:h, :w, channels:]
        row = (scale[..., None] > self.get("thresholds")).sum(-1)
        return (regrid(m, 6) if self.get("means")[0] else np.zeros_like(scale)), row


def decode_tile(tile: Tile, model: HyperpriorModel) -> Decoded:
    """Section 10 on one tile."""
    require(len(tile.payload) % 4 == 0, "the payload consists of words")
    payload = Payload([word for (word,) in struct.iter_unpack("<I", tile.payload)])
    h, w = -(-tile.height // 16), -(-tile.width // 16)
    shape = (-(-h // 4), -(-w // 4), model.architecture["channels"])
    z = payload.batch(np.broadcast_to(np.arange(shape[2]), shape).ravel(), model.z).reshape(shape)
    mean, rows = model.predict(z, h, w)
    symbols = payload.batch(rows.ravel(), model.y).reshape(rows.shape)
    require(bool(np.abs(symbols).max() <= 2**14), "the range of symbols")
    decoded = 64 * symbols + mean
    latent_hash = zlib.crc32(z.astype("<i4").tobytes() + decoded.astype("<i4").tobytes())
    again = b"".join(struct.pack("<I", word) for word in words_of(payload.intervals))
    return Decoded(z, decoded, symbols, latent_hash, again, payload.escapes)
