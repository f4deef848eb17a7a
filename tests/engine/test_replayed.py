"""Steps captured once and replayed are the steps that would have been done one by one.

The graph is played by one that records operations on the CPU, see `fake_graph`.
"""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sknn import DeepMLPClassifier, DeepMLPRegressor, SequenceCNNClassifier
from sknn.engine import _replayed
from sknn.engine._mlp_pass import IN_PLACE
from tests.engine.fake_graph import FakeGraph
from tests.engine.test_closed_form import TASKS, assert_same, data
from tests.engine.test_closed_form import make as make_model

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "adamw": {"solver": "adamw", "learning_rate_init": 0.01, "weight_decay": 0.1},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.005, "momentum": 0.0},
    "momentum": {"solver": "sgd", "learning_rate_init": 0.005, "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.005},
}
SCHEDULES = {
    "constant": {},
    "one_cycle": {"learning_rate": "one_cycle"},
    "cosine": {"learning_rate": "cosine"},
    "warm-up": {"warmup_epochs": 2.5},
    "torch, by epoch": {"learning_rate": torch.optim.lr_scheduler.ExponentialLR,
                        "learning_rate__gamma": 0.5},
    "torch, by step": {"learning_rate": torch.optim.lr_scheduler.OneCycleLR,
                       "learning_rate__cycle_momentum": False},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_graphs():
    FakeGraph.made.clear()
    yield
    FakeGraph.made.clear()


@pytest.fixture
def graphs(monkeypatch):
    """Return a function that gives the CPU graphs, with so many batches in a chunk."""

    def give(most_batches=2):
        monkeypatch.setattr(_replayed, "graphs_for", lambda device: FakeGraph)
        monkeypatch.setattr(_replayed, "MOST_BATCHES", most_batches)

    return give


def make(task, **kwargs):
    return make_model(task, **{"max_iter": 4, **kwargs})


def fit_both_ways(graphs, model, *args, **kwargs):
    """Return the model fitted by replays, and a clone of it by single steps."""
    plain = clone(model).fit(*args, **kwargs)
    assert not FakeGraph.made
    graphs()
    return model.fit(*args, **kwargs), plain


def n_replays():
    return sum(graph.n_replays for graph in FakeGraph.made)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", [*IN_PLACE, "gelu"])
def test_weights_and_losses_equal_those_of_single_steps(
    activation, task, solver, weighted, rng, graphs
):
    X, y, weight = data(task, rng)
    weight[::8] += 1  # no batch without weight
    model = make(task, activation=activation, **SOLVERS[solver])
    fast, slow = fit_both_ways(graphs, model, X, y, weight if weighted else None)
    assert n_replays() == 6  # of 8 chunks two warmed up, one for each length
    assert_same(fast, slow, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_learning_rates_that_change_are_followed(schedule, solver, activation, rng, graphs):
    X, y, _ = data("log_loss", rng)
    model = make("log_loss", activation=activation, **SOLVERS[solver], **SCHEDULES[schedule])
    fast, slow = fit_both_ways(graphs, model, X, y)
    assert n_replays() == 6
    assert_same(fast, slow, rtol=1e-12)
    assert fast.net_.schedule.rate == slow.net_.schedule.rate
    np.testing.assert_array_equal(fast.history_["learning_rate"], slow.history_["learning_rate"])


@pytest.mark.parametrize("solver", ["sgd", "nesterov"])
def test_rates_of_scikit_learn_that_change_by_epoch_are_followed(solver, rng, graphs):
    X, y, _ = data("log_loss", rng)
    settings = {**SOLVERS[solver], "max_iter": 9, "tol": 10.0, "n_iter_no_change": 2}
    for schedule in ("invscaling", "adaptive"):
        FakeGraph.made.clear()
        model = make("log_loss", learning_rate=schedule, **settings)
        fast, slow = fit_both_ways(graphs, model, X, y)
        assert len(set(fast.history_["learning_rate"])) > 2
        assert_same(fast, slow, rtol=1e-12)
        assert n_replays()


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@pytest.mark.parametrize(
    "options",
    [
        {"l1_ratio": 0.3},
        {"max_grad_norm": 0.05},
        {"max_grad_norm": 0.05, "l1_ratio": 1.0, "solver": "sgd", "momentum": 0.0},
        {"alpha": 0.0},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (1,)},
        {"batch_size": 1},
        {"batch_size": 29},
        {"shuffle": False},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_other_settings_equal_single_steps(options, activation, weighted, rng, graphs):
    X, y, weight = data("log_loss", rng)
    model = make("log_loss", activation=activation, **options)
    fast, slow = fit_both_ways(graphs, model, X, y, weight + 0.5 if weighted else None)
    assert n_replays()
    assert_same(fast, slow, rtol=1e-11)


LOSSES = [
    ("hinge", {}), ("focal", {"gamma": 1.5}), ("log_loss", {"label_smoothing": 0.1}),
    ("absolute_error", {}), ("huber", {"delta": 0.5}), ("gamma", {}), ("gaussian_nll", {}),
    ("quantile", {"quantiles": (0.1, 0.5, 0.9)}),
]  # fmt: skip


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize(("loss", "params"), LOSSES)
def test_every_loss_is_captured(loss, params, activation, rng, graphs):
    X = rng.normal(size=(29, 4))
    settings = {"activation": activation, "loss": loss, "loss_params": params}
    settings |= {"hidden_layer_sizes": (7, 5), "batch_size": 8, "max_iter": 4, "random_state": 0}
    if loss in CLASS_LOSSES:
        model, y = DeepMLPClassifier(**settings), rng.integers(0, 3, 29)
    else:
        model, y = DeepMLPRegressor(**settings), rng.gamma(2.0, size=29)
    fast, slow = fit_both_ways(graphs, model, X, y)
    assert n_replays() == 6
    assert_same(fast, slow, rtol=1e-11)


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.4},
        {"dropout": [0.2, 0.0], "solver": "sgd"},
        {"normalization": "batch"},
        {"normalization": "layer", "dropout": 0.3},
        {"residual": True, "hidden_layer_sizes": (6, 6)},
        {"activation": torch.nn.Mish},
        {"precision": "bfloat16", "dtype": "float32"},
    ],
)
def test_layers_that_go_through_autograd_equal_single_steps(options, rng, graphs):
    X, y, _ = data("log_loss", rng)
    fast, slow = fit_both_ways(graphs, make("log_loss", **options), X, y)
    assert n_replays() == 6
    assert_same(fast, slow, rtol=1e-4 if "dtype" in options else 1e-12)
    for name, value in slow.module_.state_dict().items():
        np.testing.assert_allclose(fast.module_.state_dict()[name], value, rtol=1e-4)


def test_dropout_goes_on_with_its_own_seeds_after_replays(rng, graphs):
    X, y, _ = data("log_loss", rng)
    fast, slow = fit_both_ways(graphs, make("log_loss", dropout=0.5), X, y)
    for one, other in zip(fast.module_.dropouts, slow.module_.dropouts, strict=True):
        assert one.masks is None
        assert one.state.tolist() == other.state.tolist() == [one.state[0], 16]


def test_sequences_are_captured(rng, graphs):
    X = np.array(["".join(rng.choice(list("ACGT"), 30)) for _ in range(29)])
    y = np.array(["TATA" in x or x.startswith("A") for x in X])
    model = SequenceCNNClassifier(
        n_filters=4, kernel_size=5, batch_size=8, max_iter=4, early_stopping=False,
        dropout=0.3, random_state=0, validation_fraction=0.0,
    )  # fmt: skip
    fast, slow = fit_both_ways(graphs, model, X, y)
    assert n_replays() == 6
    np.testing.assert_allclose(fast.predict_proba(X), slow.predict_proba(X), rtol=1e-5)
