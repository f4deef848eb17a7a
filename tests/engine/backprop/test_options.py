"""The steps written out by hand follow every option that they do not leave to autograd."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.optim import lr_scheduler

from sknn._specs import TrainPlan
from sknn.architectures import MLP
from sknn.engine import train
from sknn.engine._runners import RUNNERS, AutogradRunner
from sknn.engine.backprop._epochs import HandwrittenRunner
from sknn.engine.losses._table import LOSSES
from sknn.engine.optimizers._optimizers import OPTIMIZERS
from sknn.engine.optimizers._schedules import SCHEDULES
from sknn.preprocessing import ClassCodec, ValueCodec
from tests import helpers
from tests.engine.configs import make_config

N, EPOCHS, BATCH = 29, 3, 8


def codec_and_target(loss, rng, params=None):
    """Return a fitted codec and encoded targets for a key of LOSSES, or a user's function."""
    name = loss if callable(loss) else loss.removeprefix("binary_")
    if name in ("log_loss", "focal", "hinge"):
        shape = (N, 3) if loss.startswith("binary") else N
        y = rng.integers(0, 2 if len(np.shape(shape)) else 3, shape)
        codec = ClassCodec(name, params).fit(y)
    else:
        y = rng.gamma(2.0, size=(N, 2))
        codec = ValueCodec(name, True, params).fit(y)
    return codec, codec.encode(y, "float64")


def plan_of(config, loss="log_loss", *, is_sparse=False, weighted=True, params=None, seed=0):
    """Return the plan to train a small net."""
    rng = np.random.default_rng(seed)
    codec, y = codec_and_target(loss, rng, params)
    X = rng.normal(size=(N, 4)) * (rng.random((N, 4)) > 0.3)
    weight = rng.uniform(0.3, 3, N) if weighted else None
    mlp = MLP([4, 7, 5, codec.spec_.n_outputs], "tanh", torch.float64)
    mlp.initialize_weights(np.random.RandomState(0))
    config = replace(config, batch_size=BATCH, max_iter=EPOCHS, n_iter_no_change=np.inf)
    X = sparse.csr_matrix(X) if is_sparse else X
    state = np.random.RandomState(0)
    return TrainPlan(mlp, X, y, weight, config, codec.spec_, None, state)


def run(config, loss="log_loss", runners=RUNNERS, **options):
    """Train a small net by the first of the runners that can."""
    return train(plan_of(config, loss, **options), runners)


def go_on(result, config, runners):
    """Train one epoch more, on other samples."""
    plan = plan_of(config, weighted=False, seed=1)
    return train(replace(plan, previous=result, incremental=True), runners)


def assert_same_weights(one, other, rtol=1e-9):
    """Digits differ, as sums are taken in another order."""
    helpers.assert_same_weights(one, other, rtol)


def assert_same(config, loss, *, runner="handwritten", rtol=1e-9, **options):
    """Both ways lead to the same; return what was trained by the faster one."""
    fast = run(config, loss, **options)
    slow = run(config, loss, [AutogradRunner], **options)
    assert (fast.runner, slow.runner) == (runner, "autograd")
    np.testing.assert_allclose(fast.progress.loss_curve, slow.progress.loss_curve, rtol=rtol)
    assert_same_weights(fast, slow, rtol)
    return fast


#: that of autoencoders needs settings of a table, and is trained by autograd
WRITTEN_OUT = sorted(set(LOSSES) - {"reconstruction"})
LOSS_PARAMS = [
    *((loss, None) for loss in WRITTEN_OUT),
    ("log_loss", {"label_smoothing": 0.2}),
    ("binary_log_loss", {"label_smoothing": 0.2}),
    ("focal", {"gamma": 0.5, "label_smoothing": 0.2}),
    ("binary_focal", {"gamma": 0.5, "label_smoothing": 0.2}),
    ("huber", {"delta": 0.2}),
    ("quantile", {"quantiles": (0.1, 0.5, 0.6, 0.9)}),
    ("gaussian_nll", {"min_std": 0.1}),
]
PENALTIES = {
    "plain": {},
    "l1": {"l1_ratio": 1.0},
    "elastic": {"l1_ratio": 0.3},
    "clipped": {"max_grad_norm": 0.05},
    "all": {"l1_ratio": 0.3, "max_grad_norm": 0.05},
}
STEPS = {
    # no step is written out for Muon
    **{name: {"solver": name} for name in OPTIMIZERS if name != "muon"},
    "plain sgd": {"solver": "sgd", "momentum": 0.0},
    "classical momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "strong decay": {"solver": "adamw", "weight_decay": 3.0},
}


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize(("loss", "params"), LOSS_PARAMS)
def test_every_loss_equals_autograds(loss, params, is_sparse):
    assert_same(make_config(), loss, params=params, is_sparse=is_sparse)


@helpers.in_pairs(step=STEPS, penalty=PENALTIES, weighted=[False, True])
def test_every_solver_with_every_penalty_equals_autograds(step, penalty, weighted):
    config = make_config(**STEPS[step], **PENALTIES[penalty])
    assert_same(config, "log_loss", weighted=weighted)


