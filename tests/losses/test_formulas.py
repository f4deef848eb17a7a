"""Values and gradients of every loss: against numeric differences, autograd, torch, and stacked."""

import numpy as np
import pytest
import torch

from sknn.engine.losses._namespace import TORCH
from sknn.losses import CLASS_LOSSES, NUMPY, VALUE_LOSSES, read_settings

N, COLUMNS, NETWORKS = 7, 3, 2
LEVELS = (0.05, 0.3, 0.5, 0.8, 0.99)

#: case -> name, settings given, which formulas of the entry
CASES = {
    **{name: (name, {}, "function") for name in VALUE_LOSSES},
    **{f"{name}, classes": (name, {}, "per_class") for name in CLASS_LOSSES},
    **{f"{name}, labels": (name, {}, "per_label") for name in CLASS_LOSSES},
    "huber, narrow": ("huber", {"delta": 0.3}, "function"),
    "quantiles": ("quantile", {"quantiles": LEVELS}, "function"),
    "quantiles above": ("quantile", {"quantiles": (0.6, 0.7, 0.9)}, "function"),
    "quantiles below": ("quantile", {"quantiles": (0.1, 0.2, 0.4)}, "function"),
    "gaussian_nll, wide": ("gaussian_nll", {"min_std": 0.5}, "function"),
    "ordered_bins, six": ("ordered_bins", {"n_bins": 6}, "function"),
    "log_loss, smoothed": ("log_loss", {"label_smoothing": 0.2}, "per_class"),
    "log_loss, labels smoothed": ("log_loss", {"label_smoothing": 0.2}, "per_label"),
    "focal, smoothed": ("focal", {"gamma": 0.4, "label_smoothing": 0.1}, "per_class"),
    "focal, labels smoothed": ("focal", {"gamma": 1.5, "label_smoothing": 0.1}, "per_label"),
}


def entry_of(case):
    name, given, which = CASES[case]
    entry = VALUE_LOSSES[name] if which == "function" else CLASS_LOSSES[name]
    return entry, read_settings(name, entry.settings, given), getattr(entry, which)


def data(case, rng, networks=()):
    """Return raw predictions with leading axes, and targets that all networks share."""
    entry, settings, _ = entry_of(case)
    which = CASES[case][2]
    n_raw = entry.output.n_raw(settings) if which == "function" else 1
    z = rng.normal(size=(*networks, COLUMNS * n_raw, N))
    if which == "per_class":
        return z, np.eye(COLUMNS)[rng.integers(0, COLUMNS, N)].T
    if which == "per_label":
        return z, rng.integers(0, 2, (COLUMNS, N)).astype(float)
    return z, rng.gamma(2.0, size=(COLUMNS, N)) if entry.lowest else rng.normal(size=(COLUMNS, N))


@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_numeric_differences(case, rng):
    _, settings, function = entry_of(case)
    z, y = data(case, rng)
    gradient, step = np.full_like(z, np.nan), 1e-6
    function.gradient(NUMPY, z, y, gradient, **settings)
    for row in range(len(z)):  # samples do not see each other: a step of all is one of each
        moved = np.zeros_like(z)
        moved[row] = step
        up, down = (function.value(NUMPY, z + s * moved, y, **settings) for s in (1, -1))
        np.testing.assert_allclose(gradient[row], (up - down) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("networks", [(), (NETWORKS,)], ids=["single", "stacked"])
@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_autograds(case, networks, rng):
    _, settings, function = entry_of(case)
    z, y = map(torch.from_numpy, data(case, rng, networks))
    before, out = (z.clone(), y.clone()), torch.full_like(z, torch.nan)
    function.gradient(TORCH, z, y, out, **settings)
    assert torch.equal(z, before[0])
    assert torch.equal(y, before[1])
    z.requires_grad_()
    value = function.value(TORCH, z, y, **settings)
    assert value.shape == (*networks, N)
    value.sum().backward()
    torch.testing.assert_close(out, z.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e3])
@pytest.mark.parametrize("case", CASES)
def test_formulas_are_the_same_for_numpy_and_torch(case, size, rng):
    entry, settings, function = entry_of(case)
    z, y = data(case, rng)
    z = z if getattr(entry, "lowest", "") else size * z  # exponential functions overflow
    theirs = [np.empty_like(z), torch.empty(z.shape, dtype=torch.float64)]
    function.gradient(NUMPY, z, y, theirs[0], **settings)
    function.gradient(TORCH, torch.from_numpy(z), torch.from_numpy(y), theirs[1], **settings)
    np.testing.assert_allclose(theirs[1].numpy(), theirs[0], rtol=1e-10, atol=1e-12)
    one = function.value(NUMPY, z, y, **settings)
    other = function.value(TORCH, torch.from_numpy(z), torch.from_numpy(y), **settings)
    np.testing.assert_allclose(other.numpy(), one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_stacked_networks_have_the_values_and_gradients_of_each_alone(case, rng):
    _, settings, function = entry_of(case)
    z, y = map(torch.from_numpy, data(case, rng, (NETWORKS,)))
    stacked = torch.empty_like(z)
    function.gradient(TORCH, z, y, stacked, **settings)
    values = function.value(TORCH, z, y, **settings)
    for i in range(NETWORKS):
        alone = torch.empty_like(z[i])
        function.gradient(TORCH, z[i], y, alone, **settings)
        torch.testing.assert_close(stacked[i], alone, rtol=0, atol=1e-14)
        own = function.value(TORCH, z[i], y, **settings)
        torch.testing.assert_close(values[i], own, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][2] == "function"])
def test_inverse_links_are_the_same_for_numpy_and_torch(case, rng):
    entry, settings, _ = entry_of(case)
    raw = 30 * rng.normal(size=(COLUMNS, entry.output.n_raw(settings), N))
    one = entry.output.predict(NUMPY, raw, settings)
    other = entry.output.predict(TORCH, torch.from_numpy(raw), settings)
    np.testing.assert_allclose(other.numpy(), one, rtol=1e-12)
