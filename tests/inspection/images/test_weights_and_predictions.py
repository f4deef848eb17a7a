"""Weight maps and prediction grids show the numbers they are given."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from sknn import DeepMLPClassifier, PerceptronClassifier
from sknn.inspection import PredictionGridDisplay, WeightMapDisplay


def test_maps_are_the_columns_of_the_weights(networks):
    network = networks["DeepMLPClassifier"]
    display = WeightMapDisplay.from_estimator(network, units=[3, 0])
    for unit, image in zip([3, 0], display.images_, strict=True):
        np.testing.assert_array_equal(image.get_array(), network.coefs_[0][:, unit].reshape(8, 8))
    assert [axis.get_title() for axis in display.axes_] == ["unit 3", "unit 0"]


def test_maps_of_one_layer_have_the_names_of_the_classes(networks):
    perceptron = networks["PerceptronClassifier"]
    display = WeightMapDisplay.from_estimator(perceptron)
    np.testing.assert_array_equal(display.maps.reshape(10, -1), perceptron.coef_)
    assert display.names == [str(label) for label in range(10)]


def test_outputs_of_a_network_without_hidden_layers_have_the_names_of_the_classes(digits):
    X, y = digits
    linear = DeepMLPClassifier((), solver="lbfgs", alpha=1.0, device="cpu").fit(X, y)
    assert WeightMapDisplay.from_estimator(linear).names == [str(label) for label in range(10)]


def test_maps_share_a_scale_symmetric_about_0(networks):
    display = WeightMapDisplay.from_estimator(networks["PerceptronClassifier"])
    limits = {image.get_clim() for image in display.images_}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    share = np.mean(np.abs(display.maps) <= high)
    assert 0.97 < share < 0.99
    assert display.colorbar_.extend == "both"
    assert display.colorbar_.ax.get_ylabel() == "weight"


def test_units_with_the_largest_weights_are_chosen():
    coef = np.ones((4, 30)) * np.arange(30)
    network = type("Net", (), {"coefs_": [coef, coef], "intercepts_": [np.zeros(30)] * 2})()
    display = WeightMapDisplay.from_estimator(network, colorbar=False)
    assert display.names == [f"unit {i}" for i in range(10, 30)]
    assert display.colorbar_ is None


def test_weights_of_zero_have_a_scale():
    assert WeightMapDisplay(np.zeros((1, 2, 2))).plot().images_[0].get_clim() == (-1, 1)


@pytest.mark.parametrize("units", [[], [12], [-1]])
def test_units_that_are_not_there_are_refused(units, networks):
    with pytest.raises(ValueError, match="units must be numbers from 0 to 11"):
        WeightMapDisplay.from_estimator(networks["DeepMLPClassifier"], units=units)


@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        (None, "63 features are not the pixels of a square image"),
        ((8, 8), r"whose product is the number of features, 63; got \(8, 8\)"),
        ((63,), "height and a width"),
    ],
)
def test_features_that_are_no_such_image_are_refused(image_shape, message):
    network = type("Net", (), {"coef_": np.zeros((1, 63)), "intercept_": [0.0]})()
    with pytest.raises(ValueError, match=message):
        WeightMapDisplay.from_estimator(network, image_shape=image_shape)


def test_an_image_need_not_be_square():
    network = type("Net", (), {"coef_": np.arange(6.0)[None], "intercept_": [0.0]})()
    display = WeightMapDisplay.from_estimator(network, image_shape=(2, 3))
    assert display.maps.tolist() == [[[0, 1, 2], [3, 4, 5]]]


@pytest.mark.parametrize(
    ("maps", "names", "message"),
    [
        (np.zeros((2, 4)), None, r"shape \(n_units, height, width\), got shape \(2, 4\)"),
        (np.zeros((2, 2, 2)), ["a"], "Expected 2 names of maps, got 1"),
    ],
)
def test_wrong_maps_are_refused(maps, names, message):
    with pytest.raises(ValueError, match=message):
        WeightMapDisplay(maps, names=names)


NAMES = [f"class {i}" for i in range(10)]


@pytest.mark.parametrize("name", ["DeepMLPClassifier", "PerceptronClassifier"])
@pytest.mark.parametrize("which", ["all", "right", "wrong"])
def test_grid_shows_predictions_of_the_samples_asked_for(name, which, networks, digits):
    (X, y), network = digits, networks[name]
    predicted = network.predict(X)
    rows = {"all": y >= 0, "right": predicted == y, "wrong": predicted != y}[which]
    rows = np.flatnonzero(rows)[:4]
    display = PredictionGridDisplay.from_estimator(
        network, X, y, class_names=NAMES, which=which, n_images=4
    )
    for row, image in zip(rows, display.images_, strict=True):
        np.testing.assert_array_equal(image.get_array(), X[row].reshape(8, 8))
    assert display.y_pred.tolist() == [NAMES[k] for k in predicted[rows]]
    assert display.y_true.tolist() == [NAMES[k] for k in y[rows]]
    np.testing.assert_allclose(
        display.y_proba, network.predict_proba(X[rows])[np.arange(len(rows)), predicted[rows]]
    )


def test_wrong_predictions_are_marked_by_more_than_color():
    display = PredictionGridDisplay(
        np.zeros((2, 2, 2)), ["bag", "coat"], ["bag", "shirt"], y_proba=[0.987, 0.4]
    ).plot()
    titles = [axis.get_title() for axis in display.axes_]
    assert titles == ["bag (0.99)", "× shirt (0.40)\ntrue: coat"]
    right, wrong = (axis.spines["left"].get_linewidth() for axis in display.axes_)
    assert wrong > 2 * right


def test_long_names_of_classes_do_not_overlap():
    names = [f"a class with the number {i}" for i in range(3)]
    display = PredictionGridDisplay(np.zeros((3, 2, 2)), names, names[::-1]).plot()
    display.figure_.canvas.draw()
    boxes = [axis.title.get_window_extent() for axis in display.axes_]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


def test_a_classifier_without_probabilities_will_do(digits):
    X, y = digits
    classifier = type("Always7", (), {"predict": lambda _, X: np.full(len(X), 7), "classes_": [7]})
    display = PredictionGridDisplay.from_estimator(classifier(), X, y, n_images=2)
    assert display.y_proba is None
    assert display.y_pred.tolist() == ["7", "7"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"which": "some"}, "which must be one of.*got 'some'"),
        ({"class_names": {0: "zero"}}, r"class_names has no name for \[1\]; it has \[0\]"),
        ({"image_shape": (3, 3)}, "product is the number of features, 4"),
        ({"which": "wrong"}, "No sample is predicted as which='wrong' asks for"),
        ({"n_images": 0}, "n_images must be at least 1, got 0"),
    ],
)
def test_wrong_arguments_of_a_grid_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PredictionGridDisplay.from_predictions(np.zeros((2, 4)), [0, 1], [0, 1], **options)
    assert plt.get_fignums() == []


def test_predictions_must_be_one_for_each_row():
    with pytest.raises(ValueError, match=r"one class for each of the 2 samples.*\(2, 2\)"):
        PredictionGridDisplay.from_predictions(np.zeros((2, 4)), [0, 1], [[0, 1], [1, 1]])


def test_a_name_for_each_class_is_needed(networks, digits):
    with pytest.raises(ValueError, match="Expected 10 class names, got 2"):
        PredictionGridDisplay.from_estimator(
            networks["DeepMLPClassifier"], *digits, class_names=["a", "b"]
        )


def test_a_regressor_predicts_no_classes(digits):
    X, y = digits
    regressor = LinearRegression().fit(X, y)
    with pytest.raises(TypeError, match="but LinearRegression has no classes_"):
        PredictionGridDisplay.from_estimator(regressor, X, y)


def test_several_labels_of_a_row_are_refused(digits):
    X, y = digits
    labels = np.column_stack([y > 4, y % 2 == 0]).astype(int)
    layer = PerceptronClassifier(max_iter=5).fit(X, labels)
    with pytest.raises(ValueError, match=r"PerceptronClassifier have shape \(\d+, 2\). Draw one"):
        PredictionGridDisplay.from_estimator(layer, X, labels)


@pytest.mark.parametrize(
    ("images", "y_true", "message"),
    [
        (np.zeros((2, 4)), [0, 1], r"shape \(n_images, height, width\)"),
        (np.zeros((2, 2, 2)), [0], "y_true must have an entry for each of the 2 images"),
    ],
)
def test_wrong_data_of_a_grid_are_refused(images, y_true, message):
    with pytest.raises(ValueError, match=message):
        PredictionGridDisplay(images, y_true, y_true)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_images_may_keep_their_shape(shape):
    rng = np.random.RandomState(0)
    images, y = rng.rand(20, *shape), np.arange(20) % 2
    model = PerceptronClassifier(max_iter=5).fit(images.reshape(20, -1), y)
    display = PredictionGridDisplay.from_estimator(model, images, y, n_images=4)
    drawn = images[:4, ..., 0] if shape[2:] == (1,) else images[:4]  # one channel is grey
    np.testing.assert_array_equal(display.images, drawn)
    flat = PredictionGridDisplay.from_estimator(
        model, images.reshape(20, -1), y, image_shape=shape, n_images=4
    )
    np.testing.assert_array_equal(flat.images, drawn)
    maps = WeightMapDisplay.from_estimator(model, image_shape=shape).maps
    expected = model.coef_.reshape(1, *shape)
    np.testing.assert_allclose(maps, expected if len(shape) == 2 else expected.sum(axis=3))


@pytest.mark.parametrize("shape", [(4, 5, 2), (20,), (1, 4, 5, 1), (3, 4)])
def test_shapes_of_no_image_are_refused(shape):
    model = PerceptronClassifier(max_iter=5).fit(np.eye(20), np.arange(20) % 2)
    with pytest.raises(ValueError, match="height and a width, and for colours 3 or 4 channels"):
        WeightMapDisplay.from_estimator(model, image_shape=shape)
