"""Attributions against finite differences, and against networks whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.engine import Net, forward
from sknn.engine.net._attribution import (
    compute_input_gradient,
    find_best_windows,
    gradient_times_input,
    knock_out_effects,
)

OPTIONS = SequenceOptions(
    n_filters=5, kernel_size=4, pooling="max", hidden_layer_sizes=(6,), dropout=0.2
)
LENGTH = 12


def trained(options=OPTIONS, seed=0):
    cnn = SequenceCNN(LENGTH, 4, 3, options, torch.float64)
    cnn.initialize_weights(np.random.RandomState(seed))
    return Net(cnn, loss="log_loss").initialize()


def sequences(n=6, seed=1):
    X = np.eye(4)[np.random.RandomState(seed).randint(4, size=(n, LENGTH))]
    X[0, 8:] = 0
    return X


TARGET = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("pooling", ["max", "maxmean", 3])
@pytest.mark.parametrize("chunk", [10, 2**22])
def test_input_gradient_is_that_of_finite_differences(pooling, chunk):
    net = trained(replace(OPTIONS, pooling=pooling, reverse_complement=True))
    X = sequences().reshape(6, -1) + 1e-3 * np.random.RandomState(2).normal(size=(6, 48))
    gradient = compute_input_gradient(net, X, TARGET, chunk_numbers=chunk)
    for i in (0, 7, 30, 47):
        step = np.zeros(48)
        step[i] = 1e-6
        slope = (forward(net, X + step) - forward(net, X - step)) / 2e-6
        np.testing.assert_allclose(gradient[:, i], slope[np.arange(6), TARGET], atol=1e-7)


def test_gradient_times_input_takes_what_all_letters_share_away():
    X = sequences()
    gradient = np.random.RandomState(0).normal(size=X.shape)
    attribution = gradient_times_input(gradient, X)
    np.testing.assert_allclose(gradient_times_input(gradient + 5.0, X), attribution)
    np.testing.assert_array_equal(attribution != 0, X != 0)
    np.testing.assert_allclose(
        attribution[1, 3].sum(), gradient[1, 3][X[1, 3] == 1][0] - gradient[1, 3].mean()
    )


@pytest.mark.parametrize("position_bias", [True, False])
def test_knocked_out_filters_tell_and_come_back(position_bias):
    net = trained(replace(OPTIONS, position_bias=position_bias))
    X = sequences().reshape(6, -1)
    with torch.no_grad():
        net.module_.linears[0].weight[:, 3] = 0  # nobody listens to filter 3
        net.module_.bank.bias[4] = 50.0
    state = {name: value.clone() for name, value in net.module_.state_dict().items()}
    effects = knock_out_effects(net, X)
    assert effects.shape == (5,)
    assert effects[3] == 0
    assert effects.argmax() == 4
    for name, value in net.module_.state_dict().items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(state[name])), name


@pytest.mark.parametrize("chunk", [10, 2**22])
def test_best_windows_hold_the_pooled_values(chunk):
    net = trained(replace(OPTIONS, reverse_complement=True))
    X = sequences().reshape(6, -1)
    activation, start, other = find_best_windows(net, X, chunk_numbers=chunk)
    with torch.no_grad():
        np.testing.assert_allclose(activation, net.module_.pool(torch.from_numpy(X)).numpy())
    assert start.min() >= 0
    assert start.max() <= LENGTH - 4
    assert start[0].max() <= 8 - 4  # no window in the padding
    assert other.dtype == bool
