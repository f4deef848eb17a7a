"""Steps captured once and replayed are the steps that would have been done one by one.

The graph is played by one that records operations on the CPU, see `fake_graph`.
"""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from skorch.callbacks import Callback, Freezer

from sknn import DeepMLPClassifier, DeepMLPRegressor, SequenceCNNClassifier
from sknn.deep.parts._preparation import FitData
from sknn.engine._run import TrainingRun
from sknn.engine._runners import RUNNERS
from sknn.engine.backprop._mlp import IN_PLACE
from sknn.engine.graphs._epochs import MAX_NUMBERS, count_chunk_batches
from sknn.engine.graphs._runner import CudaGraphRunner
from sknn.engine.optimizers._optimizers import forget_steps
from sknn.losses import CLASS_LOSSES
from tests.engine.backprop.test_epochs import TASKS, assert_same, data
from tests.engine.backprop.test_epochs import make as make_model
from tests.engine.configs import fit_by
from tests.engine.graphs.fake_graph import FakeGraph
from tests.helpers import in_pairs

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


def make_runner(graph=FakeGraph, most_batches=2):
    """Return a runner for which the CPU has such graphs, with so many batches in a chunk."""

    class ReplayedOnCPU(CudaGraphRunner):
        max_batches = most_batches
        choose_graph_maker = staticmethod(lambda device: graph)

    return ReplayedOnCPU


def fit_by_replays(model, *data, graph=FakeGraph, **options):
    return fit_by((make_runner(graph), *RUNNERS), model, *data, **options)


def make(task, **kwargs):
    return make_model(task, **{"max_iter": 4, **kwargs})


def fit_both_ways(model, *data):
    """Return the model fitted by replays, and a clone of it by single steps."""
    plain = clone(model).fit(*data)
    assert not FakeGraph.made
    return fit_by_replays(model, *data), plain


def n_replays():
    return sum(graph.n_replays for graph in FakeGraph.made)


@in_pairs(activation=[*IN_PLACE, "gelu"], task=TASKS, solver=SOLVERS, weighted=[False, True])
def test_weights_and_losses_equal_those_of_single_steps(activation, task, solver, weighted, rng):
    X, y, weight = data(task, rng)
    weight[::8] += 1  # no batch without weight
    model = make(task, activation=activation, **SOLVERS[solver])
    fast, slow = fit_both_ways(model, X, y, weight if weighted else None)
    assert n_replays() == 6  # of 8 chunks two warmed up, one for each length
    assert_same(fast, slow, rtol=1e-12)


@in_pairs(schedule=SCHEDULES, solver=SOLVERS, activation=["relu", "silu"])
def test_learning_rates_that_change_are_followed(schedule, solver, activation, rng):
    X, y, _ = data("log_loss", rng)
    model = make("log_loss", activation=activation, **SOLVERS[solver], **SCHEDULES[schedule])
    fast, slow = fit_both_ways(model, X, y)
    assert n_replays() == 6
    assert_same(fast, slow, rtol=1e-12)
    assert fast.net_.schedule.rate == slow.net_.schedule.rate
    np.testing.assert_array_equal(fast.history_["learning_rate"], slow.history_["learning_rate"])


@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize("schedule", ["invscaling", "adaptive", "plateau"])
@pytest.mark.parametrize("solver", ["sgd", "nesterov"])
def test_rates_that_change_after_epochs_are_followed(solver, schedule, activation, rng):
    X, y, _ = data("log_loss", rng)
    settings = {"max_iter": 9, "tol": 10.0, "n_iter_no_change": 2, "learning_rate": schedule}
    settings |= {**SOLVERS[solver], "activation": activation}
    fast, slow = fit_both_ways(make("log_loss", **settings), X, y)
    assert n_replays()
    rates = fast.history_["learning_rate"]
    assert len(set(rates)) > 1
    np.testing.assert_array_equal(rates, slow.history_["learning_rate"])
    assert_same(fast, slow, rtol=1e-12)


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
def test_other_settings_equal_single_steps(options, activation, weighted, rng):
    X, y, weight = data("log_loss", rng)
    model = make("log_loss", activation=activation, **options)
    fast, slow = fit_both_ways(model, X, y, weight + 0.5 if weighted else None)
    assert n_replays()
    assert_same(fast, slow, rtol=1e-11)


