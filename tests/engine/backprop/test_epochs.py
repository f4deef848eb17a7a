"""The steps written out by hand are the mathematics of the autograd path."""

import numpy as np
import pytest
import torch
from scipy import sparse
from skorch.callbacks import Freezer

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.activations import TRAINABLE
from sknn.engine.backprop._mlp import IN_PLACE
from tests.engine.configs import BatchWatcher
from tests.helpers import assert_same_weights, in_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.005, "momentum": 0.0},
    "momentum": {"solver": "sgd", "learning_rate_init": 0.005, "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.005, "learning_rate": "invscaling"},
}
TASKS = ["log_loss", "binary_log_loss", "multilabel", "squared_error", "poisson"]


def make(task, **kwargs):
    kwargs = {"hidden_layer_sizes": (7, 5), "batch_size": 8, "alpha": 0.1, **kwargs}
    kwargs = {"max_iter": 3, "random_state": 0, "n_iter_no_change": np.inf, **kwargs}
    if task in ("squared_error", "poisson"):
        return DeepMLPRegressor(task, **kwargs)
    return DeepMLPClassifier(**kwargs)


def data(task, rng, n=29):
    X = rng.normal(size=(n, 4))
    targets = {
        "log_loss": lambda: rng.integers(0, 3, n),
        "binary_log_loss": lambda: rng.integers(0, 2, n),
        "multilabel": lambda: rng.integers(0, 2, (n, 3)),
        "squared_error": lambda: rng.normal(size=(n, 2)),
        "poisson": lambda: rng.poisson(2.0, n),
    }
    return X, targets[task](), rng.integers(0, 3, n).astype(float)


def fit_both_ways(model, *args):
    """Return a model fitted by its runner, a clone by autograd, and the runner."""
    fast = type(model)(**model.get_params()).fit(*args)
    slow = type(model)(**model.get_params()).set_params(callbacks=[BatchWatcher()]).fit(*args)
    assert slow.runner_ == "autograd"
    return fast, slow, fast.runner_


def assert_same(fast, slow, rtol=1e-9):
    assert_same_weights(fast, slow, rtol)
    np.testing.assert_allclose(fast.loss_curve_, slow.loss_curve_, rtol=rtol)


@in_pairs(activation=IN_PLACE, task=TASKS, solver=SOLVERS, weighted=[False, True])
def test_weights_and_losses_equal_autograds(activation, task, solver, weighted, rng):
    X, y, weight = data(task, rng)
    model = make(task, activation=activation, **SOLVERS[solver])
    fast, slow, runner = fit_both_ways(model, X, y, weight if weighted else None)
    assert runner == "handwritten"
    assert_same(fast, slow)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"alpha": 0.0},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (1,)},
        {"batch_size": 1},
        {"batch_size": 29},
        {"shuffle": False},
        {"early_stopping": True},
        {"dtype": "float32"},
    ],
)
def test_other_shapes_and_settings_equal_autograds(kwargs, rng):
    X, y, _ = data("log_loss", rng)
    fast, slow, runner = fit_both_ways(make("log_loss", **kwargs), X, y)
    assert runner == "handwritten"
    assert_same(fast, slow, rtol=1e-4 if kwargs.get("dtype") else 1e-9)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_samples_equal_autograds(container, solver, rng):
    X, y, weight = data("log_loss", rng)
    X[X < 0.3] = 0
    model = make("log_loss", **SOLVERS[solver])
    fast, slow, _ = fit_both_ways(model, container(X), y, weight)
    assert_same(fast, slow)
    assert_same(fast, make("log_loss", **SOLVERS[solver]).fit(X, y, weight))


@pytest.mark.parametrize("activation", sorted(set(TRAINABLE) - set(IN_PLACE)))
def test_other_activations_go_through_autograd(activation, rng):
    X, y, _ = data("log_loss", rng)
    fast, slow, runner = fit_both_ways(make("log_loss", activation=activation), X, y)
    assert runner == "autograd"
    assert_same(fast, slow, rtol=0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_partial_fit_goes_on_where_autograd_would(solver, rng):
    X, y, _ = data("log_loss", rng)
    model = make("log_loss", **SOLVERS[solver])
    fast, slow = model, make("log_loss", **SOLVERS[solver])
    for i in range(6):
        fast.partial_fit(X, y, classes=[0, 1, 2])
        # every other epoch by autograd: the two share the optimizer's state
        slow.set_params(callbacks=[BatchWatcher()] if i % 2 else None)
        slow.partial_fit(X, y, classes=[0, 1, 2])
        assert slow.runner_ == ("autograd" if i % 2 else "handwritten")
    assert_same(fast, slow)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_what_a_callback_freezes_stays(activation, rng):
    X, y, _ = data("log_loss", rng)
    settings = {"activation": activation, "callbacks": [Freezer("linears.0.*")]}
    once, again = (make("log_loss", max_iter=n, **settings).fit(X, y) for n in (1, 4))
    np.testing.assert_array_equal(once.coefs_[0], again.coefs_[0])
    assert (once.coefs_[1] != again.coefs_[1]).any()


def test_memory_is_given_back_after_training(rng):
    """A parameter that stayed a view of the flat vector would be pickled with all of it."""
    X, y, _ = data("log_loss", rng)
    net = make("log_loss").fit(X, y).net_
    state = [v for s in net.optimizer_.state.values() for v in s.values()]
    for tensor in [*net.module_.parameters(), *(t for t in state if torch.is_tensor(t))]:
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
