"""Stacks of networks whose steps are captured and replayed are the networks of `train`.

The graph is played by one that records torch's operations on the CPU, see `fake_graph`; so that it
sees them, products are torch's here as they are on a GPU.
"""

import numpy as np
import pytest
import torch

from sknn.engine import train, train_many
from sknn.engine.stacked import _batches as _many_orders
from sknn.engine.stacked import _graphs as _many_replayed
from sknn.engine.stacked import _mlp as _many_pass
from tests.engine.graphs.fake_graph import FakeGraph
from tests.engine.stacked.test_train_many import (
    FOLDS,
    RATES,
    WEIGHT,
    assert_same,
    classifier,
    no_train,
    plan_of,
    regressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _graphs(monkeypatch):
    """Give the CPU graphs, and four steps of three networks to a chunk of an epoch of seven."""
    FakeGraph.made.clear()
    monkeypatch.setattr(_many_pass, "multiply", lambda a, b, out: torch.bmm(a, b, out=out))
    monkeypatch.setattr(_many_replayed, "choose_graph_maker", lambda device: FakeGraph)
    monkeypatch.setattr(_many_orders, "GROUP_NUMBERS", 2 * 3 * 16 * 64)
    yield
    FakeGraph.made.clear()


def compare(estimators, monkeypatch, folds=FOLDS, weight=None):
    """Train together and one by one; return how many replays there were."""
    alone = [train(plan_of(e, rows, weight)) for e, rows in zip(estimators, folds, strict=True)]
    assert not FakeGraph.made
    plans = [plan_of(e, rows, weight) for e, rows in zip(estimators, folds, strict=True)]
    with monkeypatch.context() as patch:
        patch.setattr("sknn.engine.stacked._train_many.train_together", no_train)
        together = train_many(plans)
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other, tolerance=1e-9)
    return sum(graph.n_replays for graph in FakeGraph.made)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam"},
        {"solver": "sgd", "nesterovs_momentum": False},
        {"solver": "sgd"},
        {"solver": "sgd", "momentum": 0.0},
    ],
    ids=str,
)
def test_settings_of_their_own_and_folds(params, weight, monkeypatch):
    estimators = [classifier(learning_rate_init=r, alpha=r, **params) for r in RATES]
    # an epoch has three chunks of two steps and one; the first of each shape warms up
    assert compare(estimators, monkeypatch, weight=weight) == 5 * 4 - 2


@pytest.mark.parametrize("activation", ["tanh", "logistic", "elu", "identity"])
def test_activations(activation, monkeypatch):
    estimators = [classifier(activation=activation, learning_rate_init=r) for r in RATES]
    assert compare(estimators, monkeypatch)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_regression_and_networks_of_one_setting(loss, monkeypatch):
    estimators = [regressor(loss=loss, random_state=seed) for seed in range(3)]
    assert compare(estimators, monkeypatch)


@pytest.mark.parametrize("schedule", ["invscaling", "adaptive", "plateau"])
def test_rates_that_change_after_epochs(schedule, monkeypatch):
    settings = {"tol": 10.0, "n_iter_no_change": 2, "max_iter": 9, "learning_rate": schedule}
    estimators = [
        classifier(solver="sgd", learning_rate_init=r, power_t=0.3, **settings) for r in RATES
    ]
    assert compare(estimators, monkeypatch)


def test_networks_that_stop_early_leave_and_the_others_are_captured_anew(monkeypatch):
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 30}
    estimators = [classifier(learning_rate_init=r, **settings) for r in RATES]
    assert compare(estimators, monkeypatch)
    assert len(FakeGraph.made) > 2  # two shapes of chunks in each stack


def test_a_capture_that_fails_leaves_all_networks_as_they_are(monkeypatch):
    def fail(self, work):
        FakeGraph.capture(self, lambda: (work(), torch.ones(1).item()))

    failing = type("Failing", (FakeGraph,), {"capture": fail})
    monkeypatch.setattr(_many_replayed, "choose_graph_maker", lambda device: failing)
    estimators = [classifier(learning_rate_init=r) for r in RATES]
    assert compare(estimators, monkeypatch) == 0
    assert [graph.n_runs for graph in FakeGraph.made] == [1, 1]


def test_chunks_on_a_gpu_are_longer(monkeypatch):
    """Nothing is gained there by rows that fit a cache."""
    X = torch.zeros(1000, 64, device="meta")
    sample = _many_orders.SampleSubset(X, np.arange(1000), torch.zeros(1000, device="meta"), None)
    order = _many_orders.Order(sample, None)
    assert _many_orders.ChunkLoader([order], 16, 8).n_steps == 64
    monkeypatch.setattr(_many_orders, "DEVICE_NUMBERS", 3 * 16 * 64)
    assert _many_orders.ChunkLoader([order], 16, 8).n_steps == 3


def test_networks_that_part_company_are_captured_anew(monkeypatch):
    """Equal settings make one call of the optimizer; when one network slowed down there are two."""
    settings = {"learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1, "max_iter": 25}
    estimators = [
        classifier(solver="sgd", learning_rate_init=0.3, random_state=seed, **settings)
        for seed in range(3)
    ]
    shapes = set()
    original = _many_replayed.ReplayedStack.begin_epoch

    def noted(self):
        original(self)
        shapes.add(len(self.steps.signature))

    monkeypatch.setattr(_many_replayed.ReplayedStack, "begin_epoch", noted)
    assert compare(estimators, monkeypatch)
    assert len(shapes) > 1
