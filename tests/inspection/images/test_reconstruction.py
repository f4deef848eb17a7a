"""Reconstructions are drawn below the images that they are of."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import AutoencoderTransformer
from sknn.inspection import ReconstructionDisplay


class Halved:
    """Reconstructs half of every pixel."""

    def reconstruct(self, X):
        return 0.5 * X


def test_rows_are_originals_and_what_reconstruct_returns(autoencoder, digits):
    X, _ = digits
    display = ReconstructionDisplay.from_estimator(autoencoder, X, n_images=4)
    given_back = autoencoder.reconstruct(X[:4]).reshape(4, 8, 8)
    np.testing.assert_array_equal(display.images, X[:4].reshape(4, 8, 8))
    np.testing.assert_array_equal(display.reconstructions["reconstruction"], given_back)
    for image, expected in zip(display.images_, [*display.images, *given_back], strict=True):
        np.testing.assert_array_equal(image.get_array(), expected)
    assert [axis.get_ylabel() for axis in display.axes_[::4]] == ["original", "reconstruction"]


@pytest.mark.parametrize(
    "model",
    [
        PCA(3),
        make_pipeline(StandardScaler(), PCA(3)),
        GridSearchCV(PCA(), {"n_components": [1, 3]}, cv=2),
        make_pipeline(StandardScaler(), AutoencoderTransformer(3, max_iter=2, tol=1.0)),
    ],
    ids=["PCA", "pipeline", "search", "pipeline of an autoencoder"],
)
def test_transform_and_its_inverse_will_do(model, digits):
    X, _ = digits
    model.fit(X)
    display = ReconstructionDisplay.from_estimator(model, X, n_images=3)
    expected = model.inverse_transform(model.transform(X[:3])).reshape(3, 8, 8)
    np.testing.assert_allclose(display.reconstructions["reconstruction"], expected, atol=1e-6)


@pytest.mark.parametrize("container", [pd.DataFrame, sparse.csr_matrix, sparse.csr_array])
def test_samples_come_in_any_container(container, digits):
    X = digits[0][:50]
    samples = container(X)
    model = AutoencoderTransformer(2, max_iter=2, tol=1.0, random_state=0).fit(samples)
    display = ReconstructionDisplay.from_estimator(model, samples, X_input=samples, n_images=3)
    np.testing.assert_array_equal(display.images, X[:3].reshape(3, 8, 8))
    np.testing.assert_array_equal(display.reconstructions["input"], display.images)


def test_inputs_may_be_noisy_copies(digits):
    X, _ = digits
    noisy = 1 - X
    display = ReconstructionDisplay.from_estimator(Halved(), X, X_input=noisy, n_images=2)
    assert list(display.reconstructions) == ["input", "reconstruction"]
    np.testing.assert_array_equal(display.reconstructions["input"].reshape(2, -1), noisy[:2])
    np.testing.assert_array_equal(
        display.reconstructions["reconstruction"].reshape(2, -1), 0.5 * noisy[:2]
    )


def test_several_estimators_have_a_row_each(digits):
    X, _ = digits
    display = ReconstructionDisplay.from_estimators(
        {"halved": Halved(), "PCA": PCA(2).fit(X)}, X, n_images=3
    )
    labels = [axis.get_ylabel() for axis in display.axes_[::3]]
    assert labels == ["original", "halved", "PCA"]
    assert len(display.images_) == 9


def test_all_rows_have_the_scale_of_the_originals(digits):
    X, _ = digits
    display = ReconstructionDisplay.from_estimator(Halved(), 16 * X, n_images=3)
    assert {image.get_clim() for image in display.images_} == {(0, 16)}
    again = display.plot(image_kw={"vmax": 8, "cmap": "gray_r"})
    assert {image.get_clim() for image in again.images_} == {(0, 8)}


@pytest.mark.parametrize("highest", [1.0, 255])
def test_colors_of_reconstructions_stay_in_their_range(highest):
    images = np.full((2, 4, 5, 3), highest)
    brighter = {"brighter": images * 1.5, "darker": images * -1.0}
    display = ReconstructionDisplay(images, brighter).plot()
    values = [np.unique(image.get_array()).tolist() for image in display.images_]
    assert values == [[1], [1], [1], [1], [0], [0]]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 1)])
def test_images_keep_their_shape(shape):
    images = np.random.RandomState(0).rand(30, *shape)
    model = AutoencoderTransformer(2, max_iter=2, tol=1.0, random_state=0).fit(images)
    display = ReconstructionDisplay.from_estimator(model, images, n_images=3)
    drawn = shape[:2] if shape[2:] == (1,) else shape
    np.testing.assert_array_equal(display.images, images[:3].reshape(3, *drawn))
    flat = images.reshape(30, -1)
    for model_of_rows, options in [(model, {}), (PCA(2).fit(flat), {"image_shape": shape})]:
        display = ReconstructionDisplay.from_estimator(model_of_rows, flat, n_images=3, **options)
        np.testing.assert_array_equal(display.images, images[:3].reshape(3, *drawn))
    of_images = ReconstructionDisplay.from_estimator(PCA(2).fit(flat), images, n_images=3)
    assert of_images.reconstructions["reconstruction"].shape == (3, *drawn)


def test_an_estimator_that_reconstructs_nothing_is_refused(digits):
    X, y = digits
    with pytest.raises(
        TypeError, match=r"reconstruct, or with transform and.*KNeighborsClassifier"
    ):
        ReconstructionDisplay.from_estimator(KNeighborsClassifier().fit(X, y), X)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_images": 0}, "n_images must be at least 1, got 0"),
        ({"image_shape": (3, 3)}, "product is the number of features, 64"),
    ],
)
def test_wrong_arguments_are_refused(options, message, digits):
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay.from_estimator(Halved(), digits[0], **options)


@pytest.mark.parametrize(
    ("images", "reconstructions", "message"),
    [
        (np.zeros((2, 4)), {"a": np.zeros((2, 4))}, r"shape \(n_images, height, width\).*\(2, 4\)"),
        (np.zeros((2, 2, 2)), {}, "reconstructions must have an entry at least, got none"),
        (np.zeros((2, 2, 2)), {"a": np.zeros((1, 2, 2))}, r"those of 'a' have shape \(1, 2, 2\)"),
    ],
)
def test_images_and_reconstructions_must_fit(images, reconstructions, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay(images, reconstructions)
