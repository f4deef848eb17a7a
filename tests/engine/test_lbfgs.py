from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.optimize import check_grad
from sklearn.base import clone

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.architectures import MLP
from sknn.engine._lbfgs import AutogradObjective, HandwrittenObjective, Share
from sknn.engine.data._batches import SampleDataset
from sknn.engine.losses._table import LOSSES
from sknn.engine.net._net import Net

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]


KINDS = [AutogradObjective, HandwrittenObjective]


def objective(kind, loss, n_outputs, y, weight=None, alpha=0.3, activation="tanh", **share):
    mlp = MLP([4, 5, n_outputs], activation, torch.float64)
    mlp.initialize_weights(np.random.RandomState(0))
    net = Net(mlp, loss=loss, alpha=alpha).initialize()
    X = np.random.default_rng(1).normal(size=(len(y), 4))
    samples = SampleDataset(X, y, weight)
    run = SimpleNamespace(net=net, samples=samples, compiled=None)
    return kind(run, Share(samples, **share))


def targets(loss, n_outputs, rng):
    if loss == "log_loss":
        return rng.integers(0, n_outputs, 9)
    if loss == "squared_error":
        return rng.normal(size=(9, n_outputs))
    return rng.integers(0, 2, (9, n_outputs)).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("loss", "n_outputs"),
    [("log_loss", 3), ("binary_log_loss", 2), ("squared_error", 2), ("poisson", 1)],
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_equals_numeric_one(kind, loss, n_outputs, weighted, activation, rng):
    weight = rng.uniform(0.5, 2, 9) if weighted else None
    y = targets(loss, n_outputs, rng)
    f = objective(kind, loss, n_outputs, y, weight, activation=activation)
    error = check_grad(lambda v: f(v)[0], lambda v: f(v)[1], f.get_vector())
    assert error < 1e-6


LOSS_PARAMS = {
    "huber": {"delta": 0.5},
    "gamma": {},
    "quantile": {"quantiles": (0.2, 0.5, 0.9)},
    "gaussian_nll": {"min_std": 0.1},
    "ordered_bins": {"n_bins": 6},
    "focal": {"gamma": 1.0, "label_smoothing": 0.1},
    "binary_focal": {"gamma": 1.0, "label_smoothing": 0.1},
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSS_PARAMS)
def test_both_objectives_know_every_loss(loss, weighted, rng):
    y = rng.gamma(2.0, size=(9, {"quantile": 2, "gaussian_nll": 3, "ordered_bins": 1}.get(loss, 6)))
    if loss == "focal":
        y = rng.integers(0, 6, 9)
    elif loss == "binary_focal":
        y = rng.integers(0, 2, (9, 6)).astype(float)
    weight = rng.uniform(0.5, 2, 9) if weighted else None
    made = LOSSES[loss](**LOSS_PARAMS[loss])
    auto, hand = (objective(kind, made, 6, y, weight) for kind in KINDS)
    vector = hand.get_vector()
    (theirs, their_gradient), (mine, gradient) = auto(auto.get_vector()), hand(vector)
    assert mine == pytest.approx(theirs, rel=1e-12)
    # The numbers of the vectors are in different orders.
    np.testing.assert_allclose(np.sort(gradient), np.sort(their_gradient), rtol=1e-9, atol=1e-12)
    assert check_grad(lambda v: hand(v)[0], lambda v: hand(v)[1], vector) < 1e-5


def test_only_autograd_knows_the_l1_penalty_and_users_losses():
    def reason(loss="squared_error", **options):
        mlp = MLP([4, 5, 1], "tanh", torch.float64)
        mlp.initialize_weights(np.random.RandomState(0))
        net = Net(mlp, loss=loss, **options).initialize()
        return HandwrittenObjective.supports(SimpleNamespace(net=net, compiled=None))

    assert reason(alpha=1.0) is None
    assert "l1_ratio" in reason(alpha=1.0, l1_ratio=0.5)
    assert "loss" in reason(lambda z, y: (z - y).abs())


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_add_up_to_the_whole(kind, rng):
    y, weight = rng.normal(size=(9, 2)), rng.uniform(0.5, 2, 9)
    whole = objective(kind, "squared_error", 2, y, weight)
    chunked = objective(kind, "squared_error", 2, y, weight, chunk_numbers=10)
    assert len(chunked.batches) > 1 == len(whole.batches)
    loss, gradient = whole(whole.get_vector())
    chunk_loss, chunk_gradient = chunked(chunked.get_vector())
    assert chunk_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(chunk_gradient, gradient, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_vector_is_written_and_read(kind, rng):
    f = objective(kind, "squared_error", 1, rng.normal(size=(9, 1)))
    vector = rng.normal(size=f.get_vector().size)
    f.set_vector(vector)
    np.testing.assert_array_equal(f.get_vector(), vector)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_by_both_objectives_are_the_same(loss, weighted, container, rng):
    X = rng.normal(size=(40, 4)) * (rng.random((40, 4)) > 0.3)
    weight = rng.uniform(0.5, 2, 40) if weighted else None
    cls = DeepMLPClassifier if loss == "log_loss" else DeepMLPRegressor
    y = rng.integers(0, 3, 40)
    model = cls(hidden_layer_sizes=(5,), solver="lbfgs", activation="tanh", max_iter=15, alpha=0.1)
    model.set_params(random_state=0)
    fast = clone(model).fit(container(X), y, weight)
    # Nothing is known of a layer of torch's, which computes the same.
    slow = clone(model).set_params(activation=torch.nn.Tanh).fit(container(X), y, weight)
    assert slow.runner_reasons_["handwritten"].startswith("the network has layers beside")
    assert fast.n_iter_ == slow.n_iter_ == 15
    np.testing.assert_allclose(fast.loss_curve_, slow.loss_curve_, rtol=1e-6)
    np.testing.assert_allclose(fast.coefs_[0], slow.coefs_[0], rtol=1e-4, atol=1e-6)
