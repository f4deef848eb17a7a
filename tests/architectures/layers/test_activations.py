"""What may be given as an activation; the table of names has its tests in tests/."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sknn.architectures import MLP
from sknn.architectures.layers._activations import (
    FunctionActivation,
    get_activation_name,
    get_init_factor,
    make_hidden_activation,
    split_activations,
)

Z = torch.linspace(-3, 3, 12).reshape(3, 4)


class Scaled(nn.Module):
    """Draws its first parameter from torch's global generator."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(()))

    def forward(self, z):
        return self.scale * z


class Callable:
    def __call__(self, z):
        return z.square()


def cube(z, power=3):
    return z**power


@pytest.mark.parametrize(
    ("given", "expected", "name"),
    [
        ("relu", functional.relu, "relu"),
        (np.str_("relu"), functional.relu, "relu"),
        (functional.mish, functional.mish, "mish"),
        (torch.tanh, torch.tanh, "tanh"),
        (functional.gelu, functional.gelu, "gelu"),
        (cube, lambda z: z**3, "cube"),
        (functools.partial(cube, power=2), torch.square, "cube"),
        (Callable(), torch.square, "Callable"),
        (nn.Mish, functional.mish, "Mish"),
        (nn.PReLU, lambda z: functional.leaky_relu(z, 0.25), "PReLU"),
        (nn.LeakyReLU(0.3), lambda z: functional.leaky_relu(z, 0.3), "LeakyReLU"),
        (functools.partial(nn.ELU, 0.3), lambda z: functional.elu(z, 0.3), "ELU"),
        (lambda: nn.PReLU(4, 0.1), lambda z: functional.leaky_relu(z, 0.1), "<lambda>"),
        (nn.Sequential(nn.Tanh(), nn.ReLU()), lambda z: z.tanh().relu(), "Sequential"),
    ],
)
def test_everything_callable_becomes_a_module(given, expected, name):
    module = make_hidden_activation(given, 4, torch.float32)
    assert isinstance(module, nn.Module)
    assert module.training
    assert torch.allclose(module(Z), expected(Z))
    assert get_activation_name(given) == name


@pytest.mark.parametrize(
    "given", [functional.mish, torch.tanh, cube, nn.Mish, nn.PReLU, nn.LeakyReLU(0.3), Callable()]
)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_network_is_copied_with_its_activation(given, copied):
    mlp = MLP([4, 5, 2], given)
    mlp.initialize_weights(np.random.RandomState(0))
    assert torch.equal(copied(mlp)(Z), mlp(Z))


def test_a_module_is_copied_for_each_layer_and_never_trained_itself():
    prelu = nn.PReLU(init=0.5)
    prelu(Z).sum().backward()
    mlp = MLP([4, 5, 3, 2], prelu, torch.float64)
    mlp.initialize_weights(np.random.RandomState(0))
    slopes = [activation.weight for activation in mlp.activations]
    assert len({id(p) for p in (*slopes, prelu.weight)}) == 3
    assert all(p.grad is None for p in slopes)
    optimizer = torch.optim.SGD(mlp.parameters(), lr=0.1)
    mlp(Z.double()).square().sum().backward()
    optimizer.step()
    assert all(p.item() != 0.5 and p.dtype == torch.float64 for p in slopes)
    assert prelu.weight.item() == 0.5


def test_what_activations_learn_is_not_penalised():
    mlp = MLP([4, 5, 2], nn.PReLU)
    assert [p.shape for p in mlp.get_penalized()] == [(5, 4), (2, 5)]


def test_random_parameters_are_the_same_each_time_and_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    first, second = (make_hidden_activation(Scaled, 4, torch.float32) for _ in range(2))
    assert torch.equal(first.scale, second.scale)
    assert torch.equal(torch.get_rng_state(), before)


def test_each_layer_may_have_its_own():
    given = ["tanh", nn.Mish]
    mlp = MLP([4, 5, 3, 2], given)
    mlp.initialize_weights(np.random.RandomState(0))
    first, second, last = mlp.linears
    expected = last(functional.mish(second(torch.tanh(first(Z)))))
    assert torch.allclose(mlp(Z), expected)
    assert mlp.activation_names == ("tanh", "Mish")
    assert split_activations(np.array(["relu", "tanh"]), 2) == ("relu", "tanh")
    assert split_activations("relu", 2) == ("relu", "relu")


def test_number_of_activations_must_be_that_of_the_layers():
    with pytest.raises(ValueError, match=r"each of the 2 hidden layers; got 1: \['relu'\]"):
        split_activations(["relu"], 2)


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_unknown_name_is_refused_also_without_hidden_layers(hidden):
    with pytest.raises(ValueError, match=r"activation must be one of .*; got 'swash'"):
        MLP([4, *hidden, 2], "swash")


def not_a_module():
    return 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "a function of a tensor, or a module, its class or factory; got 3"),
        (None, "a function of a tensor, or a module, its class or factory; got None"),
        (not_a_module, "'not_a_module' can be called without arguments .* got int"),
        (nn.Threshold, r"'Threshold' is a class that needs arguments.*lambda: Threshold\(...\)"),
        (nn.GLU, r"'GLU' must return a tensor like its argument, of shape \(2, 4\).*\(2, 2\)"),
        (torch.Tensor.sum, r"'sum' must return a tensor like.* got shape \(\) and"),
        (torch.Tensor.double, "must return a tensor like .* got .*float64"),
        (torch.Tensor.tolist, "'tolist' must return a tensor like its argument.* got list"),
        (nn.PReLU(5), r"'PReLU' must take a tensor of shape \(n_samples, 4\).* but fails: "),
        (lambda a, b: a, r"'<lambda>' must take a tensor of shape .* but fails: .*'b'"),
    ],
)
def test_what_is_no_activation_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        make_hidden_activation(given, 4, torch.float32)


def test_first_weights_are_scaled_by_the_activation_as_scikit_learns():
    assert [get_init_factor(a) for a in ("logistic", "relu", "tanh", nn.Sigmoid)] == [2, 6, 6, 6]
    mlp = MLP([4, 5, 3, 2], ["logistic", "relu"])
    assert mlp.init_factors == (2, 6, 6)
    assert MLP([4, 5, 2], "logistic").init_factors == (2, 2)
    assert MLP([4, 2], "logistic").init_factors == (2,)


def test_function_is_shown():
    assert repr(FunctionActivation(functional.mish)) == "FunctionActivation(mish)"
