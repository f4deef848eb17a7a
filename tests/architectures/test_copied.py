"""Copies of networks share nothing that training changes."""

import copy

import numpy as np
import pytest
import torch

from sknn.architectures import MLP, MLPOptions, copy_network


def make_network(**options):
    mlp = MLP([5, 7, 4, 3], ["relu", "gelu"], options=MLPOptions(**options))
    mlp.initialize_weights(np.random.RandomState(0))
    return mlp


@pytest.mark.parametrize(
    "options", [{}, {"dropout": 0.3}, {"normalization": "layer"}, {"normalization": "batch"}]
)
def test_a_copy_is_equal_and_shares_nothing(options):
    module = make_network(**options)
    copied, expected = copy_network(module), copy.deepcopy(module)
    X = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    drawn = expected.train()(X)
    torch.testing.assert_close(copied.train()(X), drawn, rtol=0, atol=0)
    torch.testing.assert_close(module.train()(X), drawn, rtol=0, atol=0)  # no state was moved
    assert [name for name, _ in copied.named_modules()] == [n for n, _ in module.named_modules()]
    assert all(p.is_leaf and p.requires_grad for p in copied.parameters())
    for ours, theirs in zip(copied.parameters(), module.parameters(), strict=True):
        ours.data.add_(1)
        assert not torch.equal(ours, theirs)


def test_hooks_and_frozen_parameters_are_copied():
    module, seen = make_network(), []
    module.linears[0].weight.requires_grad_(False)
    copied = copy_network(module)
    copied.register_forward_hook(lambda *given: seen.append(given))
    module(torch.zeros(1, 5))
    assert not seen
    copied(torch.zeros(1, 5))
    assert len(seen) == 1
    assert not copied.linears[0].weight.requires_grad
