"""In-silico mutagenesis against every exchange made by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.engine import Net, compute_mutation_effects, forward
from sknn.engine.net._mutagenesis import is_single_layer

OPTIONS = SequenceOptions(
    n_filters=5, kernel_size=4, pooling="max", hidden_layer_sizes=(6,), dropout=0.2
)
LENGTH = 12
TARGET = np.array([0, 1, 2, 0, 1, 2])


def trained(options, dtype=torch.float64):
    cnn = SequenceCNN(LENGTH, 4, 3, options, dtype)
    cnn.initialize_weights(np.random.RandomState(0))
    with torch.no_grad():
        for parameter in cnn.parameters():
            parameter += 0.1 * torch.randn(
                parameter.shape, dtype=dtype, generator=torch.Generator().manual_seed(0)
            )
    return Net(cnn, loss="log_loss").initialize()


def sequences():
    """Return six: padded at the end, at both ends, shorter than a filter, with N inside, whole."""
    X = np.eye(4)[np.random.RandomState(1).randint(4, size=(6, LENGTH))]
    X[0, 8:] = 0
    X[1, :2] = X[1, 10:] = 0
    X[2, 3:] = 0
    X[3, 5] = 0
    X[4, 6] = 0.25
    return X


def exchanged_one_by_one(net, X, positions):
    before = forward(net, X.reshape(6, -1))[np.arange(6), TARGET]
    effects = np.zeros(X.shape, before.dtype)
    for i, j in zip(*np.nonzero(positions), strict=True):
        for k in range(4):
            mutated = X[i].copy()
            mutated[j] = np.eye(4)[k]
            effects[i, j, k] = forward(net, mutated.reshape(1, -1))[0, TARGET[i]] - before[i]
    return effects


@pytest.mark.parametrize(
    "changes",
    [
        *[{"pooling": pooling} for pooling in ("max", "mean", "maxmean", 3)],
        *[{"first_activation": name, "pooling": "maxmean"} for name in ("exp", "linear")],
        {"position_bias": False},
        {"pooling": "maxmean", "reverse_complement": True},
        {"pooling": "maxmean", "reverse_complement": True, "same_on_strands": True},
        {"pooling": 3, "reverse_complement": True},
        {"n_conv_layers": 2, "pooling": "maxmean"},
        {"pooling": "maxmean", "n_filters": 6, "n_members": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("chunk_numbers", [100, 2**21])
def test_effects_are_those_of_exchanges_made_one_by_one(changes, chunk_numbers):
    net, X = trained(replace(OPTIONS, **changes)), sequences()
    kept = X.copy()
    inside = np.ones((6, LENGTH), bool)
    inside[0, 8:] = inside[1, :2] = inside[1, 10:] = inside[2, 3:] = False
    effects = compute_mutation_effects(net, X, TARGET, chunk_numbers=chunk_numbers)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_allclose(effects, exchanged_one_by_one(net, X, inside), atol=1e-12)
    np.testing.assert_array_equal(effects[X == 1], 0)
    assert np.abs(effects[3, 5]).min() > 0  # N is exchanged like any letter
    assert not effects[~inside].any()


def test_unknown_letters_at_the_ends_are_exchanged_where_they_are_positions():
    net, X = trained(OPTIONS), sequences()
    everywhere = np.ones((6, LENGTH), bool)
    effects = compute_mutation_effects(net, X, TARGET, everywhere)
    np.testing.assert_allclose(effects, exchanged_one_by_one(net, X, everywhere), atol=1e-12)
    assert np.abs(effects[0, 8:]).max() > 0


def test_float32_is_as_exact_as_forward_passes():
    options = replace(OPTIONS, pooling="maxmean", reverse_complement=True)
    net, X = trained(options, torch.float32), sequences().astype(np.float32)
    effects = compute_mutation_effects(net, X, TARGET)
    inside = (X.any(axis=2)) | (np.arange(LENGTH) < 8)
    inside[1, :2] = inside[2, 3:] = False
    assert effects.dtype == np.float32
    np.testing.assert_allclose(effects, exchanged_one_by_one(net, X, inside), atol=2e-6)


def test_the_short_way_is_for_one_layer_pooled_over_all_of_the_sequence():
    assert is_single_layer(trained(OPTIONS).module_)
    assert not is_single_layer(trained(replace(OPTIONS, pooling=3)).module_)
    assert not is_single_layer(trained(replace(OPTIONS, n_conv_layers=2)).module_)
