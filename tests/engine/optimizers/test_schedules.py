"""Learning rates step by step, against torch's schedulers and against formulas."""

import pickle
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from sknn._specs import Progress
from sknn.engine.optimizers._optimizers import SGD, Adam, get_learning_rate
from sknn.engine.optimizers._schedules import (
    COSINE_END,
    SCHEDULES,
    get_plateau_patience,
    start_schedule,
)
from tests.engine.configs import make_config

N_BATCHES = 4
RATE = 0.08


def make_optimizer(rate=RATE):
    return SGD([torch.nn.Parameter(torch.ones(2))], lr=rate, momentum=0.9)


def config(**changes):
    return make_config(**{"solver": "sgd", "learning_rate_init": RATE, **changes})


def go(settings, n_epochs, *, watched=(), stalled=(), optimizer=None, previous=None):
    """Return the learning rate of every step, and the schedule."""
    optimizer = make_optimizer() if optimizer is None else optimizer
    schedule = start_schedule(settings, N_BATCHES, optimizer, previous)
    progress, rates = Progress(), []
    for epoch in range(n_epochs):
        for _ in range(N_BATCHES):
            if schedule.per_step:
                schedule.begin_step(optimizer)
            rates.append(get_learning_rate(optimizer))
        progress.n_samples_seen += 10
        progress.n_stalled = stalled[epoch] if stalled else 0
        schedule.end_epoch(optimizer, progress, watched[epoch] if watched else 1.0)
    return np.array(rates), schedule


def torchs(kind, n_steps, **params):
    """Return what a scheduler of torch does in so many of its own steps."""
    optimizer = make_optimizer()
    scheduler = kind(optimizer, **params)
    rates = []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


# --- schedules with a name -----------------------------------------------------------------


def test_constant_is_constant():
    rates, schedule = go(config(), 3)
    assert set(rates) == {RATE}
    assert not schedule.per_step


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_cosine_is_torchs_annealing_step_by_step(max_iter):
    rates, _ = go(config(learning_rate="cosine", max_iter=max_iter), max_iter)
    total = max_iter * N_BATCHES
    end = COSINE_END * RATE
    expected = torchs(lr_scheduler.CosineAnnealingLR, total, T_max=total, eta_min=end)
    np.testing.assert_allclose(rates, expected, rtol=1e-10)
    assert rates[0] == RATE
    assert rates.min() > end


@pytest.mark.parametrize("max_iter", [1, 2, 5, 25])
def test_one_cycle_is_torchs_without_the_cycle_of_the_momentum(max_iter):
    rates, schedule = go(config(learning_rate="one_cycle", max_iter=max_iter), max_iter)
    total = max_iter * N_BATCHES
    params = {"max_lr": RATE, "total_steps": total, "cycle_momentum": False}
    optimizer = make_optimizer()
    scheduler = lr_scheduler.OneCycleLR(optimizer, **params)
    expected = []
    for step in range(total):
        expected.append(optimizer.param_groups[0]["lr"])
        if step < total - 1:
            optimizer.step()
            scheduler.step()
    np.testing.assert_allclose(rates, expected, rtol=1e-9)
    assert not schedule.sets_momentum


def test_one_cycle_of_a_single_step_takes_the_full_rate():
    optimizer = make_optimizer()
    schedule = start_schedule(config(learning_rate="one_cycle", max_iter=1), 1, optimizer)
    schedule.begin_step(optimizer)
    assert get_learning_rate(optimizer) == RATE


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
def test_after_their_epochs_curves_stay_at_their_end(name):
    rates, _ = go(config(learning_rate=name, max_iter=2), 4)
    assert set(rates[2 * N_BATCHES :]) == {rates[2 * N_BATCHES - 1]}
    assert rates[-1] > 0


