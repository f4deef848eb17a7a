import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier

from sknn._specs import InputSpec, TargetSpec
from sknn.activations import ACTIVATIONS, TRAINABLE
from sknn.architectures import MLP
from sknn.architectures._blocks import UnsetLinear, activation_module


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
    mlp.init_weights(np.random.RandomState(0))
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
    mlp.init_weights(np.random.RandomState(7))
    for layer, coef, intercept in zip(mlp.linears, theirs.coefs_, theirs.intercepts_, strict=True):
        np.testing.assert_array_equal(layer.weight.detach().numpy().T, coef)
        np.testing.assert_array_equal(layer.bias.detach().numpy(), intercept)


def test_building_and_drawing_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    MLP([30, 20, 10]).init_weights(np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_specs_give_widths_and_dtype():
    inputs = InputSpec("table", 7, "float64")
    mlp = MLP.from_specs(inputs, TargetSpec("multiclass", 3, "log_loss"), (5,), "tanh")
    assert mlp.layer_sizes == (7, 5, 3)
    assert {p.dtype for p in mlp.parameters()} == {torch.float64}


def test_penalty_acts_on_weights_not_on_biases():
    assert [p.ndim for p in MLP([3, 4, 2]).penalized()] == [2, 2]


def test_no_hidden_layer_is_a_linear_map():
    assert len(MLP([3, 2]).linears) == 1


@pytest.mark.parametrize("name", ["heaviside", "sign", "swash"])
def test_activation_without_a_slope_or_unknown_is_refused(name):
    with pytest.raises(ValueError, match=f"activation must be one of .*'relu'.*got '{name}'"):
        activation_module(name)


def test_unset_layer_is_a_linear_layer():
    layer = UnsetLinear(2, 3, dtype=torch.float64)
    assert (layer.weight.shape, layer.weight.dtype) == ((3, 2), torch.float64)
    layer.reset_parameters()
    assert layer(torch.zeros(1, 2, dtype=torch.float64)).shape == (1, 3)
