"""The steps written out by hand follow every option that they do not leave to autograd."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.optim import lr_scheduler

from sknn._specs import Progress
from sknn.architectures import MLP
from sknn.engine.backprop import _epochs as _closed_form
from sknn.engine.backprop._epochs import closed_form, covers
from sknn.engine.data._batches import Rows
from sknn.engine.losses._table import LOSSES, loss_for
from sknn.engine.net._net import Net
from sknn.engine.optimizers._optimizers import OPTIMIZERS, net_arguments
from sknn.engine.optimizers._schedules import SCHEDULES, start_schedule
from sknn.preprocessing import ClassCodec, ValueCodec
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


def run(config, loss, *, by_hand, is_sparse=False, weighted=True, params=None, epochs=EPOCHS):
    """Train a small net, by hand or by autograd; return it, its losses, and epochs by hand."""
    rng = np.random.default_rng(0)
    codec, y = codec_and_target(loss, rng, params)
    X = rng.normal(size=(N, 4)) * (rng.random((N, 4)) > 0.3)
    weight = rng.uniform(0.3, 3, N) if weighted else None
    rows = Rows(sparse.csr_matrix(X) if is_sparse else X, y, weight)
    mlp = MLP([4, 7, 5, codec.spec_.n_outputs], "tanh", torch.float64)
    mlp.init_weights(np.random.RandomState(0))
    net = Net(
        mlp,
        loss=loss_for(codec.spec_),
        alpha=config.alpha,
        l1_ratio=config.l1_ratio,
        max_grad_norm=config.max_grad_norm,
        batch_size=BATCH,
        **net_arguments(config),
    ).initialize()
    n_by_hand = train(net, rows, config, by_hand, epochs)
    return net, net.history[:, "train_loss"], n_by_hand


def train(net, rows, config, by_hand, epochs=EPOCHS, previous=None):
    """Run epochs as `sknn.engine.train` does; return how many of them were done by hand."""
    n_batches = -(-len(rows) // BATCH)
    net.schedule = start_schedule(config, n_batches, net.optimizer_, previous)
    progress, n_by_hand = Progress(), 0
    for _ in range(epochs):
        with pytest.MonkeyPatch.context() as patch:
            if not by_hand:
                patch.setattr(_closed_form, "covers", lambda net: False)
            with closed_form(net, rows):
                n_by_hand += net.closed_form is not None
                net.fit_loop(rows, epochs=1)
        progress.n_rows_seen += len(rows)
        net.schedule.after_epoch(net.optimizer_, progress, net.history[-1, "train_loss"])
    return n_by_hand


def assert_same(config, loss, *, by_hand=EPOCHS, rtol=1e-9, **options):
    """Both ways lead to the same; return the net trained by hand."""
    fast, fast_losses, n_fast = run(config, loss, by_hand=True, **options)
    slow, slow_losses, n_slow = run(config, loss, by_hand=False, **options)
    assert (n_fast, n_slow) == (by_hand, 0)
    np.testing.assert_allclose(fast_losses, slow_losses, rtol=rtol)
    for mine, theirs in zip(fast.module_.parameters(), slow.module_.parameters(), strict=True):
        mine, theirs = mine.detach().numpy(), theirs.detach().numpy()
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol * abs(theirs).max())
    return fast


LOSS_PARAMS = [
    *((loss, None) for loss in LOSSES),
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
    **{name: {"solver": name} for name in OPTIMIZERS},
    "plain sgd": {"solver": "sgd", "momentum": 0.0},
    "classical momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "strong decay": {"solver": "adamw", "weight_decay": 3.0},
}


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize(("loss", "params"), LOSS_PARAMS)
def test_every_loss_equals_autograds(loss, params, is_sparse):
    assert_same(make_config(), loss, params=params, is_sparse=is_sparse)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("step", STEPS)
def test_every_solver_with_every_penalty_equals_autograds(step, penalty, weighted):
    config = make_config(**STEPS[step], **PENALTIES[penalty])
    assert_same(config, "log_loss", weighted=weighted)


@pytest.mark.parametrize("warmup", [0, 1.5, 10])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("step", STEPS)
def test_every_solver_on_every_schedule_equals_autograds(step, schedule, warmup):
    config = make_config(**STEPS[step], learning_rate=schedule, warmup_epochs=warmup)
    assert_same(config, "huber")


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("step", STEPS)
def test_all_together_equals_autograds_on_sparse_rows(step, penalty):
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
    assert_same(config, "log_loss", by_hand=0 if refused else EPOCHS)


def test_a_momentum_that_a_schedule_switches_on_later_is_followed():
    params = {"max_lr": 0.02, "step_size_up": 4, "max_momentum": 0.0, "base_momentum": 0.9}
    config = make_config(
        solver="sgd",
        momentum=0.0,
        learning_rate=lr_scheduler.CyclicLR,
        learning_rate_params=params,
    )
    net = assert_same(config, "log_loss")
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
    net = assert_same(make_config(**options), loss, by_hand=0, rtol=0)
    assert not covers(net)


def test_rmsprop_with_momentum_is_not_covered():
    net, _, _ = run(make_config(solver="rmsprop"), "log_loss", by_hand=True)
    assert covers(net)
    net.optimizer_.param_groups[0]["momentum"] = 0.5
    assert not covers(net)


@pytest.mark.parametrize("step", STEPS)
def test_both_ways_share_the_optimizers_state(step):
    """Epochs by hand and by autograd in turn are the same as all of them by autograd."""
    config = make_config(**STEPS[step])
    mixed, _, _ = run(config, "log_loss", by_hand=True)
    plain, _, _ = run(config, "log_loss", by_hand=False)
    rng = np.random.default_rng(1)
    rows = Rows(rng.normal(size=(N, 4)), rng.integers(0, 3, N))
    for by_hand in (False, True, False):
        train(mixed, rows, config, by_hand, 1, previous=mixed.schedule)
        train(plain, rows, config, False, 1, previous=plain.schedule)
    for mine, theirs in zip(mixed.module_.parameters(), plain.module_.parameters(), strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("step", STEPS)
def test_memory_is_given_back_after_training(step):
    net, _, _ = run(make_config(**STEPS[step]), "log_loss", by_hand=True)
    state = [v for s in net.optimizer_.state.values() for v in s.values()]
    tensors = [t for t in [*net.module_.parameters(), *state] if torch.is_tensor(t)]
    for tensor in tensors:
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    assert len({t.data_ptr() for t in tensors}) == len(tensors)


def test_an_interrupted_epoch_leaves_state_that_can_go_on():
    """The parameters and the optimizer's state are given back also when training breaks off."""
    config = make_config(solver="nadam")
    net, _, _ = run(config, "log_loss", by_hand=True)
    before = copy.deepcopy(net.module_.state_dict())

    class BreakOffError(Exception):
        pass

    def breaking(self, *args):
        raise BreakOffError

    rng = np.random.default_rng(1)
    rows = Rows(rng.normal(size=(N, 4)), rng.integers(0, 3, N))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_closed_form.ClosedForm, "run_epoch", breaking)
        with pytest.raises(BreakOffError):
            train(net, rows, config, True, 1)
    for name, value in net.module_.state_dict().items():
        assert torch.equal(value, before[name])
    assert train(net, rows, config, False, 1) == 0
    assert train(net, rows, config, True, 1) == 1


def test_options_change_what_is_learned():
    """None of them is accepted and then ignored."""
    plain, _, _ = run(make_config(), "log_loss", by_hand=True)
    changes = [
        {"l1_ratio": 0.5},
        {"max_grad_norm": 0.01},
        {"warmup_epochs": 1},
        {"learning_rate": "cosine"},
        {"learning_rate": "one_cycle"},
        *({"solver": name} for name in ("adamw", "nadam", "rmsprop")),
    ]
    seen = [plain.module_.linears[0].weight.detach().numpy()]
    for change in changes:
        net, _, _ = run(replace(make_config(), **change), "log_loss", by_hand=True)
        weight = net.module_.linears[0].weight.detach().numpy()
        assert all(np.abs(weight - other).max() > 1e-8 for other in seen), change
        seen.append(weight)
