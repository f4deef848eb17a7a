"""Values of y that were not measured cost nothing, in every loss."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sknn.engine.losses._namespace import TORCH
from sknn.losses import CLASS_LOSSES, NUMPY, VALUE_LOSSES, MeasuredLoss, read_settings

N, COLUMNS, MEMBERS = 7, 3, 2
FUNCTIONS = {
    **dict.fromkeys(VALUE_LOSSES, (VALUE_LOSSES, "function")),
    **{f"{name} of labels": (CLASS_LOSSES, "per_label") for name in CLASS_LOSSES},
}


@pytest.fixture(params=FUNCTIONS)
def case(request, rng):
    """Return a loss, its settings, raw predictions of members, and y with missing values."""
    table, which = FUNCTIONS[request.param]
    entry = table[request.param.removesuffix(" of labels")]
    given = {"quantiles": (0.1, 0.5, 0.9)} if request.param == "quantile" else {}
    settings = read_settings(entry.name, entry.settings, given)
    n_raw = entry.output.n_raw(settings) if which == "function" else 1
    z = rng.normal(size=(MEMBERS, COLUMNS * n_raw, N))
    y = rng.integers(1, 3, (COLUMNS, N)) - (1.0 if which == "per_label" else 0.0)
    missing = rng.random((COLUMNS, N)) < 0.4
    missing[:, 0], missing[:, 1] = True, False
    return getattr(entry, which), n_raw, settings, z, np.where(missing, np.nan, y)


def test_the_loss_is_that_of_the_measured_columns(case):
    function, n_raw, settings, z, y = case
    got = MeasuredLoss(function, n_raw).value(NUMPY, z, y, **settings)
    for sample in range(N):
        kept = np.flatnonzero(~np.isnan(y[:, sample]))
        raw = (kept[:, None] * n_raw + np.arange(n_raw)).ravel()
        expected = 0.0
        if len(kept):
            one = z[:, raw, sample, None], y[kept, sample, None]
            expected = function.value(NUMPY, *one, **settings)[:, 0]
        assert_allclose(got[:, sample], expected, rtol=1e-12)


def test_the_gradient_is_that_of_the_loss(case):
    function, n_raw, settings, z, y = case
    loss, step = MeasuredLoss(function, n_raw), 1e-6
    gradient = np.full_like(z, np.nan)
    loss.gradient(NUMPY, z, y, gradient, **settings)
    assert_array_equal(gradient[np.broadcast_to(np.isnan(y).repeat(n_raw, 0), z.shape)], 0)
    for row in range(z.shape[1]):
        moved = np.zeros_like(z)
        moved[:, row] = step
        up, down = (loss.value(NUMPY, z + s * moved, y, **settings) for s in (1, -1))
        assert_allclose(gradient[:, row], (up - down) / (2 * step), atol=1e-7)


def test_tensors_give_what_arrays_do(case):
    function, n_raw, settings, z, y = case
    loss = MeasuredLoss(function, n_raw)
    gradient, expected = torch.empty(*z.shape, dtype=torch.float64), np.empty_like(z)
    loss.gradient(NUMPY, z, y, expected, **settings)
    loss.gradient(TORCH, torch.tensor(z), torch.tensor(y), gradient, **settings)
    assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)
    value = loss.value(TORCH, torch.tensor(z), torch.tensor(y), **settings)
    assert_allclose(value, loss.value(NUMPY, z, y, **settings), rtol=1e-9)


def test_floats_stay_as_short_as_they_are():
    loss = MeasuredLoss(VALUE_LOSSES["squared_error"].function)
    z, y = np.ones((2, 3), np.float32), np.full((2, 3), np.nan, np.float32)
    assert loss.value(NUMPY, z, y).dtype == np.float32
    assert loss.value(TORCH, torch.tensor(z), torch.tensor(y)).dtype == torch.float32
