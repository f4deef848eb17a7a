"""Settings of the whole test run: one thread, no plots on a screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest


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
