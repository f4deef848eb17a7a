"""Training that diverges, and the estimator as it was before after each error."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sknn.exceptions import NonFiniteLossError
from tests.deep.quick import BOTH_PATHS, SOLVERS, X, classifier, regressor, t, with_one, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


DIVERGING = {
    "solver": "sgd",
    "learning_rate_init": 1e6,
    "max_iter": 120,
    "n_iter_no_change": np.inf,
    "alpha": 1.0,  # without which the log loss grows, but stays finite
}
HUGE = 1.7e308 * (X / np.abs(X).max())


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_training_that_diverges_is_an_error_that_names_likely_causes(make, activation):
    estimator = make(**DIVERGING, activation=activation)
    before = dict(vars(estimator))
    with pytest.raises(NonFiniteLossError) as caught:
        estimator.fit(1e3 * X, y)
    message = str(caught.value)
    assert "Solver produced non-finite parameter weights" in message  # scikit-learn's words
    for cause in ("X is not scaled", "StandardScaler", "learning_rate_init=1000000.0", "y or"):
        assert cause in message
    assert isinstance(caught.value, ValueError)
    assert vars(estimator) == before


@pytest.mark.parametrize("solver", SOLVERS)
def test_numbers_that_overflow_are_an_error(solver):
    estimator = regressor(solver=solver, standardize_target=False)
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(X, 1e200 * t)
    assert not hasattr(estimator, "net_")


def test_diverging_with_early_stopping_keeps_the_best_weights():
    # The step grows with the weights: fine for some epochs, then it explodes.
    params = {
        "solver": "sgd",
        "activation": "identity",
        "momentum": 0,
        "learning_rate_init": 0.9,
        "early_stopping": True,
        "validation_fraction": 0.5,
        "n_iter_no_change": np.inf,
        "max_iter": 400,
    }
    estimator = regressor(**params, alpha=0)
    with pytest.warns(ConvergenceWarning, match=r"not finite after epoch \d+; the weights of epoc"):
        estimator.fit(3 * X, t)
    best = estimator.best_iter_
    assert 1 <= best < estimator.n_iter_
    scores = estimator.validation_scores_
    assert scores[best - 1] == max(s for s in scores if np.isfinite(s))
    assert estimator.best_validation_score_ == scores[best - 1]
    assert np.isfinite(estimator.predict(X)).all()
    short = regressor(**{**params, "max_iter": best}, alpha=0).fit(3 * X, t)
    # The shorter fit may be computed in another way, which sums in another order.
    np.testing.assert_allclose(short.coefs_[0], estimator.coefs_[0], rtol=1e-12)


def test_diverging_in_the_first_epoch_with_early_stopping_is_an_error():
    estimator = regressor(
        solver="sgd", learning_rate_init=1e300, early_stopping=True, validation_fraction=0.3
    )
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(1e200 * X, t)
    assert not hasattr(estimator, "net_")


# --- after an error everything is as before ------------------------------------------------


def _state(estimator):
    net = estimator.net_
    optimizer = net.optimizer_.state_dict()
    return {
        "weights": [p.detach().clone() for p in net.module_.parameters()],
        "momentum": [
            value.clone()
            for state in optimizer["state"].values()
            for value in state.values()
            if isinstance(value, torch.Tensor)
        ],
        "rate": optimizer["param_groups"][0]["lr"],
        "history": len(net.history),
        "curve": list(estimator.loss_curve_),
        "scores": estimator.validation_scores_ and list(estimator.validation_scores_),
    }


def _params(estimator):
    return set(estimator.get_params())


def _fitted(estimator):
    return {k: v for k, v in vars(estimator).items() if k not in _params(estimator)}


FAILURES = {
    "infinity in X": lambda model: model.fit(with_one(np.inf, X), y),
    "y of wrong length": lambda model: model.fit(X, y[:-1]),
    "bad weights": lambda model: model.fit(X, y, -np.ones(40)),
    "bad parameter": lambda model: model.set_params(alpha=-1).fit(X, y),
    "bad device": lambda model: model.set_params(device="abc").fit(X, y),
    "too few validation samples": lambda model: model.set_params(
        early_stopping=True, validation_fraction=0.01
    ).fit(X, y),
    "diverging fit": lambda model: model.set_params(**DIVERGING).fit(1e3 * X, y),
    "diverging warm fit": lambda model: model.set_params(**DIVERGING, warm_start=True).fit(
        1e3 * X, y
    ),
    "warm fit that overflows": lambda model: model.set_params(warm_start=True).fit(HUGE, y),
    "warm fit with too few validation samples": lambda model: model.set_params(
        early_stopping=True, validation_fraction=0.01, warm_start=True
    ).fit(X, y),
    "warm fit of other shape": lambda model: model.set_params(
        hidden_layer_sizes=(9,), warm_start=True
    ).fit(X, y),
    "partial_fit: infinity in X": lambda model: model.partial_fit(with_one(np.inf, X), y),
    "partial_fit: bad weights": lambda model: model.partial_fit(X, y, np.zeros(40)),
    "partial_fit that overflows": lambda model: model.partial_fit(HUGE, y),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("activation", BOTH_PATHS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_after_an_error_the_fitted_estimator_is_as_before(make, solver, activation, failure):
    target = y if make is classifier else t
    estimator = make(solver=solver, activation=activation).fit(X, target)
    twin = make(solver=solver, activation=activation).fit(X, target)
    params, fitted, state = estimator.get_params(), _fitted(estimator), _state(estimator)
    prediction = estimator.predict(X)
    with pytest.raises(ValueError, match=r"\w"):
        FAILURES[failure](estimator)
    estimator.set_params(**params)
    after = _fitted(estimator)
    assert set(after) == set(fitted)
    assert [k for k, v in fitted.items() if after[k] is not v] == []
    assert_array_equal(estimator.predict(X), prediction)
    for name, value in _state(estimator).items():
        if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
            assert all(map(torch.equal, value, state[name])), name
        else:
            assert value == state[name], name
    estimator.partial_fit(X, target)
    assert_array_equal(estimator.coefs_[0], twin.partial_fit(X, target).coefs_[0])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_after_an_error_the_net_holds_no_data(early_stopping):
    big = np.random.default_rng(0).normal(size=(2000, 3))
    estimator = regressor(warm_start=True).fit(big, big[:, 0])
    size = len(pickle.dumps(estimator))
    estimator.set_params(early_stopping=early_stopping)
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(1e200 * big, big[:, 0])
    assert len(pickle.dumps(estimator)) < size + 2000


@pytest.mark.parametrize("then", ["adam", "sgd"])
def test_after_a_failing_change_of_solver_the_old_one_goes_on(then):
    first = {"adam": "sgd", "sgd": "adam"}[then]
    estimator, twin = (regressor(solver=first, warm_start=True).fit(X, t) for _ in range(2))
    estimator.set_params(solver=then)
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(1e200 * X, t)
    estimator.set_params(solver=first)
    for _ in range(2):
        estimator.partial_fit(X, t)
        twin.partial_fit(X, t)
        assert_array_equal(estimator.coefs_[0], twin.coefs_[0])