def test_plateau_halves_the_rate_after_half_the_patience_of_stopping():
    stalled = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    settings = config(learning_rate="plateau", n_iter_no_change=4)
    rates, _ = go(settings, len(stalled), stalled=stalled)
    # More than 4 // 2 epochs: after the 4th, whose count is the third in a row.
    expected = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    np.testing.assert_allclose(rates[::N_BATCHES], RATE * np.array(expected))
    settings = config(learning_rate="plateau", n_iter_no_change=1)
    rates, _ = go(settings, 4, stalled=[1, 2, 3, 4])
    np.testing.assert_allclose(rates[::N_BATCHES], RATE * np.array([1, 0.5, 0.25, 0.125]))


@pytest.mark.parametrize(("n", "expected"), [(10, 5), (11, 5), (1, 0), (np.inf, 5)])
def test_patience_of_plateau(n, expected):
    assert get_plateau_patience(n) == expected


def test_plateau_is_torchs_reduce_on_plateau():
    losses = [1.0, 0.9, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.5, 0.6, 0.6, 0.6]
    stalled, best, n = [], np.inf, 0
    for loss in losses:  # as training counts, with tol=0
        n = n + 1 if loss >= best else 0
        best = min(best, loss)
        stalled.append(n)
    settings = config(learning_rate="plateau", n_iter_no_change=5)
    ours, _ = go(settings, len(losses), stalled=stalled)
    params = {"factor": 0.5, "patience": 2, "threshold": 0.0}
    optimizer, expected = make_optimizer(), []
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **params)
    for loss in losses:
        expected.append(optimizer.param_groups[0]["lr"])
        scheduler.step(loss)
    np.testing.assert_allclose(ours[::N_BATCHES], expected)
    assert len(set(ours)) == 3


def test_invscaling_is_scikit_learns():
    rates, _ = go(config(learning_rate="invscaling", power_t=0.7), 3)
    np.testing.assert_allclose(rates[::N_BATCHES], [RATE, RATE / 11**0.7, RATE / 21**0.7])


@pytest.mark.parametrize("name", ["invscaling", "adaptive"])
def test_scikit_learns_schedules_are_for_sgd(name):
    optimizer = Adam([torch.nn.Parameter(torch.ones(2))], lr=RATE, betas=(0.9, 0.9), eps=1e-8)
    settings = config(solver="adam", learning_rate=name)
    rates, schedule = go(settings, 3, stalled=[1, 2, 3], optimizer=optimizer)
    assert set(rates) == {RATE}
    assert schedule.lower_rate(optimizer) is None


def test_adaptive_is_divided_by_5_until_it_is_small():
    optimizer = make_optimizer()
    schedule = start_schedule(config(learning_rate="adaptive"), N_BATCHES, optimizer)
    expected = RATE
    while expected > 1e-6:
        expected /= 5
        assert schedule.lower_rate(optimizer) == expected == get_learning_rate(optimizer)
    assert schedule.lower_rate(optimizer) is None
    assert get_learning_rate(optimizer) == expected


@pytest.mark.parametrize("name", ["constant", "invscaling", "plateau", "cosine"])
def test_only_adaptive_slows_down(name):
    optimizer = make_optimizer()
    schedule = start_schedule(config(learning_rate=name), N_BATCHES, optimizer)
    assert schedule.lower_rate(optimizer) is None
    assert get_learning_rate(optimizer) == RATE


# --- warm-up -------------------------------------------------------------------------------


@pytest.mark.parametrize("warmup", [0.5, 1, 2.25, 7])
@pytest.mark.parametrize("name", SCHEDULES)
def test_warm_up_multiplies_every_schedule_by_a_line(name, warmup):
    n_epochs, stalled = 5, [0, 1, 2, 3, 4]
    settings = {"learning_rate": name, "max_iter": n_epochs, "n_iter_no_change": 2}
    plain, _ = go(config(**settings), n_epochs, stalled=stalled)
    warm, _ = go(config(**settings, warmup_epochs=warmup), n_epochs, stalled=stalled)
    steps = np.arange(1, n_epochs * N_BATCHES + 1)
    np.testing.assert_allclose(warm, plain * np.minimum(1, steps / (warmup * N_BATCHES)))


