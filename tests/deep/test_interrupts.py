"""Ctrl-C while a network trains: what was done is kept, and training can go on."""

import pickle
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.losses import CLASS_LOSSES, VALUE_LOSSES
from tests.deep.quick import BOTH_PATHS, X, classifier, regressor, t, y
from tests.helpers import interrupt_after

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NEVER = 10**9


def make_interrupted(n_steps, make=regressor, **params):
    """Return a network with Ctrl-C after so many steps, and how to make one without it."""
    own = CLASS_LOSSES["log_loss"] if make is classifier else VALUE_LOSSES["squared_error"]
    params["loss"] = interrupt_after(NEVER, own)
    return make(**{**params, "loss": interrupt_after(n_steps, own)}), partial(make, **params)


def assert_whole(estimator, n_epochs):
    assert estimator.n_iter_ == n_epochs
    assert len(estimator.loss_curve_) == n_epochs
    history = estimator.net_.history
    assert len(history) == n_epochs
    assert all("train_loss" in row for row in history)
    if n_epochs:
        assert_allclose(history[:, "train_loss"], estimator.loss_curve_, rtol=1e-12)
    assert np.isfinite(estimator.predict(X)).all()
    pickle.loads(pickle.dumps(estimator)).predict(X)


@pytest.mark.parametrize("n_epochs", [0, 1, 5])
@pytest.mark.parametrize("extra", [0, 2])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("activation", BOTH_PATHS)
def test_an_interrupt_keeps_the_epochs_that_were_done(activation, solver, n_epochs, extra):
    params = {"solver": solver, "activation": activation, "batch_size": 10, "max_iter": 30}
    estimator, make = make_interrupted(4 * n_epochs + extra, **params)  # 4 batches an epoch
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        estimator.fit(X, t)
    assert_whole(estimator, n_epochs)
    assert estimator.t_ == 40 * n_epochs
    assert estimator.best_iter_ == n_epochs
    if extra == 0 and n_epochs:
        same = make(max_iter=n_epochs).fit(X, t)
        assert_array_equal(estimator.coefs_[0], same.coefs_[0])
    estimator.set_params(warm_start=True).fit(X, t)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 30  # goes on


@pytest.mark.parametrize("activation", BOTH_PATHS)
def test_an_interrupt_goes_back_to_the_best_weights_with_early_stopping(activation):
    params = {"batch_size": 10, "early_stopping": True, "activation": activation, "max_iter": 30}
    estimator, make = make_interrupted(18, classifier, **params)  # 36 samples: 4 batches
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.fit(X, y)
    assert_whole(estimator, 4)
    assert len(estimator.validation_scores_) == 4
    same = make(max_iter=estimator.best_iter_).fit(X, y)
    assert_array_equal(estimator.coefs_[0], same.coefs_[0])


class InterruptedScore:
    """A score that is interrupted in the third epoch; it is asked twice in each."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, estimator, X, y):
        self.n_calls += 1
        if self.n_calls == 5:
            raise KeyboardInterrupt
        return -np.abs(estimator.predict(X) - y).mean()


def test_an_interrupt_while_scoring_leaves_the_history_as_long_as_the_curves():
    estimator = regressor(max_iter=30, early_stopping=True, scoring=InterruptedScore())
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.fit(X, t)
    assert_whole(estimator, 2)
    assert all("valid_score" in row for row in estimator.net_.history)


@pytest.mark.parametrize("n_calls", [0, 1, 7])
def test_an_interrupt_of_lbfgs_keeps_the_last_iteration(n_calls):
    estimator, make = make_interrupted(n_calls, solver="lbfgs", max_iter=50)
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        estimator.fit(X, t)
    n_epochs = estimator.n_iter_
    assert_whole(estimator, n_epochs)
    assert (n_epochs > 0) == (n_calls > 1)
    if n_epochs:
        same = make(max_iter=n_epochs).fit(X, t)
        assert_array_equal(estimator.coefs_[0], same.coefs_[0])
        assert estimator.loss_ == same.loss_
        assert estimator.best_iter_ == same.best_iter_ == n_epochs
        assert estimator.best_loss_ == same.best_loss_


@pytest.mark.parametrize("activation", BOTH_PATHS)
def test_an_interrupted_partial_fit_leaves_a_usable_model(activation):
    n_before = 3 * 4  # steps of the fit
    estimator, _ = make_interrupted(n_before + 2, batch_size=10, activation=activation)
    estimator.fit(X, t)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.partial_fit(X, t)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 3
    estimator.partial_fit(X, t)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 4
