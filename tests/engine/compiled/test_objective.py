"""Loss and gradient for L-BFGS by compiled code are those of handwritten backpropagation."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone

from sknn import DeepMLPRegressor
from sknn.architectures import MLP
from sknn.engine._lbfgs import HandwrittenObjective
from sknn.engine.compiled._objective import CompiledObjective
from sknn.engine.data._batches import SampleDataset
from sknn.engine.losses._table import LOSSES
from sknn.engine.net._net import Net
from tests.helpers import in_pairs

pytest.importorskip("numba", reason="numba is not installed")

N = 300


def make_run(loss, container, dtype="float64", weighted=True):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 4)) * (rng.random((N, 4)) > 0.3)
    y = rng.integers(0, 3, N) if loss == "log_loss" else rng.gamma(2.0, size=(N, 3)).astype(dtype)
    weight = rng.uniform(0.5, 2, N).astype(dtype) if weighted else None
    mlp = MLP([4, 7, 5, 3], "tanh", getattr(torch, dtype))
    mlp.initialize_weights(np.random.RandomState(0))
    net = Net(mlp, loss=LOSSES[loss](), alpha=0.3).initialize()
    samples = SampleDataset(container(X.astype(dtype)), y, weight)
    return SimpleNamespace(net=net, samples=samples, compiled=None)


@in_pairs(
    loss=["log_loss", "squared_error", "gamma"],
    container=[np.asarray, sparse.csr_array],
    dtype=["float64", "float32"],
    weighted=[False, True],
)
def test_both_give_the_same(loss, container, dtype, weighted):
    one, other = (
        kind(make_run(loss, container, dtype, weighted))
        for kind in (CompiledObjective, HandwrittenObjective)
    )
    start = one.get_vector()
    np.testing.assert_array_equal(start, other.get_vector())
    point = start + np.random.default_rng(1).normal(size=start.shape) / 9
    (loss, gradient), (its_loss, its_gradient) = one(point), other(point)
    rtol = 1e-12 if dtype == "float64" else 1e-5
    assert loss == pytest.approx(its_loss, rel=rtol)
    np.testing.assert_allclose(gradient, its_gradient, rtol=10 * rtol, atol=rtol)
    np.testing.assert_array_equal(one.get_vector(), point.astype(dtype))
    one.close()
    other.close()
    weights = [objective.net.module_.linears[0].weight for objective in (one, other)]
    assert weights[0].is_contiguous()
    torch.testing.assert_close(*weights, rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_by_both_are_the_same():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = X[:, 0] + X[:, 1] ** 2
    model = DeepMLPRegressor(
        hidden_layer_sizes=(8,), solver="lbfgs", max_iter=60, alpha=0.1, random_state=0
    )
    fast, slow = model.fit(X, y), clone(model).set_params(max_iter=20).fit(X, y)
    assert slow.runner_reasons_["compiled"].endswith("compiled code does not pay")
    np.testing.assert_allclose(fast.loss_curve_[:20], slow.loss_curve_, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_why_another_way_is_taken_is_said():
    X = np.random.default_rng(0).normal(size=(N, 4))
    params = {"solver": "lbfgs", "alpha": 0.1, "random_state": 0, "max_iter": 3}
    model = DeepMLPRegressor(hidden_layer_sizes=(8,), **params).fit(X, X[:, 0])
    assert "does not pay" in model.runner_reasons_["compiled"]