def test_after_the_warm_up_steps_need_not_be_watched():
    _, schedule = go(config(warmup_epochs=1.5), 1)
    assert schedule.per_step
    _, schedule = go(config(warmup_epochs=1.5), 2)
    assert not schedule.per_step


def test_adaptive_slows_down_below_the_warm_up():
    optimizer = make_optimizer()
    settings = config(learning_rate="adaptive", warmup_epochs=2)
    _, schedule = go(settings, 1, optimizer=optimizer)
    assert schedule.lower_rate(optimizer) == RATE / 5
    assert get_learning_rate(optimizer) == pytest.approx(RATE / 5 * (N_BATCHES + 1) / 8)


# --- torch's classes -----------------------------------------------------------------------

CLASSES = {
    lr_scheduler.StepLR: {"step_size": 2, "gamma": 0.3},
    lr_scheduler.ExponentialLR: {"gamma": 0.7},
    lr_scheduler.CosineAnnealingLR: {"T_max": 4},
    lr_scheduler.CosineAnnealingWarmRestarts: {"T_0": 2},
    lr_scheduler.MultiStepLR: {"milestones": [1, 3]},
    lr_scheduler.LinearLR: {},
    lr_scheduler.PolynomialLR: {"total_iters": 6},
    lr_scheduler.LambdaLR: {"lr_lambda": lambda epoch: 1 / (1 + epoch)},
    lr_scheduler.MultiplicativeLR: {"lr_lambda": lambda epoch: 0.9},
}


@pytest.mark.parametrize("warmup", [0, 1.75])
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.filterwarnings("error")
def test_classes_of_torch_go_an_epoch_at_a_time(kind, warmup):
    params = CLASSES[kind]
    settings = config(learning_rate=kind, learning_rate_params=params, warmup_epochs=warmup)
    rates, _ = go(settings, 6)
    expected = np.repeat(torchs(kind, 6, **params), N_BATCHES)
    line = np.arange(1, 25) / (warmup * N_BATCHES) if warmup else np.ones(24)
    np.testing.assert_allclose(rates, expected * np.minimum(1, line), atol=1e-15)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"total_steps": 5 * N_BATCHES},
        {"epochs": 5},
        {"steps_per_epoch": N_BATCHES},
        {"epochs": 5, "steps_per_epoch": N_BATCHES},
        {"max_lr": RATE},
    ],
)
@pytest.mark.filterwarnings("error")
def test_one_cycle_of_torch_goes_a_step_at_a_time_and_cycles_the_momentum(params):
    optimizer = make_optimizer()
    settings = config(learning_rate=lr_scheduler.OneCycleLR, learning_rate_params=params)
    rates, schedule = go(settings, 5, optimizer=optimizer)
    theirs = make_optimizer()
    scheduler = lr_scheduler.OneCycleLR(theirs, RATE, total_steps=20)
    expected = []
    for step in range(20):
        expected.append(theirs.param_groups[0]["lr"])
        if step < 19:
            theirs.step()
            scheduler.step()
    np.testing.assert_allclose(rates, expected)
    assert schedule.sets_momentum
    momentum = optimizer.param_groups[0]["momentum"]
    assert momentum == theirs.param_groups[0]["momentum"] == 0.95
    assert "initial_lr" not in optimizer.param_groups[0]


def test_a_cycle_of_torch_that_is_over_stays_at_its_end():
    settings = config(learning_rate=lr_scheduler.OneCycleLR, max_iter=2)
    rates, _ = go(settings, 4)
    assert set(rates[2 * N_BATCHES :]) == {rates[2 * N_BATCHES - 1]}


def test_one_cycle_of_torch_sets_the_first_beta_of_adam():
    optimizer = Adam([torch.nn.Parameter(torch.ones(2))], lr=RATE, betas=(0.5, 0.99), eps=1e-8)
    settings = config(solver="adam", learning_rate=lr_scheduler.OneCycleLR)
    go(settings, 1, optimizer=optimizer)
    beta_1, beta_2 = optimizer.param_groups[0]["betas"]
    assert 0.85 <= beta_1 <= 0.95
    assert beta_2 == 0.99


