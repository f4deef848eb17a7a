"""Losses of the regressor: what they predict, in the units of y."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_diabetes
from sklearn.metrics import d2_pinball_score, mean_gamma_deviance, mean_pinball_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def noisy():
    """Return y whose mean and spread depend on X, far from 0 and 1."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(13_000, 1))
    y = 500 + 100 * X[:, 0] + (20 + 15 * X[:, 0]) * rng.normal(size=13_000)
    return train_test_split(X, y, train_size=3000, random_state=0)


regressor = partial(
    DeepMLPRegressor,
    hidden_layer_sizes=(32,),
    max_iter=60,
    learning_rate_init=0.01,
    tol=0,
    random_state=0,
    learning_rate="cosine",
    n_iter_no_change=99,
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quantiles_cover_what_they_say_and_never_cross(noisy, dtype):
    X, X_test, y, y_test = noisy
    levels = [0.05, 0.1, 0.5, 0.9, 0.95]
    model = regressor(loss="quantile", quantile=levels, dtype=dtype).fit(X, y)
    predicted = model.predict(X_test)
    assert predicted.shape == (len(X_test), 5)
    assert (np.diff(predicted, axis=1) >= 0).all()
    below = (y_test[:, None] <= predicted).mean(axis=0)
    np.testing.assert_allclose(below, levels, atol=0.035)
    grid = model.predict(np.linspace(-50, 50, 2001)[:, None])
    assert (np.diff(grid, axis=1) >= 0).all()
    scores = [d2_pinball_score(y_test, predicted[:, k], alpha=a) for k, a in enumerate(levels)]
    assert model.score(X_test, y_test) == pytest.approx(np.mean(scores), rel=1e-5)


def test_validation_samples_make_quantiles_honest(rng):
    X = rng.normal(size=(1200, 30))
    y = X[:, 0] + rng.normal(size=1200)
    X, X_test, y, y_test = train_test_split(X, y, test_size=800, random_state=0)
    kwargs = {"loss": "quantile", "quantile": [0.1, 0.9], "max_iter": 200, "batch_size": 32}
    learned_by_heart = regressor(**kwargs).fit(X[:300], y[:300])
    calibrated = regressor(**kwargs).fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])

    def covered(model):
        low, high = model.predict(X_test).T
        assert (low <= high).all()
        return ((low <= y_test) & (y_test <= high)).mean()

    assert covered(learned_by_heart) < 0.7
    assert covered(calibrated) == pytest.approx(0.8, abs=0.08)
    low, high = calibrated.predict(X[300:]).T
    assert (y[300:] <= low).mean() == pytest.approx(0.1, abs=0.02)
    assert (y[300:] <= high).mean() == pytest.approx(0.9, abs=0.02)


def test_one_quantile_is_one_number_a_row(noisy):
    X, X_test, y, y_test = noisy
    model = regressor(loss="quantile", quantile=0.9).fit(X, y)
    predicted = model.predict(X_test)
    assert predicted.shape == (len(X_test),)
    of_median = regressor(loss="quantile").fit(X, y).predict(X_test)
    losses = [mean_pinball_loss(y_test, p, alpha=0.9) for p in (predicted, of_median)]
    assert losses[0] < 0.8 * losses[1]


def test_gaussian_nll_gives_mean_and_spread(noisy):
    X, X_test, y, y_test = noisy
    model = regressor(loss="gaussian_nll").fit(X, y)
    mean, std = model.predict(X_test, return_std=True)
    np.testing.assert_array_equal(mean, model.predict(X_test))
    assert model.score(X_test, y_test) > 0.85
    covered = np.abs(y_test - mean) <= norm.ppf(0.9) * std
    assert covered.mean() == pytest.approx(0.8, abs=0.04)
    np.testing.assert_allclose(std.mean(), (20 + 15 * X_test[:, 0]).mean(), rtol=0.1)
    assert std[X_test[:, 0] > 0.5].mean() > 2 * std[X_test[:, 0] < -0.5].mean()


