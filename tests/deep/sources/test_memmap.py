"""Memory maps: the model of the array, without a copy of it."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from skorch.callbacks import Callback

from sknn import DeepMLPClassifier, DeepMLPRegressor, TabularMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_map(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPClassifier(max_iter=3, random_state=0),
        DeepMLPClassifier(max_iter=3, random_state=0, early_stopping=True, scale="standard"),
        DeepMLPClassifier(max_iter=3, random_state=0, solver="lbfgs"),
        TabularMLPClassifier(max_iter=2, random_state=0, n_members=2, hidden_width=8),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_memory_map_gives_bit_for_bit_the_model_of_its_array(model, dtype, tmp_path):
    rng = np.random.RandomState(0)
    X = rng.randn(500, 6).astype(dtype)
    y = (X[:, 0] > 0.2).astype(int)
    expected = model.fit(X, y).predict_proba(X)
    mapped = make_map(X, tmp_path)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(model.fit(mapped, y).predict_proba(mapped), expected)


def get_curves(model):
    return {name: values for name, values in model.history_.items() if name != "time"}


@pytest.mark.parametrize(
    ("params", "n_samples"),
    [
        ({"hidden_layer_sizes": (9,), "max_iter": 30}, 3000),  # compiled steps
        ({"hidden_layer_sizes": (9,), "max_iter": 3, "shuffle": False}, 1000),
        ({"hidden_layer_sizes": (30, 20), "dropout": 0.2, "max_iter": 3}, 900),
        ({"hidden_layer_sizes": (9,), "max_iter": 3, "normalization": "layer"}, 900),
        ({"hidden_layer_sizes": (9,), "max_iter": 2, "solver": "sgd"}, 900),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping_on_a_memory_map_is_that_on_its_array(params, n_samples, weighted, tmp_path):
    rng = np.random.RandomState(0)
    X = rng.randn(n_samples, 6)
    y = (X[:, 0] > 0.2).astype(int) + (X[:, 1] > 1)
    weight = rng.randint(1, 4, n_samples) / 2 if weighted else None
    model = DeepMLPClassifier(random_state=0, early_stopping=True, **params)
    expected = clone(model).fit(X, y, sample_weight=weight)
    found = clone(model).fit(make_map(X, tmp_path), y, sample_weight=weight)
    assert found.runner_ == expected.runner_
    assert get_curves(found) == get_curves(expected)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
    np.testing.assert_array_equal(found.feature_importances_, expected.feature_importances_)


def test_callbacks_of_skorch_find_the_training_samples_of_a_memory_map(tmp_path):
    seen = []

    class Looks(Callback):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            seen.append((X.shape, y.shape))

    X = np.random.RandomState(0).randn(200, 3)
    model = DeepMLPRegressor(max_iter=1, early_stopping=True, callbacks=[Looks()], random_state=0)
    model.fit(make_map(X, tmp_path), X[:, 0])
    assert seen == [((180, 3), (180, 1))]


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("held_out", [False, True])
def test_a_memory_map_is_not_copied(early_stopping, held_out, tmp_path):
    X = np.random.RandomState(0).randn(100_000, 40)
    y = X[:, 0]
    mapped = make_map(X, tmp_path)
    model = DeepMLPRegressor(max_iter=1, early_stopping=early_stopping, random_state=0)
    held_out = {"X_val": X[:100], "y_val": y[:100]} if held_out else {}
    model.fit(mapped, y, **held_out)  # imports take memory, too
    del X
    tracemalloc.start()
    try:
        model.fit(mapped, y, **held_out)
        model.predict(mapped)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * mapped.nbytes  # a tenth is held out, and the orders of samples are small
