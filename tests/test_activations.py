import numpy as np
import pytest
import torch
from sklearn.neural_network._base import ACTIVATIONS as SKLEARN

from sknn.activations import ACTIVATIONS, TRAINABLE, heaviside

T = np.linspace(-6, 6, 241) + 1e-3  # no kink is hit


@pytest.mark.parametrize("name", TRAINABLE)
def test_values_equal_torch(name):
    module = getattr(torch.nn, ACTIVATIONS[name].torch_name)()
    np.testing.assert_allclose(
        ACTIVATIONS[name].value(T), module(torch.from_numpy(T)).numpy(), atol=1e-12
    )


@pytest.mark.parametrize("name", TRAINABLE)
def test_derivatives_equal_torch_autograd(name):
    t = torch.tensor(T, requires_grad=True)
    getattr(torch.nn, ACTIVATIONS[name].torch_name)()(t).sum().backward()
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(T), t.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_equal_numeric_ones(name):
    h = 1e-6
    value = ACTIVATIONS[name].value
    numeric = (value(T + h) - value(T - h)) / (2 * h)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(T), numeric, atol=1e-7)


@pytest.mark.parametrize("name", ["identity", "logistic", "tanh", "relu"])
def test_values_equal_scikit_learn(name):
    theirs = T.copy()
    SKLEARN[name](theirs)
    np.testing.assert_allclose(ACTIVATIONS[name].value(T), theirs, rtol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("function", ["value", "derivative"])
def test_functions_keep_shape_and_input_and_stay_finite(name, function):
    t = np.array([[-1e3, 0.0], [1.0, 1e3]])
    before = t.copy()
    result = getattr(ACTIVATIONS[name], function)(t)
    assert result.shape == t.shape
    assert result is not t
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(t, before)


def test_steps_have_the_lectures_values_at_zero():
    t = np.array([-0.5, 0.0, 0.5])
    np.testing.assert_array_equal(heaviside(t), [0, 1, 1])
    np.testing.assert_array_equal(ACTIVATIONS["heaviside"].value(t), [0, 1, 1])
    np.testing.assert_array_equal(ACTIVATIONS["sign"].value(t), [-1, 0, 1])


def test_a_step_cannot_be_trained():
    untrainable = set(ACTIVATIONS) - set(TRAINABLE)
    assert untrainable == {"heaviside", "sign"}
    for name in untrainable:
        assert not ACTIVATIONS[name].derivative(T).any()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_entry_is_described_in_a_line(name):
    text = ACTIVATIONS[name].description
    assert text
    assert "\n" not in text
