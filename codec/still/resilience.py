"""How a still in stages is made to survive the loss of a part of its file."""

from ...bitstream.spread import MAX_SHARES, Spread

MOST = 40  # percent: twice as much must leave something to decode from
_SHARE_PX = 2**14  # pixels of the picture to a share: about a kilobyte, in a packet of a network
_FEWEST = 24  # shares: with fewer, how many of them are lost is left too much to chance


def check_resilience(percent: int | None) -> None:
    """Raises ValueError for what cannot be asked for."""
    if percent is not None and not 1 <= percent <= MOST:
        raise ValueError(f"resilience must be 1 to {MOST} percent of a file, not {percent}")


def spread_for(pixels: int, stages: int, percent: int) -> Spread:
    """The shares of a picture that is whole as long as no more than `percent` of them are lost.

    Each stage before the last survives more, in equal steps; the first one the loss of twice as many.
    """
    count = min(max(_FEWEST, -(-pixels // _SHARE_PX)), MAX_SHARES)
    steps = max(1, stages - 1)
    lost = [count * percent * (2 * steps - stage) // (100 * steps) for stage in range(stages)]
    return Spread(count, tuple(count - each for each in lost))
