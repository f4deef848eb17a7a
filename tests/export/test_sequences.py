"""ONNX models of networks for sequences against `predict`, run by ONNX Runtime."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import SequenceCNNClassifier, SequenceCNNRegressor
from sknn.export import export_onnx
from sknn.preprocessing import DNAOneHotEncoder
from tests.export.test_onnx import assert_same, run

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
LETTERS = np.array(list("ACGT"))
#: of 3 to 22 letters, one of them with unknown ones inside and at an end
STRINGS = ["".join(LETTERS[rng.integers(0, 4, n)]) for n in [22, 21, 9, 7, 6, 3, *[22] * 34]]
STRINGS[6] = "NN" + STRINGS[6][2:9] + "NN" + STRINGS[6][11:]
Y = np.array(["no", "yes"])[[i % 2 for i in range(40)]]
QUICK = {"n_filters": 6, "kernel_size": 7, "max_iter": 2, "random_state": 0}
#: by name, what a network is made of
NETWORKS = {
    "max": {"pooling": "max"},
    "mean of both strands": {"pooling": "mean", "reverse_complement": True},
    "one strand": {"reverse_complement": False},
    "no places": {"position_bias": False},
    "exp": {"first_activation": "exp"},
    "linear": {"first_activation": "linear"},
    "stretches": {"pooling": 3},
    "stretches of symmetric strands": {"pooling": 3, "reverse_complement": True},
    "normalised": {"batch_norm": True},
    "two layers": {"n_conv_layers": 2},
    "three layers of symmetric strands": {"n_conv_layers": 3, "reverse_complement": True},
    "members": {"n_members": 3},
    "members of two layers, of stretches": {"n_members": 2, "n_conv_layers": 2, "pooling": 2},
    "two layers, stretches, no hidden layer": {
        "n_conv_layers": 2,
        "pooling": 2,
        "hidden_layer_sizes": (),
    },
}


def check(model, given, opset=18):
    """Compare the model of encoded sequences with predictions for the sequences given."""
    expected = [model.predict(given)]
    if hasattr(model, "predict_proba"):
        expected.append(model.predict_proba(given))
    outputs = list(run(export_onnx(model, opset=opset), model.encode(given)).values())
    assert outputs[0].dtype.kind == expected[0].dtype.kind or outputs[0].dtype == object
    if expected[0].dtype.kind == "f":
        assert_allclose(outputs[0].ravel(), expected[0], rtol=1e-5, atol=1e-5)
        return
    assert_array_equal(outputs[0], expected[0])
    assert_allclose(outputs[1], expected[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("dtype", "opset"), [("float32", 17), ("float64", 18)])
def test_predictions_are_those_of_the_estimator(name, dtype, opset):
    model = SequenceCNNClassifier(**QUICK, **NETWORKS[name], dtype=dtype).fit(STRINGS, Y)
    check(model, STRINGS, opset)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "ordered_bins"])
def test_regressors_predict_in_the_units_of_y(loss):
    y = 100 + 10 * np.arange(40) % 7
    check(SequenceCNNRegressor(loss, **QUICK).fit(STRINGS, y), STRINGS)


def test_several_classes_of_proteins_and_no_samples():
    X = ["".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), 15)) for _ in range(40)]
    model = SequenceCNNClassifier(**QUICK, alphabet="protein").fit(X, np.arange(40) % 3)
    check(model, X)
    nothing = run(export_onnx(model), model.encode(X)[:0])
    assert nothing["probabilities"].shape == (0, 3)


def test_arrays_and_tables_go_in_as_they_are():
    signals = rng.normal(size=(40, 20, 3))
    model = SequenceCNNClassifier(**QUICK, alphabet=None).fit(signals, Y)
    assert_same(export_onnx(model), model, signals)
    table = signals[:, :, 0]
    model = make_pipeline(StandardScaler(), SequenceCNNClassifier(**QUICK, alphabet=None))
    assert_same(export_onnx(model.fit(table, Y)), model, table)


def test_letters_are_encoded_where_the_model_runs():
    whole = [s for s in STRINGS if len(s) == 22]
    pipeline = make_pipeline(DNAOneHotEncoder(), SequenceCNNClassifier(**QUICK))
    pipeline.fit(whole, Y[: len(whole)])
    with pytest.raises(
        ValueError, match=r"'dnaonehotencoder'.*does not read letters.*pipeline\[-1"
    ):
        export_onnx(pipeline)
    encoded = pipeline[:-1].transform(whole)
    outputs = run(export_onnx(pipeline[-1]), encoded.astype(np.float32))
    assert_array_equal(outputs["label"], pipeline.predict(whole))
