"""ONNX models against the estimators that they were made of, run by ONNX Runtime."""

import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
    ThresholdLogicClassifier,
)
from sknn.activations import TRAINABLE
from sknn.exceptions import OptionalDependencyError
from sknn.export import export_onnx
from sknn.losses import VALUE_LOSSES, OutputActivation, ValueLoss
from sknn.preprocessing import TabularEncoder
from sknn.semi_supervised import PseudoLabelClassifier

pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng_ = np.random.default_rng(0)
X = rng_.normal(size=(90, 4))
y3 = np.digitize(X[:, 0] + X[:, 1], [-0.7, 0.7])
NAMES = np.array(["no", "yes", "maybe"])[y3]
LABELS = (X[:, :3] > 0).astype(int)
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}


def run(model, inputs):
    """Return the outputs of a model by name."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    inputs = inputs if isinstance(inputs, dict) else {"X": inputs}
    assert {i.name for i in session.get_inputs()} == set(inputs)
    if session.get_inputs()[0].type == "tensor(double)":  # where float64 is scaled or looked up
        inputs = {
            name: x.astype(float) if x.dtype == "float32" else x for name, x in inputs.items()
        }
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def by_column(frame, text=(), whole=(), dtype=np.float64):
    """Return the inputs for a data frame with one input a column."""
    inputs = {}
    for name in frame.columns:
        column = frame[name]
        if name in text:
            values = np.array(["" if v != v or v is None else v for v in column], dtype=object)
        else:
            values = column.astype(np.int64 if name in whole else dtype).to_numpy()
        inputs[name] = values.reshape(-1, 1)
    return inputs


def assert_same(model, estimator, given, inputs=None, tolerance=None):
    """Compare all outputs with the estimator's; `given` are rows for it."""
    outputs = run(model, given if inputs is None else inputs)
    predicted = estimator.predict(given)
    if "variable" in outputs:
        value = outputs["variable"]
        kind = TOLERANCE[str(predicted.dtype)] if tolerance is None else tolerance
        size = np.abs(predicted).max()
        assert value.dtype == predicted.dtype
        assert_allclose(value.reshape(predicted.shape), predicted, rtol=kind, atol=kind * size)
        return outputs
    assert_array_equal(outputs["label"], predicted)
    if "probabilities" in outputs:
        proba = estimator.predict_proba(given)
        kind = TOLERANCE[str(proba.dtype)] if tolerance is None else tolerance
        assert outputs["probabilities"].dtype == proba.dtype
        assert_allclose(outputs["probabilities"], proba, rtol=kind, atol=kind)
    return outputs


def mlp(y=y3, rows=X, **params):
    params = {"hidden_layer_sizes": (8, 8), "max_iter": 5, "random_state": 0, **params}
    return DeepMLPClassifier(**params).fit(rows, y)


def regressor(y, loss="squared_error", **params):
    params = {"hidden_layer_sizes": (8, 8), "max_iter": 5, "random_state": 0, **params}
    return DeepMLPRegressor(loss, **params).fit(X, y)


# --- tables --------------------------------------------------------------------------------


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", None])
def test_ensembles_for_tables(embedding):
    params = {"max_iter": 2, "numerical_embedding": embedding, "random_state": 0}
    classifier = TabularMLPClassifier(**params).fit(X, NAMES)
    assert float(classifier.module_.temperature) != 1
    assert_same(export_onnx(classifier), classifier, X)
    values = TabularMLPRegressor(n_members=3, **params).fit(X, X[:, 0] * 100 + 7)
    assert_same(export_onnx(values), values, X)


def test_ensembles_for_tables_in_which_only_the_best_columns_have_embeddings():
    wide = np.random.RandomState(0).randn(60, 258)
    model = TabularMLPRegressor(n_members=2, max_iter=1, random_state=0).fit(wide, wide[:, 0])
    assert 0 in model.module_.embedded_columns
    assert len(model.module_.embedded_columns) == 256
    assert_same(export_onnx(model), model, wide)


