"""A regressor learns targets of any scale."""

import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPRegressor

from sknn import DeepMLPRegressor
from tests.helpers import assert_same_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(300, 3))
t = X[:, 0] + 0.5 * X[:, 1] * X[:, 2]


regressor = partial(DeepMLPRegressor, hidden_layer_sizes=(20,), max_iter=40, random_state=0)


def test_a_large_target_is_learned_at_defaults():
    # The docstring's example, which scikit-learn's regressor fails: its R² is far below 0.
    X = np.random.default_rng(0).normal(size=(500, 3))
    y = 1e4 + 100 * X[:, 0]
    assert DeepMLPRegressor(random_state=0).fit(X, y).score(X, y) > 0.99
    assert MLPRegressor(random_state=0).fit(X, y).score(X, y) < 0


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize(
    ("scale", "shift"),
    [(1e-8, 0), (1e8, 0), (1, 1e3), (1, 1e9), (1e-8, -5), (1e150, 0), (1e-150, 0)],
)
def test_scale_and_shift_of_the_target_do_not_matter(scale, shift, solver):
    plain = regressor(solver=solver, max_iter=15).fit(X, t)
    other = regressor(solver=solver, max_iter=15).fit(X, scale * t + shift)
    # y itself has been rounded: to eps |shift / scale| of t
    tolerance = 1e-9 + 1e3 * np.finfo(float).eps * abs(shift / scale)
    assert_same_weights(other, plain, tolerance)
    assert other.n_iter_ == plain.n_iter_
    assert_allclose(other.loss_, plain.loss_, rtol=1e-5)
    expected = scale * plain.predict(X) + shift
    rounding = scale * tolerance + 1e-14 * abs(shift)
    assert_allclose(other.predict(X), expected, rtol=1e-7, atol=10 * rounding)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("shift", [1e9, -1e9])
def test_a_shifted_target_is_learned(solver, shift):
    y = t + shift
    model = regressor(solver=solver, learning_rate_init=0.01, max_iter=150).fit(X, y)
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("value", [0, 7, -1e12, 1e-300, 0.1])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_constant_target_is_predicted(value, solver):
    y = np.full(300, value, dtype=float)
    model = regressor(solver=solver, max_iter=200, learning_rate_init=0.01, alpha=0).fit(X, y)
    assert model.target_scale_ == 1
    assert_allclose(model.target_mean_, value, rtol=1e-14)
    # For a constant the network learns 0, in units of 1.
    assert np.abs(model.predict(X) - value).max() < 0.5 + 1e-12 * abs(value)


def test_a_constant_target_with_early_stopping_trains():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = regressor(early_stopping=True).fit(X, np.full(300, 5.0))
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.validation_scores_).all()


def test_outputs_of_very_different_scales_are_all_learned():
    Y = np.c_[1e-6 * t, 1e6 * X[:, 1], 1e4 + X[:, 2], np.full(300, 3.0)]
    model = regressor(learning_rate_init=0.01, max_iter=150).fit(X, Y)
    predicted = model.predict(X)
    assert predicted.shape == (300, 4)
    for j in range(3):
        error = np.square(predicted[:, j] - Y[:, j]).mean() / Y[:, j].var()
        assert error < 0.1, j
    assert np.abs(predicted[:, 3] - 3).max() < 0.5
    assert_allclose(model.target_mean_, Y.mean(axis=0), rtol=1e-9)
    assert_allclose(model.target_scale_, [*Y[:, :3].std(axis=0), 1], rtol=1e-9)