LOSSES = [
    ("hinge", {}),
    ("focal", {"loss__gamma": 1.5}),
    ("log_loss", {"label_smoothing": 0.1}),
    ("absolute_error", {}),
    ("huber", {"loss__delta": 0.5}),
    ("gamma", {}),
    ("gaussian_nll", {}),
    ("ordered_bins", {"loss__n_bins": 9}),
    ("quantile", {"loss__quantiles": (0.1, 0.5, 0.9)}),
]


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize(("loss", "params"), LOSSES)
def test_every_loss_is_captured(loss, params, activation, rng):
    X = rng.normal(size=(29, 4))
    settings = {"activation": activation, "loss": loss, **params}
    settings |= {"hidden_layer_sizes": (7, 5), "batch_size": 8, "max_iter": 4, "random_state": 0}
    if loss in CLASS_LOSSES:
        model, y = DeepMLPClassifier(**settings), rng.integers(0, 3, 29)
    else:
        model, y = DeepMLPRegressor(**settings), rng.gamma(2.0, size=29)
    fast, slow = fit_both_ways(model, X, y)
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
        {"dtype": "bfloat16"},
    ],
)
def test_layers_that_go_through_autograd_equal_single_steps(options, rng):
    X, y, _ = data("log_loss", rng)
    fast, slow = fit_both_ways(make("log_loss", **options), X, y)
    assert n_replays() == 6
    assert_same(fast, slow, rtol=1e-4 if "dtype" in options else 1e-12)
    for name, value in slow.module_.state_dict().items():
        np.testing.assert_allclose(fast.module_.state_dict()[name], value, rtol=1e-4)


def test_dropout_goes_on_with_its_own_seeds_after_replays(rng):
    X, y, _ = data("log_loss", rng)
    fast, slow = fit_both_ways(make("log_loss", dropout=0.5), X, y)
    for one, other in zip(fast.module_.dropouts, slow.module_.dropouts, strict=True):
        assert one.masks is None
        assert one.state.tolist() == other.state.tolist() == [one.state[0], 16]


