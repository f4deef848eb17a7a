"""What tests of several parts need."""

import pkgutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import sknn
from sknn._old_names import TRANSLATIONS

ROOT = Path(__file__).parents[1]
#: parts of the package that users do not import; docs/architecture.md describes them
INTERNAL = {"architectures", "deep", "engine", "losses"}
PUBLIC_MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(sknn.__path__)
    if not module.name.startswith("_") and module.name not in {*TRANSLATIONS, *INTERNAL}
)


def damaged_copies(content: bytes, n_copies: int = 150) -> Iterator[bytes]:
    """Yield copies of a file that are cut short, or have bits or bytes changed."""
    rng = np.random.default_rng(0)
    for _ in range(n_copies):
        yield content[: rng.integers(len(content))]
        copy = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 4)):
            copy[place] = copy[place] ^ (1 << rng.integers(8)) if rng.random() < 0.7 else 0xFF
        yield bytes(copy)
