"""Compiled steps equal autograd's, with every option; elsewhere the reason is said."""

import pickle
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.activations import ACTIVATIONS
from sknn.architectures import MLP, MLPOptions
from sknn.engine import train
from sknn.engine._runners import AutogradRunner, HandwrittenRunner
from sknn.engine.compiled import _codes
from sknn.engine.compiled._activations import fill_exponential, fill_exponentials
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.optimizers._schedules import SCHEDULES
from tests.engine.backprop.test_options import (
    PENALTIES,
    WRITTEN_OUT,
    assert_same_weights,
    go_on,
    plan_of,
    run,
)
from tests.engine.backprop.test_options import (
    STEPS as ALL_STEPS,
)
from tests.engine.configs import make_config

#: those that are compiled
STEPS = {name: changes for name, changes in ALL_STEPS.items() if name != "muon"}

pytest.importorskip("numba", reason="numba is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class AnyWork(CompiledRunner):
    """Takes fits of few steps, too."""

    min_steps = 0


def assert_same(config, loss="log_loss", rtol=1e-9, **options):
    fast = run(config, loss, [AnyWork, AutogradRunner], **options)
    slow = run(config, loss, [AutogradRunner], **options)
    assert (fast.runner, slow.runner) == ("compiled", "autograd"), fast.runner_reasons
    np.testing.assert_allclose(fast.progress.loss_curve, slow.progress.loss_curve, rtol=rtol)
    assert_same_weights(fast, slow, rtol)
    return fast


def test_every_named_loss_and_activation_is_compiled():
    assert sorted(_codes.LOSSES) == sorted({*WRITTEN_OUT} - {"ordered_bins"})
    trainable = {name for name, entry in ACTIVATIONS.items() if entry.torch_name is not None}
    assert set(_codes.ACTIVATIONS) == trainable


PAIRS = [
    *((step, schedule) for step in STEPS for schedule in ("constant", "one_cycle")),
    *((step, schedule) for step in ("sgd", "adam") for schedule in (*SCHEDULES, "warm-up")),
]


@pytest.mark.parametrize(("step", "schedule"), dict.fromkeys(PAIRS))
def test_every_solver_and_every_schedule_equals_autograds(step, schedule):
    options = {"warmup_epochs": 1.5} if schedule == "warm-up" else {"learning_rate": schedule}
    assert_same(make_config(**STEPS[step], **options, **PENALTIES["all"]), "huber")


def plan_with(activation, sizes=(4, 6, 5, 3), dtype="float64"):
    plan = plan_of(make_config(), "log_loss")
    mlp = MLP(list(sizes), activation, getattr(torch, dtype))
    mlp.initialize_weights(np.random.RandomState(0))
    weight = plan.sample_weight.astype(dtype)
    return replace(plan, module=mlp, X=plan.X.astype(dtype), sample_weight=weight)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", _codes.ACTIVATIONS)
def test_every_activation_equals_autograds(activation, dtype):
    one, other = (
        train(plan_with(activation, dtype=dtype), [kind]) for kind in (AnyWork, AutogradRunner)
    )
    assert_same_weights(one, other, 1e-9 if dtype == "float64" else 1e-4)


@pytest.mark.parametrize("sizes", [(4, 3), (4, 1, 3), (4, 5, 4, 3, 4, 3)])
def test_every_depth_equals_autograds(sizes):
    one, other = (train(plan_with("tanh", sizes), [kind]) for kind in (AnyWork, AutogradRunner))
    assert_same_weights(one, other)


@pytest.mark.parametrize("rates", [0.3, (0.0, 0.5)])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus", "gelu"])
def test_dropout_is_drawn_as_for_autograd(activation, rates):
    plan = plan_of(make_config(), "log_loss")
    results = []
    for kind in (AnyWork, AutogradRunner):
        mlp = MLP([4, 6, 5, 3], activation, torch.float64, MLPOptions(dropout=rates))
        mlp.initialize_weights(np.random.RandomState(0))
        results.append(train(replace(plan, module=mlp), [kind]))
    one, other = results
    assert one.runner == "compiled"
    np.testing.assert_allclose(one.progress.loss_curve, other.progress.loss_curve, rtol=1e-9)
    assert_same_weights(one, other)
    states = [
        [layer.state.tolist() for layer in each.net.module_.dropouts if hasattr(layer, "state")]
        for each in results
    ]
    assert states[0] == states[1]


@pytest.mark.parametrize("step", STEPS)
def test_the_optimizers_state_is_shared_with_other_ways(step):
    """Epochs compiled and by autograd in turn are the same as all of them by autograd."""
    config = make_config(**STEPS[step])
    mixed, plain = (run(config, runners=[kind]) for kind in (AnyWork, AutogradRunner))
    for kind in (AutogradRunner, AnyWork, HandwrittenRunner, AnyWork):
        mixed, plain = go_on(mixed, config, [kind]), go_on(plain, config, [AutogradRunner])
        assert mixed.runner == kind.name
    assert_same_weights(mixed, plain)


def test_memory_is_given_back_after_training():
    net = run(make_config(), runners=[AnyWork]).net
    for tensor in net.module_.parameters():
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    pickle.loads(pickle.dumps(net.module_.state_dict()))


def test_exponentials_keep_their_digits():
    small = np.logspace(-300, 1, 999)
    x = np.concatenate([np.linspace(-40, 40, 9999), small, -small, [0.0, 750, -750]])
    got, wanted = x.copy(), np.expm1(np.clip(x, -700, 700))
    fill_exponentials(got, np.empty_like(x), 1)
    np.testing.assert_allclose(got, wanted, rtol=1e-15)
    got = x.copy()
    fill_exponentials(got, np.empty_like(x), 0)
    np.testing.assert_allclose(got, np.exp(np.clip(x, -700, 700)), rtol=1e-15)
    got = x.copy()
    fill_exponential(_codes.TANH, got, np.empty_like(x), np.empty_like(x))
    np.testing.assert_allclose(got, np.tanh(x), rtol=1e-15)
    nan = np.array([np.nan, np.inf, -np.inf])
    fill_exponential(_codes.TANH, nan, np.empty(3), np.empty(3))
    np.testing.assert_array_equal(nan, [np.nan, 1, -1])


X = np.random.default_rng(0).normal(size=(300, 5))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)
LONG = {"max_iter": 600, "batch_size": 32, "tol": 0.0, "n_iter_no_change": 600}


