"""Prediction intervals that hold, quantiles, and the noise of an ensemble's members."""

import pickle
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import d2_pinball_score, mean_pinball_loss

from sknn import DeepMLPRegressor, TabularMLPRegressor
from sknn.losses import VALUE_LOSSES
from sknn.model_selection import DeepEnsembleRegressor
from sknn.preprocessing.targets._conformity import fit_conformity

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2000, 3))
NOISE = 0.2 + np.abs(X[:, 1])
Y = X[:, 0] + NOISE * RNG.normal(size=2000)
TABULAR = {"n_members": 3, "max_iter": 10, "hidden_width": 32, "random_state": 0}
#: loss, its settings, and what makes y of its range
KINDS = {
    "squared_error": {},
    "huber": {},
    "gaussian_nll": {},
    "one level": {"loss": "quantile", "quantile": 0.3},
    "levels": {"loss": "quantile", "quantile": (0.2, 0.5, 0.8)},
    "poisson": {},
    "gamma": {},
    "bounded": {"y_range": (-6, 6)},
    "ordered_bins": {"y_range": (-6, 6)},
}


@cache
def fit(kind, n=1000, **params):
    """Return a model and all targets; tests of one kind share the model."""
    loss = {"loss": kind} if kind in VALUE_LOSSES and kind != "bounded" else {}
    y = np.exp(Y / 2) if kind in ("poisson", "gamma") else Y.clip(-6, 6)
    params = {**TABULAR, **loss, **KINDS[kind], **params}
    return TabularMLPRegressor(**params).fit(X[:n], y[:n]), y


def share_inside(y, intervals):
    return np.mean((intervals[..., 0] <= y) & (y <= intervals[..., 1]))


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_what_they_say_whatever_the_loss(kind):
    model, y = fit(kind)
    widths = []
    for coverage in (0.5, 0.9):
        intervals = model.predict_interval(X[1000:], coverage)
        assert intervals.shape == (1000, 2)
        assert share_inside(y[1000:], intervals) == pytest.approx(coverage, abs=0.06)
        widths.append(np.diff(intervals))
    assert np.all(widths[0] <= widths[1])
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_interval(X), model.predict_interval(X))


@pytest.mark.parametrize("kind", ["gaussian_nll", "levels"])
def test_losses_that_know_of_spread_make_intervals_wider_where_there_is_more(kind):
    model, _ = fit(kind, max_iter=25)
    width = np.diff(model.predict_interval(X[1000:]))[:, 0]
    assert np.corrcoef(width, NOISE[1000:])[0, 1] > 0.7
    flat = np.diff(fit("squared_error")[0].predict_interval(X[1000:]))
    assert_allclose(flat, np.full_like(flat, flat[0, 0]), rtol=1e-6)


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_intervals_are_not_those_of_the_network_before(call):
    params = {"hidden_layer_sizes": (5,), "max_iter": 2, "warm_start": True, "random_state": 0}
    model = DeepMLPRegressor(early_stopping=True, **params).fit(X[:300], Y[:300])
    assert model.predict_interval(X).shape == (2000, 2)
    getattr(model.set_params(early_stopping=False), call)(X[:300], Y[:300])
    with pytest.raises(ValueError, match="Prediction intervals need held-out samples"):
        model.predict_interval(X)


def test_intervals_stay_in_the_range_of_y():
    model, _ = fit("bounded")
    wide = model.predict_interval(X, 0.998)
    assert wide.min() >= -6
    assert wide.max() <= 6
    assert fit("gamma")[0].predict_interval(X, 0.99).min() >= 0


def test_a_network_with_a_validation_set_has_intervals_too():
    y = np.column_stack([Y, -100 * Y])
    model = DeepMLPRegressor(
        hidden_layer_sizes=(10,), max_iter=30, random_state=0, learning_rate_init=0.01
    )
    model.fit(X[:700], y[:700], X_val=X[700:1000], y_val=y[700:1000])
    intervals = model.predict_interval(X[1000:], coverage=0.8)
    assert intervals.shape == (1000, 2, 2)
    for column in range(2):
        share = share_inside(y[1000:, column], intervals[:, column])
        assert share == pytest.approx(0.8, abs=0.05)


def test_intervals_need_held_out_samples_enough_for_their_coverage():
    model = DeepMLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(
        X[:50], Y[:50]
    )
    with pytest.raises(ValueError, match=r"need held-out samples, of which fit had none\. Give X_"):
        model.predict_interval(X)
    model.fit(X[:50], Y[:50], X_val=X[50:60], y_val=Y[50:60])
    with pytest.raises(ValueError, match=r"coverage=0.95 needs at least 19 held-out .* were 10\."):
        model.predict_interval(X, 0.95)
    assert np.isfinite(model.predict_interval(X, 10 / 11)).all()
    for coverage in (0, 1, 90, "all", True):
        with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\); got"):
            model.predict_interval(X, coverage)


def test_widths_are_those_of_the_definition_and_weights_are_counts():
    widths = RNG.normal(size=(99, 2))
    conformity = fit_conformity(widths, None)
    for coverage in (0.1, 0.5, 0.99):
        expected = np.sort(widths, axis=0)[int(np.ceil(100 * coverage - 1e-9)) - 1]
        assert_array_equal(conformity.find_width(coverage), expected)
    twice = fit_conformity(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 1.0, 1.0]))
    assert twice.find_width(0.4) == 2  # 4 * 0.4 is more than the 1.5 of the smallest
    many = RNG.normal(size=(50_000, 1))
    exact = np.sort(many, axis=0)[int(np.ceil(50_001 * 0.9)) - 1]
    kept = fit_conformity(many, None)
    assert len(kept.widths) == 2000
    assert exact <= kept.find_width(0.9) <= exact + 0.01


def test_quantiles_go_into_scikit_learns_metrics():
    model, y = fit("levels")
    quantiles = model.predict_quantiles(X[1000:])
    assert_array_equal(quantiles, model.predict(X[1000:]))
    pairs = list(zip(quantiles.T, (0.2, 0.5, 0.8), strict=True))
    losses = [mean_pinball_loss(y[1000:], q, alpha=level) for q, level in pairs]
    assert losses[1] > max(losses[0], losses[2])
    scores = [d2_pinball_score(y[1000:], q, alpha=level) for q, level in pairs]
    assert np.mean(scores) == pytest.approx(model.score(X[1000:], y[1000:]))
    one, _ = fit("one level")
    assert_array_equal(one.predict_quantiles(X), one.predict(X)[:, None])
    mean, _ = fit("squared_error")
    with pytest.raises(AttributeError, match="no attribute 'predict_quantiles'") as caught:
        mean.predict_quantiles(X)
    assert "has no quantiles. Fit with loss='quantile'" in str(caught.value.__cause__)


def test_an_ensembles_deviation_has_the_members_own_noise():
    y = X[:, 0] + NOISE * RNG.normal(size=2000)
    mlp = DeepMLPRegressor("gaussian_nll", hidden_layer_sizes=(20,), max_iter=60, tol=0)
    model = DeepEnsembleRegressor(mlp, n_members=3, random_state=0).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    assert_allclose(mean, model.predict(X))
    pairs = [member.predict(X, return_std=True) for member in model.estimators_]
    second = np.mean([m**2 + s**2 for m, s in pairs], axis=0)
    assert_allclose(std, np.sqrt(second - mean**2), rtol=1e-6)
    assert np.corrcoef(std, NOISE)[0, 1] > 0.7
    assert np.mean(np.abs(y - mean) < 1.645 * std) == pytest.approx(0.9, abs=0.03)
