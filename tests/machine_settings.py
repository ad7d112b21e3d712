"""One program in processes of different settings, as machines differ."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor


def outputs_of(program: str, runs: Sequence[tuple[Sequence[str], Mapping[str, str]]]) -> list[str]:
    """What the program prints for each list of words and environment, two at once; all must succeed."""

    def run(words: Sequence[str], environment: Mapping[str, str]) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, *zip(*runs, strict=True)))
