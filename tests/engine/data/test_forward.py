"""Chunks of outputs become one array, and do not stay in memory one by one."""

import warnings
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sknn import DeepMLPRegressor
from sknn.engine.data._forward import join_chunks


def test_no_chunk_is_kept_beside_the_array_that_it_was_written_into():
    alive = []

    def chunks():
        for start in range(0, 10, 3):
            assert [ref for ref in alive[:-1] if ref() is not None] == []
            chunk = np.arange(start, min(start + 3, 10))[:, None] * np.ones((1, 2), np.float32)
            alive.append(weakref.ref(chunk))
            yield chunk
            del chunk

    joined = join_chunks(chunks(), 10)
    np.testing.assert_array_equal(joined, np.arange(10)[:, None] * [[1, 1]])
    assert joined.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float64", "float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("hidden", [(), (5, 3)])
def test_sparse_samples_are_predicted_in_every_precision(dtype, hidden):
    rng = np.random.default_rng(0)
    X = sparse.random_array((70, 6), density=0.5, format="csr", rng=rng)
    model = DeepMLPRegressor(hidden_layer_sizes=hidden, dtype=dtype, max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, rng.normal(size=70))
    tolerance = {"float64": 1e-12, "bfloat16": 0.05}.get(dtype, 1e-5)
    predicted = model.predict(X)
    assert predicted.dtype == (np.float64 if dtype == "float64" else np.float32)
    assert_allclose(predicted, model.predict(X.toarray()), rtol=tolerance, atol=tolerance)
