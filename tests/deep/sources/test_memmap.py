"""Memory maps: the model of the array, without a copy of it."""

import tracemalloc

import numpy as np
import pytest

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


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_memory_map_is_not_copied(early_stopping, tmp_path):
    X = np.random.RandomState(0).randn(100_000, 40)
    y = X[:, 0]
    mapped = make_map(X, tmp_path)
    model = DeepMLPRegressor(max_iter=1, early_stopping=early_stopping, random_state=0)
    held_out = {"X_val": X[:100], "y_val": y[:100]}
    model.fit(mapped, y, **held_out)  # imports take memory, too
    del X
    tracemalloc.start()
    try:
        model.fit(mapped, y, **held_out)
        model.predict(mapped)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.3 * mapped.nbytes