def test_ensembles_for_tables_in_which_single_values_have_embeddings():
    codes = np.random.RandomState(0).randint(150, size=(1500, 1)) * 3.0
    y = np.random.RandomState(1).permutation(150)[codes[:, 0].astype(int) // 3] % 2
    model = TabularMLPClassifier(n_members=2, max_iter=5, random_state=0).fit(codes, y)
    assert model.module_.valued_columns == [0]
    unknown = np.array([[1.0], [-50.0], [500.0]])
    assert_same(export_onnx(model), model, np.vstack([codes, unknown]))


def test_ensembles_for_tables_with_categories_and_gaps():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X[:, :2], columns=list("ab"))
    frame["town"] = [f"town {i % 15}" for i in range(len(frame))]
    frame["kind"] = np.where(X[:, 2] > 0, "x", "y")
    frame.loc[::7, "a"] = np.nan
    model = TabularMLPClassifier(max_iter=2, random_state=0).fit(frame, y3)
    assert_same(export_onnx(model), model, frame, by_column(frame, ("town", "kind")))


# --- networks ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("data", [load_digits, load_breast_cancer])
def test_classifiers_of_real_data_agree(data, dtype, tmp_path):
    rows, y = data(return_X_y=True)
    rows = StandardScaler().fit_transform(rows).astype(dtype)
    estimator = DeepMLPClassifier((32,), learning_rate_init=0.01, max_iter=10, random_state=0).fit(
        rows, y
    )
    model = export_onnx(estimator, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == model.SerializeToString()
    outputs = assert_same(model, estimator, rows)
    assert list(outputs) == ["label", "probabilities"]
    assert outputs["label"].dtype == np.int64
    assert np.mean(outputs["label"] == y) > 0.9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_regressors_of_real_data_agree(dtype):
    rows, y = load_diabetes(return_X_y=True)
    rows = rows.astype(dtype)
    estimator = DeepMLPRegressor(hidden_layer_sizes=(20,), max_iter=20, random_state=0)
    outputs = assert_same(export_onnx(estimator.fit(rows, y)), estimator, rows)
    assert outputs["variable"].shape == (len(rows), 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", TRAINABLE)
def test_every_activation_agrees(activation, dtype):
    estimator = mlp(activation=activation, dtype=dtype)
    tolerance = 1e-6 if (activation, dtype) == ("gelu", "float64") else None
    far = np.vstack([X, 30 * X, -1000 * X]).astype(dtype)
    assert_same(export_onnx(estimator), estimator, far, tolerance=tolerance)


OPTIONS = {
    "no hidden layer": {"hidden_layer_sizes": ()},
    "dropout": {"dropout": 0.5},
    "batch": {"normalization": "batch"},
    "layer": {"normalization": "layer"},
    "residual": {"residual": True},
    "all": {"normalization": "batch", "residual": True, "dropout": 0.2, "activation": "selu"},
    "list": {"activation": ["tanh", torch.nn.PReLU]},
    "function": {"activation": torch.nn.functional.mish},
    "module": {"activation": torch.nn.GELU("tanh")},
    "lbfgs": {"solver": "lbfgs"},
    "bfloat16": {"dtype": "bfloat16"},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_agrees(option, dtype):
    params = {"dtype": dtype, **OPTIONS[option]}
    estimator = mlp(**params)
    assert_same(
        export_onnx(estimator),
        estimator,
        X.astype("float32" if params["dtype"] == "bfloat16" else dtype),
        tolerance=0.02 if option == "bfloat16" else None,
    )


@pytest.mark.parametrize("opset", [17, 18, 19])
def test_every_opset_agrees(opset):
    estimator = mlp(normalization="layer", activation=["gelu", torch.nn.functional.mish])
    model = export_onnx(estimator, opset=opset)
    assert {o.domain: o.version for o in model.opset_import} == {"": opset}
    assert_same(model, estimator, X, tolerance=1e-6)


@pytest.mark.parametrize("opset", [16, 20, "18"])
def test_other_opsets_are_refused(opset):
    with pytest.raises(ValueError, match=rf"opset must be .* from 17 to 19; got {opset!r}"):
        export_onnx(mlp(), opset=opset)


class OwnModule(torch.nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.first = torch.nn.Linear(n_inputs, 6)
        self.last = torch.nn.Linear(6, n_outputs)

    def forward(self, rows):
        hidden = torch.sin(self.first(rows)).clamp(min=-0.5)
        return self.last(hidden * torch.nn.functional.softplus(hidden).flip(1))


class Branches(torch.nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.layer = torch.nn.Linear(n_inputs, n_outputs)

    def forward(self, rows):
        return self.layer(rows) * len(rows)


class Unknown(torch.nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.layer = torch.nn.Linear(n_inputs, n_outputs)

    def forward(self, rows):
        return torch.special.i1e(self.layer(rows))


def sequential(n_inputs, n_outputs):
    return torch.nn.Sequential(
        torch.nn.Linear(n_inputs, 6),
        torch.nn.BatchNorm1d(6, affine=False),
        torch.nn.Dropout(0.5),
        torch.nn.Softplus(beta=2),
        torch.nn.Sequential(torch.nn.Linear(6, 5, bias=False), torch.nn.Hardswish()),
        torch.nn.LayerNorm(5, elementwise_affine=False),
        OwnModule(5, n_outputs),
    )


def hooked(n_inputs, n_outputs):
    layer = torch.nn.Linear(n_inputs, n_outputs)
    layer.register_forward_hook(double)
    return torch.nn.Sequential(layer, torch.nn.Identity())


def double(module, arguments, output):
    return 2 * output


@pytest.mark.parametrize("module", [OwnModule, sequential, hooked])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_module_of_ones_own_agrees(module, dtype):
    estimator = DeepMLPClassifier(module=module, max_iter=5, random_state=0, dtype=dtype)
    rows = X.astype(dtype)
    before = {k: v.clone() for k, v in estimator.fit(rows, y3).module_.state_dict().items()}
    training = estimator.module_.training
    model = export_onnx(estimator)
    assert estimator.module_.training is training
    assert_same(model, estimator, rows)
    assert_same(model, estimator, rows[:1])
    for name, tensor in estimator.module_.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_what_torch_cannot_export_is_named():
    estimator = DeepMLPClassifier(module=Unknown, max_iter=1).fit(X, y3)
    with pytest.raises(ValueError, match=r"torch has no ONNX for 'Unknown' .*i1e.*fit again"):
        export_onnx(estimator)


def test_what_was_recorded_for_one_number_of_samples_alone_is_refused():
    estimator = DeepMLPClassifier(module=Branches, max_iter=1).fit(X, y3)
    with pytest.raises(ValueError, match="'Branches' gives other values than in torch"):
        export_onnx(estimator)


def test_exporting_leaves_generators_alone():
    estimator = DeepMLPClassifier(module=OwnModule, max_iter=1, random_state=0).fit(X, y3)
    ours, theirs = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    export_onnx(estimator)
    assert_array_equal(np.random.get_state()[1], ours[1])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), theirs)


# --- targets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (NAMES, object),
        (NAMES.astype(object), object),
        (np.where(X[:, 0] > 0, "b", "a"), object),
        (y3 - 5, np.int64),
        (y3.astype(np.uint8), np.int64),
        (X[:, 0] > 0, np.int64),
        (y3 + 0.0, np.float64),
        (LABELS, np.int64),
        (np.ones(90, int), np.int64),
    ],
    ids=["text", "objects", "two texts", "ints", "bytes", "bool", "floats", "labels", "one"],
)
@pytest.mark.parametrize("loss", ["log_loss", "focal", "hinge"])
def test_classes_of_all_kinds_agree(loss, y, dtype):
    estimator = mlp(y, loss=loss)
    outputs = run(export_onnx(estimator), X)
    assert_array_equal(outputs["label"], estimator.predict(X))
    assert outputs["label"].dtype == dtype
    if loss != "hinge":
        assert_allclose(outputs["probabilities"], estimator.predict_proba(X), rtol=1e-9)
        assert (outputs["probabilities"] > 0).all()
    else:
        decision = estimator.decision_function(X)
        assert list(outputs) == ["label", "scores"]
        assert_allclose(outputs["scores"].reshape(decision.shape), decision, rtol=1e-9)


def test_classes_that_onnx_lacks_are_refused():
    estimator = mlp()
    estimator._codec.classes_ = np.array([(1,), None, 2.5], dtype=object)
    with pytest.raises(ValueError, match=r"these are of type NoneType, float, tuple .*y to text"):
        export_onnx(estimator)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_columns", [1, 2])
@pytest.mark.parametrize(
    ("loss", "params"),
    [
        ("squared_error", {}),
        ("squared_error", {"standardize_target": False}),
        ("absolute_error", {}),
        ("huber", {}),
        ("poisson", {}),
        ("gamma", {}),
        ("gaussian_nll", {}),
        ("bounded", {}),
        ("ordered_bins", {}),
        ("ordered_bins", {"loss__n_bins": 9, "loss__y_range": (-1, 1e5)}),
        ("quantile", {}),
        ("quantile", {"quantile": 0.9}),
        ("quantile", {"quantile": (0.05, 0.3, 0.5, 0.9)}),
        ("quantile", {"quantile": (0.6, 0.9)}),
        ("quantile", {"quantile": (0.1, 0.4)}),
    ],
    ids=str,
)
def test_every_loss_of_a_regressor_agrees(loss, params, n_columns, dtype):
    y = np.exp(X[:, :n_columns]) * [1e3, 1e-2][:n_columns]
    y = y.ravel() if n_columns == 1 else y
    estimator = regressor(y, loss, dtype=dtype, **params)
    rows = X.astype(dtype)
    outputs = assert_same(export_onnx(estimator), estimator, rows)
    if estimator._codec.has_std:
        _, std = estimator.predict(rows, return_std=True)
        tolerance = TOLERANCE[dtype]
        assert_allclose(outputs["std"].reshape(std.shape), std, rtol=tolerance)
    if outputs["variable"].shape[1:] != (n_columns,):
        assert np.all(np.diff(outputs["variable"], axis=-1) >= 0)  # quantiles never cross


# --- tables --------------------------------------------------------------------------------

SCALES = [None, "standard", "robust", "quantile"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", SCALES)
def test_scales_and_missing_numbers_agree(scale, dtype):
    rows = 100 + 5 * X
    rows[:5, 0] = np.nan
    rows[:, 3] = 7.0
    rows = rows.astype(dtype)
    estimator = mlp(y3, rows, scale=scale, dtype=dtype)
    more = np.vstack([rows, rows[5:15] * 1.5])
    more[-3:, 1] = np.nan  # in a column in which fit saw none
    assert_same(export_onnx(estimator), estimator, more)


def mixed(pd):
    return pd.DataFrame(
        {
            "age": np.where(X[:, 0] > 1, np.nan, 40 + 10 * X[:, 0]),
            "town": np.where(X[:, 1] > 1, None, NAMES),
            "pair": np.where(X[:, 2] > 0, "left", "right"),
            "income": 1e6 * np.exp(X[:, 3]),
            "street": [f"street {i % 25}" for i in range(90)],
            "floor": pd.Series(np.arange(90) % 3 - 1).astype("category"),
            "month": pd.Series(np.arange(90) % 12 + 1.0).where(X[:, 3] > -1).astype("category"),
            "owner": (X[:, 0] > 0).astype(float),
        }
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", SCALES)
def test_data_frames_of_mixed_columns_agree(scale, dtype):
    pd = pytest.importorskip("pandas")
    frame = mixed(pd)
    estimator = mlp(y3, frame, scale=scale, dtype=dtype)
    assert estimator._inputs.cardinalities  # some are embedded
    seen = by_column(frame, text=("town", "pair", "street"), whole=("floor",))
    model = export_onnx(estimator)
    assert [i.name for i in model.graph.input] == list(frame.columns)
    assert_same(model, estimator, frame, seen)
    new = frame.head(10).assign(town="nowhere", street="street 77", pair="up", age=np.nan)
    new["floor"] = 9
    inputs = by_column(new, text=("town", "pair", "street"), whole=("floor",))
    assert_same(model, estimator, new, inputs)


def test_an_input_and_an_output_of_one_name_are_told_apart():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"label": NAMES, "variable": X[:, 0]})
    estimator = mlp(y3, frame)
    outputs = run(export_onnx(estimator), by_column(frame, text=("label",)))
    assert list(outputs) == ["label_", "probabilities"]
    assert_array_equal(outputs["label_"], estimator.predict(frame))


def test_categories_of_an_array_agree():
    rows = X.copy()
    rows[:, 1], rows[:, 2] = np.arange(90) % 4, np.arange(90) % 15 - 3
    rows[::7, 2] = np.nan
    estimator = mlp(y3, rows, categorical_features=[1, 2])
    new = rows[:6].copy()
    new[:3, 1] = [99, -1, 2]
    assert_same(export_onnx(estimator), estimator, np.vstack([rows, new]))


def test_a_broken_number_is_an_unknown_level():
    rows = X.copy()
    rows[:, 1] = np.arange(90) % 4
    estimator = mlp(y3, rows, categorical_features=[1])
    broken, unknown = rows[:5].copy(), rows[:5].copy()
    broken[:, 1], unknown[:, 1] = 1.5, 50
    model = export_onnx(estimator)
    assert_array_equal(run(model, broken)["probabilities"], run(model, unknown)["probabilities"])


def test_object_arrays_have_an_input_a_column():
    rows = np.array([[float(a), str(b)] for a, b in zip(X[:, 0], NAMES, strict=True)], dtype=object)
    estimator = mlp(y3, rows, categorical_features=[1])
    inputs = {"x0": rows[:, :1].astype(float), "x1": rows[:, 1:]}
    assert_same(export_onnx(estimator), estimator, rows, inputs)


def test_sparse_samples_are_exported_as_dense_ones():
    sparse = pytest.importorskip("scipy.sparse")
    rows = sparse.csr_matrix(np.maximum(X, 0))
    estimator = mlp(y3, rows, scale="standard")
    assert_same(export_onnx(estimator), estimator, rows, {"X": rows.toarray()})


def test_levels_that_onnx_lacks_are_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X[:, 0], "when": pd.Categorical([(i % 3,) for i in range(90)])})
    estimator = mlp(y3, frame)
    with pytest.raises(ValueError, match=r"Column 'when' cannot be exported: .*'tuple'.* to text"):
        export_onnx(estimator)


