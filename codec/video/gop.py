"""How far apart key frames are: few cost fewer bytes, many make seeking quick and damage cheap."""

DEFAULT_GOP = 64  # frames from one key frame to the next; 1 is key frames only


def gop_for(gop: int | None) -> int:
    """The distance asked for, or the default one. Raises ValueError below 1."""
    if gop is None:
        return DEFAULT_GOP
    if gop < 1:
        raise ValueError(f"gop must be at least 1 (key frames only), not {gop}")
    return gop
