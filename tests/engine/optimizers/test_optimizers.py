import numpy as np
import pytest
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from sknn.engine.optimizers._optimizers import (
    SGD,
    Adam,
    AdamW,
    NAdam,
    RMSprop,
    copy_state,
    get_learning_rate,
    restore_state,
    set_learning_rate,
    split_groups,
)


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


@pytest.mark.parametrize(
    ("ours", "theirs", "settings"),
    [
        (NAdam, torch.optim.NAdam, {"betas": (0.8, 0.99)}),
        (RMSprop, torch.optim.RMSprop, {}),
        (RMSprop, torch.optim.RMSprop, {"momentum": 0.9, "centered": True}),
        (SGD, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ],
)
def test_solvers_without_the_compiler_are_torchs(ours, theirs, settings, rng):
    start, gradients = rng.normal(size=5), rng.normal(size=(20, 5))
    expected = run_ours(theirs, start.copy(), gradients, lr=0.01, **settings)
    np.testing.assert_array_equal(run_ours(ours, start, gradients, lr=0.01, **settings), expected)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adamw_is_torchs_but_for_epsilon(decay, rng):
    """Each group by itself, with an epsilon too small to matter."""
    start, gradients = rng.normal(size=5), rng.normal(size=(20, 5))
    settings = {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-14}
    expected = run_ours(torch.optim.AdamW, start.copy(), gradients, weight_decay=decay, **settings)
    p = torch.nn.Parameter(torch.tensor(start))
    optimizer = AdamW(split_groups([{"params": [p]}], [p], {"decay": decay}), **settings)
    for g in gradients:
        p.grad = torch.from_numpy(g)
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-10)


def test_adamw_without_decay_is_adam(rng):
    start, gradients = rng.normal(size=5), rng.normal(size=(20, 5)) * 1e-8
    settings = {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-8}
    adam = run_ours(Adam, start.copy(), gradients, **settings)
    np.testing.assert_array_equal(run_ours(AdamW, start, gradients, **settings), adam)


def test_parameters_that_decay_are_a_group_of_their_own():
    w, b, v = (torch.nn.Parameter(torch.ones(shape)) for shape in ((2, 2), (2,), (2, 3)))
    groups = split_groups([{"params": [w, b, v]}], [v, w], {"decay": 0.5})
    assert [[p.shape for p in g["params"]] for g in groups] == [[w.shape, v.shape], [b.shape]]
    assert groups[0]["decay"] == 0.5
    assert "decay" not in groups[1]
    assert len(split_groups([{"params": [w]}], [w], {"decay": 0.5})) == 1


def quadratic_steps(optimizer, p, n):
    for _ in range(n):
        optimizer.zero_grad()
        (p**4).sum().backward()
        optimizer.step(lambda: (p**4).sum())
    return p.detach().clone()


class Nested(torch.optim.SGD):
    """Keeps state in deep structures, in a group, and beside the parameters."""

    def step(self, closure=None):
        for group in self.param_groups:
            group.setdefault("log", []).append(1)
            for p in group["params"]:
                state = self.state[p].setdefault("deep", {"sums": [torch.zeros_like(p)]})
                state["sums"][0] += p.grad
                state["of"] = p
                p.data -= 0.01 * state["sums"][0] / len(group["log"])
        self.state["all"]["n"] = self.state["all"].get("n", 0) + 1


@pytest.mark.parametrize(
    "kind",
    [
        *(torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam),
        *(torch.optim.RMSprop, torch.optim.Adagrad, torch.optim.Adadelta, torch.optim.Adamax),
        *(torch.optim.RAdam, torch.optim.Rprop, torch.optim.ASGD, Nested),
    ],
)
def test_state_of_every_optimizer_can_be_put_back(kind):
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    optimizer = kind([p], lr=0.01)
    quadratic_steps(optimizer, p, 3)
    start, saved = p.detach().clone(), copy_state(optimizer)
    names = [set(group) for group in optimizer.param_groups]
    expected = quadratic_steps(optimizer, p, 4)
    optimizer.param_groups[0]["lr"] = 7.0
    optimizer.param_groups[0]["initial_lr"] = 7.0
    with torch.no_grad():
        p.copy_(start)
    restore_state(optimizer, saved)
    assert [set(group) for group in optimizer.param_groups] == names
    assert torch.equal(quadratic_steps(optimizer, p, 4), expected)


def test_a_copied_state_refers_to_the_same_parameters():
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = Nested([p], lr=0.01)
    quadratic_steps(optimizer, p, 1)
    restore_state(optimizer, copy_state(optimizer))
    assert optimizer.state[p]["deep"]["of"] is p


def test_a_learning_rate_of_0_keeps_the_velocity_for_later():
    p = torch.nn.Parameter(torch.ones(1))
    optimizer = SGD([p], lr=1.0, momentum=0.5)
    p.grad = torch.ones(1)
    optimizer.step()
    set_learning_rate(optimizer, 0.0)
    assert torch.isfinite(optimizer.state[p]["momentum_buffer"]).all()
    set_learning_rate(optimizer, 0.5)
    assert torch.isfinite(optimizer.state[p]["momentum_buffer"]).all()


def test_the_momentum_of_a_class_of_torch_keeps_torchs_arithmetic():
    p = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([p], lr=1.0, momentum=0.5)
    p.grad = torch.ones(1)
    optimizer.step()
    set_learning_rate(optimizer, 0.1)
    assert optimizer.state[p]["momentum_buffer"].item() == 1.0
