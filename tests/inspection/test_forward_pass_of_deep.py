"""`sknn.inspection.forward_pass` of networks that scale and encode their rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sknn import DeepMLPClassifier
from sknn.inspection import forward_pass

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(X, y, **params):
    return DeepMLPClassifier((3,), max_iter=3, random_state=0, device="cpu", **params).fit(X, y)


@pytest.mark.parametrize(
    ("params", "inputs"),
    [
        ({"scale": None}, ["age", "size"]),
        ({"scale": "standard"}, ["age", "size"]),
        ({"categorical_features": ["size"]}, ["age", "size_0", "size_1", "size_2"]),
    ],
    ids=["as it is", "scaled", "categories"],
)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_inputs_are_those_of_the_network(params, inputs, has_gaps):
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 3, 30).astype(float)
    X = pd.DataFrame({"age": rng.normal(40, 10, 30), "size": sizes})
    y = (X["age"] > 40).astype(int)
    if has_gaps:
        X.loc[3, "age"] = np.nan
        n_numbers = 2 if len(inputs) == 2 else 1
        inputs = [*inputs[:n_numbers], "age_missing", *inputs[n_numbers:]]
    mlp = fitted(X, y, **params)
    passed = forward_pass(mlp, X)
    assert passed.input_names == inputs
    probability = passed.layers[-1].activations[:, 0]
    np.testing.assert_allclose(probability, mlp.predict_proba(X)[:, 1], rtol=1e-6)


def test_inputs_without_names_are_numbered():
    X = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 4.0], [2.0, 2.0]])
    y = [0, 1, 1, 0]
    assert forward_pass(fitted(np.nan_to_num(X), y), X[:1]).input_names == ["1", "2"]
    passed = forward_pass(fitted(X, y), X)
    assert passed.input_names == ["x0", "x1", "x1_missing"]
    assert passed.inputs[1].tolist() == [3.0, pytest.approx(8 / 3), 1.0]


def test_sparse_samples_become_dense():
    X = np.eye(4)
    mlp = fitted(sparse.csr_matrix(X), [0, 1, 0, 1])
    passed = forward_pass(mlp, sparse.csr_matrix(X))
    assert passed.inputs.tolist() == X.tolist()
    np.testing.assert_allclose(
        passed.layers[-1].activations[:, 0], mlp.predict_proba(X)[:, 1], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"normalization": "batch"}, "normalization='batch'"),
        ({"residual": True, "hidden_layer_sizes": (3, 3)}, "residual=True"),
        ({"categorical_features": [0]}, "embeddings of categories"),
    ],
)
def test_networks_that_do_more_are_refused(params, reason):
    X = np.arange(24.0).reshape(12, 2)
    mlp = DeepMLPClassifier(max_iter=1, random_state=0, **params).fit(X, np.arange(12) % 2)
    with pytest.raises(ValueError, match=f"A forward pass needs .* has {reason}"):
        forward_pass(mlp, X)
