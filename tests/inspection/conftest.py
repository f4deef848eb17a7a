"""Fitted networks for the pictures, and figures closed behind each test."""

import warnings

import pytest
from sklearn.datasets import load_digits, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sknn import AutoencoderTransformer, DeepMLPClassifier, PerceptronClassifier

plt = pytest.importorskip("matplotlib.pyplot", reason="pictures are drawn with matplotlib")


@pytest.fixture(autouse=True)
def _closed_figures():
    plt.close("all")  # whatever tests of other parts have left
    yield
    plt.close("all")


@pytest.fixture(scope="package")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]


@pytest.fixture(scope="package")
def networks(digits):
    """Fitted classifiers of digits by the names of their classes."""
    params = {"hidden_layer_sizes": (12,), "max_iter": 12, "random_state": 0}
    models = [
        DeepMLPClassifier(**params, early_stopping=True, device="cpu"),
        MLPClassifier(**params, early_stopping=True),
        PerceptronClassifier(max_iter=20),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {type(model).__name__: model.fit(*digits) for model in models}


@pytest.fixture(scope="package")
def autoencoder(digits):
    """An autoencoder of digits with codes of two numbers."""
    return AutoencoderTransformer(2, (12,), max_iter=5, tol=1.0, random_state=0).fit(digits[0])


@pytest.fixture(scope="package")
def moons():
    """Rows, and a network of two hidden layers fitted to them."""
    X, y = make_moons(60, noise=0.1, random_state=0)
    mlp = DeepMLPClassifier((4, 3), activation="tanh", solver="lbfgs", random_state=0, device="cpu")
    return X, mlp.fit(X, y)
