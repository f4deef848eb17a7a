"""The loss of tables: its gradient, what it leaves out, and torch's numbers against NumPy's."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sknn.engine.losses._namespace import TORCH
from sknn.losses import NUMPY, RECONSTRUCTION

RNG = np.random.default_rng(0)
N_LEVELS = (3, 2)
#: two numbers and two categories of four samples, some values missing
Y = np.array(
    [[0.5, np.nan, 1.0, 2.0], [1.0, 2.0, np.nan, 0.0], [0, 2, np.nan, 1], [1, 0, 1, np.nan]]
)
LOSS = RECONSTRUCTION.function


def make_raw(has_divergence):
    return RNG.normal(size=(2 + sum(N_LEVELS) + has_divergence, 4))


@pytest.mark.parametrize("has_divergence", [False, True])
def test_gradient_is_that_of_finite_differences(has_divergence):
    z, settings = make_raw(has_divergence), {"n_levels": N_LEVELS, "kl_weight": 0.7}
    gradient, step = np.full_like(z, np.nan), 1e-6
    LOSS.gradient(NUMPY, z, Y, gradient, **settings)
    for i in range(len(z)):
        shift = step * np.eye(len(z))[i][:, None]
        above, below = (LOSS.value(NUMPY, z + sign * shift, Y, **settings) for sign in (1, -1))
        assert_allclose(gradient[i], (above - below) / (2 * step), atol=1e-7)


def test_missing_values_change_nothing():
    settings = {"n_levels": N_LEVELS, "kl_weight": 0.0}
    z = make_raw(False)
    value, gradient = LOSS.value(NUMPY, z, Y, **settings), np.empty_like(z)
    LOSS.gradient(NUMPY, z, Y, gradient, **settings)
    assert gradient[0, 1] == gradient[1, 2] == 0
    assert not gradient[2:5, 2].any()
    assert not gradient[5:, 3].any()
    z[0, 1] = z[1, 2] = 99.0
    z[2:5, 2] = 1.0
    assert_allclose(LOSS.value(NUMPY, z, Y, **settings), value)


def test_torch_computes_what_numpy_does():
    z, settings = make_raw(True), {"n_levels": N_LEVELS, "kl_weight": 0.7}
    tensors = torch.from_numpy(z), torch.from_numpy(Y)
    assert_allclose(LOSS.value(TORCH, *tensors, **settings), LOSS.value(NUMPY, z, Y, **settings))
    ours, theirs = np.empty_like(z), torch.empty_like(tensors[0])
    LOSS.gradient(NUMPY, z, Y, ours, **settings)
    LOSS.gradient(TORCH, *tensors, theirs, **settings)
    assert_allclose(theirs, ours)
