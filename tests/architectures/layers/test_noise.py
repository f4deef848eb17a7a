"""Layers that add noise: what they change, and that they go on from their state."""

import copy

import pytest
import torch

from sknn.architectures import Corruption
from sknn.architectures.layers._noise import NormalDraw


def make_corruption():
    """Return a layer for two noisy numbers, then two columns of one feature, and codes."""
    return Corruption(0.5, 0.4, [True, True, False, False, False], [-1, -1, 0, 0, 1])


def test_numbers_get_noise_and_features_are_hidden_as_a_whole():
    X = torch.ones(20_000, 5)
    noisy = make_corruption()(X)
    difference = noisy - X
    assert float(difference[:, :2].std()) == pytest.approx(0.5, rel=0.02)
    assert torch.equal(noisy[:, 2], noisy[:, 3])
    assert not torch.equal(noisy[:, 2], noisy[:, 4])
    assert float(noisy[:, 2].mean()) == pytest.approx(0.6, abs=0.02)
    assert set(noisy[:, 4].tolist()) == {0.0, 1.0}


def test_evaluation_changes_nothing():
    X = torch.ones(3, 5)
    assert make_corruption().eval()(X) is X
    assert NormalDraw().eval()(X, X) is X


def test_draws_follow_from_seed_and_count_and_leave_the_global_generator_alone():
    X, before = torch.ones(4, 5), torch.get_rng_state()
    one = make_corruption()
    one.set_seed(3)
    first, other = one(X), copy.deepcopy(one)
    assert torch.equal(one(X), other(X))
    again = make_corruption()
    again.load_state_dict(one.state_dict())
    assert torch.equal(again(X), one(X))
    assert not torch.equal(one(X), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_have_the_mean_and_the_variance_that_are_given():
    mean, log_variance = torch.full((20_000, 1), 2.0), torch.full((20_000, 1), -1.0)
    drawn = NormalDraw()(mean, log_variance)
    assert float(drawn.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(drawn.var().log()) == pytest.approx(-1.0, abs=0.05)