def test_cyclic_of_torch_starts_from_the_first_learning_rate():
    params = {"max_lr": 1.0, "step_size_up": 3, "cycle_momentum": False}
    settings = config(learning_rate=lr_scheduler.CyclicLR, learning_rate_params=params)
    rates, schedule = go(settings, 3)
    expected = torchs(lr_scheduler.CyclicLR, 12, base_lr=RATE, **params)
    np.testing.assert_allclose(rates, expected)
    assert not schedule.sets_momentum


def test_cosine_annealing_of_torch_ends_with_training():
    settings = config(learning_rate=lr_scheduler.CosineAnnealingLR, max_iter=7)
    rates, _ = go(settings, 7)
    expected = torchs(lr_scheduler.CosineAnnealingLR, 7, T_max=7)
    np.testing.assert_allclose(rates[::N_BATCHES], expected)


@pytest.mark.parametrize(
    ("stopping", "watched", "falls"),
    [
        ({}, [3.0, 2.0, 1.0], False),
        ({}, [1.0, 2.0, 3.0], True),
        ({"early_stopping": True}, [1.0, 2.0, 3.0], False),
        ({"early_stopping": True}, [3.0, 2.0, 1.0], True),
        ({"early_stopping": True, "stop_on_loss": True}, [3.0, 2.0, 1.0], False),
        ({"early_stopping": True, "stop_on_loss": True}, [1.0, 2.0, 3.0], True),
    ],
)
def test_reduce_on_plateau_watches_what_stopping_watches(stopping, watched, falls):
    settings = config(
        learning_rate=lr_scheduler.ReduceLROnPlateau,
        learning_rate_params={"patience": 0},
        **stopping,
    )
    rates, _ = go(settings, 3, watched=watched)
    assert (rates[-1] < RATE) == falls


def test_a_momentum_that_comes_back_to_its_first_value_is_set():
    """A cycle through the optimizer's own momentum must not leave an older one in place."""
    params = {"max_lr": 1.0, "step_size_up": 2, "base_momentum": 0.7, "max_momentum": 0.9}
    settings = config(learning_rate=lr_scheduler.CyclicLR, learning_rate_params=params)
    optimizer = make_optimizer()
    schedule = start_schedule(settings, N_BATCHES, optimizer)
    seen = []
    for _ in range(5):
        schedule.begin_step(optimizer)
        seen.append(optimizer.param_groups[0]["momentum"])
    np.testing.assert_allclose(seen, [0.9, 0.8, 0.7, 0.8, 0.9])


class Own(lr_scheduler.LRScheduler):
    def get_lr(self):
        return [RATE / (2 + self.last_epoch)]


def test_a_scheduler_of_ones_own_can_be_given():
    rates, schedule = go(config(learning_rate=Own), 3)
    np.testing.assert_allclose(rates[::N_BATCHES], [RATE / 2, RATE / 3, RATE / 4])
    assert not schedule.only_sets_rates
    assert go(config(learning_rate=lr_scheduler.LinearLR), 1)[1].only_sets_rates


# --- going on ------------------------------------------------------------------------------

EVERY = {
    **{name: {"learning_rate": name} for name in SCHEDULES},
    "one cycle of torch": {"learning_rate": lr_scheduler.OneCycleLR},
    "exponential": {
        "learning_rate": lr_scheduler.ExponentialLR,
        "learning_rate_params": {"gamma": 0.8},
    },
}


