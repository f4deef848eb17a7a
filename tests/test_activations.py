import numpy as np
import pytest
import torch
from sklearn.neural_network._base import ACTIVATIONS as SKLEARN

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.activations import ACTIVATIONS, SYNONYMS, TRAINABLE, heaviside, resolve_activation
from sknn.inspection import ActivationDisplay, forward_pass

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


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [DeepMLPClassifier, DeepMLPRegressor])
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
@pytest.mark.parametrize(("synonym", "name"), SYNONYMS.items())
def test_a_synonym_trains_the_same_network(kind, hidden, synonym, name):
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = (X[:, 0] > X[:, 1]).astype(int)
    fits = [
        kind(hidden_layer_sizes=hidden, activation=given, max_iter=5, random_state=0).fit(X, y)
        for given in (synonym, name, [synonym] * len(hidden))
    ]
    for fitted in fits[: 2 + bool(hidden)]:
        np.testing.assert_array_equal(fitted.predict(X), fits[0].predict(X))
        for coef, other in zip(fitted.coefs_, fits[0].coefs_, strict=True):
            np.testing.assert_array_equal(coef, other)
    assert fits[0].activation == synonym  # the parameter stays as it was given
    ours, theirs = forward_pass(fits[0], X[:2]), forward_pass(fits[1], X[:2])
    assert [p.activation for p in ours.layers] == [p.activation for p in theirs.layers]


def test_a_display_knows_synonyms_by_the_name_that_was_given():
    ours, theirs = (ActivationDisplay.from_names([n]) for n in ("sigmoid", "logistic"))
    np.testing.assert_array_equal(ours.values["sigmoid"], theirs.values["logistic"])


def test_other_names_are_their_own_keys():
    names = [*ACTIVATIONS, "swoosh"]
    assert [resolve_activation(name) for name in names] == names
    assert set(SYNONYMS.values()) <= set(ACTIVATIONS)
    assert not set(SYNONYMS) & set(ACTIVATIONS)
