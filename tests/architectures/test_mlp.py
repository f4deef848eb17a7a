import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.nn.functional import batch_norm, layer_norm

from sknn._specs import InputSpec, TargetSpec
from sknn.activations import ACTIVATIONS, TRAINABLE
from sknn.architectures import MLP, MLPOptions, find_stochastic_layers
from sknn.architectures.layers._blocks import (
    BatchNorm,
    UnsetLinear,
    make_activation,
    seed_torch,
)


def test_lecture_network_has_the_lectures_parameters():
    layers = MLP([784, 300, 100, 10]).describe()
    assert [layer.n_parameters for layer in layers] == [235_500, 30_100, 1_010]
    assert sum(layer.n_parameters for layer in layers) == 266_610
    assert [layer.activation for layer in layers] == ["relu", "relu", "identity"]
    assert [(layer.n_inputs, layer.n_outputs) for layer in layers] == [
        (784, 300),
        (300, 100),
        (100, 10),
    ]


@pytest.mark.parametrize("name", TRAINABLE)
def test_forward_equals_numpy(name, rng):
    mlp = MLP([3, 4, 2, 1], name, torch.float64)
    mlp.initialize_weights(np.random.RandomState(0))
    X = rng.normal(size=(5, 3))
    z = X
    for i, layer in enumerate(mlp.linears):
        z = z @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        z = z if i == 2 else ACTIVATIONS[name].value(z)
    np.testing.assert_allclose(mlp(torch.from_numpy(X)).detach().numpy(), z, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_first_weights_equal_scikit_learns(activation):
    X, y = np.eye(4), [0, 1, 2, 0]
    theirs = MLPClassifier((5, 3), activation=activation, random_state=7, learning_rate_init=1e-300)
    theirs.set_params(max_iter=1).fit(X, y)
    mlp = MLP([4, 5, 3, 3], activation, torch.float64)
    mlp.initialize_weights(np.random.RandomState(7))
    for layer, coef, intercept in zip(mlp.linears, theirs.coefs_, theirs.intercepts_, strict=True):
        np.testing.assert_array_equal(layer.weight.detach().numpy().T, coef)
        np.testing.assert_array_equal(layer.bias.detach().numpy(), intercept)


def test_building_and_drawing_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    MLP([30, 20, 10]).initialize_weights(np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_specs_give_widths_and_dtype():
    inputs = InputSpec("table", 7, "float64")
    mlp = MLP.from_specs(inputs, TargetSpec("multiclass", 3, "log_loss"), (5,), "tanh")
    assert mlp.layer_sizes == (7, 5, 3)
    assert {p.dtype for p in mlp.parameters()} == {torch.float64}


def test_penalty_acts_on_weights_not_on_biases():
    assert [p.ndim for p in MLP([3, 4, 2]).get_penalized()] == [2, 2]


def test_no_hidden_layer_is_a_linear_map():
    assert len(MLP([3, 2]).linears) == 1


@pytest.mark.parametrize("name", ["heaviside", "sign", "swash"])
def test_activation_without_a_slope_or_unknown_is_refused(name):
    with pytest.raises(ValueError, match=f"activation must be one of .*'relu'.*got '{name}'"):
        make_activation(name)


def test_unset_layer_is_a_linear_layer():
    layer = UnsetLinear(2, 3, dtype=torch.float64)
    assert (layer.weight.shape, layer.weight.dtype) == ((3, 2), torch.float64)
    layer.reset_parameters()
    assert layer(torch.zeros(1, 2, dtype=torch.float64)).shape == (1, 3)


# --- options -------------------------------------------------------------------------------

OPTIONS = {
    "plain": MLPOptions(),
    "dropout": MLPOptions(dropout=[0.5, 0.0, 0.25]),
    "batch": MLPOptions(normalization="batch"),
    "layer": MLPOptions(normalization="layer"),
    "residual": MLPOptions(residual=True),
    "all": MLPOptions(0.3, "batch", residual=True, initializer="he_normal"),
}


def built(options=OPTIONS["plain"], activation="tanh", cardinalities=(), seed=0):
    sizes = [3, 6, 6, 5, 2]
    mlp = MLP(sizes, activation, torch.float64, options, cardinalities)
    mlp.initialize_weights(np.random.RandomState(seed))
    return mlp


@pytest.fixture(name="X")
def some_rows(rng):
    return torch.from_numpy(rng.normal(size=(7, 3)))


def by_formula(mlp, X):
    """The network in training, from its parameters alone, with the masks of its dropout."""
    before = X
    for i, layer in enumerate(mlp.linears[:-1]):
        z = before @ layer.weight.t()
        z = z if layer.bias is None else z + layer.bias
        norm = mlp.norms[i] if mlp.norms else None
        if isinstance(norm, BatchNorm):
            z = (z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt()
        elif norm is not None:
            mean, var = z.mean(1, keepdim=True), z.var(1, unbiased=False, keepdim=True)
            z = (z - mean) / (var + 1e-5).sqrt()
        if norm is not None:
            z = z * norm.weight + norm.bias
        a = torch.tanh(z)
        if mlp.dropouts:
            a = a * copy.deepcopy(mlp.dropouts[i])(torch.ones_like(a))
        before = a + before if mlp.skips[i] else a
    return before @ mlp.linears[-1].weight.t() + mlp.linears[-1].bias


@pytest.mark.parametrize("name", OPTIONS)
def test_values_and_gradients_are_the_formulas(name, X):
    mlp = built(OPTIONS[name])
    for norm in mlp.norms:
        nn.init.uniform_(norm.weight, 0.5, 2.0, torch.Generator().manual_seed(0))
        nn.init.uniform_(norm.bias, -1.0, 1.0, torch.Generator().manual_seed(1))
    expected = by_formula(mlp, X)
    expected.square().sum().backward()
    gradients = [p.grad.clone() for p in mlp.parameters()]
    mlp.zero_grad()
    output = mlp(X)
    assert torch.allclose(output, expected, rtol=1e-10)
    output.square().sum().backward()
    for p, gradient in zip(mlp.parameters(), gradients, strict=True):
        assert gradient.any()
        assert torch.allclose(p.grad, gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_in_evaluation_each_row_stands_for_itself(name, X):
    mlp = built(OPTIONS[name])
    mlp(X)
    with torch.no_grad():
        together = mlp.eval()(X)
        alone = torch.cat([mlp(row) for row in X.split(1)])
        assert torch.equal(mlp(X), together)
    assert torch.allclose(alone, together, rtol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), "state_dict"],
    ids=["deepcopy", "pickle", "state_dict"],
)
def test_copies_compute_the_same_and_go_on_training_the_same(name, copied, X):
    mlp = built(OPTIONS[name], cardinalities=(4,))
    X = torch.cat([X, torch.arange(7.0)[:, None] % 4], 1)
    mlp(X)
    if copied == "state_dict":
        other = built(OPTIONS[name], cardinalities=(4,), seed=1)
        other.load_state_dict(copy.deepcopy(mlp.state_dict()))
    else:
        other = copied(mlp)
    for _ in range(2):
        assert torch.equal(other(X), mlp(X))
    assert torch.equal(other.eval()(X), mlp.eval()(X))


@pytest.mark.parametrize("name", OPTIONS)
def test_what_failed_training_left_is_put_back_by_the_state(name, X):
    mlp = built(OPTIONS[name])
    backup = copy.deepcopy(mlp.state_dict())
    expected = [mlp(X) for _ in range(3)]
    mlp.load_state_dict(backup)
    assert all(torch.equal(mlp(X), output) for output in expected)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_seed_gives_the_same_network_and_torchs_generator_stays(name, X):
    before = torch.get_rng_state()
    first, same, other = (built(OPTIONS[name], seed=seed)(X) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_drawing_anew_starts_normalization_and_dropout_anew(X):
    mlp = built(OPTIONS["all"])
    first = mlp(X)
    assert mlp.norms[0].running_mean.any()
    mlp.initialize_weights(np.random.RandomState(0))
    assert not mlp.norms[0].running_mean.any()
    assert torch.equal(mlp(X), first)


def test_dropout_does_not_change_the_first_weights():
    plain, dropping = built(), built(OPTIONS["dropout"])
    for mine, theirs in zip(plain.linears, dropping.linears, strict=True):
        assert torch.equal(mine.weight, theirs.weight)
    assert [type(d).__name__ for d in dropping.dropouts] == ["Dropout", "Identity", "Dropout"]


@pytest.mark.parametrize("name", OPTIONS)
def test_description_counts_every_parameter(name):
    mlp = built(OPTIONS[name], nn.PReLU, cardinalities=(4, 3))
    layers = mlp.describe()
    assert sum(layer.n_parameters for layer in layers) == sum(p.numel() for p in mlp.parameters())
    for layer in layers:
        module = mlp.get_submodule(layer.name)
        assert layer.n_parameters == sum(p.numel() for p in module.parameters())
        assert layer.kind in type(module).__name__
    assert sum(layer.kind == "Linear" for layer in layers) == len(mlp.linears) == 4


def test_description_goes_through_the_layers_in_order():
    layers = built(OPTIONS["all"], nn.PReLU, cardinalities=(4,)).describe()
    assert [(layer.name, layer.kind) for layer in layers[:5]] == [
        ("embeddings.tables.0", "Embedding"),
        ("linears.0", "Linear"),
        ("norms.0", "BatchNorm"),
        ("activations.0", "PReLU"),
        ("dropouts.0", "Dropout"),
    ]
    assert [layer.activation for layer in layers[:5]] == [*["identity"] * 3, "PReLU", "identity"]
    assert [(layer.n_inputs, layer.n_outputs) for layer in layers[:3]] == [(1, 3), (6, 6), (6, 6)]
    assert layers[-1].name == "linears.3"
    assert layers[-1].activation == "identity"
    assert [layer.activation for layer in built(OPTIONS["layer"]).describe()] == [
        *["identity", "tanh"] * 3,
        "identity",
    ]


def test_only_linear_layers_and_named_activations_are_plain():
    assert built().is_plain
    assert built(activation=["relu", "tanh", "gelu"]).is_plain
    assert built(MLPOptions(initializer="orthogonal")).is_plain
    assert MLP([3, 2], options=MLPOptions(dropout=0.5)).is_plain
    for name in set(OPTIONS) - {"plain"}:
        assert not built(OPTIONS[name]).is_plain
    for activation in (nn.ReLU, torch.relu, ["relu", "relu", torch.relu]):
        assert not built(activation=activation).is_plain
    assert not built(cardinalities=(3,)).is_plain


def test_outputs_in_training_depend_on_the_row_alone_but_for_two_options(X):
    for name, options in OPTIONS.items():
        mlp = built(options)
        one, other = mlp(X)[:3], mlp(X[:3])
        assert torch.allclose(one, other, rtol=1e-12) == (not find_stochastic_layers(mlp))
        assert bool(find_stochastic_layers(mlp)) == (name in ("dropout", "batch", "all"))
    users = nn.Sequential(nn.Dropout(), nn.Sequential(nn.RReLU(), nn.Dropout()), nn.ReLU())
    assert find_stochastic_layers(users) == ["Dropout", "RReLU"]
    assert find_stochastic_layers(MLP([3, 4, 2], nn.RReLU)) == ["RReLU"]


def test_penalty_acts_on_weights_and_vectors():
    mlp = built(OPTIONS["all"], cardinalities=(4, 3))
    tables = [table.weight for table in mlp.embeddings.tables]
    expected = [*tables, *(layer.weight for layer in mlp.linears)]
    assert all(p is q for p, q in zip(mlp.get_penalized(), expected, strict=True))


@pytest.mark.parametrize("name", ["he_normal", "zeros", lambda w, state: nn.init.normal_(w)])
def test_initializer_is_used_for_every_layer(name):
    before = torch.get_rng_state()
    options = MLPOptions(initializer=name)
    mlp, same = built(options), built(options)
    assert torch.equal(torch.get_rng_state(), before)
    for layer, again in zip(mlp.linears, same.linears, strict=True):
        assert torch.equal(layer.weight, again.weight)
        assert bool(layer.weight.any()) == (name != "zeros")
        assert not layer.bias.any()


def test_specs_give_cardinalities_and_the_length_of_sequences():
    target = TargetSpec("values", 2, "squared_error")
    mlp = MLP.from_specs(
        InputSpec("table", 3, "float32", (4,)), target, (5, 5), "relu", OPTIONS["all"]
    )
    assert [(x.in_features, x.out_features) for x in mlp.linears] == [(6, 5), (5, 5), (5, 2)]
    assert mlp(torch.zeros(4, 4)).shape == (4, 2)
    sequences = InputSpec("sequence", 4, "float32", length=10)
    assert MLP.from_specs(sequences, target, (5,)).layer_sizes == (40, 5, 2)


# --- normalization -------------------------------------------------------------------------


def test_running_statistics_are_those_of_the_batches_with_momentum(rng):
    norm, batches = BatchNorm(3, dtype=torch.float64), torch.from_numpy(rng.normal(size=(4, 9, 3)))
    mean, var = torch.zeros(3).double(), torch.ones(3).double()
    for batch in batches:
        norm(batch)
        mean, var = 0.9 * mean + 0.1 * batch.mean(0), 0.9 * var + 0.1 * batch.var(0)
    assert torch.allclose(norm.running_mean, mean)
    assert torch.allclose(norm.running_var, var)
    expected = (batches[0] - mean) / (var + 1e-5).sqrt()
    assert torch.allclose(norm.eval()(batches[0]), expected)
    assert set(norm.state_dict()) >= {"running_mean", "running_var"}


def test_a_batch_of_one_row_is_normalised_as_in_evaluation_and_can_be_learned_from(X):
    mlp = built(OPTIONS["batch"])
    mlp(X)
    state = copy.deepcopy(mlp.state_dict())
    output = mlp(X[:1])
    assert torch.equal(output, copy.deepcopy(mlp).eval()(X[:1]))
    assert all(torch.equal(value, state[name]) for name, value in mlp.state_dict().items())
    output.sum().backward()
    assert mlp.linears[0].weight.grad.any()


def test_batch_normalization_takes_the_place_of_biases():
    assert [layer.bias is None for layer in built(OPTIONS["batch"]).linears] == [True] * 3 + [False]
    assert not any(layer.bias is None for layer in built(OPTIONS["layer"]).linears)


def test_normalization_is_torchs(X):
    z = X @ torch.ones(3, 4).double() + torch.arange(4)
    assert torch.allclose(
        BatchNorm(4, dtype=torch.float64)(z), batch_norm(z, None, None, training=True)
    )
    mlp = MLP([3, 4, 1], "identity", torch.float64, MLPOptions(normalization="layer"))
    assert torch.allclose(mlp.norms[0](z), layer_norm(z, (4,)))


# --- torch's global generator ----------------------------------------------------------------


def test_seeded_block_draws_from_the_seed_and_puts_the_generator_back():
    before = torch.get_rng_state()
    draws = []
    for seed in (0, 0, 1):
        with seed_torch(np.random.RandomState(seed)):
            draws.append(torch.rand(3))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_seeded_block_puts_the_generators_of_gpus_back():
    before = torch.cuda.get_rng_state()
    draws = []
    for _ in range(2):
        with seed_torch(np.random.RandomState(0)):
            draws.append(torch.rand(3, device="cuda"))
    assert torch.equal(*draws)
    assert torch.equal(torch.cuda.get_rng_state(), before)
