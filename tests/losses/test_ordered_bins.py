"""Ordered bins: labels, the expected bin and its deviation, and what they are good for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import norm

from sknn import DeepMLPRegressor
from sknn.losses import NUMPY, VALUE_LOSSES
from sknn.losses._bins import find_bin_centers
from sknn.preprocessing import ValueCodec

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FUNCTION = VALUE_LOSSES["ordered_bins"].function
PARAMS = {"learning_rate_init": 0.01, "max_iter": 60, "tol": 0, "random_state": 0}


def codec_of(low, high, n_bins):
    return ValueCodec("ordered_bins", True, {"n_bins": n_bins, "y_range": (low, high)})


def best_raw(y, n_bins):
    """Return the logits of y within (0, 1) that nothing can better: those of its label."""
    centers = np.array(find_bin_centers(n_bins))
    return norm.logpdf(centers, y[:, None], 0.75 * (centers[1] - centers[0]))


@pytest.mark.parametrize("n_bins", [6, 18, 200])
def test_the_best_prediction_of_a_value_is_that_value(n_bins):
    y = np.linspace(-3.0, 11.0, 57)
    codec = codec_of(-3, 11, n_bins).fit(y)
    raw = best_raw(codec.encode(y, "float64")[:, 0], n_bins)
    assert_allclose(codec.decode(raw), y, atol=14 * 0.005 / (n_bins - 5))
    # No more is known of a value than its bin.
    bin_width = 14 / (n_bins - 5)
    assert_allclose(codec.decode_std(raw), bin_width / np.sqrt(12), rtol=0.2)


def test_the_loss_is_the_cross_entropy_of_normal_labels():
    y, z = np.array([[0.0, 0.4, 1.0]]), np.random.default_rng(0).normal(size=(8, 3))
    label = np.exp(best_raw(y[0], 8))
    label /= label.sum(axis=1, keepdims=True)
    expected = -(label * (z - logsumexp(z, axis=0)).T).sum(axis=1)
    assert_allclose(FUNCTION.value(NUMPY, z, y, n_bins=8, y_range=None), expected)


def test_the_deviation_of_two_equal_peaks_is_half_their_distance():
    codec = codec_of(0, 10, 55).fit(np.arange(11.0))
    peaks = [best_raw(np.array([at]), 55) for at in (0.2, 0.8)]
    raw = np.logaddexp(*peaks)
    assert_allclose(codec.decode(raw), 5.0, atol=1e-3)
    assert_allclose(codec.decode_std(raw), 3.0, atol=0.02)


def test_values_far_out_of_the_range_of_training_samples_belong_to_the_outermost_bins():
    codec = ValueCodec("ordered_bins", True, {"n_bins": 8}).fit(np.array([0.0, 1.0]))
    y = codec.encode(np.array([-1e30, 1e30]), "float32").T
    out = np.empty((8, 2), dtype="float32")
    FUNCTION.gradient(NUMPY, np.zeros((8, 2), "float32"), y, out, n_bins=8, y_range=None)
    assert_allclose(out[[0, -1], [0, 1]], 1 / 8 - 1, atol=1e-4)


def test_predictions_never_leave_the_range():
    codec = codec_of(2, 4, 12).fit(np.array([2.0, 4.0]))
    raw = np.zeros((2, 12))
    raw[0, 0] = raw[1, -1] = 100.0
    assert_allclose(codec.decode(raw), [2.0, 4.0])


def test_a_network_learns_mean_and_deviation_where_there_are_two_kinds_of_values():
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, size=(2000, 1))
    y = 300 + 50 * X[:, 0] + np.where(X[:, 0] > 0, 40.0, 5.0) * rng.choice([-1, 1], size=2000)
    model = DeepMLPRegressor("ordered_bins", (32,), loss__n_bins=64, **PARAMS).fit(X, y)
    at = np.array([[-0.6], [0.6]])
    mean, std = model.predict(at, return_std=True)
    assert_allclose(mean, 300 + 50 * at[:, 0], atol=8)
    assert_allclose(std, [5, 40], rtol=0.35)
    assert model.out_activation_ == "expected_bin"
    assert model.n_outputs_ == 64


def test_several_targets_have_bins_of_their_own_and_may_be_missing():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(800, 2))
    Y = np.column_stack([1e3 + X[:, 0], 1e-3 * X[:, 1]])
    known = np.where(rng.uniform(size=Y.shape) < 0.2, np.nan, Y)
    model = DeepMLPRegressor("ordered_bins", (32,), loss__n_bins=20, **PARAMS).fit(X, known)
    assert model.predict(X).shape == (800, 2)
    assert model.score(X, Y) > 0.9