@pytest.mark.parametrize("asks", [False, True])
def test_sequences_are_captured_where_nothing_is_asked(asks, rng):
    # On a CPU a look at letters for padding, which numbers of one channel do not have, saves work.
    X = np.array(["".join(rng.choice(list("ACGT"), 30)) for _ in range(29)])
    y = np.array(["TATA" in x or x.startswith("A") for x in X])
    X = X if asks else rng.normal(size=(29, 30, 1)) + y[:, None, None]
    model = SequenceCNNClassifier(
        4, 5, batch_size=8, max_iter=4, early_stopping=False, dropout=0.3, random_state=0
    )
    model.set_params(alphabet="ACGT" if asks else None)
    fast, slow = fit_both_ways(model, X, y)
    assert n_replays() == (0 if asks else 6)
    np.testing.assert_allclose(fast.predict_proba(X), slow.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_scores_of_training_samples_come_from_replays_too(activation, rng):
    X, y, weight = data("log_loss", rng)
    model = make("log_loss", early_stopping=True, activation=activation, max_iter=6)
    fast, slow = fit_both_ways(model, X, y, weight + 0.5)
    assert n_replays()
    assert_same(fast, slow)
    for name in ("score", "validation_score", "validation_loss"):
        np.testing.assert_allclose(fast.history_[name], slow.history_[name])


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_replays_and_single_steps_share_the_optimizers_state(solver, activation, rng):
    X, y, _ = data("log_loss", rng, n=70)
    settings = {"activation": activation, **SOLVERS[solver]}
    fast, slow = make("log_loss", **settings), make("log_loss", **settings)
    for i in range(6):
        slow.partial_fit(X, y, classes=[0, 1, 2])
        runners = (make_runner(), *RUNNERS) if i % 2 else RUNNERS  # every other epoch by replays
        fit_by(runners, fast, X, y, None, [0, 1, 2], incremental=True)
    assert n_replays() == 9  # three times 5 chunks, of which 4 have one length and 1 warms up
    assert_same(fast, slow, rtol=1e-11)
    one, other = (
        [m.net_.optimizer_.state[p] for p in m.module_.parameters()] for m in (fast, slow)
    )
    for mine, theirs in zip(one, other, strict=True):
        assert set(mine) == set(theirs)
        for name, value in theirs.items():
            np.testing.assert_allclose(mine[name], value, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_nothing_is_left_of_replays_after_training(activation, rng):
    X, y, _ = data("log_loss", rng)
    net = fit_by_replays(make("log_loss", activation=activation), X, y).net_
    assert n_replays() == 6
    assert all(p.grad is None for p in net.module_.parameters())
    state = [v for s in net.optimizer_.state.values() for v in s.values()]
    for tensor in [*net.module_.parameters(), *(t for t in state if torch.is_tensor(t))]:
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def fails(after):
    """Return a graph whose capture fails after the work is done, or in the middle of it."""

    class Failing(FakeGraph):
        def capture(self, work):
            def interrupted():
                work()
                raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

            super().capture(interrupted if after else lambda: torch.zeros(1).item())

    return Failing


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_capture_that_fails_costs_nothing_but_speed(solver, activation, after, rng):
    X, y, weight = data("log_loss", rng)
    model = make("log_loss", activation=activation, dropout=0.0, **SOLVERS[solver])
    plain = clone(model).fit(X, y, weight + 0.5)
    fit_by_replays(model, X, y, weight + 0.5, graph=fails(after))
    assert [graph.n_captures for graph in FakeGraph.made] == [1, 1]
    assert n_replays() == 0
    assert_same(model, plain, rtol=1e-11)


def test_dropout_goes_on_after_a_capture_that_fails(rng):
    X, y, _ = data("log_loss", rng)
    model = make("log_loss", dropout=0.5)
    plain = clone(model).fit(X, y)
    assert_same(fit_by_replays(model, X, y, graph=fails(after=True)), plain, rtol=1e-12)


class Counter(Callback):
    def on_batch_end(self, net, **kwargs):
        self.n = getattr(self, "n", 0) + 1


class Quiet(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.module_.linears[0].bias.requires_grad_(True)


class Counting(torch.nn.Linear):
    n_calls = 0

    def forward(self, X):
        self.n_calls += 1
        return super().forward(X) / self.n_calls


def network(n_inputs, n_outputs):
    return torch.nn.Sequential(Counting(n_inputs, n_outputs))


def hooked(n_inputs, n_outputs):
    layer = torch.nn.Linear(n_inputs, n_outputs)
    layer.register_forward_hook(lambda module, args, output: output * 0.5)
    return torch.nn.Sequential(layer)


def own_loss(output, target):
    return torch.nn.functional.cross_entropy(output, target, reduction="none")


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "rmsprop"},
        {"solver": "nadam"},
        {"solver": torch.optim.Adagrad},
        {"solver": "lbfgs"},
        {"callbacks": [Counter()]},
        {"callbacks": [Quiet()], "activation": "gelu"},
        {"callbacks": [Freezer("linears.0.*")], "activation": "gelu"},
        {"activation": torch.nn.functional.mish},
        {"module": network, "hidden_layer_sizes": (100,)},
        {"module": hooked, "hidden_layer_sizes": (100,)},
        {"loss": own_loss},
        {"solver": "sgd", "learning_rate": torch.optim.lr_scheduler.OneCycleLR},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_what_a_recording_could_miss_goes_step_by_step(settings, rng):
    X, y, _ = data("log_loss", rng)
    fit_by_replays(make("log_loss", **settings), X, y)
    assert not FakeGraph.made


def test_a_users_callback_is_no_hindrance_to_steps_by_hand(rng):
    X, y, _ = data("log_loss", rng)
    fast, slow = fit_both_ways(make("log_loss", callbacks=[Quiet()]), X, y)
    assert n_replays() == 6
    assert_same(fast, slow)


def test_torchs_own_layers_are_captured_in_a_users_network(rng):
    X, y, _ = data("log_loss", rng)

    def own(n_inputs, n_outputs):
        layers = torch.nn.Linear(n_inputs, 5), torch.nn.PReLU(), torch.nn.Dropout(0.3)
        return torch.nn.Sequential(*layers, torch.nn.Linear(5, n_outputs))

    fast, slow = fit_both_ways(make("log_loss", module=own, hidden_layer_sizes=(100,)), X, y)
    assert n_replays() == 6
    for one, other in zip(fast.module_.parameters(), slow.module_.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), rtol=1e-9)


def test_sparse_samples_and_samples_that_stay_on_the_host_are_not_captured(rng):
    X, y, _ = data("log_loss", rng)
    fit_by_replays(make("log_loss"), sparse.csr_matrix(X), y)
    assert not FakeGraph.made
    model = make("log_loss", device="cpu")
    run = TrainingRun(model._prepare(FitData(X, y)))
    run.prepare_steps()
    run.begin()
    runner = make_runner()
    assert runner.supports(run) is None
    run.samples.device = "meta"
    run.net.device = "meta"  # any other than that of the samples
    assert "fit on the device" in runner.supports(run)


def test_another_state_of_the_optimizer_is_captured_anew(rng):
    """As after a restart of a dead network, which forgets the moments."""
    X, y, _ = data("log_loss", rng)

    class Forgetful(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                forget_steps(net.optimizer_)

    Forgetful.__module__ = "sknn.engine"
    for solver in ("adam", "nesterov"):
        settings = {"activation": "gelu", "max_iter": 5, "callbacks": [Forgetful()]}
        model = make("log_loss", **settings, **SOLVERS[solver])
        plain = clone(model).fit(X, y)
        fit_by((make_runner(most_batches=64), *RUNNERS), model, X, y)
        assert [graph.n_replays for graph in FakeGraph.made] == [1, 2]  # of 2 and of 3 epochs
        assert_same(model, plain, rtol=1e-11)
        FakeGraph.made.clear()


def test_an_interrupted_epoch_is_done_once_more(rng):
    X, y, _ = data("log_loss", rng, n=70)

    class Interrupting(FakeGraph):
        def replay(self):
            super().replay()
            if self.n_replays == 5:
                raise KeyboardInterrupt

    whole = make("log_loss", max_iter=4, warm_start=True, alpha=0.0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fit_by_replays(whole, X, y, graph=Interrupting)
    assert whole.n_iter_ == 1
    fit_by_replays(whole, X, y)
    assert whole.n_iter_ == 4
    assert len(whole.loss_curve_) == 4


@pytest.mark.parametrize(
    ("most", "batch_numbers", "n_batches", "size"),
    [
        (64, 32, 9, 9),
        (5, 32, 9, 5),
        (4, 32, 9, 3),  # not 4, 4 and 1
        (64, MAX_NUMBERS // 2, 3, 2),
        (64, 2 * MAX_NUMBERS, 3, 1),
    ],
)
def test_chunks_are_even_and_hold_no_more_than_memory_allows(most, batch_numbers, n_batches, size):
    assert count_chunk_batches(n_batches, batch_numbers, most) == size


def test_an_epoch_is_cut_into_few_sizes_of_chunks(rng):
    X, y, _ = data("log_loss", rng, n=70)  # 9 batches of 8, the last of 6
    run = TrainingRun(make("log_loss", device="cpu")._prepare(FitData(X, y)))
    run.prepare_steps()
    run.begin()
    runner = make_runner(most_batches=4)(run)
    run.open_epoch()
    runner.run_epoch()
    assert [chunk.sizes for chunk in runner.epochs.chunks.values()] == [[8] * 3, [8, 8, 6]]
    runner.close()