# --- pipelines -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "steps",
    [
        (StandardScaler(),),
        (StandardScaler(), PCA(3, random_state=0)),
        (MinMaxScaler(), StandardScaler(with_mean=False)),
        (FeatureUnion([("pca", PCA(2, random_state=0)), ("best", SelectKBest(k=2))]),),
        ("passthrough",),
        (make_pipeline(StandardScaler(), PCA(3, random_state=0)), StandardScaler()),
    ],
    ids=["scaler", "scaler, pca", "ranges", "union", "nothing", "nested"],
)
def test_pipelines_agree(steps, dtype):
    rows = X.astype(dtype)
    model = make_pipeline(*steps, DeepMLPClassifier((8,), max_iter=5, random_state=0))
    model.fit(rows, NAMES)
    assert model[-1]._inputs.dtype == dtype
    outputs = assert_same(export_onnx(model), model, rows)
    assert list(outputs) == ["label", "probabilities"]


def test_a_pipeline_of_a_regressor_in_a_pipeline_agrees():
    inner = make_pipeline(PCA(3, random_state=0), DeepMLPRegressor(max_iter=5, random_state=0))
    model = make_pipeline(StandardScaler(), inner).fit(X, 50 + X[:, :2])
    assert_same(export_onnx(model), model, X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_column_transformer_agrees(dtype):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": NAMES, "d": np.arange(90) % 4})
    front = make_column_transformer(
        (StandardScaler(), ["a", "b"]),
        (OneHotEncoder(handle_unknown="ignore"), ["c", "d"]),
        sparse_threshold=0,
    )
    model = make_pipeline(front, DeepMLPClassifier((8,), max_iter=5, random_state=0, dtype=dtype))
    model.fit(frame, y3)
    exported = export_onnx(model, X=frame.head(3))
    inputs = by_column(frame, text=("c",), whole=("d",), dtype=dtype)
    assert_same(exported, model, frame, inputs, tolerance=1e-5)


def test_a_column_transformer_by_name_needs_samples():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    front = ColumnTransformer([("scale", StandardScaler(), ["a", "b"])])
    model = make_pipeline(front, DeepMLPClassifier(max_iter=1)).fit(frame, y3)
    with pytest.raises(
        ValueError, match=r"Step 'columntransformer' .*X=X_train\[:5\].* got X=None"
    ):
        export_onnx(model)
    with pytest.raises(ValueError, match=r"got X=ndarray"):
        export_onnx(model, X=X)


def test_categories_behind_other_steps_agree():
    rows = X.copy()
    rows[:, 3] = np.arange(90) % 5
    front = ColumnTransformer([("scale", StandardScaler(), [0, 1, 2])], remainder="passthrough")
    estimator = DeepMLPClassifier(max_iter=5, random_state=0, categorical_features=[3])
    model = make_pipeline(front, estimator).fit(rows, y3)
    assert_same(export_onnx(model), model, rows)


def test_a_search_gives_its_best_estimator():
    pipeline = make_pipeline(StandardScaler(), DeepMLPClassifier(max_iter=3, random_state=0))
    search = GridSearchCV(pipeline, {"deepmlpclassifier__alpha": [0.1, 1.0]}, cv=2).fit(X, y3)
    assert_same(export_onnx(search), search, X)


def test_a_pseudo_label_classifier_is_that_of_its_last_round():
    network = DeepMLPClassifier(max_iter=3, random_state=0)
    model = PseudoLabelClassifier(network, random_state=0).fit(X[:40], y3[:40], X_unlabelled=X[40:])
    behind = make_pipeline(StandardScaler(), model).fit(X, y3)
    assert_same(export_onnx(model), model, X)
    assert_same(export_onnx(behind), behind, X)


class Own(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X + 1


def test_a_step_that_cannot_be_exported_is_named():
    union = FeatureUnion([("pca", PCA(2)), ("mine", make_pipeline(Own()))])
    model = make_pipeline(StandardScaler(), union, DeepMLPClassifier(max_iter=1)).fit(X, y3)
    with pytest.raises(
        ValueError, match=r"Step 'featureunion\.mine\.own' of the pipeline, Own, cannot"
    ):
        export_onnx(model)


def test_an_encoder_of_ours_before_the_estimator_is_refused():
    model = make_pipeline(TabularEncoder(), DeepMLPClassifier(max_iter=1)).fit(X, y3)
    with pytest.raises(ValueError, match=r"Step 'tabularencoder' .* Leave the step out"):
        export_onnx(model)


def test_a_step_that_is_known_but_fails_is_named():
    model = make_pipeline(FunctionTransformer(np.abs), DeepMLPClassifier(max_iter=1)).fit(X, y3)
    with pytest.raises(ValueError, match=r"Step 'functiontransformer' of the .*function is None"):
        export_onnx(model)


def test_an_error_that_names_no_step_is_told_with_all_steps(monkeypatch):
    def fail(*args, **params):
        raise RuntimeError("it went\nwrong")

    monkeypatch.setattr("skl2onnx.to_onnx", fail)
    model = make_pipeline(StandardScaler(), PCA(2), DeepMLPClassifier(max_iter=1)).fit(X, y3)
    with pytest.raises(ValueError, match=r"of the steps \['standardscaler', 'pca'\] .*\(it went\)"):
        export_onnx(model)


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPClassifier((8,), "gelu", max_iter=5, random_state=0, scale="standard"),
        DeepMLPClassifier((8,), torch.nn.Mish, max_iter=5, random_state=0),
        make_pipeline(SimpleImputer(), DeepMLPRegressor(max_iter=5, random_state=0)),
        PerceptronClassifier(random_state=0),
    ],
    ids=["gelu", "mish", "imputer", "perceptron"],
)
def test_a_float64_estimator_can_be_written_in_float32(model):
    model.fit(X, y3)
    exported = export_onnx(model, dtype="float32")
    small = len(exported.SerializeToString())
    outputs = run(exported, X.astype("float32"))
    value = outputs["variable"][:, 0] if "variable" in outputs else outputs["probabilities"]
    assert value.dtype == np.float32
    wanted = model.predict(X) if "variable" in outputs else model.predict_proba(X)
    assert_allclose(value, wanted, rtol=1e-5, atol=1e-5)
    large = len(export_onnx(model, dtype="float64").SerializeToString())
    assert small < large


