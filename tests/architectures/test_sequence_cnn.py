"""SequenceCNN: values against torch's own convolution, gradients against autograd."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from sknn._specs import InputSpec, TargetSpec
from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.engine.losses._table import MeanLoss

SMALL = SequenceOptions(
    n_filters=6, kernel_size=4, pooling="max", hidden_layer_sizes=(5,), dropout=0.0
)
POOLINGS = ["max", "mean", "maxmean", 3]
STRANDS = {
    "one": {"reverse_complement": False},
    "both": {"reverse_complement": True},
    "the same on both": {"reverse_complement": True, "same_on_strands": True},
}


def sequences(n=7, length=15, channels=4, seed=0, lengths=None):
    random = np.random.RandomState(seed)
    X = np.eye(channels, dtype=np.float64)[random.randint(channels, size=(n, length))]
    for row, stop in enumerate(lengths or []):
        X[row, stop:] = 0
    return torch.from_numpy(X)


def network(options=SMALL, length=15, channels=4, n_outputs=2, seed=0):
    cnn = SequenceCNN(length, channels, n_outputs, options, torch.float64)
    cnn.initialize_weights(np.random.RandomState(seed))
    with torch.no_grad():  # biases that matter
        generator = torch.Generator().manual_seed(seed)
        cnn.bank.bias.normal_(generator=generator)
        if cnn.bank.position_bias is not None:
            cnn.bank.position_bias.normal_(generator=generator)
    return cnn.eval()


def straight_exp(z):
    return torch.where(z < 5, z.clamp(max=5).exp(), np.exp(5) * (z - 4))


def slow(cnn, X):
    """Compute the output sequence by sequence, without padding, from torch's own functions."""
    options = cnn.options
    activation = {"relu": torch.relu, "exp": straight_exp, "linear": lambda z: z}
    rows = []
    for x in X:
        real = torch.nonzero(x.any(1)).flatten()
        x = x[: real[-1] + 1]
        strands = [(x, cnn.bank.weight)]
        if options.reverse_complement:
            strands.append((x, cnn.bank.weight.flip(1, 2)))
        pooled = []
        for i, (letters, filters) in enumerate(strands):
            z = functional.conv1d(letters.t()[None], filters.transpose(1, 2), cnn.bank.bias)[0].t()
            if cnn.bank.position_bias is not None:
                places = cnn.bank.position_bias[0 if options.same_on_strands else i, : len(z)]
                z = z + (places.flip(0) if options.same_on_strands and i else places)
            a = activation[options.first_activation](z)
            if isinstance(options.pooling, int):
                n = -(-(len(X[0]) - options.kernel_size + 1) // options.pooling)
                blocks = a.split(options.pooling)
                best = torch.zeros(n, a.shape[1], dtype=a.dtype)
                if options.same_on_strands and i:
                    blocks = a.flip(0).split(options.pooling)
                best[: len(blocks)] = torch.stack([block.amax(0) for block in blocks])
                pooled.append(best.t().flatten())
            else:
                parts = {"max": [a.amax(0)], "mean": [a.mean(0)], "maxmean": [a.amax(0), a.mean(0)]}
                pooled.append(torch.cat(parts[options.pooling]))
        h = torch.stack(pooled).amax(0)
        for layer in cnn.linears[:-1]:
            h = layer(h).relu()
        rows.append(cnn.linears[-1](h))
    return torch.stack(rows)


@pytest.mark.parametrize("lengths", [None, [15, 12, 4, 5, 15, 9, 7]])
@pytest.mark.parametrize("position_bias", [True, False])
@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize("activation", ["relu", "exp", "linear"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_output_is_that_of_plain_convolutions(pooling, activation, strands, position_bias, lengths):
    options = replace(
        SMALL,
        pooling=pooling,
        first_activation=activation,
        position_bias=position_bias,
        **STRANDS[strands],
    )
    cnn, X = network(options), sequences(lengths=lengths)
    torch.testing.assert_close(cnn(X), slow(cnn, X))
    torch.testing.assert_close(cnn(X.flatten(1)), cnn(X))


@pytest.mark.parametrize("lengths", [None, [15, 12, 4, 5, 15, 9, 7]])
@pytest.mark.parametrize("position_bias", [True, False])
@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize("pooling", ["max", "maxmean"])
def test_gradient_through_best_windows_is_autograds(pooling, strands, position_bias, lengths):
    options = replace(SMALL, pooling=pooling, position_bias=position_bias, **STRANDS[strands])
    cnn, X = network(options), sequences(lengths=lengths)
    wanted = torch.autograd.grad(slow(cnn, X).square().sum(), list(cnn.parameters()))
    found = torch.autograd.grad(cnn(X).square().sum(), list(cnn.parameters()))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("lengths", [None, [15, 12, 4, 5, 15, 9, 7]])
@pytest.mark.parametrize("pooling", ["max", "maxmean"])
def test_exp_goes_on_straight_where_numbers_are_large(pooling, lengths):
    cnn = network(replace(SMALL, first_activation="exp", pooling=pooling, reverse_complement=True))
    X = 300 * sequences(lengths=lengths)
    output, wanted = cnn(X), slow(cnn, X)
    assert torch.isfinite(output).all()
    assert cnn.pool(X).max() > np.exp(6)
    torch.testing.assert_close(output, wanted)
    wanted = torch.autograd.grad(wanted.square().mean(), list(cnn.parameters()))
    found = torch.autograd.grad(output.square().mean(), list(cnn.parameters()))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    "options",
    [
        SMALL,
        replace(SMALL, pooling=3, reverse_complement=True),
        replace(SMALL, n_conv_layers=2, pooling="maxmean"),
    ],
)
def test_gradient_of_the_input_is_numerically_right(options):
    cnn = network(options)
    X = torch.randn(3, 15 * 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(cnn, X.requires_grad_())


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("both", [False, True])
def test_a_row_does_not_depend_on_the_others(n_layers, pooling, both):
    options = replace(SMALL, n_conv_layers=n_layers, pooling=pooling, reverse_complement=both)
    cnn, X = network(options), sequences(lengths=[15, 12, 4, 5, 15, 9, 7])
    torch.testing.assert_close(torch.cat([cnn(row[None]) for row in X]), cnn(X))


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("pooling", ["max", "mean", "maxmean"])
def test_both_strands_give_the_same_output_without_position_bias(n_layers, pooling):
    options = replace(
        SMALL,
        n_conv_layers=n_layers,
        pooling=pooling,
        reverse_complement=True,
        position_bias=False,
    )
    length = 19 if n_layers == 2 else 15  # stretches of two windows that begin at either end
    cnn, X = network(options, length=length), sequences(length=length)
    torch.testing.assert_close(cnn(X), cnn(X.flip(1, 2)))
    one = network(replace(options, reverse_complement=False), length=length)
    assert not torch.allclose(one(X), one(X.flip(1, 2)))


@pytest.mark.parametrize("lengths", [None, [15, 12, 4, 5, 14, 9, 7]])
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_reverse_complements_give_the_same_output_where_it_is_asked(pooling, n_layers, lengths):
    """Whether padding stays at the end, as in strings, or changes its end, as in arrays."""
    options = replace(SMALL, pooling=pooling, n_conv_layers=n_layers, **STRANDS["both"])
    X, other = sequences(lengths=lengths), sequences(lengths=lengths)
    for row, stop in enumerate(lengths or [15] * 7):
        other[row, :stop] = X[row, :stop].flip(0, 1)
    same = network(replace(options, same_on_strands=True))
    torch.testing.assert_close(same(other), same(X))
    torch.testing.assert_close(same(X.flip(1, 2)), same(X))
    assert not torch.allclose(network(options)(other), network(options)(X), atol=0.01)


@pytest.mark.parametrize("pooling", ["max", "mean", "maxmean"])
@pytest.mark.parametrize("at_left", [False, True])
def test_padding_changes_nothing(pooling, at_left):
    options = replace(SMALL, pooling=pooling, position_bias=False)
    X = sequences()
    padding = torch.zeros(7, 8, 4, dtype=X.dtype)
    padded = torch.cat([padding, X] if at_left else [X, padding], dim=1)
    cnn, longer = network(options), network(options, length=23)
    longer.load_state_dict(cnn.state_dict())
    torch.testing.assert_close(longer(padded), cnn(X))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_is_masked_in_later_layers(pooling):
    """What stands at masked windows must not matter: biases of the first layer, say."""
    options = replace(SMALL, pooling=pooling, n_conv_layers=2, position_bias=True)
    cnn, X = network(options), sequences(lengths=[8] * 7)
    before = cnn(X)
    with torch.no_grad():
        cnn.bank.position_bias[:, 5:] += 100  # windows that see padding
    torch.testing.assert_close(cnn(X), before)
    with torch.no_grad():
        cnn.bank.position_bias[:, :2] += 100
    assert not torch.allclose(cnn(X), before)


def test_gaps_inside_are_no_padding_and_empty_samples_bear_up():
    cnn = network(replace(SMALL, position_bias=False))
    X = sequences(lengths=[15, 0])
    X[0, 5:8] = 0
    assert torch.isfinite(cnn(X)).all()
    values = cnn.bank(X[:1])[0]  # the windows over the gap count
    torch.testing.assert_close(cnn.pool(X[:1])[0], values.amax(0).relu())


@pytest.mark.parametrize("strands", STRANDS)
def test_best_windows_are_where_the_filters_are_largest(strands):
    cnn = network(replace(SMALL, first_activation="exp", **STRANDS[strands]))
    X = sequences(lengths=[15, 12, 4])
    value, start, other = cnn.find_best_windows(X.flatten(1))
    torch.testing.assert_close(value, cnn.pool(X))
    assert bool(other.any()) is (strands != "one")
    mirrored = strands == "the same on both"
    n_windows = np.array([12, 9, 1] + [12] * 4)
    for row, filter_ in [(0, 0), (1, 3), (2, 5), (6, 2)]:
        i, turned = int(start[row, filter_]), bool(other[row, filter_])
        window = X[row, i : i + 4]
        window = window.flip(0, 1) if turned else window
        z = (window * cnn.bank.weight[filter_]).sum() + cnn.bank.bias[filter_]
        place = n_windows[row] - 1 - i if turned and mirrored else i
        z = z + cnn.bank.position_bias[int(turned and not mirrored), place, filter_]
        torch.testing.assert_close(z.exp(), value[row, filter_])


def take_member(cnn, i):
    """Return one member of an ensemble as a network of its own."""
    options = cnn.options
    n = options.n_filters // options.n_members
    alone = network(replace(options, n_members=1, n_filters=n))
    own = slice(i * n, (i + 1) * n)
    state = {}
    for name, value in cnn.state_dict().items():
        if name.startswith("linears"):
            part = value[i].t() if name.endswith("weight") else value[i, 0]
        elif value.ndim == 0:  # the batches that a norm has seen
            part = value
        else:
            part = value[:, :, own] if name == "bank.position_bias" else value[own]
        state[name] = part
    alone.load_state_dict(state)
    return alone


MEMBERS = [
    *({"pooling": pooling, "reverse_complement": True} for pooling in POOLINGS),
    {"pooling": "maxmean", "n_conv_layers": 2},
    {"pooling": 3, "n_conv_layers": 2, "batch_norm": False},
    {"pooling": "max", "hidden_layer_sizes": ()},
]


@pytest.mark.parametrize("changes", MEMBERS, ids=str)
def test_members_are_networks_side_by_side(changes):
    cnn = network(replace(SMALL, n_members=3, **changes))
    X = sequences(lengths=[15, 12, 4, 5, 15, 9, 7])
    alone = [take_member(cnn, i) for i in range(3)]
    torch.testing.assert_close(cnn(X), torch.stack([one(X) for one in alone]).mean(0))
    y = torch.arange(7) % 2
    loss = MeanLoss("log_loss")(cnn.train()(X), y) + cnn.compute_fixed_penalty()
    found = torch.autograd.grad(loss, list(cnn.parameters()))
    of_members = []
    for one in alone:
        own = MeanLoss("log_loss")(one.train()(X), y) + one.compute_fixed_penalty()
        of_members.append(torch.autograd.grad(own, list(one.parameters())))
    for name, gradient, *parts in zip(
        dict(cnn.named_parameters()), found, *of_members, strict=True
    ):
        if name.startswith("linears"):
            parts = [p.t() if p.ndim == 2 else p[None] for p in parts]
            joined = torch.stack(parts)
        else:
            joined = torch.cat(parts, dim=2 if name == "bank.position_bias" else 0)
        torch.testing.assert_close(3 * gradient, joined)


def test_members_start_as_networks_of_their_own_would():
    cnn = SequenceCNN(15, 4, 2, replace(SMALL, n_members=2))
    cnn.initialize_weights(np.random.RandomState(0))
    alone = SequenceCNN(15, 4, 2, replace(SMALL, n_filters=3))
    alone.initialize_weights(np.random.RandomState(0))
    for several, one in zip(cnn.linears, alone.linears, strict=True):
        largest = [layer.weight.abs().max().item() for layer in (several, one)]
        np.testing.assert_allclose(*largest, rtol=0.15)
        assert not torch.equal(several.weight[0], several.weight[1])


@pytest.mark.parametrize(
    "options",
    [
        SequenceOptions(),
        SequenceOptions(n_members=4, n_conv_layers=2),
        SequenceOptions(n_conv_layers=2, reverse_complement=True),
        SequenceOptions(pooling=10, hidden_layer_sizes=(), dropout=0.0, position_bias=False),
    ],
)
def test_layers_are_described_with_all_parameters(options):
    cnn = SequenceCNN(60, 4, 3, options)
    cnn.initialize_weights(np.random.RandomState(0))
    if options.position_bias:
        torch.nn.init.constant_(cnn.bank.position_bias, 0.5)
    layers = cnn.describe()
    assert sum(layer.n_parameters for layer in layers) == sum(p.numel() for p in cnn.parameters())
    for layer in layers:
        assert cnn.get_submodule(layer.name) is not None
    assert layers[-1].n_outputs == 3
    assert layers[0].n_inputs == 4
    assert layers[-1].activation == "identity"
    get_penalized = {id(p) for p in cnn.get_penalized()}
    free = [name for name, p in cnn.named_parameters() if id(p) not in get_penalized]
    assert all(name.endswith("bias") or name.startswith("norms") for name in free)
    expected = 0.0
    if options.position_bias:
        expected = 0.001 * cnn.bank.position_bias.square().sum() / options.n_members
    torch.testing.assert_close(
        torch.as_tensor(cnn.compute_fixed_penalty()), torch.as_tensor(expected)
    )


@pytest.mark.parametrize("first_bias", [0.0, -0.5])
def test_biases_of_filters_start_where_they_are_told(first_bias):
    cnn = SequenceCNN(30, 4, 1, SequenceOptions(first_bias=first_bias))
    cnn.initialize_weights(np.random.RandomState(0))
    torch.testing.assert_close(cnn.bank.bias, torch.full((64,), first_bias))


def test_weights_come_from_the_seed_alone():
    torch_state = torch.get_rng_state()
    options = SequenceOptions(n_conv_layers=2, dropout=0.5)
    first, again, other = (SequenceCNN(30, 4, 1, options) for _ in range(3))
    for cnn, seed in ((first, 1), (again, 1), (other, 2)):
        cnn.initialize_weights(np.random.RandomState(seed))
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert not torch.equal(first.bank.weight, other.bank.weight)
    X = sequences(length=30).float()
    torch.testing.assert_close(first.train()(X), again.train()(X))
    assert not torch.equal(first(X), first.eval()(X))
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_goes_through_pickle_and_copy():
    cnn, X = network(replace(SMALL, dropout=0.2, n_conv_layers=2)), sequences()
    for twin in (pickle.loads(pickle.dumps(cnn)), copy.deepcopy(cnn)):
        torch.testing.assert_close(twin(X), cnn(X))


def test_specs_give_the_sizes():
    inputs = InputSpec("sequence", 4, "float64", length=20)
    cnn = SequenceCNN.from_specs(inputs, TargetSpec("multiclass", 3, "log_loss"))
    assert (cnn.length, cnn.n_channels, cnn.linears[-1].out_features) == (20, 4, 3)
    assert cnn.bank.weight.dtype == torch.float64


def test_sequences_shorter_than_a_filter_are_refused():
    with pytest.raises(ValueError, match="have 10 positions, fewer than kernel_size=11"):
        SequenceCNN(10, 4, 1)


def test_too_many_pooled_values_are_bounded_with_a_warning():
    options = replace(SequenceOptions(), pooling=1)
    with pytest.warns(UserWarning, match=r"pooling=1 leaves 990 stretches of 64 .* pooling=4 is"):
        cnn = SequenceCNN(1000, 4, 1, options)
    assert cnn.linears[0].in_features == 64 * 248
    assert cnn.pooling == 4
    cnn.initialize_weights(np.random.RandomState(0))
    assert cnn(sequences(length=1000).float()).shape == (7, 1)
