import numpy as np
import pytest
import torch
from scipy.optimize import check_grad

from sknn.architectures import MLP
from sknn.engine import _lbfgs
from sknn.engine._data import Rows
from sknn.engine._lbfgs import Objective
from sknn.engine._net import Net

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]


def objective(loss, n_outputs, y, weight, alpha=0.3, activation="tanh"):
    mlp = MLP([4, 5, n_outputs], activation, torch.float64)
    mlp.init_weights(np.random.RandomState(0))
    net = Net(mlp, loss=loss, alpha=alpha).initialize()
    X = np.random.default_rng(1).normal(size=(len(y), 4))
    return Objective(net, Rows(X, y, weight))


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
def test_gradient_equals_numeric_one(loss, n_outputs, weighted, activation, rng):
    weight = rng.uniform(0.5, 2, 9) if weighted else None
    f = objective(loss, n_outputs, targets(loss, n_outputs, rng), weight, activation=activation)
    error = check_grad(lambda v: f(v)[0], lambda v: f(v)[1], f.get_vector())
    assert error < 1e-6


def test_chunks_add_up_to_the_whole(rng, monkeypatch):
    y, weight = rng.normal(size=(9, 2)), rng.uniform(0.5, 2, 9)
    whole = objective("squared_error", 2, y, weight)
    monkeypatch.setattr(_lbfgs, "CHUNK_NUMBERS", 10)
    chunked = objective("squared_error", 2, y, weight)
    assert len(chunked.batches) > 1 == len(whole.batches)
    loss, gradient = whole(whole.get_vector())
    chunk_loss, chunk_gradient = chunked(chunked.get_vector())
    assert chunk_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(chunk_gradient, gradient, rtol=1e-10)


def test_vector_is_written_and_read(rng):
    f = objective("squared_error", 1, rng.normal(size=(9, 1)), None)
    vector = rng.normal(size=f.get_vector().size)
    f.set_vector(vector)
    np.testing.assert_array_equal(f.get_vector(), vector)