@pytest.mark.parametrize("dtype", ["float16", np.float32, None])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be 'auto', 'float32' or 'float64'; got"):
        export_onnx(mlp(), dtype=dtype)


# --- threshold units -----------------------------------------------------------------------


@pytest.mark.parametrize("y", [y3 > 0, NAMES, LABELS], ids=["two", "three", "labels"])
def test_perceptrons_agree(y):
    estimator = PerceptronClassifier(random_state=0).fit(X, y)
    assert_same(export_onnx(estimator), estimator, X)


@pytest.mark.parametrize("step", ["heaviside", "sign"])
@pytest.mark.parametrize("y", [y3 > 0, NAMES], ids=["two", "three"])
def test_threshold_logic_agrees(y, step):
    estimator = ThresholdLogicClassifier(step=step, random_state=0).fit(X, y)
    assert_same(export_onnx(estimator), estimator, X)


@pytest.mark.parametrize("step", ["heaviside", "sign"])
def test_a_unit_at_its_threshold_agrees(step):
    table = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    unit = ThresholdLogicClassifier(weights=[1, 1], threshold=1, step=step)
    unit.fit(table, [0, 0, 0, 1])
    assert_same(export_onnx(unit), unit, table)


def test_a_perceptron_in_a_pipeline_agrees():
    model = make_pipeline(StandardScaler(), PerceptronClassifier(random_state=0)).fit(X, NAMES)
    assert_same(export_onnx(model), model, X)


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [LogisticRegression(), make_pipeline(PCA(), PCA()), None])
def test_other_estimators_are_refused(wrong):
    with pytest.raises(TypeError, match=r"export_onnx takes a fitted deep estimator.*got '\w+'"):
        export_onnx(wrong)


