"""A second reader of shares, written from sections 5 and 8 of FORMAT.md alone: it solves linear equations."""

from format_decoder import read_varint, require, split_chunks


def times(a: int, b: int) -> int:
    """The product of two elements."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = a << 1 ^ (0x11D if a & 0x80 else 0), b >> 1
    return product


INVERSES = [0] * 256
for one in range(1, 256):
    INVERSES[one] = next(other for other in range(1, 256) if times(one, other) == 1)


def powers(point: int, count: int) -> list[int]:
    """1, the point, its square and so on."""
    found = [1]
    while len(found) < count:
        found.append(times(found[-1], point))
    return found


def coefficients(points: list[int], values: list[int]) -> list[int]:
    """Of the polynomial with these values: Gauss and Jordan."""
    rows = [[*powers(point, len(points)), value] for point, value in zip(points, values, strict=True)]
    for column in range(len(rows)):
        pivot = next(row for row in range(column, len(rows)) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = INVERSES[rows[column][column]]
        rows[column] = [times(scale, entry) for entry in rows[column]]
        for row in range(len(rows)):
            if row != column and (factor := rows[row][column]):
                rows[row] = [a ^ times(factor, b) for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[-1] for row in rows]


def slices(known: dict[int, bytes], wanted: range) -> list[bytes]:
    """All slices of a stage from k of them."""
    points, columns = list(known), zip(*known.values(), strict=True)
    found: list[list[int]] = [[] for _ in wanted]
    for column in columns:
        polynomial = coefficients(points, list(column))
        for point, out in zip(wanted, found, strict=True):
            value = 0
            for term in (times(a, b) for a, b in zip(polynomial, powers(point, len(points)), strict=True)):
                value ^= term
            out.append(value)
    return [bytes(each) for each in found]


def read_shares(data: bytes, tiles: int, use: slice) -> list[tuple[int, bytes]]:
    """Hash and payload of all parts of a whole file, stage after stage, from the shares in `use`."""
    chunks = split_chunks(data)
    head = next(payload for kind, payload, _ in chunks if kind == "H")
    _, at = read_varint(head, 5)
    _, at = read_varint(head, at)
    _, at = read_varint(head, at)
    count, total, needed = head[at + 8] & 127, head[at + 9], head[at + 10 : -1]
    require(head[at + 8] & 128 == 128 and len(needed) == count, "shares in the header")
    shares = [payload for kind, payload, _ in chunks if kind == "S"]
    require([share[0] for share in shares] == list(range(total)), "the order of shares")
    require(not any(kind in "PTi" for kind, _, _ in chunks), "nothing but shares")
    parts: list[tuple[int, bytes]] = []
    sizes: list[int] = []
    length, start = read_varint(shares[0], 1)
    for stage, k in enumerate(needed):
        if stage:
            start, length = start + length, -(-sizes[stage] // k)
        every = {share[0]: share[start : start + length] for share in shares}
        some = dict(list(every.items())[use][:k])
        require(slices(some, range(total)) == list(every.values()), "the slices of a stage")
        whole, at = b"".join(every[number] for number in range(k)), 0
        if stage == 0:
            while len(sizes) < count:
                size, at = read_varint(whole, at)
                sizes.append(size)
        end = at + sizes[stage]
        for tile in range(tiles):
            value, at = int.from_bytes(whole[at : at + 4], "little"), at + 4
            size, at = (end - at, at) if tile == tiles - 1 else read_varint(whole, at)
            parts.append((value, whole[at : at + size]))
            at += size
        require(at == end and not any(whole[end:]) and len(whole) - end < k, "the end of a stage's data")
    require(all(len(share) == start + length for share in shares), "the length of shares")
    return parts