@helpers.in_pairs(step=STEPS, schedule=SCHEDULES, warmup=[0, 1.5, 10])
def test_every_solver_on_every_schedule_equals_autograds(step, schedule, warmup):
    config = make_config(**STEPS[step], learning_rate=schedule, warmup_epochs=warmup)
    assert_same(config, "huber")


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("step", STEPS)
def test_all_together_equals_autograds_on_sparse_samples(step, penalty):
    options = {**STEPS[step], **PENALTIES[penalty]}
    config = make_config(**options, learning_rate="one_cycle", warmup_epochs=1)
    assert_same(config, "quantile", params={"quantiles": (0.1, 0.9)}, is_sparse=True)


SCHEDULERS = {
    lr_scheduler.OneCycleLR: {},
    lr_scheduler.CyclicLR: {"max_lr": 0.02, "step_size_up": 3},
    lr_scheduler.CosineAnnealingLR: {},
    lr_scheduler.ReduceLROnPlateau: {"patience": 0, "threshold": 10.0},
    lr_scheduler.ExponentialLR: {"gamma": 0.5},
}


@pytest.mark.parametrize("kind", SCHEDULERS)
@pytest.mark.parametrize("step", STEPS)
def test_every_solver_on_torchs_schedules_equals_autograds(step, kind):
    config = make_config(
        **STEPS[step], learning_rate=kind, learning_rate_params=SCHEDULERS[kind], warmup_epochs=0.5
    )
    # RMSprop with a cycle of the momentum has state that the flat step does not keep.
    cycles = kind in (lr_scheduler.OneCycleLR, lr_scheduler.CyclicLR)
    refused = step == "rmsprop" and cycles
    assert_same(config, "log_loss", runner="autograd" if refused else "handwritten")


def test_a_momentum_that_a_schedule_switches_on_later_is_followed():
    params = {"max_lr": 0.02, "step_size_up": 4, "max_momentum": 0.0, "base_momentum": 0.9}
    config = make_config(
        solver="sgd",
        momentum=0.0,
        learning_rate=lr_scheduler.CyclicLR,
        learning_rate_params=params,
    )
    net = assert_same(config, "log_loss").net
    assert net.optimizer_.param_groups[0]["momentum"] > 0


class Halving(lr_scheduler.ExponentialLR):
    """Somebody's own scheduler, which might change anything."""

    def __init__(self, optimizer):
        super().__init__(optimizer, 0.5)


def user_cost(output, target):
    return (output - target).abs()


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        (user_cost, {}),
        ("log_loss", {"solver": torch.optim.Adagrad}),
        ("log_loss", {"solver": torch.optim.Adam}),
        ("log_loss", {"solver": torch.optim.RMSprop, "solver_params": {"momentum": 0.5}}),
        ("log_loss", {"learning_rate": Halving}),
    ],
)
def test_what_is_not_covered_goes_through_autograd(loss, options):
    result = assert_same(make_config(**options), loss, runner="autograd", rtol=0)
    assert result.runner_reasons["handwritten"]


@pytest.mark.parametrize("step", STEPS)
def test_both_ways_share_the_optimizers_state(step):
    """Epochs by hand and by autograd in turn are the same as all of them by autograd."""
    config = make_config(**STEPS[step])
    mixed, plain = run(config), run(config, runners=[AutogradRunner])
    for runner in (AutogradRunner, HandwrittenRunner, AutogradRunner):
        mixed = go_on(mixed, config, [runner])
        plain = go_on(plain, config, [AutogradRunner])
        assert mixed.runner == runner.name
    assert_same_weights(mixed, plain)


@pytest.mark.parametrize("step", STEPS)
def test_memory_is_given_back_after_training(step):
    net = run(make_config(**STEPS[step])).net
    state = [v for s in net.optimizer_.state.values() for v in s.values()]
    tensors = [t for t in [*net.module_.parameters(), *state] if torch.is_tensor(t)]
    for tensor in tensors:
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    assert len({t.data_ptr() for t in tensors}) == len(tensors)


def test_an_epoch_that_breaks_off_leaves_state_that_can_go_on():
    """The parameters and the optimizer's state are given back also when training breaks off."""
    config = make_config(solver="nadam")
    result = run(config)
    before = copy.deepcopy(result.net.module_.state_dict())

    class BreakOffError(Exception):
        pass

    class Breaking(HandwrittenRunner):
        def run_epoch(self):
            super().run_epoch()
            raise BreakOffError

    with pytest.raises(BreakOffError):
        go_on(result, config, [Breaking])
    for name, value in result.net.module_.state_dict().items():
        assert torch.equal(value, before[name])
    assert go_on(result, config, [AutogradRunner]).runner == "autograd"
    assert go_on(result, config, [HandwrittenRunner]).runner == "handwritten"


def test_options_change_what_is_learned():
    """None of them is accepted and then ignored."""
    plain = run(make_config())
    changes = [
        {"l1_ratio": 0.5},
        {"max_grad_norm": 0.01},
        {"warmup_epochs": 1},
        {"learning_rate": "cosine"},
        {"learning_rate": "one_cycle"},
        *({"solver": name} for name in ("adamw", "nadam", "rmsprop")),
    ]
    seen = [plain.net.module_.linears[0].weight.detach().numpy()]
    for change in changes:
        net = run(replace(make_config(), **change)).net
        weight = net.module_.linears[0].weight.detach().numpy()
        assert all(np.abs(weight - other).max() > 1e-8 for other in seen), change
        seen.append(weight)
