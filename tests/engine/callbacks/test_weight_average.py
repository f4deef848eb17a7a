"""Averaged weights, patience that grows, a limit of time, and losses of several networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sknn._specs import Sample, TargetSpec, TrainPlan
from sknn.architectures import MLP
from sknn.engine import compute_mean_loss, train
from sknn.engine.callbacks._weight_average import PARTS
from sknn.engine.losses._table import MeanLoss, choose_loss
from tests.engine.configs import make_config

RNG = np.random.RandomState(0)
X = RNG.randn(40, 3)
Y = X[:, :1] - 0.5 * X[:, 1:2] + 0.1 * RNG.randn(40, 1)
HELD_OUT = Sample(RNG.randn(10, 3), RNG.randn(10, 1))


def plan_with(validation=None, score=None, **config):
    module = MLP([3, 4, 1], "tanh", torch.float64)
    module.initialize_weights(np.random.RandomState(1))
    return TrainPlan(
        module=module,
        X=X,
        y=Y,
        sample_weight=None,
        config=make_config(runs_to_the_end=True, **config),
        target=TargetSpec("values", 1, "squared_error"),
        score=score,
        random_state=np.random.RandomState(2),
        validation=validation,
    )


def weights_of(net):
    return np.concatenate([p.detach().numpy().ravel() for p in net.module_.parameters()])


def steps_without_average(n_epochs):
    """Return the weights after each epoch of one batch."""
    return [
        weights_of(train(plan_with(max_iter=n, batch_size=40)).net) for n in range(1, n_epochs + 1)
    ]


@pytest.mark.parametrize("horizon", [2.0, 100.0])
def test_the_average_follows_the_weights(horizon):
    steps = steps_without_average(12)
    first = plan_with().module.parameters()
    average = np.concatenate([p.detach().numpy().ravel() for p in first])
    for n, weights in enumerate(steps, start=1):
        rate = min(1.0, max(1 / horizon, (PARTS - 1) / (n + PARTS - 1)))
        average = average + rate * (weights - average)
    net = train(plan_with(max_iter=12, batch_size=40, averaged_epochs=horizon)).net
    np.testing.assert_allclose(weights_of(net), average, rtol=1e-10)


def test_between_epochs_everybody_sees_the_average_and_training_does_not():
    seen = []

    class Watcher:
        def begin_epoch(self):
            pass

        def end_epoch(self, net, progress):
            seen.append(weights_of(net))
            return False

    plan = replace(plan_with(max_iter=6, averaged_epochs=50.0), watcher=Watcher())
    averaged = train(plan)
    plain = train(plan_with(max_iter=6))
    np.testing.assert_allclose(averaged.progress.loss_curve, plain.progress.loss_curve)
    np.testing.assert_array_equal(seen[-1], weights_of(averaged.net))
    assert not np.allclose(seen[-1], weights_of(plain.net))


def test_the_best_epoch_is_the_best_of_the_averages():
    result = train(
        plan_with(
            HELD_OUT, max_iter=30, averaged_epochs=2.0, early_stopping=True, stop_on_loss=True
        )
    )
    losses, progress = result.progress.validation_losses, result.progress
    assert progress.best_epoch == 1 + int(np.argmin(losses))
    with torch.no_grad():
        output = result.net.module_(torch.from_numpy(HELD_OUT.X)).numpy()
    assert compute_mean_loss(result.net, HELD_OUT, output) == pytest.approx(min(losses))


class InterruptsFourthBatch(Callback):
    """Presses Ctrl-C."""

    def __init__(self):
        self.n_batches = 0

    def on_batch_begin(self, net, **kwargs):
        self.n_batches += 1
        if self.n_batches == 4:
            raise KeyboardInterrupt


def test_an_epoch_cut_short_leaves_the_average():
    plan = plan_with(batch_size=40, max_iter=9, averaged_epochs=100.0)
    wanted = weights_of(train(replace(plan, config=replace(plan.config, max_iter=3))).net)
    plan = plan_with(
        batch_size=40, max_iter=9, averaged_epochs=100.0, callbacks=(InterruptsFourthBatch(),)
    )
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        result = train(plan)
    assert result.progress.n_epochs == 3
    np.testing.assert_allclose(weights_of(result.net), wanted)


def test_patience_grows_with_the_best_epoch():
    scores = iter([*np.arange(20.0), *np.full(100, -1.0)])
    result = train(
        plan_with(
            HELD_OUT,
            score=lambda y, output, weight: next(scores),
            max_iter=100,
            early_stopping=True,
            n_iter_no_change=2,
            patience_share=0.5,
            scores_training_samples=False,
        )
    )
    assert result.progress.best_epoch == 20
    assert result.progress.n_epochs == 20 + 10 + 1
    assert result.progress.stopped_because == "converged"


def test_training_samples_are_scored_unless_that_is_not_wanted():
    for wanted in (True, False):
        result = train(
            plan_with(
                HELD_OUT,
                score=lambda y, output, weight: -np.mean((y - output) ** 2),
                early_stopping=True,
                scores_training_samples=wanted,
            )
        )
        assert ("score" in result.progress.history) == wanted
        assert "validation_score" in result.progress.history


@pytest.mark.parametrize(("averaged_epochs", "n_batches"), [(2.0, 1), (0.0, 6)])
def test_training_ends_after_the_step_or_epoch_that_reaches_the_limit_of_time(
    averaged_epochs, n_batches
):
    # By hand, without an average, an epoch is gone through at once.
    result = train(
        plan_with(max_iter=9, time_limit=1e-9, batch_size=7, averaged_epochs=averaged_epochs)
    )
    assert result.progress.n_epochs == 1
    assert result.net.history[-1, "train_batch_count"] == n_batches
    assert result.progress.n_samples_seen == min(7 * n_batches, 40)
    assert result.progress.stopped_because == "time_limit"
    result = train(plan_with(max_iter=3, time_limit=1e9))
    assert result.progress.stopped_because == "max_iter"


@pytest.mark.parametrize(
    ("spec", "y"),
    [
        (TargetSpec("values", 2, "squared_error"), RNG.randn(6, 2)),
        (TargetSpec("multiclass", 3, "log_loss"), np.arange(6) % 3),
        (TargetSpec("binary", 1, "log_loss"), np.arange(6.0)[:, None] % 2),
    ],
    ids=["values", "multiclass", "binary"],
)
def test_the_loss_of_networks_side_by_side_is_the_mean_of_theirs(spec, y):
    loss, y = MeanLoss(choose_loss(spec)), torch.from_numpy(y)
    output = torch.from_numpy(RNG.randn(6, 4, spec.n_outputs))
    weight = torch.from_numpy(RNG.rand(6))
    for w in (None, weight):
        each = [float(loss(output[:, k], y, w)) for k in range(4)]
        assert float(loss(output, y, w)) == pytest.approx(np.mean(each))
