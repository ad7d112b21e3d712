"""How a picture is cut into tiles: squares in raster order, the last ones of a row or column cut to it."""

from collections.abc import Iterator


class Tiling:
    """What follows from the size of a picture and of its tiles, for the header that has them."""

    __slots__ = ()

    width: int  # pixels
    height: int
    tile_log2: int  # log2 of the tile side in pixels

    @property
    def tile_size(self) -> int:
        """Side of a tile, pixels."""
        return 1 << self.tile_log2

    @property
    def tiles_across(self) -> int:
        """Tiles in a row."""
        return -(-self.width // self.tile_size)

    @property
    def tiles_down(self) -> int:
        """Tiles in a column."""
        return -(-self.height // self.tile_size)

    @property
    def tile_count(self) -> int:
        """Tiles in the file."""
        return self.tiles_across * self.tiles_down

    def check_tile(self, index: int) -> None:
        """Raises ValueError: no such tile."""
        if not 0 <= index < self.tile_count:
            raise ValueError(f"tile must be 0 to {self.tile_count - 1}, not {index}")

    def tile_box(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a tile in coded pixels, cut to the picture.

        Raises:
            ValueError: no such tile.
        """
        self.check_tile(index)
        row, column = divmod(index, self.tiles_across)
        left, top = column * self.tile_size, row * self.tile_size
        return left, top, min(self.tile_size, self.width - left), min(self.tile_size, self.height - top)

    def tiles_in(self, box: tuple[int, int, int, int]) -> Iterator[int]:
        """Numbers of the tiles whose corner lies in a box (left, top, width, height), in raster order."""
        side, across = self.tile_size, self.tiles_across
        for row in range(-(-box[1] // side), -(-(box[1] + box[3]) // side)):
            for column in range(-(-box[0] // side), -(-(box[0] + box[2]) // side)):
                yield row * across + column
