"""Forty samples, and two networks that are fitted to them at once."""

from functools import partial

import numpy as np

from sknn import DeepMLPClassifier, DeepMLPRegressor

X = np.random.default_rng(0).normal(size=(40, 3))
#: two classes, two labels a sample, and numbers, all of which follow from X
y = (X[:, 0] > 0).astype(int)
Y = (X[:, :2] > 0).astype(int)
t = X[:, 0] - X[:, 1]
PLACES = np.arange(40)

QUICK = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
classifier = partial(DeepMLPClassifier, **QUICK)
regressor = partial(DeepMLPRegressor, **QUICK)

SOLVERS = ("adam", "sgd", "lbfgs")
#: one activation that is trained by handwritten backpropagation, and one by autograd
BOTH_PATHS = ("relu", "gelu")


def with_one(value, like):
    """Return a copy of a matrix with a value in its second line."""
    like = like.astype(complex if isinstance(value, complex) else float)
    like[1, 0] = value
    return like