@pytest.mark.parametrize("pickled", [False, True])
@pytest.mark.parametrize("cut", [1, 3])
@pytest.mark.parametrize("case", EVERY)
@pytest.mark.filterwarnings("error")
def test_a_schedule_goes_on_where_another_left_off(case, cut, pickled):
    settings = config(**EVERY[case], warmup_epochs=1.5, max_iter=6)
    whole, _ = go(settings, 6)
    optimizer = make_optimizer()
    first, schedule = go(settings, cut, optimizer=optimizer)
    if pickled:
        schedule = pickle.loads(pickle.dumps(schedule))
    before = vars(deepcopy(schedule))
    second, _ = go(settings, 6 - cut, optimizer=optimizer, previous=schedule)
    if case != "invscaling":  # counts rows, which the helper starts anew
        np.testing.assert_allclose(np.r_[first, second], whole)
    assert schedule.n_epochs == before["n_epochs"] == cut
    assert schedule.rate == before["rate"]


def test_another_solver_starts_anew():
    """Its momentum may have another name, and 'adaptive' is for 'sgd' alone."""
    _, cycle = go(config(learning_rate=lr_scheduler.OneCycleLR), 3)
    optimizer = Adam([torch.nn.Parameter(torch.ones(2))], lr=RATE, betas=(0.5, 0.9), eps=1e-8)
    settings = config(solver="adam", learning_rate=lr_scheduler.OneCycleLR)
    rates, schedule = go(settings, 1, optimizer=optimizer, previous=cycle)
    np.testing.assert_allclose(rates, go(config(learning_rate=lr_scheduler.OneCycleLR), 1)[0])
    assert "momentum" not in optimizer.param_groups[0]
    assert schedule.n_epochs == 1


def test_another_schedule_starts_anew():
    _, cosine = go(config(learning_rate="cosine"), 3)
    rates, _ = go(config(learning_rate="plateau"), 1, previous=cosine)
    assert set(rates) == {RATE}


def test_the_users_callbacks_are_not_kept():
    _, schedule = go(config(callbacks=(SimpleNamespace(big=1),)), 1)
    assert schedule.config.callbacks == ()


def test_all_groups_of_the_optimizer_follow():
    p, q = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.AdamW([{"params": [p]}, {"params": [q], "weight_decay": 0.0}], lr=RATE)
    settings = config(solver="adamw", learning_rate=lr_scheduler.OneCycleLR)
    go(settings, 2, optimizer=optimizer)
    first, second = optimizer.param_groups
    assert first["lr"] == second["lr"] != RATE
    assert first["betas"] == second["betas"] != (0.9, 0.999)
    assert (first["weight_decay"], second["weight_decay"]) == (0.01, 0.0)


# --- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("linear", {}, r"learning_rate must be one of \['adaptive'.*or a class of.*got 'linear'"),
        (torch.optim.SGD, {}, r"learning_rate must be one of .*or a class of.*SGD"),
        (0.1, {}, r"learning_rate must be one of .*got 0\.1"),
        ("cosine", {"T_max": 3}, r"'cosine' takes none.*T_max"),
        (lr_scheduler.StepLR, {}, r"StepLR needs \['step_size'\].*there are \[\]"),
        (lr_scheduler.CyclicLR, {}, r"CyclicLR needs \['max_lr'\]"),
        (lr_scheduler.StepLR, {"size": 3}, r"gives \['size'\], but StepLR takes \['gamma', 'step"),
        (lr_scheduler.StepLR, {"optimizer": 3}, r"gives \['optimizer'\], but StepLR takes"),
        (lr_scheduler.StepLR, {"step_size": 2, "last_epoch": 3}, r"gives \['last_epoch'\]"),
        (lr_scheduler.ReduceLROnPlateau, {"factor": 2.0}, r"does not take.*Factor should be"),
        (lr_scheduler.OneCycleLR, {"pct_start": 7.0}, r"OneCycleLR does not take.*pct_start"),
        (lr_scheduler.SequentialLR, {"milestones": [1]}, r"Use torch\.optim.*LambdaLR"),
    ],
)
def test_what_cannot_be_a_schedule_is_an_error(kind, params, message):
    settings = config(learning_rate=kind, learning_rate_params=params)
    with pytest.raises(ValueError, match=message):
        start_schedule(settings, N_BATCHES, make_optimizer())
