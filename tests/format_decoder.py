"""A second decoder of a file's integers, written from FORMAT.md alone: slow, short, sharing no code."""

import hashlib
import json
import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

Ints = npt.NDArray[np.int64]
WORD = 2**32
PARTS = 2**24


def require(holds: bool, claim: str) -> None:
    """Raises: ValueError unless the claim holds."""
    if not holds:
        raise ValueError(f"the file breaks FORMAT.md: {claim}")


# Sections 2 to 8, 11 and 12: the container.


@dataclass(frozen=True)
class Header:
    """What section 5 puts into the header, as far as the integer part needs it."""

    quality_centi: int
    width: int
    height: int
    model: int
    weights_hash: bytes
    tile_side: int
    resampling: tuple[int, int, int] = (0, 0, 0)  # n, columns and rows cut off


@dataclass(frozen=True)
class Tile:
    """One tile chunk, and the size that section 8 gives to its number."""

    width: int
    height: int
    latent_hash: int
    payload: bytes


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it."""
    value = 0
    for count in range(9):
        byte = data[at + count]
        value |= (byte & 127) << (7 * count)
        if byte < 128:
            require(byte > 0 or count == 0, "a varint has its shortest form")
            return value, at + count + 1
    raise ValueError("a varint of more than 9 bytes")


def split_chunks(data: bytes) -> list[tuple[str, bytes, int]]:
    """All chunks with their offsets; signature and CRCs are checked."""
    require(data[:8] == bytes.fromhex("89 4C 4E 54 0D 0A 1A 0A"), "the signature")
    chunks: list[tuple[str, bytes, int]] = []
    at = 8
    while at < len(data):
        length, begin = read_varint(data, at + 1)
        end = begin + length
        (crc,) = struct.unpack_from("<I", data, end)
        require(zlib.crc32(data[at:end]) == crc, "the CRC of a chunk")
        chunks.append((chr(data[at]), data[begin:end], at))
        at = end + 4
    return chunks


def read_chunks(data: bytes) -> list[tuple[str, bytes, int]]:
    """The chunks of a still; their order is checked."""
    chunks = split_chunks(data)
    kinds = "".join(kind for kind, _, _ in chunks if kind in "HcexATiE")
    front = kinds[1 : kinds.index("T")]
    require(kinds[0] == "H" and set(front) <= set("cexA") and len(set(front)) == len(front), "the front")
    require(kinds[1 + len(front) :].lstrip("T") in ("E", "iE"), "tiles, index, end")
    return chunks


def read_header(payload: bytes) -> Header:
    """Section 5, of a still image of version 1.0 or 1.4."""
    version, picture, geometry, quality = struct.unpack_from("<BBBH", payload)
    require(picture & 0b11000011 == 0 and picture >> 2 & 3 < 2, "picture")
    require(version == (0x14 if geometry & 0x80 else 0x10), "the lowest version that describes the file")
    tile_log2 = geometry >> 3 & 15
    require(6 <= tile_log2 <= 15 and quality <= 10000, "the ranges of the header")
    width, at = read_varint(payload, 5)
    height, at = read_varint(payload, at)
    model, at = read_varint(payload, at)
    hash_end, weights_hash = at + 8, payload[at : at + 8]
    resampling = 0, 0, 0
    if version == 0x14:
        require(payload[hash_end] == 0, "no stages")
        resampling = payload[-1] & 3, payload[-1] >> 2 & 7, payload[-1] >> 5
        require(resampling[0] > 0 and max(resampling[1:]) < 2 ** resampling[0], "resampling")
    require(len(payload) == hash_end + 2 * (version == 0x14), "the length of the header")
    return Header(quality, width, height, model, weights_hash, 1 << tile_log2, resampling)


def read_file(data: bytes) -> tuple[Header, list[Tile]]:
    """The header and all tiles, in the order of their numbers."""
    chunks = read_chunks(data)
    header = read_header(chunks[0][1])
    side = header.tile_side
    across, down = -(-header.width // side), -(-header.height // side)
    index_bytes = ((across * down - 1).bit_length() + 7) // 8
    tiles: dict[int, Tile] = {}
    offsets: dict[int, int] = {}
    for kind, payload, offset in chunks:
        if kind != "T":
            continue
        number = int.from_bytes(payload[:index_bytes], "little")
        require(number < across * down and number not in tiles, "each tile once")
        (latent_hash,) = struct.unpack_from("<I", payload, index_bytes)
        width = min(side, header.width - number % across * side)
        height = min(side, header.height - number // across * side)
        tiles[number] = Tile(width, height, latent_hash, payload[index_bytes + 4 :])
        offsets[number] = offset
    require(len(tiles) == across * down, "no tile is absent")
    check_index(chunks, offsets)
    return header, [tiles[number] for number in sorted(tiles)]


def check_index(chunks: list[tuple[str, bytes, int]], offsets: dict[int, int]) -> None:
    """Sections 11 and 12: the index points at the tiles, the end chunk at the index."""
    pointer = b""
    for kind, payload, offset in chunks:
        if kind == "i":
            width = payload[0]
            entries = [payload[at : at + width] for at in range(1, len(payload), width)]
            found = [int.from_bytes(entry, "little") for entry in entries]
            require(len(found) > 1 and found == [offsets[n] for n in range(len(offsets))], "the index")
            pointer = struct.pack("<Q", offset)
    require(chunks[-1][1] == pointer, "the pointer to the index")


# Section 9: the payload.


@dataclass(frozen=True)
class Row:
    """A row of a table: the borders L(0) to L(n) of its symbols, and the value of symbol 0."""

    borders: list[int]
    offset: int

    @classmethod
    def of(cls, sums: list[int], offset: int) -> "Row":
        """A row from the running sums c(0) to c(n)."""
        n = len(sums) - 1
        require(sums[0] == 0 and sums[-1] == 2**16 and 2 <= n <= 8192, "a row of a table")
        require(all(a < b for a, b in pairwise(sums)), "frequencies of at least 1")
        return cls([c * (PARTS - n) // 2**16 + s for s, c in enumerate(sums)], offset)


CLASS_FREQUENCIES = [32761] + [2 ** (15 - q) for q in range(1, 16)] + [1] * 8
CLASSES = Row.of([sum(CLASS_FREQUENCIES[:q]) for q in range(25)], 0)


@dataclass
class Payload:
    """Words to symbols, with a note of every interval so that the symbols can be coded again."""

    words: list[int]
    intervals: list[tuple[int, int]] = field(default_factory=list)
    escapes: int = 0

    def __post_init__(self) -> None:
        self.low, self.range, self.next = 0, 2**64 - 1, 2
        self.point = self.word(0) << 32 | self.word(1)

    def word(self, number: int) -> int:
        """Word of that number; those after the last one are 0."""
        return self.words[number] if number < len(self.words) else 0

    def quantile(self) -> int:
        """The part of 2^24 in which the point lies."""
        part = (self.point - self.low) % 2**64 // (self.range >> 24)
        require(part < PARTS, "the quantile")
        return part

    def take(self, a: int, b: int) -> None:
        """Go past the symbol with the interval from a to b."""
        self.intervals.append((a, b))
        scale = self.range >> 24
        self.low = (self.low + scale * a) % 2**64
        self.range = scale * (b - a)
        if self.range < WORD:
            self.low = self.low * WORD % 2**64
            self.range *= WORD
            self.point = self.point * WORD % 2**64 + self.word(self.next)
            self.next += 1

    def symbol(self, row: Row) -> int:
        """The next symbol, of a row."""
        symbol = bisect_right(row.borders, self.quantile()) - 1
        self.take(row.borders[symbol], row.borders[symbol + 1])
        return symbol

    def bits(self, count: int) -> int:
        """The next bits, all equally probable; none are 0."""
        if count == 0:
            return 0
        value = self.quantile() >> (24 - count)
        self.take(value << (24 - count), (value + 1) << (24 - count))
        return value

    def batch(self, rows: Ints, table: list[Row]) -> Ints:
        """The values of a batch, given the row of each."""
        values = np.zeros(rows.size, np.int64)
        escaped: list[int] = []
        for place in np.argsort(rows, kind="stable").tolist():
            if rows[place] == 255:
                break
            row = table[int(rows[place])]
            symbol = self.symbol(row)
            values[place] = row.offset + symbol
            if symbol == len(row.borders) - 2:
                escaped.append(place)
        classes = [self.symbol(CLASSES) for _ in escaped]
        for place, q in zip(escaped, classes, strict=True):
            row = table[int(rows[place])]
            high = row.offset + len(row.borders) - 3
            u = 2**q - 1 + self.bits(q)
            values[place] = high + 1 + u // 2 if u % 2 == 0 else row.offset - 1 - (u - 1) // 2
        self.escapes += len(escaped)
        return values


def words_of(intervals: list[tuple[int, int]]) -> list[int]:
    """Symbols to words."""
    if not intervals:
        return []
    low, span, count = 0, 2**64 - 1, 0
    for a, b in intervals:
        scale = span >> 24
        low += scale * a
        span = scale * (b - a)
        if span < WORD:
            low, span, count = low << 32, span << 32, count + 1
    number = (low + WORD - 1) >> 32
    words = [number >> (32 * place) & (WORD - 1) for place in range(count, -1, -1)]
    return [*words, 0] if (low + span) >> 32 == number else words


# Section 10: the exact path. Arrays are [rows, columns, channels].


def regrid(x: Ints, k: Ints | int) -> Ints:
    """Divide by 2^k with rounding."""
    return (x + (1 << np.asarray(k, np.int64) >> 1)) >> k


def up(x: Ints) -> Ints:
    """[h, w, 4C] to [2h, 2w, C]."""
    h, w, channels = x.shape
    return x.reshape(h, w, channels // 4, 2, 2).transpose(0, 3, 1, 4, 2).reshape(2 * h, 2 * w, channels // 4)


class Model:
    """The integers of a model file."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.hash = hashlib.sha256(data).digest()[:8]
        (length,) = struct.unpack_from("<Q", data)
        self.architecture = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["architecture"])
        tensors = load(data)
        self.tensors = {name: tensors[name].astype(np.int64) for name in tensors if "transform" not in name}
        self.y, self.z = self.table("table.y"), self.table("table.z")

    def get(self, name: str) -> Ints:
        """A tensor of the exact path."""
        return self.tensors[f"exact.{name}"]

    def table(self, name: str) -> list[Row]:
        """The rows of a table."""
        cdf, size, offset = (self.tensors[f"{name}.{part}"].tolist() for part in ("cdf", "size", "offset"))
        return [Row.of(c[: n + 1], o) for c, n, o in zip(cdf, size, offset, strict=True)]

    def finish(self, name: str, sums: Ints) -> Ints:
        """Bias, shift and clamp of a layer."""
        low, high = self.get(f"{name}.clamp").tolist()
        return np.clip(regrid(sums + self.get(f"{name}.bias"), self.get(f"{name}.shift")), low, high)

    def linear(self, name: str, x: Ints) -> Ints:
        """A linear layer."""
        return self.finish(name, x @ self.get(f"{name}.weight").T)

    def depthwise(self, name: str, x: Ints) -> Ints:
        """A depthwise layer."""
        h, w, _ = x.shape
        wide = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        taps = enumerate(self.get(f"{name}.weight"))
        return self.finish(
            name, sum((wide[t // 3 : t // 3 + h, t % 3 : t % 3 + w] * k for t, k in taps), 0 * x)
        )

    def limit(self, name: str, x: Ints) -> Ints:
        """Clamp to the bound of a block."""
        bound = int(self.get(f"{name}.bound")[0])
        return np.clip(x, -bound, bound)

    def block(self, name: str, x: Ints) -> Ints:
        """A block."""
        inner = self.depthwise(f"{name}.depthwise", self.linear(f"{name}.enter", x))
        x = self.limit(name, x + self.linear(f"{name}.leave", inner))
        groups = np.split(self.linear(f"{name}.expand", x), 4, axis=-1)
        mixed = np.minimum(groups[0] + groups[1] + groups[2] + groups[3], self.get(f"{name}.bound")[0])
        return self.limit(name, x + self.linear(f"{name}.contract", mixed))

    def features(self, z: Ints, level: int, h: int, w: int, added: Ints | None = None) -> Ints:
        """Hyper-latents, and what an inter frame adds (section 19), to the feature of the prior."""
        x = self.block("hyper.block1", self.limit("hyper.block1", z * self.get("hyper.grid")))
        x = self.block("hyper.block2", up(self.linear("hyper.up1", x)))
        x = up(self.linear("hyper.up2", x)) + self.get("hyper.level_bias")[level]
        x = self.limit("hyper.block1", x)[:h, :w]
        if added is not None:
            x = self.limit("prior.fuse1", x + added)
        return self.block("prior.fuse2", self.block("prior.fuse1", x))

    def predict(self, n: int, feature: Ints, decoded: Ints, level: int) -> tuple[Ints, Ints]:
        """Means and rows of step n, at all latents."""
        octave = self.get("prior.octaves")[level]
        if n > 0:
            context = self.limit("prior.trunk", regrid(decoded, self.get("prior.context_shift") + octave))
            both = np.concatenate([context, feature], axis=-1)
            feature = self.block("prior.trunk", self.linear(f"prior.adaptor{n}", both))
        m, i = np.split(self.linear(f"prior.head{n}", feature), 2, axis=-1)
        mean = np.where(octave >= 4, m << np.maximum(octave - 4, 0), regrid(m, np.maximum(4 - octave, 0)))
        index = np.clip(regrid(i + self.get("prior.level_index")[level], 4), 0, 63)
        return np.clip(mean, -(2**20), 2**20), np.where(index == 0, 255, index)


@dataclass(frozen=True)
class Decoded:
    """The integers of a tile, their hash, and the payload that they code to."""

    hyper_latents: Ints
    latents: Ints  # in units of 1/64 step
    symbols: Ints
    latent_hash: int
    payload: bytes
    escapes: int


def words_in(payload: bytes) -> Payload:
    """A payload, ready to decode."""
    require(len(payload) % 4 == 0, "the payload consists of words")
    return Payload([word for (word,) in struct.iter_unpack("<I", payload)])


def coded_again(payload: Payload) -> bytes:
    """What an encoder writes for the symbols decoded so far."""
    return b"".join(struct.pack("<I", word) for word in words_of(payload.intervals))


def decode_tile(
    tile: Tile, quality_centi: int, model: Model, added: Ints | None = None, skipped: Ints | None = None
) -> Decoded:
    """Section 10 on one tile; `added` and `skipped` (of 0 and 1) are those of section 19."""
    payload = words_in(tile.payload)
    level = (quality_centi * 63 + 5000) // 10000
    h, w, channels = -(-tile.height // 16), -(-tile.width // 16), model.architecture["latent"]
    shape = (-(-h // 4), -(-w // 4), model.architecture["hyper"])
    z_rows = np.broadcast_to(np.arange(shape[2]), shape).ravel()
    z = payload.batch(z_rows, model.z).reshape(shape)
    feature = model.features(z, level, h, w, added)
    decoded = np.zeros((h, w, channels), np.int64)
    symbols = np.zeros_like(decoded)
    r, q, c = np.indices(decoded.shape)
    for n, turn in enumerate((0, 3, 2, 1)):
        mean, rows = model.predict(n, feature, decoded, level)
        here = (c % 4 ^ turn) == 2 * (r % 2) + q % 2
        if skipped is not None:
            rows = np.where(skipped[:, :, None] == 1, 255, rows)
        symbols[here] = payload.batch(rows[here], model.y)
        decoded[here] = 64 * symbols[here] + mean[here]
    require(bool(np.abs(symbols).max() <= 2**14), "the range of symbols")
    latent_hash = zlib.crc32(z.astype("<i4").tobytes() + decoded.astype("<i4").tobytes())
    return Decoded(z, decoded, symbols, latent_hash, coded_again(payload), payload.escapes)
