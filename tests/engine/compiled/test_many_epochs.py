"""Epochs that nobody sees are done many in a call, and are those that somebody sees."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sknn._specs import Sample
from sknn.architectures import MLP, MLPOptions
from sknn.engine import train
from tests.engine.backprop.test_options import plan_of
from tests.engine.compiled.test_runner import AnyWork
from tests.engine.configs import make_config

pytest.importorskip("numba", reason="numba is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Counting(AnyWork):
    """Notes how many epochs each call did."""

    def __init__(self, run):
        super().__init__(run)
        type(self).calls = []

    def run_many(self, n_epochs):
        epochs = super().run_many(n_epochs)
        self.calls.append(len(epochs.losses))
        return epochs


def ignore(row):
    """Look at an epoch."""


def score(y, output, sample_weight):
    """Return a score in whole hundredths, so that epochs stall."""
    return round(np.average(output.argmax(1) == y, weights=sample_weight), 2)


def make_plan(held_out=False, activation="tanh", dropout=0.0, **changes):
    plan = plan_of(make_config(), seed=1 if held_out else 0)
    sample = Sample(plan.X[::-1][:20].copy(), plan.y[::-1][:20].copy(), plan.sample_weight[:20])
    mlp = MLP([4, 7, 5, 3], activation, torch.float64, MLPOptions(dropout=dropout))
    mlp.initialize_weights(np.random.RandomState(0))
    plan = replace(plan, module=mlp, score=score, validation=sample if held_out else None)
    config = make_config(**{"max_iter": 60, "shuffle": True, "batch_size": 8, **changes})
    return replace(plan, config=config, random_state=np.random.RandomState(3))


NONE = torch.zeros(0)


def assert_equal(one, other):
    """Networks, optimizers, curves and histories are equal to the bit; times are not compared."""
    dropouts = zip(*(result.net.module_.dropouts for result in (one, other)), strict=True)
    for mine, theirs in dropouts:
        assert torch.equal(getattr(mine, "state", NONE), getattr(theirs, "state", NONE))
    for mine, theirs in zip(
        one.net.module_.parameters(), other.net.module_.parameters(), strict=True
    ):
        np.testing.assert_array_equal(mine.detach(), theirs.detach())
        states = (result.net.optimizer_.state[p] for result, p in ((one, mine), (other, theirs)))
        for values in zip(*(state.values() for state in states), strict=True):
            np.testing.assert_array_equal(*values)
    progresses = []
    for progress in (one.progress, other.progress):
        history = {k: v for k, v in progress.history.items() if k != "time"}
        assert len(progress.history["time"]) == len(progress.loss_curve)
        progresses.append({**vars(progress), "history": history})
    assert progresses[0] == progresses[1]
    rows = [[{**row, "dur": 0} for row in result.net.history] for result in (one, other)]
    assert rows[0] == rows[1]
    assert [list(row) for row in rows[0]] == [list(row) for row in rows[1]]
    schedules = [dict(vars(result.net.schedule), config=None) for result in (one, other)]
    assert schedules[0] == schedules[1]


CASES = {
    "defaults": {},
    "no shuffle": {"shuffle": False},
    "nadam": {"solver": "nadam"},
    "one batch": {"batch_size": "auto"},
    "stops": {"max_iter": 400, "tol": 0.01, "n_iter_no_change": 3},
    "patience that grows": {"max_iter": 400, "tol": 0.05, "patience_share": 0.5},
    "dropout": {"dropout": 0.3, "max_iter": 200, "tol": 0.01, "n_iter_no_change": 3},
    "held-out samples": {"held_out": True, "tol": 0.01, "n_iter_no_change": 3, "max_iter": 400},
    "early stopping": {"held_out": True, "early_stopping": True, "max_iter": 300},
    "early stopping on the loss": {
        **{"held_out": True, "early_stopping": True, "stop_on_loss": True, "max_iter": 300},
        **{"learning_rate_init": 0.1, "dropout": 0.1},
    },
    "early stopping, adaptive": {
        **{"held_out": True, "early_stopping": True, "n_iter_no_change": 2, "max_iter": 300},
        **{"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1},
    },
    "adaptive": {
        **{"max_iter": 400, "tol": 0.05, "n_iter_no_change": 2, "alpha": 0.01},
        **{"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1},
    },
}


@pytest.mark.parametrize("case", CASES)
def test_epochs_that_nobody_sees_are_those_that_somebody_sees(case):
    plans = make_plan(**CASES[case]), make_plan(**CASES[case], callbacks=(ignore,))
    unseen, seen = (train(plan, [Counting]) for plan in plans)
    assert not Counting.calls  # of the second
    assert_equal(unseen, seen)
    draws = [plan.random_state.randint(2**31) for plan in plans]
    assert draws[0] == draws[1]
    same = {key: CASES[case].get(key, False) for key in ("held_out", "stop_on_loss")}
    goes_on = [
        train(
            replace(make_plan(**same, max_iter=3, callbacks=(ignore,)), previous=result),
            [AnyWork],
        )
        for result in (unseen, seen)
    ]
    assert_equal(*goes_on)


def test_few_calls_do_many_epochs():
    result = train(make_plan(max_iter=300, n_iter_no_change=np.inf), [Counting])
    assert sum(Counting.calls) == result.progress.n_epochs == 300
    assert len(Counting.calls) < 10


SEEN = {
    "callback": {"callbacks": (ignore,)},
    "display": {"verbose": 2},
    "callback, early stopping": {
        **{"callbacks": (ignore,), "held_out": True, "early_stopping": True},
    },
    "time limit": {"time_limit": 1000.0},
    "restarts": {"n_restarts": 1},
    "rates": {"solver": "sgd", "learning_rate": "invscaling"},
    "warm-up": {"warmup_epochs": 100},
}


@pytest.mark.parametrize("case", SEEN)
def test_epochs_that_something_sees_are_done_one_by_one(case):
    Counting.calls = []
    train(make_plan(**SEEN[case]), [Counting])
    assert not Counting.calls


def test_training_that_diverges_ends_with_the_epoch():
    plans = (
        make_plan(solver="sgd", learning_rate_init=1e3, alpha=1e6, callbacks=callbacks)
        for callbacks in ((), (ignore,))
    )
    for plan in plans:
        with pytest.raises(ValueError, match="non-finite"):
            train(plan, [Counting])


@pytest.mark.parametrize("interrupted_call", [1, 2])
def test_an_interrupted_call_is_undone_and_done_again(interrupted_call):
    class Interrupted(Counting):
        """Is interrupted when the steps of a call are done, and nothing else."""

        epochs = 7

        def __init__(self, run):
            super().__init__(run)
            self.epochs_at_once = self.epochs

        def run_many(self, n_epochs):
            epochs = super().run_many(n_epochs)
            if len(self.calls) == interrupted_call:
                raise KeyboardInterrupt
            return epochs

    with pytest.warns(UserWarning, match="interrupted by user"):
        part = train(make_plan(), [Interrupted])
    assert part.progress.n_epochs == len(part.net.history) == 7 * (interrupted_call - 1)
    whole = train(replace(make_plan(), previous=part), [AnyWork])
    assert_equal(whole, train(make_plan(), [AnyWork]))


@pytest.mark.parametrize("case", [{}, {"early_stopping": True}])
def test_few_calls_score_many_epochs(case):
    plan = make_plan(held_out=True, max_iter=200, n_iter_no_change=30, tol=-1.0, **case)
    result = train(plan, [Counting])
    assert sum(Counting.calls) == result.progress.n_epochs == 200
    assert len(Counting.calls) < 20
    assert len(result.progress.validation_scores) == 200