def test_the_scale_of_one_output_does_not_matter_to_another():
    one = regressor().fit(X, np.c_[t, X[:, 1]])
    other = regressor().fit(X, np.c_[1e6 * t - 3, X[:, 1]])
    assert_allclose(other.predict(X)[:, 1], one.predict(X)[:, 1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_single_precision_learns_a_large_target(dtype):
    y = 1e6 + 1e4 * t
    model = regressor(dtype=dtype, learning_rate_init=0.01, max_iter=120).fit(
        X.astype(np.float32), y
    )
    assert model.coefs_[0].dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    assert model.score(X.astype(np.float32), y) > 0.95
    assert_allclose(model.target_mean_, y.mean(), rtol=1e-12)


def test_single_precision_survives_a_target_beyond_its_range():
    y = 1e200 * t
    model = regressor(dtype="float32", learning_rate_init=0.01).fit(X, y)
    raw = model.net_.predict(X)[:, 0].astype(float)
    assert np.corrcoef(raw, t)[0, 1] > 0.9


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.uint8, bool])
def test_the_dtype_of_the_target_does_not_matter(dtype):
    y = (10 * np.abs(t)).astype(dtype)
    model, double = regressor(max_iter=5).fit(X, y), regressor(max_iter=5).fit(X, y.astype(float))
    for a, b in zip(model.coefs_, double.coefs_, strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_without_standardisation_it_is_scikit_learns(solver):
    params = {"solver": solver, "hidden_layer_sizes": (5,), "max_iter": 8, "random_state": 0}
    y = 3 + 2 * t
    ours = DeepMLPRegressor(**params, standardize_target=False).fit(X, y)
    theirs = MLPRegressor(**params).fit(X, y)
    assert_same_weights(ours, theirs, 1e-6 if solver == "lbfgs" else 1e-9)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)
    assert_array_equal(ours.target_mean_, [0])
    assert_array_equal(ours.target_scale_, [1])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_standardisation_is_training_on_the_standardised_target(solver):
    params = {"solver": solver, "hidden_layer_sizes": (5,), "max_iter": 8, "random_state": 0}
    y = 300 + 20 * t
    mean, scale = y.mean(), y.std()
    ours = DeepMLPRegressor(**params).fit(X, y)
    theirs = MLPRegressor(**params).fit(X, (y - mean) / scale)
    assert_same_weights(ours, theirs, 1e-6 if solver == "lbfgs" else 1e-9)
    assert_allclose(ours.predict(X), theirs.predict(X) * scale + mean, rtol=1e-6)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    assert_allclose([*ours.target_mean_, *ours.target_scale_], [mean, scale], rtol=1e-12)


def test_early_stopping_sees_the_r2_of_the_true_target():
    params = {"max_iter": 12, "early_stopping": True, "validation_fraction": 0.3}
    model = regressor(**params).fit(X, 1e5 + t)
    assert_allclose(model.validation_scores_, regressor(**params).fit(X, t).validation_scores_)
    assert model.validation_scores_ != regressor(**params).fit(X, t**2).validation_scores_


def test_poisson_is_exempt():
    y = np.floor(np.exp(1 + t))
    params = {"hidden_layer_sizes": (5,), "max_iter": 8, "random_state": 0}
    ours = DeepMLPRegressor("poisson", **params, standardize_target=True).fit(X, y)
    assert_same_weights(ours, MLPRegressor("poisson", **params).fit(X, y), 1e-9)
    assert_array_equal(ours.target_mean_, [0])
    assert_array_equal(ours.target_scale_, [1])
    assert (ours.predict(X) > 0).all()


# --- weights -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("integer", [True, False])
def test_a_weight_of_two_is_a_row_given_twice(loss, integer):
    # Full batches without shuffling, so that the steps see the same sums.
    y = 1000 + 50 * t if loss == "squared_error" else np.floor(np.exp(t))
    counts = np.random.default_rng(1).integers(0, 4, size=300)
    weights = counts if integer else counts.astype(float)
    params = {"batch_size": 1000, "shuffle": False, "loss": loss, "alpha": 0.1}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Got `batch_size` less")
        weighted = regressor(**params).fit(X, y, sample_weight=weights)
        repeated = regressor(**params).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    assert_allclose(weighted.target_mean_, repeated.target_mean_, rtol=1e-12)
    assert_allclose(weighted.target_scale_, repeated.target_scale_, rtol=1e-12)
    assert_same_weights(weighted, repeated, 1e-8)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-8)


