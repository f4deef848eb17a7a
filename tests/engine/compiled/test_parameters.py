"""Weights lie column by column for compiled steps alone: everybody else finds them as ever."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from sknn.engine import train
from sknn.engine._runners import AutogradRunner
from tests.engine.backprop.test_options import assert_same_weights, plan_of
from tests.engine.compiled.test_runner import STEPS, AnyWork
from tests.engine.configs import make_config

pytest.importorskip("numba", reason="numba is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def train_with(kind, callbacks=(), **changes):
    config = make_config(callbacks=callbacks, shuffle=True, **changes)
    plan = replace(plan_of(config), config=config, random_state=np.random.RandomState(3))
    return train(plan, [kind])


class Shrink(Callback):
    """Shrinks all parameters after each epoch, and keeps what they were."""

    def __init__(self, seen):
        self.seen = seen

    def on_epoch_end(self, net, **kwargs):
        parameters = list(net.module_.parameters())
        assert all(p.is_contiguous() for p in parameters)
        vector = parameters_to_vector(parameters).detach()
        self.seen.append(vector.clone())
        vector_to_parameters(0.9 * vector, parameters)


@pytest.mark.parametrize("step", STEPS)
def test_a_callback_can_read_and_change_the_parameters(step):
    seen = {AnyWork: [], AutogradRunner: []}
    results = [train_with(kind, (Shrink(each),), **STEPS[step]) for kind, each in seen.items()]
    assert [result.runner for result in results] == ["compiled", "autograd"]
    torch.testing.assert_close(*seen.values(), rtol=1e-9, atol=1e-12)
    assert_same_weights(*results)


@pytest.mark.parametrize("step", STEPS)
def test_an_epoch_that_is_paused_goes_on_where_it_was(step):
    class Paused(AnyWork):
        """Is asked to pause after two steps of the third epoch."""

        def __init__(self, run):
            super().__init__(run)
            self.chunk = self.epochs_at_once = 1

        def _run_chunk(self, samples, order, first, last):
            super()._run_chunk(samples, order, first, last)
            self.run.interrupt.is_set = len(self.run.net.history) == 3 and last == 2

    with pytest.warns(UserWarning, match="interrupted by user"):
        part = train_with(Paused, **STEPS[step])
    assert part.resume.state["n_steps"] == 2
    config = make_config(shuffle=True, **STEPS[step])
    plan = replace(plan_of(config), config=config, random_state=np.random.RandomState(3))
    whole = train_with(AnyWork, **STEPS[step])
    assert_same_weights(train(replace(plan, previous=part), [AnyWork]), whole, 0)
