"""Fits by compiled members: the network is autograd's, and is left as it was found."""

import pickle

import numpy as np
import pytest
import torch

from sknn._jit import HAS_NUMBA
from sknn._specs import Sample, TrainPlan
from sknn.engine import train
from sknn.engine._run import TrainingRun
from sknn.engine._runners import AutogradRunner, MembersRunner
from sknn.preprocessing import ValueCodec
from tests import helpers
from tests.engine.configs import BatchWatcher, make_config
from tests.engine.members.test_passes import draw_samples, make_ensemble

pytestmark = [
    pytest.mark.skipif(not HAS_NUMBA, reason="compiled passes need numba"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


class AnyWork(MembersRunner):
    """Takes fits of little work, too."""

    min_flops = min_warm_flops = 0.0


def make_plan(ensemble=None, **changes):
    """Return the plan to train three members, which hold out samples, for three epochs."""
    usual = {"max_iter": 3, "batch_size": 16, "alpha": 0.0, "shuffle": True, "stop_on_loss": True}
    changes = {**usual, **changes}
    module = make_ensemble() if ensemble is None else ensemble
    X = draw_samples(module, 40).numpy()
    X = np.column_stack([X, np.sort(np.arange(40) % 5 - 2).clip(-1)])
    y = np.column_stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])])[:, : module.n_outputs]
    codec = ValueCodec("squared_error", True, None).fit(y)
    target, weight = codec.encode(y, "float64"), np.linspace(0.5, 2, 40)
    held_out = Sample(X[20:], target[20:], weight[20:])
    config = make_config(**changes)
    state = np.random.RandomState(0)
    spec = codec.spec_
    return TrainPlan(module, X, target, weight, config, spec, None, state, validation=held_out)


def run(runner, **changes):
    return train(make_plan(**changes), [runner, AutogradRunner])


@pytest.mark.parametrize(
    "changes",
    [
        {"solver": "adamw", "averaged_epochs": 2.0, "warmup_epochs": 0.5},
        {"solver": "muon", "weight_decay": 0.2},
        {"solver": "sgd", "max_grad_norm": 0.1},
        {"early_stopping": True, "callbacks": [BatchWatcher()]},
    ],
)
def test_members_learn_what_they_do_by_autograd(changes):
    compiled, usual = run(AnyWork, **changes), run(AutogradRunner, **changes)
    assert (compiled.runner, usual.runner) == ("compiled members", "autograd")
    np.testing.assert_allclose(compiled.progress.loss_curve, usual.progress.loss_curve, rtol=1e-9)
    np.testing.assert_allclose(
        compiled.progress.validation_losses, usual.progress.validation_losses, rtol=1e-9
    )
    helpers.assert_same_weights(compiled, usual, 1e-7)


@pytest.mark.parametrize("ready", [True, False])
def test_a_cold_start_is_announced(capsys, ready):
    class Announcing(AnyWork):
        @staticmethod
        def is_ready(dtype):
            return ready

    run(Announcing, verbose=1, max_iter=1)
    assert ("compiled, once on this machine" in capsys.readouterr().out) == (not ready)


def test_threads_share_the_members_and_change_no_bit():
    before = torch.get_num_threads()
    results = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            # enough work for threads to be kept, see `limit_threads`
            module = make_ensemble("wide embeddings", hidden_layer_sizes=(300, 300), dropout=0.2)
            plan = make_plan(module, solver="adamw", max_iter=2)
            results.append(train(plan, [AnyWork, AutogradRunner]))
    finally:
        torch.set_num_threads(before)
    one, two = (result.net.module_.state_dict() for result in results)
    for name, value in one.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, two[name]), name


def test_the_network_owns_its_memory_again():
    result = run(AnyWork, solver="adamw")
    module = result.net.module_
    for p in module.parameters():
        assert p.untyped_storage().nbytes() == p.numel() * p.itemsize
        assert p.grad is None
        state = result.net.optimizer_.state[p]["exp_avg"]
        assert state.untyped_storage().nbytes() == state.numel() * state.itemsize
    again = pickle.loads(pickle.dumps(module)).eval()
    X = draw_samples(module)
    with torch.inference_mode():
        torch.testing.assert_close(again(X), module.eval()(X), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"alpha": 0.1}, "a penalty"),
        ({"precision": "bfloat16"}, "needs autocast"),
        ({"ensemble": make_ensemble(numerical_embedding="periodic")}, "not piecewise linear"),
    ],
)
def test_what_is_not_compiled_is_said(changes, reason):
    plan = make_plan(**changes)
    run = TrainingRun(plan)
    run.begin()
    assert reason in AnyWork.supports(run)


def test_fits_of_little_work_are_left_to_autograd():
    result = run(MembersRunner)
    assert result.runner == "autograd"
    assert "too short" in result.runner_reasons["compiled members"]
