"""Every estimator, loss and option through pickle, skops and ONNX: predictions stay what they were.

Options, labels, levels and losses go through together, in turn: each is tried at least once, beside
others of the other lists, but not each pair of them.
"""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    SequenceCNNRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
    ThresholdLogicClassifier,
)
from sknn.losses import CLASS_LOSSES, VALUE_LOSSES
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor
from sknn.persistence import trusted_types

sio = pytest.importorskip("skops.io", reason="skops is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from sknn.export import export_onnx  # noqa: E402 - after the skips

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*(diverge|batch_size)"),
]

N = 80
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N, 3))
GROUP = np.arange(N) % 3
DAYS = pd.to_datetime("2024-02-28") + pd.to_timedelta(GROUP, "D")
#: levels of a categorical column beside two of numbers; None is an array of numbers alone
LEVELS = {
    "none": None,
    "text": np.array(["a", "b", "c"])[GROUP],
    "bool": pd.Categorical(GROUP > 0),
    "whole": pd.Categorical(GROUP - 1),
    "missing": pd.Categorical(np.where(GROUP > 0, GROUP, np.nan)),
    "intervals": pd.cut(NUMBERS[:, 2], 3),
    "days": pd.Categorical(DAYS),
    "periods": pd.Categorical(DAYS.to_period("D")),
    "many": np.array([f"street {i % 15}" for i in range(N)]),
}
#: those that ONNX has
IN_ONNX = ("none", "text", "bool", "whole", "missing", "many")
CLASSES = {
    "text": np.array(["no", "yes", "maybe"])[GROUP],
    "two": np.where(NUMBERS[:, 0] > 0, "b", "a").astype(object),
    "bool": NUMBERS[:, 0] > 0,
    "whole": GROUP * 10 - 5,
    "floats": GROUP / 1.0,
    "labels": (NUMBERS[:, :2] > 0).astype(int),
    "days": np.asarray(DAYS),
    "one": np.ones(N, int),
}
WEIGHTS = RNG.uniform(0.5, 2, N)
OPTIONS = {
    "plain": {},
    "early stopping": {"early_stopping": True},
    "validation": {"fit": "X_val"},
    "weights": {"fit": "sample_weight"},
    "standard": {"scale": "standard", "dtype": "float32"},
    "quantile": {"scale": "quantile", "solver": "lbfgs"},
    "layers": {"normalization": "batch", "residual": True, "dropout": 0.1},
    "continued": {"fit": "partial_fit"},
}
REGRESSION = [
    *((loss, {}) for loss in VALUE_LOSSES),
    ("quantile", {"quantile": 0.3}),
    ("quantile", {"quantile": (0.1, 0.5, 0.9)}),
    ("quantile", {"quantile": (0.6, 0.9)}),
]


def make_table(levels):
    if LEVELS[levels] is None:
        return NUMBERS
    return pd.DataFrame({"a": NUMBERS[:, 0], "b": NUMBERS[:, 1], "level": LEVELS[levels]})


def make_inputs(X, model):
    """Return X as the exported model takes it, by the types that it names."""
    if not hasattr(X, "columns"):
        kind = np.float64 if model.get_inputs()[0].type == "tensor(double)" else np.float32
        return {"X": np.asarray(X, kind)}
    kinds = {"tensor(string)": object, "tensor(bool)": bool, "tensor(int64)": np.int64}
    return {
        i.name: np.asarray(X[i.name], kinds.get(i.type, float)).reshape(-1, 1)
        for i in model.get_inputs()
    }


def fit(model, X, y, how=None):
    if how == "X_val":
        return model.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    if how == "partial_fit":
        return model.fit(X, y).partial_fit(X, y)
    return model.fit(X, y, **({} if how is None else {how: WEIGHTS}))


def respond(model, X):
    names = ("predict", "predict_proba", "decision_function", "transform")
    found = {name: getattr(model, name)(X) for name in names if hasattr(model, name)}
    if (
        getattr(model, "loss", "") in ("gaussian_nll", "ordered_bins")
        or type(model) is TabularMLPRegressor
    ):
        found["std"] = model.predict(X, return_std=True)[1]
    return found


def assert_files_keep(model, X):
    expected = respond(model, X)
    copies = (pickle.loads(pickle.dumps(model)), sio.loads(sio.dumps(model), trusted_types()))
    for again in copies:
        assert repr(again.get_params()) == repr(model.get_params())
        for name, values in respond(again, X).items():
            assert_array_equal(values, expected[name])
            assert np.asarray(values).dtype == np.asarray(expected[name]).dtype


def assert_onnx_keeps(model, X):
    session = runtime.InferenceSession(export_onnx(model).SerializeToString())
    names = [output.name for output in session.get_outputs()]
    for rows in (X, X[:1], X[:0]):
        outputs = dict(zip(names, session.run(None, make_inputs(rows, session)), strict=True))
        if not len(rows):
            assert all(len(values) == 0 for values in outputs.values())
            continue
        first, predicted = outputs[names[0]], model.predict(rows)
        if names[0] == "variable":
            is_single = next(model.module_.parameters()).dtype.itemsize == 4
            tolerance = 1e-4 if is_single else 1e-8
            size = np.abs(predicted).max()
            assert_allclose(first.reshape(predicted.shape), predicted, tolerance, tolerance * size)
        else:
            assert_array_equal(first, predicted)
        if "probabilities" in outputs:
            proba = model.predict_proba(rows)
            assert_allclose(outputs["probabilities"], proba, 1e-4, 1e-5)


