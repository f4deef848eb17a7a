"""What several test files need."""

from collections.abc import Iterator

import numpy as np


def damaged_copies(content: bytes, n_copies: int = 150) -> Iterator[bytes]:
    """Yield copies of a file that are cut short, or have bits or bytes changed."""
    rng = np.random.default_rng(0)
    for _ in range(n_copies):
        yield content[: rng.integers(len(content))]
        copy = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 4)):
            copy[place] = copy[place] ^ (1 << rng.integers(8)) if rng.random() < 0.7 else 0xFF
        yield bytes(copy)
