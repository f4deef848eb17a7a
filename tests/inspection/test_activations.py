"""Functions and derivatives are those of the table."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sknn.activations import ACTIVATIONS
from sknn.inspection import ActivationDisplay
from sknn.threshold import AND


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_curves_are_function_and_derivative(name):
    display = ActivationDisplay.from_names([name], limits=(-3, 2))
    drawn = [
        np.array([line.get_xdata(), line.get_ydata()])[:, ~np.isnan(line.get_ydata())]
        for line in display.lines_
    ]
    (t, value), (_, derivative) = drawn
    assert (t[0], t[-1]) == (-3, 2)
    np.testing.assert_array_equal(value, ACTIVATIONS[name].value(t))
    np.testing.assert_array_equal(derivative, ACTIVATIONS[name].derivative(t))
    smooth = np.abs(t) > 0.05
    numeric = np.gradient(value, t)
    np.testing.assert_allclose(derivative[smooth], numeric[smooth], atol=0.01)


def test_axes_are_labelled_and_the_legend_names_the_functions():
    display = ActivationDisplay.from_names()
    assert [axis.get_ylabel() for axis in display.axes_] == ["σ(t)", "derivative by t"]
    assert [axis.get_xlabel() for axis in display.axes_] == ["t", "t"]
    names = [text.get_text() for text in display.axes_[-1].get_legend().get_texts()]
    assert names == ["heaviside", "sign", "logistic", "tanh", "relu"]


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({"weights": (0.5, 1, 2, 5)}, ["w = 0.5", "w = 1", "w = 2", "w = 5"]),
        ({"biases": (-5, 0)}, ["b = −5", "b = 0"]),
        ({"weights": (1, 2), "biases": (0, 1)}, None),
    ],
)
def test_effect_of_weight_and_bias(options, labels):
    display = ActivationDisplay.from_weights_and_biases("logistic", **options, kind="both")
    t = display.t
    pairs = [(w, b) for w in options.get("weights", [1]) for b in options.get("biases", [0])]
    assert len(display.values) == len(pairs)
    assert labels is None or list(display.values) == labels
    for (w, b), value, slope in zip(
        pairs, display.values.values(), display.derivatives.values(), strict=True
    ):
        wanted = 1 / (1 + np.exp(-(w * t + b)))
        np.testing.assert_allclose(value, wanted, atol=1e-12)
        np.testing.assert_allclose(slope, w * wanted * (1 - wanted), atol=1e-12)


def test_activations_of_a_network_are_drawn_once_each(moons, networks):
    assert list(ActivationDisplay.from_estimator(moons[1]).values) == ["tanh", "logistic"]
    # A softmax is no function of one number.
    digits = ActivationDisplay.from_estimator(networks["DeepMLPClassifier"])
    assert list(digits.values) == ["relu"]
    assert list(ActivationDisplay.from_estimator(AND()).values) == ["heaviside"]


@pytest.mark.parametrize(("kind", "n_lines"), [("value", 2), ("derivative", 2), ("both", 4)])
def test_kinds(kind, n_lines):
    display = ActivationDisplay.from_names(["tanh", "relu"], kind=kind)
    assert len(display.lines_) == n_lines


def test_one_name_may_be_given_alone():
    assert list(ActivationDisplay.from_names("relu").values) == ["relu"]


def test_unknown_activation_is_refused():
    with pytest.raises(ValueError, match=r"activation must be one of.*'relu'.*got 'swish'"):
        ActivationDisplay.from_names(["swish"])


@pytest.mark.parametrize(
    ("values", "derivatives", "message"),
    [
        ({"f": [1.0]}, None, "'f' must have a value for each of the 2 points"),
        ({"f": [1.0, 2.0]}, {"g": [1.0, 2.0]}, r"own name; got \['f'\] and \['g'\]"),
    ],
)
def test_wrong_data_are_refused(values, derivatives, message):
    with pytest.raises(ValueError, match=message):
        ActivationDisplay([0.0, 1.0], values, derivatives)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("slope", "kind must be one of.*got 'slope'"), ("both", "no derivatives to draw")],
)
def test_a_kind_that_is_not_there_is_refused(kind, message):
    with pytest.raises(ValueError, match=message):
        ActivationDisplay([0.0], {"f": [1.0]}).plot(kind=kind)
    assert plt.get_fignums() == []


def test_jumps_are_gaps_and_steep_curves_are_not():
    display = ActivationDisplay.from_names(["relu", "sign"])
    for line in display.lines_:
        is_gap = np.isnan(line.get_ydata())
        n_jumps = {"relu": 0, "sign": 2}[line.get_label()]
        if line in display.axes_[1].lines:
            n_jumps = {"relu": 1, "sign": 0}[line.get_label()]
        assert is_gap.sum() == n_jumps
    steep = ActivationDisplay.from_weights_and_biases(weights=[1, 10, 30])
    assert not any(np.isnan(line.get_ydata()).any() for line in steep.lines_)


def test_the_legend_lies_beside_the_curves():
    display = ActivationDisplay.from_names(["relu", "tanh"])
    display.figure_.canvas.draw()
    legend = display.axes_[-1].get_legend().get_window_extent()
    assert legend.x0 >= max(axis.get_window_extent().x1 for axis in display.axes_)