CLASSIFIERS = [
    *((levels, option) for levels, option in zip(LEVELS, [*OPTIONS, "plain"], strict=True)),
    *((levels, "standard") for levels in LEVELS),
    *(("none", option) for option in OPTIONS),
]


@pytest.mark.parametrize("place", range(len(CLASSIFIERS)), ids=lambda i: "-".join(CLASSIFIERS[i]))
def test_classifiers(place):
    levels, option = CLASSIFIERS[place]
    losses, classes = list(CLASS_LOSSES), [name for name in CLASSES if name != "one"]
    loss, labels = losses[place % len(losses)], classes[place % len(classes)]
    params = dict(OPTIONS[option])
    how = params.pop("fit", None)
    model = DeepMLPClassifier((6, 6), loss=loss, max_iter=4, random_state=0, **params)
    X = make_table(levels)
    fit(model, X, CLASSES[labels], how)
    assert_files_keep(model, X)
    if levels in IN_ONNX and labels != "days":
        assert_onnx_keeps(model, X)
    else:
        what = "Convert y to text" if levels in IN_ONNX else "Column 'level' cannot be exported"
        with pytest.raises(ValueError, match=what):
            export_onnx(model)


@pytest.mark.parametrize("place", range(2 * len(REGRESSION)))
def test_regressors(place):
    loss, settings = REGRESSION[place % len(REGRESSION)]
    options = list(OPTIONS.values())
    params = dict(options[(place + place // len(REGRESSION)) % len(options)])
    how = params.pop("fit", None)
    y = np.exp(NUMBERS[:, : 1 + place % 2]) * [30.0, 1e-2][: 1 + place % 2]
    y = y[:, 0] if y.shape[1] == 1 else y
    model = DeepMLPRegressor(
        loss, hidden_layer_sizes=(6, 6), max_iter=4, random_state=0, **settings, **params
    )
    X = make_table(list(IN_ONNX)[place % len(IN_ONNX)])
    fit(model, X, y, how)
    assert_files_keep(model, X)
    assert_onnx_keeps(model, X)


@pytest.mark.parametrize("how", [None, "X_val", "sample_weight"])
@pytest.mark.parametrize(
    ("model", "labels", "levels"),
    [
        (TabularMLPClassifier(), "text", "bool"),
        (TabularMLPClassifier(class_weight={True: 5.0, False: 1.0}), "bool", "many"),
        (TabularMLPClassifier(numerical_embedding="periodic"), "labels", "none"),
        (TabularMLPRegressor(), None, "missing"),
        (TabularMLPRegressor(loss="gaussian_nll"), None, "none"),
        (TabularMLPRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9]), None, "whole"),
        (TabularMLPRegressor(loss="gamma", dtype="float32"), None, "text"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else str(value),
)
def test_ensembles_for_tables(model, labels, levels, how):
    y = np.exp(NUMBERS[:, 0]) * 30 if labels is None else CLASSES[labels]
    X = make_table(levels)
    fit(model.set_params(n_members=2, max_iter=3, random_state=0), X, y, how)
    assert_files_keep(model, X)
    assert_onnx_keeps(model, X)


@pytest.mark.parametrize("labels", [name for name in CLASSES if name != "one"])
@pytest.mark.parametrize("how", [None, "sample_weight"])
@pytest.mark.parametrize("cls", [PerceptronClassifier, ThresholdLogicClassifier])
def test_units(cls, labels, how):
    y = CLASSES[labels if cls is PerceptronClassifier or labels != "labels" else "two"]
    weights = {True: 5.0, False: 1.0} if labels == "bool" else None
    model = fit(cls(max_iter=5, random_state=0, class_weight=weights), NUMBERS, y, how)
    assert_files_keep(model, NUMBERS)
    if labels == "days":
        with pytest.raises(ValueError, match="Convert y to text"):
            export_onnx(model)
    else:
        assert_onnx_keeps(model, NUMBERS)


@pytest.mark.parametrize("cls", [SequenceCNNClassifier, SequenceCNNRegressor])
def test_networks_for_sequences(cls):
    X = np.array(["".join(row) for row in RNG.choice(list("ACGTN"), (N, 12))])
    y = NUMBERS[:, 0] > 0 if cls is SequenceCNNClassifier else NUMBERS[:, 0]
    assert_files_keep(cls(max_iter=2, random_state=0).fit(X, y), X)


@pytest.mark.parametrize("cls", [DeepEnsembleClassifier, DeepEnsembleRegressor])
def test_deep_ensembles(cls):
    y = NUMBERS[:, 0] > 0 if cls is DeepEnsembleClassifier else NUMBERS[:, 0]
    usual = DeepMLPClassifier if cls is DeepEnsembleClassifier else DeepMLPRegressor
    model = cls(usual(max_iter=2), n_members=2, random_state=0).fit(NUMBERS, y)
    assert_files_keep(model, NUMBERS)
