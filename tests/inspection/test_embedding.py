"""Codes are points of the plane, coloured by what y says."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn.inspection import EmbeddingDisplay

POINTS = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize("wrap", [lambda model: model, make_pipeline])
def test_points_are_the_codes_of_each_class(wrap, autoencoder, digits):
    (X, y), model = digits, wrap(autoencoder)
    display = EmbeddingDisplay.from_estimator(model, X, y)
    codes = autoencoder.transform(X)
    for label, points in zip(range(10), display.points_, strict=True):
        np.testing.assert_array_equal(points.get_offsets(), codes[y == label])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [str(label) for label in range(10)]
    assert display.ax_.get_xlabel() == "component 1"


@pytest.mark.parametrize("n_classes", [2, 5, 6, 10, 11, 20, 21, 60])
def test_no_two_classes_look_alike(n_classes):
    codes = np.random.RandomState(0).rand(2 * n_classes, 2)
    display = EmbeddingDisplay(codes, np.arange(2 * n_classes) % n_classes).plot()
    looks = {
        (tuple(points.get_facecolor()[0]), points.get_paths()[0].vertices.tobytes())
        for points in display.points_
    }
    assert len(looks) == n_classes


def test_classes_differ_by_more_than_color():
    display = EmbeddingDisplay(POINTS, list("aabbcc")).plot()
    shapes = {points.get_paths()[0].vertices.tobytes() for points in display.points_}
    assert len(shapes) == 3


@pytest.mark.parametrize(
    "y",
    [
        ["_b", "a", "a", "_b", "a", "a"],
        pd.Series(["_b", "a", "a", "_b", "a", "a"], dtype="category"),
        [True, False, False, True, False, False],
        [1.0, -1.0, -1.0, 1.0, -1.0, -1.0],
    ],
    ids=["str", "categorical", "bool", "float"],
)
def test_labels_are_of_any_kind(y):
    display = EmbeddingDisplay(POINTS, y).plot()
    assert sorted(len(points.get_offsets()) for points in display.points_) == [2, 4]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [str(label) for label in np.unique(y)]


def test_numbers_that_are_no_classes_have_a_scale():
    y = np.linspace(0, 1, 6)
    display = EmbeddingDisplay(POINTS, y).plot()
    np.testing.assert_array_equal(display.points_[0].get_array(), y)
    assert display.colorbar_.ax.get_ylabel() == "y"
    assert display.ax_.get_legend() is None
    assert display.plot(legend=False).colorbar_ is None


def test_without_y_all_points_are_alike():
    display = EmbeddingDisplay(POINTS).plot()
    np.testing.assert_array_equal(display.points_[0].get_offsets(), POINTS)
    assert display.ax_.get_legend() is None
    assert display.colorbar_ is None


def test_names_and_looks_are_followed():
    display = EmbeddingDisplay(POINTS, [0, 0, 0, 1, 1, 1], class_names=["bag", "coat"])
    display.plot(scatter_kw={"s": 99, "marker": "x"})
    assert display.class_names == ["bag", "coat"]
    assert [points.get_sizes()[0] for points in display.points_] == [99, 99]
    display.plot(legend=False)
    assert display.ax_.get_legend() is None


def test_two_of_several_components_are_chosen(digits):
    X, y = digits
    pca = make_pipeline(StandardScaler(), PCA(4)).fit(X)
    display = EmbeddingDisplay.from_estimator(pca, X, y, components=(3, 1))
    np.testing.assert_array_equal(display.codes, pca.transform(X)[:, [3, 1]])
    assert display.component_names == ["component 4", "component 2"]


def test_images_are_given_to_a_model_of_pixels(digits):
    X, y = digits
    pca = PCA(2).fit(X)
    display = EmbeddingDisplay.from_estimator(pca, X.reshape(-1, 8, 8), y)
    np.testing.assert_array_equal(display.codes, pca.transform(X))


@pytest.mark.parametrize(
    ("n_components", "components", "message"),
    [
        (3, None, r"shape \(600, 3\). Give components=\(0, 1\) to draw two of several"),
        (1, None, r"shape \(600, 1\)"),
        (3, (0, 3), r"two numbers from 0 to 2, got \(0, 3\)"),
        (3, (-1, 0), r"two numbers from 0 to 2, got \(-1, 0\)"),
        (3, (0,), r"two numbers from 0 to 2, got \(0,\)"),
    ],
)
def test_components_that_are_not_there_are_refused(n_components, components, message, digits):
    pca = PCA(n_components).fit(digits[0])
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_estimator(pca, digits[0], components=components)
    assert plt.get_fignums() == []


def test_an_estimator_without_codes_is_refused(digits):
    X, y = digits
    with pytest.raises(TypeError, match=r"KNeighborsClassifier has none.*EmbeddingDisplay\(codes"):
        EmbeddingDisplay.from_estimator(KNeighborsClassifier().fit(X, y), X, y)


@pytest.mark.parametrize(
    ("codes", "options", "message"),
    [
        (np.zeros((3, 1)), {}, r"shape \(n_samples, 2\).*got shape \(3, 1\)"),
        (np.zeros((0, 2)), {}, r"with a sample at least; got shape \(0, 2\)"),
        (POINTS, {"y": [0, 1]}, r"an entry for each of the 6 samples, got .* shape \(2,\)"),
        (POINTS, {"y": [0, 1] * 3, "class_names": ["a"]}, "Expected 2 class names, got 1"),
        (POINTS, {"component_names": ["a"]}, "Expected 2 names of components, got 1"),
    ],
)
def test_wrong_data_are_refused(codes, options, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay(codes, **options)


@pytest.mark.parametrize("n_classes", [3, 40])
def test_a_legend_leaves_room_for_the_points(n_classes):
    codes = np.random.RandomState(0).normal(size=(n_classes, 2))
    names = [f"a class with the number {i}" for i in range(n_classes)]
    display = EmbeddingDisplay(codes, np.arange(n_classes), class_names=names).plot()
    display.figure_.canvas.draw()
    assert display.ax_.get_window_extent().width > 250  # of 540 pixels of a figure without names
