"""A second decoder of the integers of clips, written from sections 18 and 19 of FORMAT.md alone."""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from format_decoder import (
    Decoded,
    Ints,
    Model,
    Payload,
    Row,
    Tile,
    coded_again,
    decode_tile,
    read_varint,
    regrid,
    require,
    split_chunks,
    words_in,
)

SPREADS = (0, 2, 6, 16, 48)
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1))
Entry = tuple[int, int]  # row and column


@dataclass(frozen=True)
class ClipHeader:
    """What the header says, as far as the integers need it; `inter_hash` is None in format 1.1."""

    quality_centi: int
    width: int
    height: int
    tile_side: int
    key_hash: bytes
    inter_hash: bytes | None


@dataclass(frozen=True)
class ClipFrame:
    """A frame chunk; `motion` is hash and payload, None of a key frame."""

    quality_centi: int
    motion: tuple[int, bytes] | None
    tiles: list[Tile]
    corners: list[tuple[int, int]]  # of the tiles: column and row, in pixels


@dataclass(frozen=True)
class Motion:
    """Field [2, rows, columns] and skip map of an inter frame, their hash, and the payload they code to."""

    field: Ints
    skips: Ints
    hash: int
    payload: bytes


@dataclass(frozen=True)
class DecodedFrame:
    """The integers of a frame: its tiles, and of an inter frame its motion."""

    tiles: list[Decoded]
    motion: Motion | None


# Section 18: the container.


def read_header(payload: bytes) -> ClipHeader:
    """The header of a clip."""
    version, picture, geometry, quality = struct.unpack_from("<BBBH", payload)
    require(version in (0x11, 0x12) and picture & 0b11100011 == 1, "version and picture")
    width, at = read_varint(payload, 5)
    height, at = read_varint(payload, at)
    _, at = read_varint(payload, at)
    key_hash, at = payload[at : at + 8], at + 8
    for _ in range(6):  # tick, rate, aspect
        _, at = read_varint(payload, at)
    at += 5  # source, depth, primaries, transfer, matrix
    inter_hash = None
    if version == 0x12:
        _, at = read_varint(payload, at)
        inter_hash, at = payload[at : at + 8], at + 8
    require(at == len(payload), "the length of the header")
    return ClipHeader(quality, width, height, 1 << (geometry >> 3), key_hash, inter_hash)


