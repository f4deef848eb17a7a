"""Settings of the whole test run: one thread, no plots on a screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest


def pytest_collection_modifyitems(config, items):
    """Leave full products of options out, unless FULL=1 is set or ``-m`` speaks of them."""
    if os.environ.get("FULL") == "1" or "full" in config.getoption("markexpr"):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    # Small torch work with several threads on a busy machine is many times slower than with one.
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def global_random_seed():
    """The fixture of this name that scikit-learn's own tests use."""
    return 42