@pytest.mark.parametrize("estimator", [DeepMLPClassifier(), PerceptronClassifier()])
def test_an_estimator_must_be_fitted(estimator):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        export_onnx(estimator)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        export_onnx(make_pipeline(StandardScaler(), estimator))


@pytest.mark.parametrize("package", ["onnx", "skl2onnx"])
def test_a_missing_package_is_told_with_its_extra(package, monkeypatch):
    for other in ("onnx", "skl2onnx"):
        pytest.importorskip(other)
    monkeypatch.setitem(sys.modules, package, None)
    model = DeepMLPClassifier(max_iter=1)  # skl2onnx, for other steps, needs onnx itself
    model = (make_pipeline(StandardScaler(), model) if package == "skl2onnx" else model).fit(X, y3)
    with pytest.raises(OptionalDependencyError, match=rf"'{package}'.*pip install 'sknn\[onnx\]'"):
        export_onnx(model)


@pytest.mark.parametrize(
    ("levels", "is_missing"), [([2**64 - 1, 3], False), ([2**53 + 1, 2**53], True)]
)
def test_levels_that_inputs_cannot_tell_apart_are_named(levels, is_missing):
    pd = pytest.importorskip("pandas")
    numbers = [levels[i % 2] for i in range(90)]
    if is_missing:
        numbers[0] = None  # then the input has floats
    column = pd.array(numbers, dtype="UInt64")
    frame = pd.DataFrame({"id": pd.Categorical(column), "a": X[:, 1]})
    with pytest.raises(ValueError, match=rf"'id' cannot be exported: its level {levels[0]} is lar"):
        export_onnx(mlp(y3, frame))


