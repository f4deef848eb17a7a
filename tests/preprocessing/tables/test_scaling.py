"""Scales of numeric columns against scikit-learn, SciPy, NumPy, and repeated rows."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from sknn.preprocessing.tables._numeric import Headers, fit_numeric_columns
from sknn.preprocessing.tables._scaling import (
    compute_weighted_mean,
    compute_weighted_quantiles,
    fit_scale,
)

SCALES = ("standard", "robust", "quantile")


def table(n_rows=60, missing=0.0):
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [rng.normal(5, 3, n_rows), rng.exponential(size=n_rows), rng.integers(0, 4, n_rows)]
    )
    X[rng.random(X.shape) < missing] = np.nan
    return X


@pytest.mark.parametrize("weights", [None, np.arange(1.0, 61)])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_standard_is_scikit_learns(missing, weights):
    X = table(missing=missing)
    expected = StandardScaler().fit(X, sample_weight=weights)
    fitted = fit_scale("standard", X, weights)
    assert_allclose(fitted.center, expected.mean_)
    assert_allclose(fitted(np.nan_to_num(X)), expected.transform(np.nan_to_num(X)))


def test_robust_is_the_formula_of_realmlp():
    X = table(61)  # quartiles fall on values, so that all definitions of them agree
    scaled = RobustScaler().fit_transform(X)
    assert_allclose(fit_scale("robust", X, None)(X), scaled / np.sqrt(1 + (scaled / 3) ** 2))


def test_robust_takes_the_range_where_quartiles_are_equal_and_gives_0_for_a_constant():
    X = np.column_stack([[0.0] * 9 + [4.0], [7.0] * 10, [0.1 + 0.2] * 5 + [0.3] * 5])
    encoded = fit_scale("robust", X, None)(X)
    assert_allclose(encoded[:, 0], [0.0] * 9 + [2 / np.sqrt(1 + 4 / 9)])
    assert_array_equal(encoded[:, 1:], 0)  # the last one has differences of rounding alone


def test_robust_stays_within_3_even_for_the_largest_numbers():
    fitted = fit_scale("robust", table(), None)
    extreme = np.array([[1e300, -1e300, 1e6]])
    assert_allclose(fitted(extreme), [[3, -3, 3]])


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_quantile_is_the_normal_score_of_the_middle_rank(missing):
    X = table(missing=missing)
    encoded = fit_scale("quantile", X, None)(X)
    for j in range(X.shape[1]):
        there = ~np.isnan(X[:, j])
        share = (rankdata(X[there, j]) - 0.5) / there.sum()
        assert_allclose(encoded[there, j], ndtri(share), atol=1e-12)


def test_quantile_agrees_with_scikit_learn_but_for_the_ends():
    X = np.random.default_rng(0).exponential(size=(5000, 1))
    expected = QuantileTransformer(output_distribution="normal", subsample=None).fit_transform(X)
    encoded = fit_scale("quantile", X, None)(X)
    middle = np.abs(expected) < 2
    assert middle.mean() > 0.9
    assert_allclose(encoded[middle], expected[middle], atol=0.02)
    assert np.abs(encoded).max() < 3.8 < np.abs(expected).max()


def test_quantile_of_two_values_and_of_one_lies_near_0():
    X = np.array([[0.0, 7.0], [1.0, 7.0]] * 5)
    encoded = fit_scale("quantile", X, None)(X)
    assert_allclose(encoded[:2], [[ndtri(0.25), 0], [ndtri(0.75), 0]])


def test_quantile_keeps_a_thousand_values_at_most_and_both_ends():
    X = np.random.default_rng(0).normal(size=(20_000, 1))
    fitted = fit_scale("quantile", X, None)
    values, _ = fitted.knots[0]
    assert len(values) <= 1000
    assert (values[0], values[-1]) == (X.min(), X.max())
    exact = ndtri((rankdata(X) - 0.5) / len(X))
    assert_allclose(fitted(X)[:, 0], exact, atol=0.01)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("scale", SCALES)
def test_weights_are_numbers_of_equal_samples(scale, missing):
    X = table(missing=missing)
    times = np.random.default_rng(1).integers(1, 4, len(X))
    weighted = fit_scale(scale, X, times.astype(float))
    repeated = fit_scale(scale, np.repeat(X, times, axis=0), None)
    grid = np.linspace(-2, 12, 30)[:, None] * np.ones(3)
    assert_allclose(weighted(grid), repeated(grid), atol=1e-12)
    assert_allclose(weighted.center, repeated.center)


@pytest.mark.parametrize("smallest", [1e-300, 1e-16, 1e-8])
def test_values_of_next_to_no_weight_have_finite_scores_in_their_order(smallest):
    X = np.arange(5.0)[:, None]
    weights = np.full(5, smallest)
    weights[2] = 1.0
    scores = fit_scale("quantile", X, weights)(X)[:, 0]
    assert np.isfinite(scores).all()
    assert np.all(np.diff(scores) >= 0)
    assert scores[2] == pytest.approx(0, abs=1e-7)
    assert abs(scores[[0, 4]]).min() > 5


@pytest.mark.parametrize("scale", SCALES)
def test_only_the_proportions_of_weights_count(scale):
    X, weights = table(), np.arange(1.0, 61)
    assert_allclose(fit_scale(scale, X, weights)(X), fit_scale(scale, X, weights * 0.001)(X))


@pytest.mark.parametrize("scale", SCALES)
def test_float32_is_scaled_in_float64(scale):
    X = table().astype(np.float32)
    fitted = fit_scale(scale, X, None)
    assert fitted(X).dtype == np.float64
    assert_allclose(fitted(X), fit_scale(scale, X.astype(float), None)(X.astype(float)))


@pytest.mark.parametrize("scale", SCALES)
def test_huge_numbers_do_not_overflow(scale):
    X = table()
    # A power of two: not a digit is lost.
    assert_allclose(
        fit_scale(scale, X * 2.0**1000, None)(X * 2.0**1000), fit_scale(scale, X, None)(X)
    )


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("n_rows", [1, 2, 7, 8])
def test_weighted_quantiles_are_those_of_repeated_values(n_rows, probability):
    rng = np.random.default_rng(n_rows)
    values, times = rng.normal(size=n_rows), rng.integers(1, 4, n_rows)
    expected = np.quantile(np.repeat(values, times), [probability], method="averaged_inverted_cdf")
    assert_allclose(
        compute_weighted_quantiles(values, [probability], times.astype(float)), expected
    )
    assert_allclose(compute_weighted_quantiles(values, [probability], times * 0.1), expected)


def test_the_edge_between_two_values_is_found_though_sums_of_weights_are_not_exact():
    assert compute_weighted_quantiles(np.arange(10.0), [0.5], np.full(10, 0.1)) == [4.5]


def test_weighted_mean_leaves_nan_out():
    X = table(missing=0.3)
    weights = np.arange(1.0, 61)
    there = ~np.isnan(X)
    expected = [np.average(X[there[:, j], j], weights=weights[there[:, j]]) for j in range(3)]
    assert_allclose(compute_weighted_mean(X, weights), expected)
    assert_allclose(compute_weighted_mean(X, None), np.nanmean(X, axis=0))
    assert_allclose(compute_weighted_mean(np.full((3, 1), 1.7e308), None), [1.7e308])
    assert np.isnan(compute_weighted_mean(np.full((3, 1), np.nan), None)[0])


@pytest.mark.parametrize("weights", [None, np.ones(4000)])
def test_numbers_without_gaps_or_scale_are_learned_from_in_place(weights):
    X = np.ones((4000, 500), np.float32)
    tracemalloc.start()
    every = np.ones(500, bool)
    fit_numeric_columns(X, Headers(tuple(range(500)), every, every), None, weights)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.1 * X.nbytes