def test_several_targets_have_quantiles_and_spreads_each(rng):
    X = rng.normal(size=(300, 2))
    Y = np.column_stack([X[:, 0], 100 * X[:, 1]])
    quantiles = regressor(loss="quantile", quantile=[0.1, 0.9], max_iter=3).fit(X, Y).predict(X)
    assert quantiles.shape == (300, 2, 2)
    mean, std = regressor(loss="gaussian_nll", max_iter=3).fit(X, Y).predict(X, return_std=True)
    assert mean.shape == std.shape == (300, 2)


def test_gamma_learns_targets_of_any_size(rng):
    X = rng.uniform(-1, 1, size=(2000, 1))
    y = rng.gamma(2.0, 1e6 * np.exp(X[:, 0]))
    model = regressor(loss="gamma").fit(X, y)
    predicted, constant = model.predict(X), np.full(len(y), y.mean())
    assert (predicted > 0).all()
    assert mean_gamma_deviance(y, predicted) < 0.85 * mean_gamma_deviance(y, constant)
    np.testing.assert_allclose(predicted, 2e6 * np.exp(X[:, 0]), rtol=0.25)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses_are_not_moved_by_outliers(noisy, loss):
    X, X_test, y, y_test = noisy
    spoiled = y.copy()
    spoiled[::20] += 5e4
    robust = regressor(loss=loss, loss__delta=0.05) if loss == "huber" else regressor(loss=loss)
    error = np.median(np.abs(robust.fit(X, spoiled).predict(X_test) - y_test))
    squared = np.median(np.abs(regressor().fit(X, spoiled).predict(X_test) - y_test))
    assert error < squared / 4


def test_function_of_the_users(noisy):
    X, X_test, y, y_test = noisy
    model = regressor(loss=lambda output, target: (output - target).square()).fit(X, y)
    assert model.score(X_test, y_test) > 0.85
    assert model.out_activation_ == "identity"


def test_early_stopping_goes_by_what_the_loss_is_about(noisy):
    X, _, y, _ = noisy
    by_loss = regressor(loss="gaussian_nll", early_stopping=True, max_iter=5).fit(X, y)
    assert by_loss.best_validation_score_ == -min(by_loss.validation_loss_curve_)
    by_d2 = regressor(loss="quantile", quantile=[0.1, 0.9], early_stopping=True, max_iter=5)
    assert 0 < by_d2.fit(X, y).best_validation_score_ < 1


@pytest.mark.parametrize(
    ("params", "y", "message"),
    [
        ({"loss": "poisson"}, [-1.0, 2.0], "loss 'poisson': it needs y >= 0"),
        ({"loss": "gamma"}, [0.0, 2.0], "loss 'gamma': it needs y > 0"),
        ({"loss": "quantile", "quantile": 1.0}, [1.0, 2.0], "'quantile' parameter"),
        ({"loss": "quantile", "quantile": [0.1, 1.2]}, [1.0, 2.0], "quantiles.* must be one level"),
        ({"loss": "quantile", "quantile": [0.9, 0.1]}, [1.0, 2.0], "increasing order"),
        ({"quantile": 0.5}, [1.0, 2.0], "is for loss='quantile', but loss is 'squared_error'"),
        ({"loss": "pinball"}, [1.0, 2.0], "'loss' parameter"),
        ({"loss": lambda output, target: 1.0}, [1.0, 2.0], "must return the loss per sample"),
        ({"loss": lambda o, t: (o - t).mean()}, [1.0, 2.0], "Leave out the mean over samples"),
    ],
    ids=range(9),
)
def test_bad_loss_or_target_is_an_error_before_training(params, y, message):
    model = regressor(**params)
    with pytest.raises(ValueError, match=message):
        model.fit([[0.0], [1.0]], y)
    assert not hasattr(model, "net_")


def test_spread_needs_its_loss():
    model = regressor(max_iter=1).fit([[0.0], [1.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="only after training with loss='gaussian_nll'"):
        model.predict([[0.0]], return_std=True)


def test_diabetes_intervals_cover(recwarn):
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(StandardScaler().fit_transform(X), y, random_state=0)
    model = regressor(loss="quantile", quantile=[0.1, 0.9], alpha=1.0, max_iter=100)
    low, high = model.set_params(early_stopping=True, random_state=1).fit(X, y).predict(X_test).T
    assert ((low <= y_test) & (y_test <= high)).mean() == pytest.approx(0.8, abs=0.1)