def test_classes_too_large_for_onnx_are_refused():
    estimator = mlp(np.where(X[:, 0] > 0, np.uint64(2**64 - 1), np.uint64(3)))
    with pytest.raises(ValueError, match=r"class 18446744073709551615 is larger\. Convert y to te"):
        export_onnx(estimator)


def test_levels_that_are_no_whole_numbers_are_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"dose": pd.Categorical(np.where(X[:, 0] > 0, 0.5, 1.5)), "a": X[:, 1]})
    with pytest.raises(ValueError, match=r"'dose' cannot be exported: its level 0\.5 is no whole"):
        export_onnx(mlp(y3, frame))


def predict_squares(xp, raw, settings):
    return xp.square(raw)


def count_one(settings):
    return 1


@pytest.mark.parametrize(
    "output",
    [
        OutputActivation("squares", predict_squares, count_one),
        OutputActivation("exp", predict_squares, count_one),  # another one under a known name
        OutputActivation("squares", predict_squares, count_one, has_levels=True),
    ],
)
def test_an_output_activation_of_ones_own_is_refused(output):
    function = VALUE_LOSSES["squared_error"].function
    loss = ValueLoss("own", function, output, scores_loss=True)
    model = DeepMLPRegressor(loss, (3,), max_iter=2, random_state=0).fit(X, X[:, 0])
    assert model.out_activation_ == output.name
    match = rf"output activation '{output.name}' of the loss has no counterpart in ONNX; expected"
    with pytest.raises(ValueError, match=match):
        export_onnx(model)


def test_a_loss_of_ones_own_with_a_known_output_activation_is_written():
    poisson = VALUE_LOSSES["poisson"]
    loss = ValueLoss("own", poisson.function, poisson.output, standardizes=False, lowest=">= 0")
    model = DeepMLPRegressor(loss, (3,), max_iter=2, random_state=0).fit(X, X[:, 0] ** 2)
    (result,) = run(export_onnx(model), X).values()
    assert_allclose(result.ravel(), model.predict(X), rtol=TOLERANCE["float64"])
