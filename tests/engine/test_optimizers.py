import numpy as np
import pytest
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from sknn.engine._optimizers import SGD, Adam, get_learning_rate, set_learning_rate


def run_ours(optimizer_class, start, gradients, rates=None, **kwargs):
    p = torch.nn.Parameter(torch.tensor(start))
    optimizer = optimizer_class([p], **kwargs)
    for i, g in enumerate(gradients):
        p.grad = torch.from_numpy(g)
        optimizer.step()
        if rates is not None:
            set_learning_rate(optimizer, rates[i])
    return p.detach().numpy()


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e-12])
def test_adam_equals_scikit_learns_also_for_gradients_as_small_as_epsilon(scale, rng):
    start, gradients = rng.normal(size=5), rng.normal(size=(20, 5)) * scale
    theirs = start.copy()
    optimizer = AdamOptimizer([theirs], 0.01, 0.8, 0.99, 1e-8)
    for g in gradients:
        optimizer.update_params([theirs], [g])
    ours = run_ours(Adam, start, gradients, lr=0.01, betas=(0.8, 0.99), eps=1e-8)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True), (1.0, True)]
)
def test_sgd_equals_scikit_learns_while_the_rate_changes(momentum, nesterov, rng):
    start, gradients = rng.normal(size=5), rng.normal(size=(20, 5))
    rates = 0.1 / np.arange(2, 22)
    theirs = start.copy()
    optimizer = SGDOptimizer([theirs], 0.1, momentum=momentum, nesterov=nesterov)
    for g, rate in zip(gradients, rates, strict=True):
        optimizer.update_params([theirs], [g])
        optimizer.learning_rate = rate
    ours = run_ours(SGD, start, gradients, rates, lr=0.1, momentum=momentum, nesterov=nesterov)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_learning_rate_is_set_in_every_group():
    p, q = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([{"params": [p]}, {"params": [q], "lr": 3.0}], lr=1.0)
    set_learning_rate(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5]
    assert get_learning_rate(optimizer) == 0.5