def read_frame(payload: bytes, header: ClipHeader, expected: int) -> ClipFrame:
    """A frame chunk."""
    flags = payload[0]
    require(flags & 0b11111010 == 0, "the flags of a frame")
    number, at = read_varint(payload, 1)
    require(number == expected, "frame numbers rise by one")
    for _ in range(2):  # time, duration
        _, at = read_varint(payload, at)
    quality = header.quality_centi
    if flags & 4:
        (quality,) = struct.unpack_from("<H", payload, at)
        at += 2
    motion = None
    if flags & 1:
        (motion_hash,) = struct.unpack_from("<I", payload, at)
        length, at = read_varint(payload, at + 4)
        motion, at = (motion_hash, payload[at : at + length]), at + length
    side, tiles, corners = header.tile_side, [], []
    across, down = -(-header.width // side), -(-header.height // side)
    for tile in range(across * down):
        column, row = tile % across * side, tile // across * side
        (latent_hash,) = struct.unpack_from("<I", payload, at)
        at, length = at + 4, len(payload) - at - 4
        if tile < across * down - 1:
            length, at = read_varint(payload, at)
        width, height = min(side, header.width - column), min(side, header.height - row)
        tiles.append(Tile(width, height, latent_hash, payload[at : at + length]))
        corners.append((column, row))
        at += length
    return ClipFrame(quality, motion, tiles, corners)


def read_clip(data: bytes) -> tuple[ClipHeader, list[ClipFrame]]:
    """The header and all frames."""
    chunks = split_chunks(data)
    header = read_header(chunks[0][1])
    payloads = [payload for kind, payload, _ in chunks if kind == "F"]
    return header, [read_frame(payload, header, number) for number, payload in enumerate(payloads)]


# Section 19.


def passes(rows: int, columns: int) -> list[tuple[int, list[Entry], tuple[tuple[int, int], ...]]]:
    """For each pass s, its entries in raster order, and where their neighbours are, in units of s."""
    s = 1
    while s < rows or s < columns:
        s *= 2
    found: list[tuple[int, list[Entry], tuple[tuple[int, int], ...]]] = [(s, [(0, 0)], ())]
    while s > 1:
        s //= 2
        grid = [(r, c) for r in range(0, rows, s) for c in range(0, columns, s)]
        odd = {(r, c): r // s % 2 + c // s % 2 for r, c in grid}
        found += [
            (s, [e for e in grid if odd[e] == 2], DIAGONAL),
            (s, [e for e in grid if odd[e] == 1], STRAIGHT),
        ]
    return found


def expected_of(values: list[int]) -> int:
    """What the neighbours say of one component."""
    total, n = sum(values), len(values)
    if n < 3:
        return (total + 1) >> 1 if n == 2 else total
    total -= max(values) + min(values)
    return (total + 1) >> 1 if n == 4 else total


def decode_field(words: Payload, rows: int, columns: int, table: list[Row]) -> Ints:
    """The field [2, rows, columns]."""
    require(len(table) == 54, "the rows of the motion table")
    field: dict[Entry, list[int]] = {}
    for s, entries, directions in passes(rows, columns):
        t = 0 if s == 1 else 1 if s == 2 else 2
        wanted, first = [], []
        for r, c in entries:
            around = [field[e] for y, x in directions if (e := (r + y * s, c + x * s)) in field]
            components = list(zip(*around, strict=True)) if around else [(), ()]
            spread = sum(max(part) - min(part) for part in components if part)
            k = sum(limit < spread for limit in SPREADS) if around else 5
            wanted.append([expected_of(list(part)) for part in components])
            first.append(9 * k + 3 * t)
        rows_of = np.array(first, np.int64)
        right = words.batch(rows_of, table)
        down = words.batch(rows_of + np.where(right == 0, 1, 2), table)
        for entry, expected, x, y in zip(entries, wanted, right.tolist(), down.tolist(), strict=True):
            field[entry] = [expected[0] + x, expected[1] + y]
            require(max(map(abs, field[entry])) <= 2**14, "the range of motion")
    return np.array([[[field[r, c][part] for c in range(columns)] for r in range(rows)] for part in (0, 1)])


def decode_skips(words: Payload, field: Ints, before: Ints | None, better: bool, table: list[Row]) -> Ints:
    """The skip map [h, w]; `before` is that of the frame before, None of a key frame."""
    require(len(table) == 48, "the rows of the skip table")
    rows, columns = field.shape[1] // 2, field.shape[2] // 2
    skips: dict[Entry, int] = {}
    for s, entries, directions in passes(rows, columns):
        wanted = []
        for r, c in entries:
            around = [skips[e] for y, x in directions if (e := (r + y * s, c + x * s)) in skips]
            share = sum(around) / len(around) if around else 0.0
            k = (
                0
                if not around
                else 1
                if share == 0
                else 5
                if share == 1
                else 3 + (share > 0.5) - (share < 0.5)
            )
            moves = bool(field[:, 2 * r : 2 * r + 2, 2 * c : 2 * c + 2].any())
            wanted.append(8 * k + 4 * better + 2 * int(before is not None and before[r, c]) + moves)
        values = words.batch(np.array(wanted, np.int64), table).tolist()
        require(set(values) <= {0, 1}, "a skip map is of 0 and 1")
        skips |= dict(zip(entries, values, strict=True))
    return np.array([[skips[r, c] for c in range(columns)] for r in range(rows)])


def decode_motion(
    payload: bytes, rows: int, columns: int, model: Model, before: Ints | None, better: bool
) -> Motion:
    """The motion payload of a frame whose field has so many rows and columns."""
    words = words_in(payload)
    field = decode_field(words, rows, columns, model.table("table.motion"))
    skips = decode_skips(words, field, before, better, model.table("table.skip"))
    found = zlib.crc32(field.astype("<i4").tobytes() + skips.astype("u1").tobytes())
    return Motion(field, skips, found, coded_again(words))


def motion_features(field: Ints) -> Ints:
    """[2, 2h, 2w] -> [h, w, 8]."""
    _, rows, columns = field.shape
    features = np.zeros((rows // 2, columns // 2, 8), np.int64)
    for part, r, c in np.ndindex(field.shape):
        near = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
        around = [
            field[part, y, x] if 0 <= y < rows and 0 <= x < columns else field[part, r, c] for y, x in near
        ]
        apart = abs(4 * field[part, r, c] - sum(around))
        features[r // 2, c // 2, 4 * part + 2 * (r % 2) + c % 2] = min(apart, 127)
    return features


def added_to(field: Ints, before: Ints | None, level_before: int, model: Model) -> Ints:
    """The temporal context [h, w, P]; `before` are the latents of the frame before, None of a key frame."""
    features = motion_features(field)
    if before is None:
        before = np.zeros((*features.shape[:2], model.architecture["latent"]), np.int64)
    shift = model.get("temporal.context_shift") + model.get("prior.octaves")[level_before]
    context = model.limit("temporal", regrid(before, shift))
    return model.linear("temporal.adaptor", np.concatenate([context, features], axis=-1))


def decode_clip(header: ClipHeader, frames: list[ClipFrame], key: Model, inter: Model) -> list[DecodedFrame]:
    """The integers of all frames."""
    h, w = -(-header.height // 16), -(-header.width // 16)
    found: list[DecodedFrame] = []
    before, skips, centi_before = None, None, 0
    for frame in frames:
        if frame.motion is None:
            tiles = [decode_tile(tile, frame.quality_centi, key) for tile in frame.tiles]
            found.append(DecodedFrame(tiles, None))
            before = skips = None
            continue
        better = before is not None and frame.quality_centi > centi_before
        motion = decode_motion(frame.motion[1], 2 * h, 2 * w, inter, skips, better)
        added = added_to(motion.field, before, (centi_before * 63 + 5000) // 10000, inter)
        latents = np.zeros((h, w, inter.architecture["latent"]), np.int64)
        tiles = []
        for tile, (column, row) in zip(frame.tiles, frame.corners, strict=True):
            part = (
                slice(row // 16, -(-(row + tile.height) // 16)),
                slice(column // 16, -(-(column + tile.width) // 16)),
            )
            tiles.append(decode_tile(tile, frame.quality_centi, inter, added[part], motion.skips[part]))
            latents[part] = tiles[-1].latents
        found.append(DecodedFrame(tiles, motion))
        before, skips, centi_before = latents, motion.skips, frame.quality_centi
    return found