def test_a_weight_of_two_is_a_row_given_twice_to_lbfgs():
    y = 1000 + 50 * t
    counts = np.random.default_rng(1).integers(0, 4, size=300)
    weighted = regressor(solver="lbfgs", max_iter=8).fit(X, y, sample_weight=counts)
    repeated = regressor(solver="lbfgs", max_iter=8).fit(
        np.repeat(X, counts, axis=0), np.repeat(y, counts)
    )
    assert_allclose(weighted.target_scale_, repeated.target_scale_, rtol=1e-12)
    assert_same_weights(weighted, repeated, 1e-6)


def test_samples_of_weight_zero_do_not_shift_the_target():
    y = 5 + t
    y[:100] = 1e9
    weights = np.where(np.arange(300) < 100, 0.0, 1.0)
    weighted = regressor(max_iter=5).fit(X, y, sample_weight=weights)
    without = regressor(max_iter=5).fit(X[100:], y[100:], sample_weight=weights[100:])
    assert_allclose(weighted.target_mean_, without.target_mean_, rtol=1e-12)
    assert_allclose(weighted.target_scale_, without.target_scale_, rtol=1e-9)
    assert_same_weights(weighted, without, 1e-9)


def test_equal_weights_are_no_weights():
    y = 100 + t
    plain = regressor(max_iter=5, alpha=0).fit(X, y)
    ones = regressor(max_iter=5, alpha=0).fit(X, y, sample_weight=np.ones(300))
    assert_same_weights(plain, ones, 1e-9)
    assert_allclose(plain.target_scale_, ones.target_scale_, rtol=1e-12)


@pytest.mark.parametrize("factor", [1e-6, 1 / 300, 1e6])
def test_the_size_of_the_weights_does_not_matter_to_what_is_learned(factor):
    y = 100 + 50 * t
    weights = np.random.default_rng(2).uniform(0.5, 2, size=300)
    model = regressor(learning_rate_init=0.01, alpha=0, max_iter=60)
    one = model.fit(X, y, sample_weight=weights).predict(X)
    other = model.fit(X, y, sample_weight=factor * weights).predict(X)
    # The standard deviation of a sample of `sum of weights` rows differs a little.
    assert np.square(one - y).mean() < 0.1 * y.var()
    assert np.square(other - y).mean() < 0.1 * y.var()


# --- later calls ---------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["partial_fit", "warm_start"])
def test_later_calls_keep_the_scale_of_the_first(call):
    model = regressor(warm_start=True, max_iter=2)
    first = model.fit if call == "warm_start" else model.partial_fit
    first(X[:100], 10 * t[:100] + 5)
    mean, scale = model.target_mean_.copy(), model.target_scale_.copy()
    first(X[100:], 10 * t[100:] + 500)
    assert_array_equal(model.target_mean_, mean)
    assert_array_equal(model.target_scale_, scale)
    model.set_params(warm_start=False).fit(X[100:], 10 * t[100:] + 500)
    assert_allclose(model.target_mean_, (10 * t[100:] + 500).mean(), rtol=1e-12)


def test_partial_fit_in_turns_learns_a_large_target():
    y = 1e4 + 100 * t
    model = regressor(learning_rate_init=0.01)
    for turn in range(80):
        rows = slice(100 * (turn % 3), 100 * (turn % 3) + 100)
        model.partial_fit(X[rows], y[rows])
    assert model.score(X, y) > 0.9


def test_predictions_are_output_times_scale_plus_mean():
    Y = np.c_[1e4 + 100 * t, 1e-3 * t]
    model = regressor(max_iter=3).fit(X, Y)
    hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
    output = hidden @ model.coefs_[1] + model.intercepts_[1]
    expected = output * model.target_scale_ + model.target_mean_
    assert_allclose(model.predict(X), expected, rtol=1e-9)
