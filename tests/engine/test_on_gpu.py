"""Training on a CUDA device: what is captured there, and that it is the same training.

``python -m pytest -q -m gpu tests`` runs these and all other tests that need such a device.
"""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sknn import DeepMLPClassifier, DeepMLPRegressor, SequenceCNNClassifier
from sknn.engine._runners import RUNNERS
from sknn.engine.backprop._mlp import IN_PLACE
from sknn.engine.graphs._cuda_graph import Replayed, choose_graph_maker
from sknn.engine.graphs._runner import CudaGraphRunner
from tests.engine.backprop.test_epochs import TASKS, data
from tests.engine.backprop.test_epochs import make as make_model
from tests.engine.configs import fit_by
from tests.engine.graphs.test_epochs import LOSSES, SCHEDULES, SOLVERS
from tests.helpers import in_pairs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


def make_noted():
    """Return a runner, and the list to which its replayed work comes; two batches in a chunk."""
    noted = []

    class Noted(CudaGraphRunner):
        max_batches = 2

        def close(self):
            noted.extend(chunk.replayed for chunk in self.epochs.chunks.values())
            super().close()

    return Noted, noted


def make(task, **kwargs):
    return make_model(task, **{"max_iter": 4, "device": "cuda", **kwargs})


def fit_by_replays(model, *data):
    """Fit by replays, two of which are captured: of whole chunks, and of the last."""
    runner, noted = make_noted()
    fit_by((runner,), model, *data)
    assert [(work.is_captured, work.failure) for work in noted] == [(True, None)] * 2
    return model


def fit_both_ways(model, *data):
    """Return the model fitted by replays, and a clone of it step by step, both on the GPU."""
    single = [runner for runner in RUNNERS if runner is not CudaGraphRunner]
    fast, slow = fit_by_replays(clone(model), *data), fit_by(single, clone(model), *data)
    assert fast.device_ == slow.device_ == "cuda"
    return fast, slow


def assert_same(fast, slow, rtol=1e-5):
    """The learning rate of captured steps is rounded to float32."""
    theirs = slow.module_.state_dict()
    for name, mine in fast.module_.state_dict().items():
        if isinstance(mine, torch.Tensor):
            mine, other = mine.double().cpu().numpy(), theirs[name].double().cpu().numpy()
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol * abs(other).max())
    np.testing.assert_allclose(fast.loss_curve_, slow.loss_curve_, rtol=rtol)


@in_pairs(activation=[*IN_PLACE, "gelu"], task=TASKS, solver=SOLVERS, weighted=[False, True])
def test_replays_equal_single_steps(activation, task, solver, weighted, rng):
    X, y, weight = data(task, rng)
    model = make(task, activation=activation, **SOLVERS[solver])
    fast, slow = fit_both_ways(model, X, y, weight + 1 if weighted else None)
    assert_same(fast, slow)


@in_pairs(schedule=SCHEDULES, solver=SOLVERS, activation=["relu", "silu"])
def test_learning_rates_that_change_are_followed(schedule, solver, activation, rng):
    X, y, _ = data("log_loss", rng)
    model = make("log_loss", activation=activation, **SOLVERS[solver], **SCHEDULES[schedule])
    assert_same(*fit_both_ways(model, X, y))


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.4},
        {"normalization": "batch"},
        {"normalization": "layer", "dropout": 0.3, "residual": True, "hidden_layer_sizes": (6, 6)},
        {"l1_ratio": 0.3, "max_grad_norm": 0.05},
        {"activation": "gelu", "max_grad_norm": 0.05},
        {"dtype": "float32"},
        {"dtype": "tf32"},
        {"dtype": "bfloat16"},
    ],
    ids=str,
)
def test_layers_and_precisions_equal_single_steps(options, rng):
    X, y, _ = data("log_loss", rng)
    fast, slow = fit_both_ways(make("log_loss", **options), X, y)
    rtol = {"bfloat16": 0.1, "tf32": 1e-2, "float32": 1e-3}.get(options.get("dtype"), 1e-5)
    assert_same(fast, slow, rtol)


@pytest.mark.parametrize(("loss", "params"), LOSSES)
def test_every_loss_of_classes_and_numbers_is_captured(loss, params, rng):
    task = "log_loss" if loss in ("hinge", "focal", "log_loss") else "squared_error"
    X, y, _ = data(task, rng)
    y = y if task == "log_loss" else np.abs(y[:, 0]) + 0.1
    kind = DeepMLPClassifier if task == "log_loss" else DeepMLPRegressor
    settings = {"loss": loss, "batch_size": 8, "max_iter": 4, "random_state": 0, "device": "cuda"}
    assert_same(*fit_both_ways(kind(**settings, **params), X, y))


def test_sequences_equal_single_steps(rng):
    X = np.array(["".join(rng.choice(list("ACGT"), 30)) for _ in range(29)])
    y = np.array([x.count("A") > 7 for x in X])
    model = SequenceCNNClassifier(
        4, 5, batch_size=8, max_iter=4, early_stopping=False, random_state=0, device="cuda"
    )
    assert_same(*fit_both_ways(model, X, y), rtol=1e-3)


def test_torchs_dropout_draws_the_same_numbers(rng):
    X, y, _ = data("log_loss", rng)

    def own(n_inputs, n_outputs):
        layers = torch.nn.Linear(n_inputs, 5), torch.nn.ReLU(), torch.nn.Dropout(0.3)
        return torch.nn.Sequential(*layers, torch.nn.Linear(5, n_outputs))

    torch.zeros(1, device="cuda")  # so that its generator is seeded before each fit
    model = make("log_loss", module=own, hidden_layer_sizes=(100,))
    assert_same(*fit_both_ways(model, X, y))


def test_the_cpu_comes_to_the_same_weights(rng):
    X, y, _ = data("log_loss", rng)
    for solver in SOLVERS.values():
        one = fit_by_replays(make("log_loss", **solver), X, y)
        assert_same(one, make("log_loss", device="cpu", **solver).fit(X, y))


def test_work_is_captured_and_replayed():
    numbers, calls = torch.zeros(2, device="cuda"), []

    def work():
        calls.append(1)
        numbers[1].add_(numbers[0] * 2)

    replayed = Replayed(work, choose_graph_maker("cuda")())
    for i in range(1, 6):
        numbers[0] = i
        replayed()
    assert numbers.tolist() == [5.0, 2.0 * (1 + 2 + 3 + 4 + 5)]
    assert len(calls) == 2
    assert replayed.is_captured


def test_a_capture_that_fails_leaves_stream_and_device_as_they_were():
    numbers, before = torch.ones(3, device="cuda"), torch.cuda.current_stream()

    def work():
        numbers.mul_(2)
        if numbers.sum().item() < 0:
            raise AssertionError

    replayed = Replayed(work, choose_graph_maker("cuda")())
    for i in range(1, 5):
        replayed()
        assert numbers.tolist() == [2.0**i] * 3
    assert not replayed.is_captured
    assert replayed.failure
    assert torch.cuda.current_stream() == before
    assert not torch.cuda.is_current_stream_capturing()


def test_memory_of_graphs_is_given_back(rng):
    X, y, _ = data("log_loss", rng)
    make("log_loss", activation="gelu").fit(X, y)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    for _ in range(3):
        make("log_loss", activation="gelu").fit(X, y)
    assert torch.cuda.memory_allocated() - before < 2**20
