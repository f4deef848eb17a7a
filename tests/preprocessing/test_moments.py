"""Means and deviations of columns that come a few samples at a time."""

import numpy as np
import pytest

from sknn.preprocessing import RunningMoments


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_moments_are_those_of_all_samples(offset, is_weighted):
    rng = np.random.RandomState(0)
    X = rng.randn(5000, 3) * [1, 10, 0.1] + offset
    X[rng.uniform(size=X.shape) < 0.2] = np.nan
    weight = rng.uniform(size=5000) if is_weighted else None
    moments = RunningMoments(3)
    for part in np.array_split(np.arange(5000), 7):
        moments.add(X[part], None if weight is None else weight[part])
    for j in range(3):
        there = ~np.isnan(X[:, j])
        w = None if weight is None else weight[there]
        mean = np.average(X[there, j], weights=w)
        variance = np.average((X[there, j] - mean) ** 2, weights=w)
        np.testing.assert_allclose(moments.mean[j], mean, rtol=1e-12)
        np.testing.assert_allclose(moments.deviation[j], np.sqrt(variance), rtol=1e-6)


def test_columns_without_values_and_sums_that_overflow_are_told():
    moments = RunningMoments(2)
    moments.add(np.array([[np.nan, 1e200], [np.nan, -1e200]]))
    assert moments.mean[0] == 0
    assert moments.weight.tolist() == [0, 2]
    assert not moments.are_finite
