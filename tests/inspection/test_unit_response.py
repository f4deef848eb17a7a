"""Responses are what the forward pass gives on a grid."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier
from sknn.inspection import UnitResponseDisplay, forward_pass
from sknn.threshold import AND, ThresholdNetwork


@pytest.mark.parametrize(("layer", "n_units"), [(0, 4), (1, 3), (2, 1), (-1, 1), (-3, 4)])
def test_responses_are_those_of_the_forward_pass(layer, n_units, moons):
    X, mlp = moons
    display = UnitResponseDisplay.from_estimator(mlp, X, layer=layer, grid_resolution=7)
    assert display.responses.shape == (n_units, 7, 7)
    xx, yy = np.meshgrid(*display.grid)
    for row, column in ((0, 0), (2, 5), (6, 1)):
        point = [[xx[row, column], yy[row, column]]]
        wanted = forward_pass(mlp, point).layers[layer].activations[0]
        np.testing.assert_allclose(display.responses[:, row, column], wanted)
        for surface, answer in zip(display.surfaces_, wanted, strict=True):
            assert surface.get_array()[row, column] == pytest.approx(answer)


def test_grid_covers_the_samples_with_a_margin(moons):
    X, mlp = moons
    display = UnitResponseDisplay.from_estimator(mlp, X, margin=0.5)
    for points, column in zip(display.grid, X.T, strict=True):
        beyond = 0.5 * np.ptp(column)
        np.testing.assert_allclose(points[[0, -1]], [column.min() - beyond, column.max() + beyond])


def test_all_units_share_a_scale(moons):
    display = UnitResponseDisplay.from_estimator(moons[1], moons[0])
    limits = {surface.get_clim() for surface in display.surfaces_}
    assert limits == {(display.responses.min(), display.responses.max())}
    assert display.colorbar_.ax.get_ylabel() == "output of the unit"


def test_a_pipeline_is_drawn_over_its_own_inputs(moons):
    X = pd.DataFrame(moons[0] * [1, 1000], columns=["width", "weight"])
    mlp = DeepMLPClassifier((2,), solver="lbfgs", random_state=0, device="cpu")
    model = make_pipeline(StandardScaler(), mlp).fit(X, moons[0][:, 0] > 0)
    display = UnitResponseDisplay.from_estimator(model, X, layer=-1, grid_resolution=5)
    assert display.feature_names == ["width", "weight"]
    point = pd.DataFrame({"width": display.grid[0][[3]], "weight": display.grid[1][[1]]})
    assert display.responses[0, 1, 3] == pytest.approx(model.predict_proba(point)[0, 1])
    assert display.axes_[0].get_xlabel() == "width"
    assert display.axes_[0].get_ylabel() == "weight"


def test_one_input_gives_lines():
    x = np.linspace(-1, 1, 30)[:, None]
    mlp = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit(
        x, x.ravel() ** 2
    )
    display = UnitResponseDisplay.from_estimator(mlp, x, grid_resolution=11, margin=0)
    hidden = np.maximum(np.linspace(-1, 1, 11)[:, None] @ mlp.coefs_[0] + mlp.intercepts_[0], 0)
    assert display.colorbar_ is None
    for line, response in zip(display.surfaces_, hidden.T, strict=True):
        np.testing.assert_allclose(line.get_ydata(), response)


def test_only_outer_axes_are_labelled():
    display = UnitResponseDisplay(
        [[0, 1], [0, 1]], np.zeros((3, 2, 2)), feature_names=["a", "b"]
    ).plot(n_columns=2)
    assert [axis.get_xlabel() for axis in display.axes_] == ["", "a", "a"]
    assert [axis.get_ylabel() for axis in display.axes_] == ["b", "", "b"]


def test_a_unit_and_its_name():
    X = [[0.0, 0.0], [1.0, 1.0]]
    display = UnitResponseDisplay.from_estimator(AND(), X, grid_resolution=3, margin=0)
    assert display.responses[0].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert display.unit_names == ["unit 3"]  # the number it has in a diagram


@pytest.mark.parametrize("shape", [(5, 3), (5,)])
def test_other_numbers_of_features_are_refused(shape, moons):
    with pytest.raises(ValueError, match="one or two features, got X of shape"):
        UnitResponseDisplay.from_estimator(moons[1], np.zeros(shape))


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_that_is_not_there_is_refused(layer, moons):
    with pytest.raises(ValueError, match=f"layer must be from -3 to 2, got {layer}"):
        UnitResponseDisplay.from_estimator(moons[1], moons[0], layer=layer)


@pytest.mark.parametrize(
    ("grid", "shape", "names", "message"),
    [
        ([[0]] * 3, (1, 1), None, "one or two inputs, got 3"),
        ([[0, 1], [0, 1, 2]], (1, 2, 3), None, r"the shape \(n_units, 3, 2\), got \(1, 2, 3\)"),
        ([[0, 1]], (1, 2), ["a", "b"], "Expected 1 names of units, got 2"),
    ],
)
def test_wrong_data_are_refused(grid, shape, names, message):
    with pytest.raises(ValueError, match=message):
        UnitResponseDisplay(grid, np.zeros(shape), unit_names=names)
    assert plt.get_fignums() == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_samples_may_have_gaps_and_the_network_may_scale():
    rng = np.random.default_rng(0)
    X = rng.normal(1e3, 5.0, size=(30, 2))
    y = (X[:, 0] > 1e3).astype(int)
    X[3, 1] = np.nan
    mlp = DeepMLPClassifier((3,), max_iter=2, random_state=0, scale="standard").fit(X, y)
    display = UnitResponseDisplay.from_estimator(mlp, X, layer=-1, grid_resolution=5)
    corner = [[display.grid[0][0], display.grid[1][-1]]]
    assert display.responses[0, -1, 0] == pytest.approx(mlp.predict_proba(corner)[0, 1])


def test_features_that_are_no_numbers_are_an_error(moons):
    frame = pd.DataFrame({"a": [1.0, 2.0], "city": ["Rome", "Oslo"]})
    with pytest.raises(ValueError, match=r"features that are numbers; got .*'Rome'. Fit a network"):
        UnitResponseDisplay.from_estimator(moons[1], frame)


def test_regions_of_a_threshold_network_are_drawn():
    network = ThresholdNetwork.from_expression("a ^ b")
    X = np.array([[0, 0], [1, 1]])
    for layer, names in ((0, ["o1", "o2"]), (1, ["o3"])):
        display = UnitResponseDisplay.from_estimator(network, X, layer=layer, grid_resolution=50)
        assert display.unit_names == names
        assert display.feature_names == ["a", "b"]
    first, second = np.meshgrid(*display.grid)
    inside = (first + second >= 1) & (first + second < 2)
    np.testing.assert_array_equal(display.responses[0], inside)
