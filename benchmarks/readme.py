"""Put the tables of what was measured into README.md, in place of those that begin with the same line.

python benchmarks/readme.py README.md
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tables import tables


def renewed(text: str) -> str:
    """README with the tables in place of those that begin with the same line. Raises ValueError."""
    heads = {each[0]: each for each in tables()}
    lines = list(_replaced(text.splitlines(), heads))
    if heads:
        raise ValueError(f"there is no table that begins with {next(iter(heads))}")
    return "\n".join(lines) + "\n"


def _replaced(lines: Sequence[str], heads: dict[str, list[str]]) -> Iterator[str]:
    """Lines of the text; what is found is taken out of `heads`."""
    inside = False
    for each in lines:
        inside = inside and each.startswith("|")
        if each in heads:
            yield from heads.pop(each)
            inside = True
        if not inside:
            yield each


def main() -> None:
    """Write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("readme", type=Path)
    readme = parser.parse_args().readme
    readme.write_text(renewed(readme.read_text()))


if __name__ == "__main__":
    main()
