"""The same numbers give the same model, whatever holds them: they are scaled before a cast."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.neural_network import MLPClassifier
from skorch.helper import SliceDataset
from torch.utils.data import TensorDataset

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
    ThresholdLogicClassifier,
)
from sknn.model_selection import (
    BatchedGridSearchCV,
    DeepEnsembleClassifier,
    DeepEnsembleRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
#: whole numbers that float32 cannot tell apart, as days written YYYYMMDD and identifiers are
X = np.column_stack([10**9 + RNG.integers(0, 28, 120), 10**9 + RNG.integers(0, 2000, 120)])
PARITY = X[:, 0] % 2
WEIGHTS = RNG.uniform(0.5, 2, len(X))
NAMES = ["day", "number"]
CONTAINERS = {
    "int64": lambda rows: rows,
    "list": lambda rows: rows.tolist(),
    "pandas": lambda rows: pd.DataFrame(rows.astype(float), columns=NAMES),
    "pandas int64": lambda rows: pd.DataFrame(rows, columns=NAMES),
    "pandas Int64": lambda rows: pd.DataFrame(rows, columns=NAMES, dtype="Int64"),
    "polars": lambda rows: pl.DataFrame(rows, schema=NAMES),
}
SMALL = {"max_iter": 2, "random_state": 0}
MEMBERS = {**SMALL, "n_members": 2, "hidden_width": 8}
SHORT = {**SMALL, "hidden_layer_sizes": (8,), "batch_size": 20}
ESTIMATORS = {
    "classifier, standard": DeepMLPClassifier(**SHORT, scale="standard", dtype="float32"),
    "classifier, robust": DeepMLPClassifier(**SHORT, scale="robust", dtype="tf32"),
    "classifier, quantile": DeepMLPClassifier(**SHORT, scale="quantile"),
    "classifier, early": DeepMLPClassifier(
        **SHORT, scale="quantile", dtype="float32", early_stopping=True
    ),
    "regressor, quantile": DeepMLPRegressor(**SHORT, scale="quantile", dtype="bfloat16"),
    "regressor, standard": DeepMLPRegressor(**SHORT, scale="standard", dtype="float64"),
    "regressor, None": DeepMLPRegressor(
        **SHORT, scale=None, dtype="float32", learning_rate_init=1e-12, early_stopping=True
    ),
    "regressor, auto": DeepMLPRegressor(**SHORT, dtype="auto", learning_rate_init=1e-12),
    "tabular classifier": TabularMLPClassifier(**MEMBERS, dtype="float32"),
    "tabular classifier, bfloat16": TabularMLPClassifier(**MEMBERS, dtype="bfloat16"),
    "tabular regressor": TabularMLPRegressor(**MEMBERS),
    "tabular regressor, tf32": TabularMLPRegressor(**MEMBERS, dtype="tf32"),
    "ensemble of classifiers": DeepEnsembleClassifier(
        DeepMLPClassifier(**SHORT, scale="standard", dtype="float32"), n_members=2, random_state=0
    ),
    "ensemble of regressors": DeepEnsembleRegressor(
        DeepMLPRegressor(**SHORT, scale="robust", dtype="float32"), n_members=2, random_state=0
    ),
    "search": BatchedGridSearchCV(
        DeepMLPClassifier(**SHORT, scale="robust", dtype="float32"), {"alpha": [0.01, 0.1]}, cv=2
    ),
}


#: each estimator with two containers, each container with several estimators
PAIRS = [
    (name, list(CONTAINERS)[(i + step) % len(CONTAINERS)])
    for i, name in enumerate(ESTIMATORS)
    for step in (0, 2)
]


@pytest.mark.parametrize(("name", "container"), PAIRS)
def test_numbers_predict_the_same_from_every_container(name, container, expected_of):
    make = CONTAINERS[container]
    model = clone_of(name).fit(make(X), PARITY)
    assert_array_equal(model.predict(make(X)), expected_of(name)[0])
    if not hasattr(model, "feature_names_in_"):  # and an array after another container
        assert_array_equal(model.predict(X.astype(float)), expected_of(name)[0])
    if hasattr(model, "feature_importances_"):
        assert_array_equal(model.feature_importances_, expected_of(name)[1])


def clone_of(name):
    return clone(ESTIMATORS[name])


@pytest.fixture(scope="module")
def expected_of():
    """Return what predictions and importances are after a fit on an array of float64."""
    known = {}

    def expected(name):
        if name not in known:
            model = clone_of(name).fit(X.astype(float), PARITY)
            predicted = model.predict(X.astype(float))
            assert np.isfinite(predicted).all()
            known[name] = predicted, getattr(model, "feature_importances_", None)
        return known[name]

    return expected


@pytest.mark.parametrize(
    ("name", "container"), [p for p in PAIRS if not p[0].startswith(("ensemble", "search"))]
)
def test_validation_samples_and_weights_do_so_too(name, container):
    make = CONTAINERS[container]
    expected, model = clone_of(name), clone_of(name)
    for estimator, held in ((expected, lambda rows: rows.astype(float)), (model, make)):
        estimator.fit(
            held(X[:80]),
            PARITY[:80],
            sample_weight=WEIGHTS[:80],
            X_val=held(X[80:]),
            y_val=PARITY[80:],
            sample_weight_val=WEIGHTS[80:],
        )
    assert model.history_["validation_loss"] == expected.history_["validation_loss"]
    assert_array_equal(model.predict(make(X)), expected.predict(X.astype(float)))


def test_an_ensemble_makes_sparse_columns_of_pandas_dense():
    dense = pd.DataFrame(X.astype(float), columns=NAMES)
    expected, model = clone_of("tabular regressor"), clone_of("tabular regressor")
    expected.fit(dense, PARITY)
    model.fit(dense.astype(pd.SparseDtype(float, 0.0)), PARITY)
    assert_array_equal(model.predict(dense), expected.predict(dense))


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("dtype", ["auto", "float32"])
@pytest.mark.parametrize("scale", ["standard", "auto", None])
def test_sparse_numbers_predict_the_same_as_floats_and_as_integers(scale, dtype, make):
    rows = np.where(X % 3 == 0, X, 0)
    model = DeepMLPClassifier(**SHORT, scale=scale, dtype=dtype, learning_rate_init=1e-12)
    floats = sparse.csr_matrix(rows.astype(float))
    expected = model.fit(floats, PARITY).predict_proba(floats)
    fitted = model.fit(make(rows), PARITY)
    assert_array_equal(fitted.predict_proba(make(rows)), expected)
    dense = fitted.predict_proba(rows.astype(float))  # whose products have another order
    assert_allclose(dense, expected, rtol=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize(
    ("container", "dtype"),
    [("float64", "float32"), ("int64", "tf32"), ("polars", "bfloat16"), ("list", "bfloat16")],
)
def test_a_day_is_learned_in_every_dtype(container, dtype):
    rows = CONTAINERS.get(container, lambda rows: rows.astype(float))(X)
    late = X[:, 0] >= 10**9 + 14
    params = {"dtype": dtype, "random_state": 0}
    tabular = TabularMLPClassifier(max_iter=30, n_members=2, **params).fit(rows, late)
    assert tabular.score(rows, late) > 0.95
    mlp = DeepMLPClassifier(scale="standard", solver="lbfgs", **params).fit(rows, late)
    assert mlp.score(rows, late) > 0.95


@pytest.mark.parametrize("container", [name for name in CONTAINERS if name != "pandas"])
@pytest.mark.parametrize("dtype", ["auto", "float32", "bfloat16"])
@pytest.mark.parametrize("make", [DeepMLPClassifier, TabularMLPClassifier])
def test_identifiers_beyond_floats_stay_apart_as_categories(make, dtype, container):
    hold = CONTAINERS[container]
    ids = np.column_stack([2**53 + np.arange(120) % 12, np.arange(120)])
    params = {"dtype": dtype, "categorical_features": [0], "random_state": 0, "max_iter": 2}
    model = make(**params).fit(hold(ids), ids[:, 0] % 2)
    codes = model._encoder.encode(hold(ids))[:, -1]
    assert len(np.unique(codes)) == 12
    assert codes.min() == 1


def test_a_number_beyond_float32_is_named_unless_it_is_scaled():
    rows = np.array([[1.0, 2.0], [1e300, 3.0]])
    model = DeepMLPRegressor(dtype="float32", scale=None)
    with pytest.raises(ValueError, match=r"float32.*column 0 holds 1e\+300 in sample 1"):
        model.fit(rows, [0.0, 1.0])
    assert not hasattr(model, "n_features_in_")
    model.set_params(scale="standard", max_iter=2).fit(rows, [0.0, 1.0])
    assert np.isfinite(model.predict(rows)).all()


@pytest.mark.parametrize(
    "estimator",
    [
        DeepMLPClassifier(**SHORT, scale="standard"),
        AutoencoderTransformer(1, max_iter=2, random_state=0),
        PerceptronClassifier(max_iter=5),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_entries_of_a_sparse_matrix_at_the_same_place_are_summed(estimator):
    expected, values = clone(estimator), RNG.normal(size=(120, 2))
    halves = np.repeat(values.ravel(), 2) * np.tile([0.25, 0.75], values.size)
    places = np.tile([0, 0, 1, 1], 120), np.arange(0, 481, 4)
    X_twofold = sparse.csr_matrix((halves, *places), shape=values.shape)
    estimator.fit(X_twofold, PARITY)
    assert X_twofold.nnz == 480  # it is the user's
    expected.fit(sparse.csr_matrix(values), PARITY)
    method = "transform" if hasattr(estimator, "transform") else "decision_function"
    found, wanted = (getattr(model, method)(values[:9]) for model in (estimator, expected))
    assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", [pd.DataFrame, lambda rows: pl.DataFrame(rows.to_dict("list"))])
def test_automatic_scale_leaves_numbers_alone_as_scikit_learn_does(make):
    """A table of numbers gives MLPClassifier's probabilities; a category beside them a scale."""
    wine, cultivar = load_wine(return_X_y=True, as_frame=True)
    params = {"hidden_layer_sizes": (10,), "max_iter": 5, "random_state": 0}
    expected = MLPClassifier(**params).fit(wine.to_numpy(), cultivar)
    model = DeepMLPClassifier(**params).fit(make(wine), cultivar)
    assert_allclose(
        model.predict_proba(make(wine)), expected.predict_proba(wine.to_numpy()), rtol=1e-7
    )
    assert model._encoder._numeric.scale is None
    mixed = make(wine.assign(kind=np.where(cultivar > 0, "a", "b")))
    assert DeepMLPClassifier(**params).fit(mixed, cultivar)._encoder._numeric.scale is not None


@pytest.mark.parametrize("name", ["SliceDataset", "only __array__"])
def test_columns_are_counted_where_only_an_array_is_handed_out(name):
    class Handed:
        """Numbers that are no array, and have neither a shape nor columns."""

        def __init__(self, values):
            self.values = values

        def __len__(self):
            return len(self.values)

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype)

    def hand_out(values):
        if name == "SliceDataset":
            return SliceDataset(TensorDataset(torch.tensor(values)))
        return Handed(values)

    X = np.random.default_rng(0).normal(size=(40, 3))
    y = (X[:, 0] > 0).astype(int)
    for estimator in (
        ThresholdLogicClassifier(),
        PerceptronClassifier(),
        DeepMLPClassifier(max_iter=2),
        TabularMLPClassifier(n_members=2, max_iter=1),
        SequenceCNNClassifier(alphabet=None, max_iter=1),
    ):
        estimator.set_params(random_state=0).fit(hand_out(X), y)
        assert estimator.n_features_in_ == 3
        expected = clone(estimator).fit(X, y).predict(X)
        assert_array_equal(estimator.predict(hand_out(X)), expected)
        with pytest.raises(ValueError, match="X has 2 features, but"):
            estimator.predict(hand_out(X[:, :2]))
