"""Stacks of networks whose steps are captured and replayed are the networks of `train`.

The graph is played by one that records torch's operations on the CPU, see `fake_graph`; so that it
sees them, products are torch's here as they are on a GPU.
"""

import numpy as np
import pytest
import torch

from sknn.engine import train
from sknn.engine.data._batches import GROUP_NUMBERS
from sknn.engine.stacked._batches import (
    DEVICE_NUMBERS,
    DEVICE_STEPS,
    ChunkLoader,
    Order,
    SampleSubset,
)
from sknn.engine.stacked._mlp import Stack
from tests.engine.graphs.fake_graph import FakeGraph
from tests.engine.stacked.test_train_many import (
    FOLDS,
    RATES,
    WEIGHT,
    X,
    assert_same,
    classifier,
    plan_of,
    regressor,
    train_stacked,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


#: so wide that a chunk has two of the seven steps of an epoch of three networks
WIDE = np.pad(X, ((0, 0), (0, GROUP_NUMBERS // (2 * 3 * 16) - X.shape[1])))


@pytest.fixture(autouse=True)
def _own_graphs():
    FakeGraph.made.clear()
    yield
    FakeGraph.made.clear()


class ReplayedStack(Stack):
    """A stack for which the CPU has graphs."""

    multiply = staticmethod(lambda a, b, out: torch.bmm(a, b, out=out))
    choose_graph_maker = staticmethod(lambda device: FakeGraph)


def compare(estimators, folds=FOLDS, weight=None, stack=ReplayedStack):
    """Train together and one by one; return how many replays there were."""
    alone, plans = (
        [plan_of(e, rows, weight, X=WIDE) for e, rows in zip(estimators, folds, strict=True)]
        for _ in range(2)
    )
    alone = [train(plan) for plan in alone]
    assert not FakeGraph.made
    for one, other in zip(alone, train_stacked(plans, stack=stack), strict=True):
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
def test_settings_of_their_own_and_folds(params, weight):
    estimators = [classifier(learning_rate_init=r, alpha=r, **params) for r in RATES]
    # an epoch has three chunks of two steps and one; the first of each shape warms up
    assert compare(estimators, weight=weight) == 5 * 4 - 2


@pytest.mark.parametrize("activation", ["tanh", "logistic", "elu", "identity"])
def test_activations(activation):
    estimators = [classifier(activation=activation, learning_rate_init=r) for r in RATES]
    assert compare(estimators)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_regression_and_networks_of_one_setting(loss):
    estimators = [regressor(loss=loss, random_state=seed) for seed in range(3)]
    assert compare(estimators)


@pytest.mark.parametrize("schedule", ["invscaling", "adaptive", "plateau"])
def test_rates_that_change_after_epochs(schedule):
    settings = {"tol": 10.0, "n_iter_no_change": 2, "max_iter": 9, "learning_rate": schedule}
    estimators = [
        classifier(solver="sgd", learning_rate_init=r, power_t=0.3, **settings) for r in RATES
    ]
    assert compare(estimators)


def test_networks_that_stop_early_leave_and_the_others_are_captured_anew():
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 30}
    estimators = [classifier(learning_rate_init=r, **settings) for r in RATES]
    assert compare(estimators)
    assert len(FakeGraph.made) > 2  # two shapes of chunks in each stack


def test_a_capture_that_fails_leaves_all_networks_as_they_are():
    def fail(self, work):
        FakeGraph.capture(self, lambda: (work(), torch.ones(1).item()))

    failing = type("Failing", (FakeGraph,), {"capture": fail})

    class FailingStack(ReplayedStack):
        choose_graph_maker = staticmethod(lambda device: failing)

    estimators = [classifier(learning_rate_init=r) for r in RATES]
    assert compare(estimators, stack=FailingStack) == 0
    assert [graph.n_runs for graph in FakeGraph.made] == [1, 1]


@pytest.mark.parametrize(
    ("n_features", "n_steps"),
    [(64, DEVICE_STEPS), (GROUP_NUMBERS, DEVICE_NUMBERS // (16 * GROUP_NUMBERS))],
)
def test_chunks_on_a_gpu_need_not_fit_a_cache(n_features, n_steps):
    X = torch.zeros(1000, n_features, device="meta")
    sample = SampleSubset(X, np.arange(1000), torch.zeros(1000, device="meta"), None)
    loader = ChunkLoader([Order(sample, None)], batch_size=16, numbers_per_sample=8)
    assert loader.n_steps == n_steps


def test_networks_that_part_company_are_captured_anew():
    """Equal settings make one call of the optimizer; when one network slowed down there are two."""
    settings = {"learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1, "max_iter": 25}
    estimators = [
        classifier(solver="sgd", learning_rate_init=0.3, random_state=seed, **settings)
        for seed in range(3)
    ]
    shapes = set()

    class Noted(ReplayedStack):
        def run_epoch(self):
            losses = super().run_epoch()
            shapes.add(len(self.replays.steps.signature))
            return losses

    assert compare(estimators, stack=Noted)
    assert len(shapes) > 1