def test_a_long_fit_on_small_data_is_compiled_and_the_same_each_time():
    model = DeepMLPClassifier((8,), **LONG, random_state=0).fit(X, Y)
    again = DeepMLPClassifier((8,), **LONG, random_state=0).fit(X, Y)
    assert model.net_ is not None
    np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])
    assert model.runner_ == "compiled"
    slow = DeepMLPClassifier((8,), **{**LONG, "max_iter": 10}, random_state=0).fit(X, Y)
    assert slow.runner_ == "handwritten"
    assert "it is not worth loading compiled code" in slow.runner_reasons_["compiled"]
    np.testing.assert_allclose(slow.loss_curve_, model.loss_curve_[:10], rtol=1e-8)


@pytest.mark.parametrize("was_warm", [True, False])
def test_a_fit_of_medium_length_takes_code_that_is_there_and_compiles_none(was_warm):
    class OnSuchAMachine(CompiledRunner):
        @staticmethod
        def was_warm(dtype):
            return was_warm

    config = replace(make_config(), max_iter=60, n_iter_no_change=np.inf)
    result = train(replace(plan_of(config), config=config), [OnSuchAMachine, HandwrittenRunner])
    assert result.runner == ("compiled" if was_warm else "handwritten")
    if not was_warm:
        assert "it is not worth compiling" in result.runner_reasons["compiled"]


def test_early_stopping_keeps_the_best_weights_of_compiled_epochs():
    params = {**LONG, "n_iter_no_change": 40, "early_stopping": True, "learning_rate_init": 0.01}
    model = DeepMLPClassifier((16,), **params, random_state=0).fit(X, Y)
    assert model.runner_ == "compiled"
    assert model.n_iter_ < 600
    scores = model.validation_scores_
    assert model.best_validation_score_ == max(scores) == scores[model.best_iter_ - 1]
    assert len(model.history_["score"]) == model.n_iter_


def test_training_that_diverges_is_seen():
    params = {"solver": "sgd", "learning_rate_init": 1e6, "hidden_layer_sizes": (8,)}
    model = DeepMLPRegressor(**params, **LONG, random_state=0)
    with pytest.raises(ValueError, match="non-finite"):
        model.fit(X, X[:, 0])
    assert not hasattr(model, "net_")


def soft_margin(output, target):
    return torch.nn.functional.softplus(-output * (2 * target - 1))


REASONS = {
    "sparse": ({"hidden_layer_sizes": (20000, 110)}, sparse.csr_matrix(X), "X is sparse"),
    "normalization": ({"normalization": "layer"}, X, "layers beside weights"),
    "wide": ({"hidden_layer_sizes": (3000, 3000)}, X, "so large that torch's are as fast"),
    "own activation": ({"activation": torch.sin}, X, "layers beside weights"),
    "own loss": ({"loss": soft_margin}, X, "the loss 'soft_margin' is not compiled"),
}


@pytest.mark.parametrize("case", REASONS)
def test_why_a_fit_is_not_compiled_is_said(case):
    params, data, reason = REASONS[case]
    model = DeepMLPClassifier(**{"hidden_layer_sizes": (4,), **params, "max_iter": 1})
    model.fit(data, Y)
    assert reason in model.runner_reasons_["compiled"]


def test_numba_is_loaded_with_the_first_fit_that_is_compiled():
    fit = (
        "import sys, warnings; warnings.simplefilter('ignore');"
        "from sknn import DeepMLPClassifier;"
        "m = DeepMLPClassifier(max_iter=2).fit([[0.], [1.]], [0, 1]); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", fit], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("is_compiled", [True, False])
def test_the_first_compilation_on_a_machine_is_announced(is_compiled, capsys):
    class OnSuchAMachine(AnyWork):
        @staticmethod
        def is_warm(dtype):
            return is_compiled

    run(make_config(verbose=1), runners=[OnSuchAMachine])
    assert ("once on this machine" in capsys.readouterr().out) != is_compiled


def test_fits_in_threads_are_those_of_one_thread():
    def fit(seed, into):
        model = DeepMLPClassifier((8,), **LONG, random_state=seed).fit(X, Y)
        into[seed] = model.coefs_[0].copy()

    alone, together = {}, {}
    for seed in range(3):
        fit(seed, alone)
    threads = [threading.Thread(target=fit, args=(seed, together)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(3):
        np.testing.assert_array_equal(alone[seed], together[seed])
