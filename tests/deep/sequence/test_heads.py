"""Heads for counts and for expression: Poisson's loss and ordered bins on sequences."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import d2_tweedie_score, r2_score

from sknn import DeepMLPRegressor, SequenceCNNRegressor, TabularMLPRegressor
from sknn.datasets import make_motif_sequences
from sknn.persistence import trusted_types

PARAMS = {"kernel_size": 12, "n_filters": 16, "max_iter": 30, "random_state": 0}
X, PLANTED, _ = make_motif_sequences(1200, random_state=0)
TRAIN, TEST = slice(None, 800), slice(800, None)

LOSSES = ["poisson", "ordered_bins"]
QUICK = {"max_iter": 2, "random_state": 0}
GROWING = [DeepMLPRegressor, SequenceCNNRegressor]
ESTIMATORS = [*GROWING, TabularMLPRegressor]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("level", [3.0, 2000.0])
def test_counts_that_a_motif_multiplies_are_learned_whatever_their_level(level):
    rate = level * np.where(PLANTED, 5.0, 1.0)
    counts = np.random.default_rng(0).poisson(rate)
    model = SequenceCNNRegressor("poisson", **PARAMS).fit(X[TRAIN], counts[TRAIN])
    predicted = model.predict(X[TEST])
    assert predicted.min() > 0
    of_truth, ours = (d2_tweedie_score(counts[TEST], p, power=1) for p in (rate[TEST], predicted))
    assert ours > 0.85 * of_truth
    assert_allclose(model.target_scale_, counts[TRAIN].mean())
    for planted, expected in ((0, level), (1, 5 * level)):
        assert_allclose(predicted[PLANTED[TEST] == planted].mean(), expected, rtol=0.2)


def test_counts_as_they_are_where_y_is_not_to_be_scaled():
    model = SequenceCNNRegressor("poisson", standardize_target=False, **PARAMS | {"max_iter": 2})
    model.fit(X[TRAIN], 3 * PLANTED[TRAIN])
    assert_array_equal(model.target_scale_, [1])


def make_expression():
    """Return expression of which a motif adds to the mean, and more to the spread."""
    rng = np.random.default_rng(1)
    return 10 + 4 * PLANTED + np.where(PLANTED, 1.0, 0.5) * rng.normal(size=len(X))


def test_bins_of_expression_predict_mean_and_spread():
    y = make_expression()
    model = SequenceCNNRegressor("ordered_bins", **PARAMS).fit(X[TRAIN], y[TRAIN])
    mean, std = model.predict(X[TEST], return_std=True)
    assert r2_score(y[TEST], mean) > 0.8
    spreads = [np.median(std[PLANTED[TEST] == planted]) for planted in (0, 1)]
    assert_allclose(spreads, [0.5, 1.0], rtol=0.5)
    assert spreads[1] > 1.3 * spreads[0]


def test_members_that_disagree_say_by_how_much():
    y = 50.0 + 7.0 * PLANTED[:60]
    model = SequenceCNNRegressor(n_members=2, n_filters=8, **QUICK).fit(X[:60], y)
    model.coefs_[-1] = np.zeros((2, 32, 1))
    model.intercepts_[-1] = np.array([1.0, 3.0]).reshape(2, 1, 1)
    mean, std = model.predict(X[:5], return_std=True)
    assert mean.dtype == std.dtype == np.float32
    assert_allclose(mean, y.mean() + 2 * y.std(), rtol=1e-5)
    assert_allclose(std, y.std(), rtol=1e-5)


def test_the_noise_in_y_and_the_members_that_disagree_about_its_mean_add_up():
    y = 50.0 + 7.0 * PLANTED[:60]
    model = SequenceCNNRegressor("gaussian_nll", n_members=2, n_filters=8, **QUICK).fit(X[:60], y)
    model.coefs_[-1] = np.zeros((2, 32, 2))
    model.intercepts_[-1] = model.intercepts_[-1] + np.array([[[-1.0, 0.0]], [[1.0, 0.0]]])
    means = model.intercepts_[-1][:, 0, 0] * y.std()
    noise = model.predict(X[:5], return_std=True)[1] ** 2 - means.std() ** 2
    softplus = np.log1p(np.exp(model.intercepts_[-1][:, 0, 1].mean()))
    assert_allclose(np.sqrt(noise), softplus * y.std(), rtol=5e-3)


def test_one_network_with_another_loss_has_no_standard_deviation():
    model = SequenceCNNRegressor(n_filters=8, **QUICK).fit(X[:60], PLANTED[:60])
    with pytest.raises(ValueError, match="A standard deviation is predicted only after training"):
        model.predict(X[:5], return_std=True)


def make_counts():
    """Return whole numbers that a motif raises, some of them 0."""
    return np.round(np.abs(make_expression() - 10))


def samples_for(cls):
    """Return sequences, or a table with the same samples for estimators of tables."""
    if cls is SequenceCNNRegressor:
        return X
    noise = np.random.default_rng(2).normal(size=(len(X), 3))
    return np.column_stack([PLANTED, noise])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_heads_are_the_same_from_pickles_files_and_checkpoints(cls, loss, tmp_path):
    sio = pytest.importorskip("skops.io")
    X, y = samples_for(cls), make_counts()
    model = cls(loss=loss, **QUICK).fit(X[TRAIN], y[TRAIN])
    expected = model.predict(X[TEST])
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X[TEST]), expected)
    again = sio.loads(sio.dumps(model), trusted=trusted_types())
    assert_array_equal(again.predict(X[TEST]), expected)
    for _ in range(2):  # the second fit finds the state of the first
        kept = cls(loss=loss, checkpoint=tmp_path / "state", **QUICK).fit(X[TRAIN], y[TRAIN])
        assert_array_equal(kept.predict(X[TEST]), expected)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cls", GROWING)
def test_heads_keep_their_units_and_bins_from_part_to_part(cls, loss):
    X, y = samples_for(cls), make_counts()
    model = cls(loss=loss, **QUICK).partial_fit(X[:400], y[:400])
    units = model.target_mean_.copy(), model.target_scale_.copy()
    copy = pickle.loads(pickle.dumps(model)).partial_fit(X[400:800], y[400:800] + 1)
    model.partial_fit(X[400:800], y[400:800] + 1)
    assert_array_equal((model.target_mean_, model.target_scale_), units)
    assert_array_equal(copy.predict(X[TEST]), model.predict(X[TEST]))
    longer = cls(loss=loss, warm_start=True, **QUICK).fit(X[TRAIN], y[TRAIN])
    first = longer.loss_
    assert longer.fit(X[TRAIN], y[TRAIN]).loss_ < first


@pytest.mark.parametrize("cls", GROWING)
def test_another_number_of_bins_needs_another_network(cls):
    X, y = samples_for(cls), make_counts()
    model = cls(loss="ordered_bins", warm_start=True, **QUICK).fit(X[TRAIN], y[TRAIN])
    model.set_params(loss__n_bins=10)
    for again in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="loss__n_bins was not set and is 10 now"):
            again(X[TRAIN], y[TRAIN])
    assert model.set_params(warm_start=False).fit(X[TRAIN], y[TRAIN]).n_outputs_ == 10
